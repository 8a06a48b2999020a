//! What codes mean beyond their names.
use crate::packet::att::ErrorCode;
use crate::packet::{MgmtReason, Status, smp};

/// HCI statuses and disconnect reasons, and what they usually are on LE.
pub const HCI: &[(Status, &str)] = &[
    (
        Status::UNKNOWN_CONNECTION_IDENTIFIER,
        "There is no such link or attempt any more. After LE Create Connection Cancel it says that the cancel succeeded: no error of its own, and routine on phones.",
    ),
    (Status::HARDWARE_FAILURE, "The controller could not do it."),
    (
        Status::PAGE_TIMEOUT,
        "BR/EDR only: the device did not answer the page. If the device is a LE device, the host used the wrong radio mode.",
    ),
    (
        Status::AUTHENTICATION_FAILURE,
        "Security could not be agreed: a wrong or absent key, or a refused pairing.",
    ),
    (
        Status::PIN_OR_KEY_MISSING,
        "The other side has no key for this host: the bond was deleted there. Remove it here too, and pair again.",
    ),
    (Status::MEMORY_CAPACITY_EXCEEDED, "The controller or stack ran out of memory or slots."),
    (
        Status::CONNECTION_TIMEOUT,
        "The link was up, and then nothing at all was received for the supervision timeout: out of range, reset, radio off, or disturbed. It proves that the link had been established.",
    ),
    (
        Status::CONNECTION_LIMIT_EXCEEDED,
        "No more links are possible on this adapter: close idle ones.",
    ),
    (
        Status::CONNECTION_ALREADY_EXISTS,
        "A link to that device is up already, perhaps one that a program forgot.",
    ),
    (
        Status::COMMAND_DISALLOWED,
        "Not in this state: another connect or scan is under way, often of a second program on the same adapter.",
    ),
    (
        Status::LIMITED_RESOURCES,
        "Refused for want of resources: slots, or roles that exclude each other.",
    ),
    (
        Status::UNSUPPORTED_FEATURE,
        "The controller does not support this feature or value, a PHY for example.",
    ),
    (
        Status::INVALID_PARAMETERS,
        "The command's parameters do not fit each other, for example a supervision timeout too short for interval and latency.",
    ),
    (
        Status::REMOTE_USER_TERMINATED,
        "The peer chose to hang up: a policy, a timer, a reboot, a user. Look at what was missing or refused before it.",
    ),
    (Status::REMOTE_LOW_RESOURCES, "The peer hung up because it was low on resources."),
    (
        Status::REMOTE_POWER_OFF,
        "The peer hung up because it was being switched off. In our own Disconnect command: this host's adapter was going off.",
    ),
    (
        Status::LOCAL_HOST_TERMINATED,
        "This host ended the link. The reason that it gave lies in its Disconnect command, not here.",
    ),
    (
        Status::UNSUPPORTED_REMOTE_FEATURE,
        "The peer does not know that procedure. It is an answer: the peer is alive.",
    ),
    (
        Status::LL_RESPONSE_TIMEOUT,
        "A link-layer procedure (PHY, data length, parameters, features, encryption) was not finished within 40 s, or failed outright.",
    ),
    (Status::LL_COLLISION, "Both sides began the same link-layer procedure at once."),
    (
        Status::INSTANT_PASSED,
        "The moment agreed for a change had passed before the packet arrived.",
    ),
    (Status::DIFFERENT_TRANSACTION_COLLISION, "Two different link-layer procedures met."),
    (Status::INSUFFICIENT_SECURITY, "The link's security is too weak for this."),
    (
        Status::UNACCEPTABLE_CONNECTION_PARAMETERS,
        "The parameters asked for were not acceptable to the other side.",
    ),
    (
        Status::ADVERTISING_TIMEOUT,
        "Directed advertising ended without a connection (peripheral role).",
    ),
    (
        Status::MIC_FAILURE,
        "An encrypted packet failed its check: the two sides have different keys; late in a long link, a controller fault.",
    ),
    (
        Status::FAILED_TO_BE_ESTABLISHED,
        "The link was created, and nothing from the peer was ever heard on it; the controller gives up after six connection intervals (90 to 350 ms). It is decided below ATT: no MTU exchange, pairing or keep-alive can cause or cure it. Retry, stop scanning, look at radio, address and Wi-Fi.",
    ),
    (Status::LIMIT_REACHED, "The controller has no room for more."),
    (Status::CANCELLED_BY_HOST, "The host cancelled the operation."),
];

