//! Links and adapters in somebody else's hands, and what a program must ask for.
use super::{Entry, For, What};

const STACKS: &[&str] = &["two-stacks-one-adapter"];
const UNUSABLE: &[&str] = &["never-usable-connection"];
const NOTIFY: &[&str] = &["notifications-never-enabled"];
const WRITE: &[&str] = &["write-type-mismatch"];
const ATT_30S: &[&str] = &["att-transaction-timeout-30s"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Command,
        "stop-daemon",
        (STACKS, For::RawHci),
        "first `sudo systemctl stop bluetooth`, then open the HCI user channel: with bluetoothd running, the bind is refused (EBUSY), and after the stop the adapter is down already.",
    )
    .tried("r-user-channel", BOTH),
    Entry::fixed(
        What::Code,
        "disconnect-and-retry",
        (UNUSABLE, For::BlueZ),
        "Treat `Connected` without `ServicesResolved` after 10 s as failed: `Device1.Disconnect`, then connect again.",
    )
    .limits("It works if the device answers then.")
    .tried("z-phantom", BOTH),
    Entry::no_use("reconnect-without-disconnect", (UNUSABLE, For::BlueZ), "Ending the program and starting another one without `Disconnect`: the second joins the dead link and waits.")
        .tried("z-phantom-nodisc", &["5.66"]),
    Entry::fixed(
        What::Code,
        "start-notify",
        (NOTIFY, For::Bleak),
        "`await client.start_notify(characteristic, callback)` before the first write; over D-Bus: `StartNotify`.",
    )
    .tried("n-cccd", BOTH),
    Entry::fixed(
        What::Code,
        "response-true",
        (WRITE, For::Bleak),
        "`write_gatt_char(…, response=True)` for a Write Request (or no `response` argument), `response=False` for a Write Command; over D-Bus the `type` option (`request`, `command`).",
    )
    .tried("n-write-type2", BOTH),
    Entry::fixed(
        What::Command,
        "noplugin",
        (ATT_30S, For::BlueZ),
        "If the request is BlueZ's own, keep it from asking: `bluetoothd --noplugin=gap,deviceinfo,battery` for a test; update BlueZ.",
    )
    .says_source("tried for a device that hangs up at the read of 0x2A00 (noplugin-gap), not for one that is silent"),
    Entry::fixed(
        What::Setting,
        "no-reverse-discovery",
        (ATT_30S, For::BlueZ),
        "If both sides discover each other at once, switch that off: `ReverseServiceDiscovery=false` in /etc/bluetooth/main.conf.",
    )
    .when("the device asked us too", |view| {
        use crate::packet::Direction::Received;
        view.any(|c| c.steps.iter().any(|s| s.is_att() && s.by == Received && s.procedure.word().starts_with("discover")))
    }),
    Entry::no_use("cache-always", (ATT_30S, For::BlueZ), "`[GATT] Cache=always` is the default: it changes nothing.")
        .says_source("BlueZ src/main.conf: Cache defaults to always"),
    Entry::no_use("longer-timeout", (ATT_30S, For::Any), "A longer supervision timeout: the link was alive all the time."),
    Entry::fixed(
        What::Advice,
        "answer-every-request",
        (ATT_30S, For::Peer),
        "answer every request, with an Error Response if nothing else.",
    ),
];
