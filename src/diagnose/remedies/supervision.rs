//! A link that is lost because its supervision timeout is shorter than the silence.
use super::{Entry, For, View, What};
use crate::timeline::Stack;

const SHORT: &[&str] = &["short-supervision-timeout-linux-420ms"];
const ERASE: &[&str] = &["ota-erase-silence"];
const LOST: &[&str] = &["supervision-timeout-0x08"];
const ALL: &[&str] =
    &["short-supervision-timeout-linux-420ms", "ota-erase-silence", "supervision-timeout-0x08"];
const BOTH: &[&str] = &["5.66", "5.82"];

/// 6 s, in units of 10 ms: what was tried.
const LONG: u16 = 600;

/// 4 s: a timeout of this length is no short one.
const ORDINARY: u16 = 400;

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Setting,
        "main-conf",
        (SHORT, For::BlueZ),
        "Set `ConnectionSupervisionTimeout=600` (6 s) under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`; alone it is enough.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already", long_already)
    .costs("a device that is really gone is noticed only after 6 s.")
    .tried("v-conf-timeout", BOTH),
    Entry::fixed(
        What::Setting,
        "main-conf",
        (ERASE, For::BlueZ),
        "Set `ConnectionSupervisionTimeout=600` (6 s) under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already", long_already)
    .limits("A device that is silent for longer needs a longer supervision timeout (3200, 32 s, is the most).")
    .costs("a device that is really gone is noticed only after 6 s.")
    .tried("o-conf-timeout", BOTH),
    Entry::fixed(
        What::Setting,
        "main-conf",
        (LOST, For::BlueZ),
        "Set `ConnectionSupervisionTimeout=600` (6 s) under `[LE]` in /etc/bluetooth/main.conf, then `sudo systemctl restart bluetooth`: it bridges a short disturbance.",
    )
    .when("this host chose the timeout, and it is shorter than 4 s", |view| {
        view.central() && view.timeout().is_some_and(|timeout| timeout < ORDINARY)
    })
    .costs("a device that is really gone is noticed only after 6 s.")
    .says_source("tried for a timeout of 420 ms and a silence of 1 s (v-conf-timeout)"),
    Entry::fixed(
        What::File,
        "info-file",
        (SHORT, For::BlueZ),
        "For this device alone: stop bluetooth, `MinInterval=24` `MaxInterval=40` `Latency=0` `Timeout=600` under `[ConnectionParameters]` in /var/lib/bluetooth/ADAPTER/PEER/info, start bluetooth.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already, or the address changes", |view| {
        long_already(view) || view.address_changes()
    })
    .tried("v-info", BOTH),
    Entry::fixed(
        What::Command,
        "debugfs",
        (SHORT, For::BlueZ),
        "For a test: `echo 600 | sudo tee /sys/kernel/debug/bluetooth/hci0/supervision_timeout`.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already", long_already)
    .limits("It lasts until the adapter is set up again.")
    .tried("v-debugfs", BOTH),
    Entry::fixed(
        What::Setting,
        "main-conf-3",
        (SHORT, For::BlueZ),
        "Or set the interval as well: `MinConnectionInterval=24` `MaxConnectionInterval=40` `ConnectionSupervisionTimeout=600` under `[LE]`.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already", long_already)
    .tried("v-conf-all", BOTH),
    Entry::fixed(
        What::Command,
        "debugfs",
        (ERASE, For::BlueZ),
        "For a test: `echo 600 | sudo tee /sys/kernel/debug/bluetooth/hci0/supervision_timeout`.",
    )
    .when("this host chose the timeout", |view| view.central())
    .unless("the timeout is as long already", long_already)
    .limits("It lasts until the adapter is set up again.")
    .tried("o-debugfs", &["5.66"]),
    Entry::fixed(
        What::Setting,
        "parameter-request",
        (SHORT, For::Peer),
        "ask for a timeout of 6 s with an L2CAP parameter update right after the connection.",
    )
    .unless("the timeout is as long already", long_already)
    .tried("v-peer-asks", BOTH),
    Entry::fixed(
        What::Setting,
        "parameter-request",
        (ERASE, For::Peer),
        "ask for a timeout of 6 s before the flash is erased, or erase page by page and answer in between.",
    )
    .unless("the timeout is as long already", long_already)
    .tried("o-peer-asks", &["5.66"]),
    Entry::fixed(
        What::Advice,
        "longer-timeout",
        (&["short-supervision-timeout-linux-420ms", "ota-erase-silence"], For::Any),
        "Choose a supervision timeout that is longer than the longest silence of the device.",
    )
    .unless("the timeout is as long already, or BlueZ chose it, which has rows of its own", |view| {
        long_already(view) || (view.host(Stack::BlueZ) && view.central())
    }),
    Entry::no_use(
        "longer-still",
        (ALL, For::Any),
        "An even longer supervision timeout: it is long already.",
    )
    .when("the timeout is as long already", long_already),
    Entry::no_use("sleep", (ERASE, For::Any), "A fixed pause after connecting: the silence follows the write, not the connection."),
];

fn long_already(view: &View<'_>) -> bool {
    view.timeout().is_some_and(|timeout| timeout >= LONG)
}
