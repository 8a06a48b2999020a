//! Linux's error numbers, as the kernel makes them of HCI codes (`bt_to_errno`).
use super::card::{Card, Namespace, number};
use crate::packet::Status;

pub const NAMESPACE: Namespace = Namespace {
    id: "errno",
    title: "Linux error number",
    printed: "the kernel and bluetoothd print them (`… (103)`, `failed: -110`)",
    words: &["errno", "opcode failed"],
    decimal: true,
    everyday: true,
    cards: CARDS,
    sources: &[
        "Linux net/bluetooth/lib.c (bt_to_errno)",
        "laboratory captures beside bluetoothd's log",
    ],
    ..Namespace::NONE
};

const CARDS: &[Card] = &[
    number(107, "Transport endpoint is not connected", "There is no such link any more.")
        .named(&["enotconn"])
        .codes(&[Status::UNKNOWN_CONNECTION_IDENTIFIER]),
    number(13, "Permission denied", "On a Bluetooth socket: authentication failed. On opening one: the program lacks the right.")
        .named(&["eacces"])
        .codes(&[Status::AUTHENTICATION_FAILURE]),
    number(52, "Invalid exchange", "The bond's key is missing on the other side.")
        .named(&["ebade"])
        .codes(&[Status::PIN_OR_KEY_MISSING])
        .rules(&["pin-or-key-missing-0x06"]),
    number(110, "Connection timed out", "The link was lost, or the peer did not accept in time. In the kernel's log (`-110`): the controller did not answer a command.")
        .named(&["etimedout"])
        .decides("bluetoothd's `disconnected, reason 1` beside it: lost. `tx timeout` in the kernel's log: the controller.")
        .codes(&[Status::CONNECTION_TIMEOUT, Status::ACCEPT_TIMEOUT])
        .rules(&["supervision-timeout-0x08", "command-timeout-0x2016-or-other"]),
    number(31, "Too many links", "No more links are possible on this adapter.")
        .named(&["emlink"])
        .codes(&[Status::CONNECTION_LIMIT_EXCEEDED, Status::SYNCHRONOUS_LIMIT_EXCEEDED])
        .rules(&["adapter-slots-exhausted"]),
    number(114, "Operation already in progress", "From the kernel: a link to the device exists already. From BlueZ over D-Bus: another connect or discovery is under way.")
        .named(&["ealready"])
        .codes(&[Status::CONNECTION_ALREADY_EXISTS])
        .rules(&["inprogress-stale-connect"]),
    number(16, "Device or resource busy", "The controller is busy with another request; also the kernel's own answer while another LE connect runs.")
        .named(&["ebusy"])
        .codes(&[Status::COMMAND_DISALLOWED])
        .rules(&["inprogress-stale-connect"]),
    number(111, "Connection refused", "Refused: for want of resources, for security, or for an unacceptable address.")
        .named(&["econnrefused"])
        .likely("From bluetoothd with `reason 4`: encryption failed because the bond is lost on the other side.")
        .codes(&[Status::LIMITED_RESOURCES, Status::SECURITY_REASONS, Status::UNACCEPTABLE_ADDRESS, Status::PIN_OR_KEY_MISSING])
        .rules(&["pin-or-key-missing-0x06", "adapter-slots-exhausted"]),
    number(95, "Operation not supported", "The controller does not support a feature or value that was asked for.")
        .named(&["eopnotsupp"])
        .codes(&[Status::UNSUPPORTED_FEATURE]),
    number(22, "Invalid argument", "The parameters of the request contradict each other, for example a supervision timeout too short for interval and latency.")
        .named(&["einval"])
        .codes(&[Status::INVALID_PARAMETERS])
        .rules(&["create-conn-status-error"]),
    number(104, "Connection reset by peer", "These words stand for opposite truths: the device hung up (0x13, 0x14, 0x15), or this host lost its own adapter (switched off, unplugged, rfkill, daemon stopped, controller hung).")
        .named(&["econnreset"])
        .decides("`disconnected, reason 3` beside it: the device. `reason 2`: this host's controller hung. No reason line at all: the adapter went away; the capture shows Close Index.")
        .codes(&[Status::REMOTE_USER_TERMINATED, Status::REMOTE_LOW_RESOURCES, Status::REMOTE_POWER_OFF])
        .rules(&["remote-user-terminated-idle", "immediate-0x13-after-first-att", "suspend-or-power"]),
    number(103, "Software caused connection abort", "These words stand for different truths: this host hung up (0x16), the controller crashed and was reset, or a connect failed before it was up (0x3E).")
        .named(&["econnaborted"])
        .decides("`disconnected, reason 2` beside it: this host, a program or a timeout. `reason 0`: 0x3E. `hardware error` in the kernel's log: the controller.")
        .codes(&[Status::LOCAL_HOST_TERMINATED, Status::FAILED_TO_BE_ESTABLISHED])
        .rules(&["connection-cancelled-by-app", "never-heard-peer", "controller-hardware-error"]),
    number(93, "Protocol not supported", "The peer does not know a procedure.")
        .named(&["eprotonosupport"])
        .codes(&[Status::UNSUPPORTED_REMOTE_FEATURE]),
    number(71, "Protocol error", "A link-manager procedure failed.")
        .named(&["eproto"])
        .codes(&[Status::UNKNOWN_LMP_PDU, Status::INVALID_LL_PARAMETERS, Status::LL_COLLISION, Status::PDU_NOT_ALLOWED, Status::ENCRYPTION_MODE_NOT_ACCEPTABLE]),
    number(38, "Function not implemented", "An HCI reason that the kernel has no error number for: nothing is missing in the program.")
        .named(&["enosys"])
        .likely("From bluetoothd at a connect: 0x3E, the device was never heard.")
        .decides("The HCI reason in a capture, or with `btmon`.")
        .codes(&[Status::FAILED_TO_BE_ESTABLISHED, Status::LL_RESPONSE_TIMEOUT, Status::UNACCEPTABLE_CONNECTION_PARAMETERS, Status::MIC_FAILURE])
        .rules(&["never-heard-peer"]),
    number(112, "Host is down", "The adapter is switched off, or the device did not answer the page.")
        .named(&["ehostdown"])
        .codes(&[Status::PAGE_TIMEOUT]),
    number(113, "No route to host", "The adapter is off or there is none that reaches the device.")
        .named(&["ehostunreach"]),
];
