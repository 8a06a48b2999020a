//! noble (Node.js) and other programs that speak HCI themselves.
use super::card::{Card, Namespace, word};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "noble",
    title: "noble (Node.js)",
    cards: CARDS,
    sources: &[
        "noble lib/hci-socket",
        "noble/noble issues 474, 545, 751; stoprocent/noble issues 97 to 101",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    word("unknown-handle", "noble warning: unknown handle", "A link ended that noble does not know: as a rule bluetoothd or the kernel made it on the same adapter.")
        .named(&["unknown handle"])
        .rules(&["two-stacks-one-adapter"]),
    word("command-disallowed", "Command Disallowed (0xc)", "The controller refused: another connect or scan is under way, often bluetoothd's on the same adapter.")
        .codes(&[Status::COMMAND_DISALLOWED])
        .rules(&["two-stacks-one-adapter", "create-conn-status-error"]),
    word("unknown-peripheral", "noble warning: unknown peripheral", "An event came for a device that noble has not seen or has forgotten."),
    word("state-not-powered", "state is unauthorized", "The program may not use the adapter: on Linux `sudo setcap cap_net_raw+eip $(readlink -f $(which node))`, on macOS the Bluetooth permission.")
        .named(&["state = unauthorized", "could not start scanning, state is"]),
    word("exchange-mtu", "peripheral.exchangeMtu", "noble has no such function: it asks for its MTU by itself as soon as a link is created, before the device was heard.")
        .named(&["exchangemtu is not a function"])
        .rules(&["late-host-write", "never-heard-peer"]),
    word("main-conf-supervision", "SupervisionTimeout", "BlueZ's main.conf has no such key. It is `ConnectionSupervisionTimeout` in `[LE]`, in units of 10 ms, and only links that the kernel makes obey it: noble on raw HCI sets its own.")
        .rules(&["short-supervision-timeout-linux-420ms"]),
];
