//! The Linux kernel's own log.
use super::card::{Card, Namespace, word};

pub const NAMESPACE: Namespace = Namespace {
    id: "kernel",
    title: "Linux kernel log",
    everyday: true,
    cards: CARDS,
    sources: &[
        "Linux net/bluetooth/hci_core.c and hci_sync.c",
        "raspberrypi/linux issues 3330, 4601",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    word("tx-timeout", "tx timeout", "The controller did not answer a command within 2 s. A matter of its firmware, its serial line or its USB port, not of the device.")
        .likely("Scanning and connecting at the same time on a Pi's own radio, old firmware, or a bad hub.")
        .rules(&["command-timeout-0x2016-or-other"]),
    word("hardware-error", "hardware error 0x", "The controller crashed and said so; the kernel resets it, and all links are lost. Not the device's fault.")
        .named(&["hardware error"])
        .rules(&["controller-hardware-error"]),
    word("link-tx-timeout", "link tx timeout", "The controller gave no packets back for a long time: the kernel kills the stalled link.")
        .named(&["killing stalled connection"])
        .rules(&["ncp-starvation", "write-command-flood"]),
    word("opcode-failed", "Opcode 0x200d failed", "The controller refused LE Create Connection; the number behind it is Linux's.")
        .rules(&["create-conn-status-error"]),
    word("unknown-handle", "unknown connection handle", "A packet came for a link that the kernel does not know (any more)."),
    word("unexpected-event", "unexpected event for opcode", "The controller answered something that was not asked: mostly two programs on one adapter, or its firmware.")
        .rules(&["two-stacks-one-adapter"]),
    word("frame-reassembly", "Frame reassembly failed", "Bytes were lost between the controller and the kernel: the serial line (UART) is too fast or badly clocked.")
        .rules(&["command-timeout-0x2016-or-other"]),
    word("firmware", "firmware file not found", "The kernel did not find the controller's firmware: install the distribution's firmware package.")
        .named(&["failed to load", "patch file not found"]),
];
