//! A cache of attributes that no longer fits the device.
use super::{Entry, For, What};

const STALE: &[&str] = &["gatt-cache-stale"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Command,
        "rm-file-restart",
        (STALE, For::BlueZ),
        "`sudo systemctl stop bluetooth`, delete /var/lib/bluetooth/ADAPTER/cache/PEER, `sudo systemctl start bluetooth`. A bond stays.",
    )
    .weight(|view| u32::from(view.bonded()))
    .tried("s-t-rmcache-restart", BOTH),
    Entry::fixed(
        What::Command,
        "rm-file-restart-bonded",
        (STALE, For::BlueZ),
        "Delete the file as above rather than `remove` the device, which is bonded: its bond then stays.",
    )
    .when("the device is bonded", |view| view.bonded())
    .tried("s-b-rmcache-restart", BOTH),
    Entry::fixed(
        What::Command,
        "remove",
        (STALE, For::BlueZ),
        "`bluetoothctl remove ADDRESS`, scan, connect.",
    )
    .unless("the device is bonded: its bond would be lost", |view| view.bonded())
    .tried("s-t-remove", BOTH),
    Entry::fixed(
        What::Command,
        "wait-30s-untrusted",
        (STALE, For::BlueZ),
        "Wait 36 s after the disconnection, or restart bluetooth: BlueZ then forgets the cache of a device that is neither paired nor trusted.",
    )
    .unless("the device is bonded", |view| view.bonded())
    .tried("s-wait35", BOTH),
    Entry::fixed(
        What::Setting,
        "cache-no",
        (STALE, For::BlueZ),
        "Set `Cache=no` under `[GATT]` in /etc/bluetooth/main.conf and restart bluetooth, while the firmware is being developed.",
    )
    .costs("every connection discovers everything anew.")
    .tried("s-reorder-nocache", BOTH),
    Entry::no_use("rm-file-running", (STALE, For::BlueZ), "Deleting the cache file while bluetoothd runs: it uses its copy in memory.")
        .tried("s-reorder-rmcache", BOTH),
    Entry::no_use("restart-trusted", (STALE, For::BlueZ), "Restarting bluetooth alone, for a trusted or bonded device.")
        .when("the device is bonded", |view| view.bonded())
        .tried("s-t-restart", BOTH),
    Entry::no_use("database-hash", (STALE, For::Peer), "A Database Hash (0x2B2A), where services keep their ranges: BlueZ reads the new hash and keeps the old handles.")
        .when("the host is BlueZ, or unknown", |view| view.may_be_bluez())
        .tried("s-reorder-hash", BOTH),
    Entry::no_use("service-changed", (STALE, For::Peer), "A Service Changed indication, where services keep their ranges: BlueZ does not read the characteristics again.")
        .when("the host is BlueZ, or unknown", |view| view.may_be_bluez())
        .tried("s-reorder-sc", BOTH),
    Entry::fixed(
        What::Advice,
        "move-ranges",
        (STALE, For::Peer),
        "let a changed service begin or end at another handle: BlueZ then notices by itself at the next connection.",
    )
    .when("the host is BlueZ, or unknown", |view| view.may_be_bluez())
    .tried("s-moved-none", BOTH),
    Entry::fixed(
        What::Advice,
        "forget-handles",
        (STALE, For::Any),
        "Make the host forget what it knows of the device, so that it discovers again.",
    ),
];
