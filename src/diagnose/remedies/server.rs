//! A GATT server of ours that goes away, or comes back with other handles.
use super::{Entry, For, What};

const EXIT: &[&str] = &["service-changed-on-exit"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Code,
        "ordered+fixed-handle",
        (EXIT, For::BlueZ),
        "In the program, before it exits: stop advertising, call `Device1.Disconnect`, wait until `Connected` is false, `UnregisterApplication`; and give each `GattService1` the property `Handle` (0x0040, say), so that it comes back at the same handles.",
    )
    .limits("The other host must write the CCCD again.")
    .tried("h-ordered-handle", BOTH),
    Entry::fixed(
        What::Code,
        "keep-server",
        (EXIT, For::BlueZ),
        "Keep the GATT application in a process that is not restarted: reports arrive with nothing rewritten.",
    )
    .tried("h-keep", BOTH),
    Entry::fixed(
        What::Command,
        "bluetoothd-first",
        (EXIT, For::BlueZ),
        "Stop bluetoothd first, then the program; start both again: the handles stay the same.",
    )
    .limits("At the reconnect Service Changed is sent, and the other host must write the CCCD again.")
    .tried("h-bluetoothd-first", BOTH),
    Entry::no_use("kill", (EXIT, For::BlueZ), "Killing the program while connected: Service Changed is sent and the handles move.")
        .tried("h-crash", BOTH),
    Entry::no_use("kill+fixed-handle", (EXIT, For::BlueZ), "The `Handle` property alone, when the program is killed while connected: the other host sees the service vanish and leaves.")
        .tried("h-crash-handle", BOTH),
    Entry::no_use("unregister-connected", (EXIT, For::BlueZ), "`UnregisterApplication` while connected.")
        .tried("h-unregister", &["5.66"]),
    Entry::no_use("disconnect-no-wait", (EXIT, For::BlueZ), "`Device1.Disconnect` and exit at once: BlueZ disconnects two seconds later.")
        .tried("h-disconnect-no-wait", BOTH),
    Entry::no_use("ordered", (EXIT, For::BlueZ), "An orderly exit without the `Handle` property: at the next start the handles have moved.")
        .tried("h-ordered", BOTH),
];
