//! SMP reasons: why a pairing failed.
use super::card::{Card, Namespace, number};
use crate::packet::smp::Reason;

pub const NAMESPACE: Namespace = Namespace {
    id: "smp",
    title: "SMP reason",
    printed: "the reason in Pairing Failed",
    words: &["smp", "pairing failed"],
    everyday: true,
    cards: CARDS,
    sources: &["Bluetooth Core, Vol 3, Part H, 3.5.5"],
    ..Namespace::NONE
};

const fn code(reason: Reason, says: &'static str) -> Card {
    let title = match reason.name() {
        Some(name) => name,
        None => "",
    };
    number(reason.0 as u32, title, says)
}

const CARDS: &[Card] = &[
    code(Reason::PASSKEY_ENTRY_FAILED, "No passkey was entered, or nobody could.").rules(&["no-pairing-agent"]),
    code(Reason::OOB_NOT_AVAILABLE, "Out-of-band data were demanded and are not there."),
    code(
        Reason::AUTHENTICATION_REQUIREMENTS,
        "The pairing method cannot be agreed with these IO capabilities: use an agent with keyboard or display.",
    )
    .rules(&["pairing-refused-by-peer", "pairing-method-mismatch"]),
    code(Reason::CONFIRM_VALUE_FAILED, "The passkey was wrong, or the keys do not match."),
    code(
        Reason::PAIRING_NOT_SUPPORTED,
        "The device does not pair, or not now: put it in pairing mode.",
    )
    .rules(&["pairing-refused-by-peer"]),
    code(Reason::ENCRYPTION_KEY_SIZE, "The key would be too short."),
    code(Reason::COMMAND_NOT_SUPPORTED, "The other side does not know this message of the pairing."),
    code(Reason::UNSPECIFIED_REASON, "The device gives no reason.").rules(&["pairing-refused-by-peer"]),
    code(Reason::REPEATED_ATTEMPTS, "Too many tries: wait."),
    code(Reason::INVALID_PARAMETERS, "A message of the pairing was malformed."),
    code(Reason::DHKEY_CHECK_FAILED, "The Secure Connections check failed."),
    code(Reason::NUMERIC_COMPARISON_FAILED, "The numbers were not confirmed.")
        .likely("Sent by this host at once: no agent was registered.")
        .rules(&["no-pairing-agent"]),
    code(Reason::BREDR_PAIRING_IN_PROGRESS, "A pairing over BR/EDR is under way."),
    code(Reason::CROSS_TRANSPORT_NOT_ALLOWED, "The BR/EDR key cannot be made from the LE one."),
    code(Reason::KEY_REJECTED, "The key was rejected."),
    code(Reason::BUSY, "The device is busy: try again later."),
];
