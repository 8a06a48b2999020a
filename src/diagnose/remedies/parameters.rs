//! Connection parameters that a device asked for, and that stay.
use super::{Entry, For, What};

const STALLS: &[&str] = &["latency-or-interval-change-stalls"];
const UPDATE: &[&str] = &["param-update-unanswered-then-drop"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::File,
        "edit-info-file",
        (STALLS, For::BlueZ),
        "`sudo systemctl stop bluetooth`; `MinInterval=24` and `MaxInterval=40` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/PEER/info; `sudo systemctl start bluetooth`.",
    )
    .unless("the device is bonded: `remove` is simpler, or its address changes", |view| view.address_changes())
    .limits("It holds for the next link, until the device asks for other parameters again.")
    .tried("l-edit", BOTH),
    Entry::fixed(
        What::Command,
        "remove-bonded",
        (STALLS, For::BlueZ),
        "`bluetoothctl remove ADDRESS`, and pair again: for a bonded device the next link has the usual interval.",
    )
    .when("the device is bonded", |view| view.bonded())
    .costs("the bond is lost.")
    .tried("l-bonded-remove", BOTH),
    Entry::no_use("remove-unbonded", (STALLS, For::BlueZ), "`bluetoothctl remove ADDRESS`: of a device without a bond the kernel keeps what it asked for.")
        .unless("the device is bonded", |view| view.bonded())
        .tried("l-stored", BOTH),
    Entry::no_use("remove+restart", (STALLS, For::BlueZ), "`remove` and a restart of bluetooth, without a bond.")
        .unless("the device is bonded", |view| view.bonded())
        .tried("l-remove-restart", BOTH),
    Entry::no_use("restart", (STALLS, For::BlueZ), "A restart of bluetooth alone.")
        .tried("l-restart-remove", BOTH),
    Entry::no_use("main-conf-limit", (STALLS, For::BlueZ), "`[LE] MaxConnectionInterval` in main.conf: values stored for the device go first.")
        .tried("l-limit", BOTH),
    Entry::fixed(
        What::Command,
        "kernel-6.12",
        (UPDATE, For::BlueZ),
        "Use a kernel with commit 806a5198c059 (mid-2024, also in stable kernels): it accepts what devices ask for, without any setting.",
    )
    .tried("q-none", BOTH),
    Entry::no_use("wide-limits", (UPDATE, For::BlueZ), "`[LE] MinConnectionInterval=6 MaxConnectionInterval=3200 ConnectionSupervisionTimeout=1000`: every new link may then get an interval of 4 s (11 requests took 92 s).")
        .tried("q-wide", BOTH),
];