pub const ATT: &[(ErrorCode, &str)] = &[
    (
        ErrorCode::INVALID_HANDLE,
        "There is no attribute with this handle. After a firmware change: the host uses handles of an old cache.",
    ),
    (ErrorCode::READ_NOT_PERMITTED, "The attribute cannot be read."),
    (
        ErrorCode::WRITE_NOT_PERMITTED,
        "The attribute cannot be written this way: write with or without response instead, as its properties say.",
    ),
    (ErrorCode::INSUFFICIENT_AUTHENTICATION, "Pair first; if paired, pair with a passkey."),
    (
        ErrorCode::REQUEST_NOT_SUPPORTED,
        "The server does not know this request: harmless for optional ones (MTU, long writes).",
    ),
    (
        ErrorCode::INSUFFICIENT_AUTHORIZATION,
        "The device's application refuses: a login or a user's consent is missing.",
    ),
    (ErrorCode::ATTRIBUTE_NOT_FOUND, "The normal end of every discovery."),
    (ErrorCode::ENCRYPTION_KEY_TOO_SHORT, "The link's key is shorter than the attribute demands."),
    (
        ErrorCode::INVALID_VALUE_LENGTH,
        "The value has the wrong length for this attribute, or is too long for the MTU.",
    ),
    (
        ErrorCode::UNLIKELY_ERROR,
        "The device's application failed; BlueZ also reports it to programs when a link is gone.",
    ),
    (ErrorCode::INSUFFICIENT_ENCRYPTION, "Encrypt first: pair, or use the bond."),
    (
        ErrorCode::UNSUPPORTED_GROUP_TYPE,
        "The server knows no such group: normal for secondary services.",
    ),
    (ErrorCode::INSUFFICIENT_RESOURCES, "The device is out of memory."),
    (
        ErrorCode::DATABASE_OUT_OF_SYNC,
        "The database changed: read the Database Hash or discover again.",
    ),
    (ErrorCode::VALUE_NOT_ALLOWED, "The value is not allowed now."),
    (ErrorCode::CCCD_IMPROPERLY_CONFIGURED, "Subscribe (write the CCCD) first."),
    (ErrorCode::PROCEDURE_IN_PROGRESS, "Another procedure is still running."),
];

pub const SMP: &[(smp::Reason, &str)] = &[
    (smp::Reason::PASSKEY_ENTRY_FAILED, "No passkey was entered, or nobody could."),
    (smp::Reason::OOB_NOT_AVAILABLE, "Out-of-band data were demanded and are not there."),
    (
        smp::Reason::AUTHENTICATION_REQUIREMENTS,
        "The pairing method cannot be agreed with these IO capabilities: use an agent with keyboard or display.",
    ),
    (smp::Reason::CONFIRM_VALUE_FAILED, "The passkey was wrong, or the keys do not match."),
    (
        smp::Reason::PAIRING_NOT_SUPPORTED,
        "The device does not pair, or not now: put it in pairing mode.",
    ),
    (smp::Reason::ENCRYPTION_KEY_SIZE, "The key would be too short."),
    (smp::Reason::UNSPECIFIED_REASON, "The device gives no reason."),
    (smp::Reason::REPEATED_ATTEMPTS, "Too many tries: wait."),
    (smp::Reason::DHKEY_CHECK_FAILED, "The Secure Connections check failed."),
    (
        smp::Reason::NUMERIC_COMPARISON_FAILED,
        "The numbers were not confirmed. Sent by this host at once: no agent was registered.",
    ),
    (smp::Reason::KEY_REJECTED, "The key was rejected."),
];

/// Reasons of Device Disconnected on Linux's management interface, and the HCI reasons behind them.
pub const MGMT: &[(MgmtReason, &str)] = &[
    (
        MgmtReason::UNSPECIFIED,
        "Every HCI reason that has no number here: 0x3E, 0x22 and 0x3D among them. It says nothing; look at the HCI reason.",
    ),
    (MgmtReason::TIMEOUT, "HCI 0x08: the link was lost for want of packets."),
    (
        MgmtReason::LOCAL_HOST,
        "HCI 0x16: this host ended the link. The kernel's documentation warns that local and remote can be wrong.",
    ),
    (
        MgmtReason::REMOTE,
        "HCI 0x13, 0x14 or 0x15: the peer hung up. The kernel's documentation warns that local and remote can be wrong.",
    ),
    (
        MgmtReason::AUTHENTICATION_FAILURE,
        "Encryption or pairing had failed before the link ended: look at Encryption Change and Pairing Failed.",
    ),
    (MgmtReason::SUSPEND, "This host went to sleep and ended its links."),
];
