//! Linux's management interface: reasons of Device Disconnected, and statuses of commands.
use super::card::{Card, Namespace, number};
use crate::packet::{MgmtReason, MgmtStatus, Status};

pub const REASONS: Namespace = Namespace {
    id: "mgmt",
    title: "Linux management interface: disconnect reason",
    printed: "a `reason` of 0 to 5 in decimal is mgmt's: bluetoothd and bluetoothctl print it",
    words: &["mgmt", "dev_disconnected", "disconnected with reason", "disconnected, reason"],
    decimal: true,
    cards: REASON_CARDS,
    sources: &["BlueZ doc/mgmt-api.txt, Device Disconnected Event", "Linux net/bluetooth/mgmt.c"],
    ..Namespace::NONE
};

pub const STATUSES: Namespace = Namespace {
    id: "mgmt-status",
    title: "Linux management interface: status of a command",
    printed: "bluetoothd prints mgmt statuses in decimal: `connect_failed_callback() … status 8`, `device_bonding_failed() status 14`",
    words: &[
        "mgmt",
        "mgmt-status",
        "connect_failed_callback",
        "device_bonding_failed",
        "bonding_attempt_complete",
        "auth failed with status",
        "device_bonding_complete",
    ],
    decimal: true,
    whole: true,
    cards: STATUS_CARDS,
    sources: &["BlueZ doc/mgmt-api.txt, error codes"],
    ..Namespace::NONE
};

const fn reason(code: MgmtReason, says: &'static str) -> Card {
    let title = match code.name() {
        Some(name) => name,
        None => "",
    };
    number(code.0 as u32, title, says)
}

const REASON_CARDS: &[Card] = &[
    reason(
        MgmtReason::UNSPECIFIED,
        "Every HCI reason that has no number here: 0x3E, 0x22 and 0x3D among them. It says nothing; look at the HCI reason.",
    )
    .likely("On a connect that never came up: 0x3E, the device was never heard.")
    .codes(&[Status::FAILED_TO_BE_ESTABLISHED, Status::LL_RESPONSE_TIMEOUT, Status::MIC_FAILURE])
    .rules(&["never-heard-peer"]),
    reason(MgmtReason::TIMEOUT, "HCI 0x08: the link was lost for want of packets.")
        .codes(&[Status::CONNECTION_TIMEOUT])
        .rules(&["supervision-timeout-0x08"]),
    reason(
        MgmtReason::LOCAL_HOST,
        "HCI 0x16: this host ended the link. The kernel's documentation warns that local and remote can be wrong.",
    )
    .decides("A program's Disconnect, a timeout of bluetoothd, or a controller that stopped answering. The lines before it tell which.")
    .codes(&[Status::LOCAL_HOST_TERMINATED])
    .rules(&["local-stack-stopped", "connection-cancelled-by-app"]),
    reason(
        MgmtReason::REMOTE,
        "HCI 0x13, 0x14 or 0x15: the link was ended by the remote host, the device. It harms no bond. The kernel's documentation warns that local and remote can be wrong.",
    )
    .codes(&[Status::REMOTE_USER_TERMINATED, Status::REMOTE_LOW_RESOURCES, Status::REMOTE_POWER_OFF])
    .rules(&["remote-user-terminated-idle", "service-changed-on-exit", "immediate-0x13-after-first-att"]),
    reason(
        MgmtReason::AUTHENTICATION_FAILURE,
        "Encryption or pairing had failed before the link ended: look at Encryption Change and Pairing Failed.",
    )
    .codes(&[Status::AUTHENTICATION_FAILURE, Status::PIN_OR_KEY_MISSING])
    .rules(&["pin-or-key-missing-0x06"]),
    reason(MgmtReason::SUSPEND, "This host went to sleep and ended its links.").rules(&["suspend-or-power"]),
];

const fn status(code: MgmtStatus, says: &'static str) -> Card {
    let title = match code.name() {
        Some(name) => name,
        None => "",
    };
    number(code.0 as u32, title, says)
}

const STATUS_CARDS: &[Card] = &[
    status(MgmtStatus::SUCCESS, "It worked."),
    status(MgmtStatus::UNKNOWN_COMMAND, "The kernel does not know the command: it is older than bluetoothd expects."),
    status(MgmtStatus::NOT_CONNECTED, "There is no link to that device."),
    status(MgmtStatus::FAILED, "It failed, without a better word: most HCI codes that have no status of their own."),
    status(MgmtStatus::CONNECT_FAILED, "The link could not be made."),
    status(MgmtStatus::AUTHENTICATION_FAILED, "Pairing or encryption failed.")
        .codes(&[Status::AUTHENTICATION_FAILURE])
        .rules(&["pairing-refused-by-peer", "no-pairing-agent"]),
    status(MgmtStatus::NOT_PAIRED, "There is no pairing with that device."),
    status(MgmtStatus::NO_RESOURCES, "No memory or no slot was left."),
    status(MgmtStatus::TIMEOUT, "In bluetoothd's `connect_failed_callback() … status 8`: the kernel tried for 20 s, then cancelled.")
        .codes(&[Status::UNKNOWN_CONNECTION_IDENTIFIER, Status::CONNECTION_TIMEOUT])
        .rules(&["create-conn-timeout-cancel"]),
    status(MgmtStatus::ALREADY_CONNECTED, "A link to that device is up already."),
    status(MgmtStatus::BUSY, "Something else is under way on this adapter."),
    status(MgmtStatus::REJECTED, "It was refused."),
    status(MgmtStatus::NOT_SUPPORTED, "The controller or the kernel cannot do that."),
    status(MgmtStatus::INVALID_PARAMETERS, "The parameters do not fit."),
    status(
        MgmtStatus::DISCONNECTED,
        "The link ended first. bluetoothd prints `device_bonding_failed() status 14` after every disconnect, paired or not: it is no failed bonding and means nothing by itself.",
    )
    .likely("In `connect_failed_callback() … status 14`: the waiting for the device was given up.")
    .decides("The line `disconnected, reason N` beside it says how the link ended."),
    status(MgmtStatus::NOT_POWERED, "The adapter is off.").rules(&["suspend-or-power"]),
    status(MgmtStatus::CANCELLED, "It was cancelled."),
    status(MgmtStatus::INVALID_INDEX, "There is no such adapter."),
    status(MgmtStatus::RFKILLED, "The adapter is switched off by rfkill: `rfkill list`, `sudo rfkill unblock bluetooth`."),
    status(MgmtStatus::ALREADY_PAIRED, "The device is paired already."),
    status(MgmtStatus::PERMISSION_DENIED, "The program lacks the right (CAP_NET_ADMIN)."),
];
