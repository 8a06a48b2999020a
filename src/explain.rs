//! Offline cards: what a rule, a code or a host's error text means.
use crate::rules::{self, Basis, RULES};
use crate::wire::att::ErrorCode;
use crate::wire::{MgmtReason, MgmtStatus, Status, smp};
use std::fmt::Write;

/// What a code means beyond its name, and what it usually is on LE.
const HCI: &[(Status, &str)] = &[
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

const ATT: &[(ErrorCode, &str)] = &[
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

const SMP: &[(smp::Reason, &str)] = &[
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

/// What hosts print, and what HCI had said.
const TEXTS: &[(&str, &str)] = &[
    (
        "le-connection-abort-by-local",
        "BlueZ prints this for nearly every failed LE connect. It does not say who aborted: 0x3E, a lost link, and attempts that were cancelled after 20 s all end up here. Look at the capture's reason code.",
    ),
    (
        "software caused connection abort",
        "BlueZ, errno 103: the same as le-connection-abort-by-local.",
    ),
    (
        "function not implemented",
        "BlueZ, errno 38: an HCI reason that the kernel maps to nothing, as a rule 0x3E (also 0x22, 0x3B, 0x3D).",
    ),
    (
        "service discovery has not been performed yet",
        "bleak: the list of services is empty because the link is gone already, or connecting has not finished. The cause lies before this text.",
    ),
    (
        "failed to discover services, device disconnected",
        "bleak: the link was lost between connected and services resolved. Look at the disconnect reason.",
    ),
    (
        "le-connection-key-missing",
        "BlueZ: PIN or Key Missing (0x06): the bond is lost on the device.",
    ),
    (
        "le-connection-concurrent-connection-limit",
        "BlueZ: 0x09 or 0x0D: no more links possible on this adapter.",
    ),
    (
        "br-connection-canceled",
        "BlueZ, misleading for LE: the link went away while Connect() was still pending.",
    ),
    (
        "br-connection-page-timeout",
        "BlueZ tried BR/EDR (Classic), and the device did not answer the page.",
    ),
    (
        "org.bluez.error.inprogress",
        "BlueZ: another connect or discovery is under way; often none reaches HCI at all. Disconnect or remove the device, and connect one at a time.",
    ),
    (
        "gatt_conn_fail_establish",
        "ESP-IDF: 0x3E (62). The attempt went over an ESP32's radio: a capture of another adapter cannot show it.",
    ),
    (
        "esp_gatt_conn_fail_establish",
        "ESP-IDF: 0x3E (62). The attempt went over an ESP32's radio: a capture of another adapter cannot show it.",
    ),
    (
        "status 133",
        "Android GATT_ERROR: generic; a 30 s timeout of the connect attempt, or 0x3E on many phones. Look at the capture.",
    ),
    ("status 62", "Android: 0x3E, connection failed to be established."),
    ("status 8", "Android: 0x08, the link was lost."),
    ("status 19", "Android: 0x13, the peer hung up."),
    ("status 22", "Android: 0x16, this host hung up."),
    ("status 34", "Android: 0x22, a link-layer procedure was not finished."),
];

/// The card for a rule, a code or a text; `None` where there is none.
pub fn card(what: &str) -> Option<String> {
    let asked = what.trim().to_ascii_lowercase();
    if let Some(rule) = rules::rule(&asked) {
        return Some(rule_card(rule));
    }
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    if let Some((kind, code)) = asked.split_once(':') {
        let code = number(code.trim())?;
        return match kind.trim() {
            "hci" => Some(hci(code)),
            "att" => Some(code_card(
                "ATT error",
                ErrorCode(code).to_string(),
                find(ATT, ErrorCode(code)),
            )),
            "smp" => Some(code_card(
                "SMP reason",
                smp::Reason(code).to_string(),
                find(SMP, smp::Reason(code)),
            )),
            "mgmt" => Some(mgmt(code)),
            _ => None,
        };
    }
    if let Some(code) = number(&asked) {
        return Some(hci(code));
    }
    let text = TEXTS
        .iter()
        .find(|(text, _)| *text == asked)
        .or_else(|| TEXTS.iter().find(|(text, _)| asked.contains(text)))?;
    Some(format!("\"{}\"\n\n{}\n", text.0, text.1))
}

/// What there is to explain.
pub fn list() -> String {
    let mut out = String::from("Rules:\n");
    for rule in RULES {
        let _ = writeln!(out, "  {:44} {}", rule.id, rule.title);
    }
    out.push_str("\nHCI codes (explain 0x3e):\n");
    for (code, _) in HCI {
        let _ = writeln!(out, "  {code}");
    }
    out.push_str("\nATT errors (explain att:0x0e):\n");
    for (code, _) in ATT {
        let _ = writeln!(out, "  {code}");
    }
    out.push_str("\nSMP reasons (explain smp:0x08):\n");
    for (code, _) in SMP {
        let _ = writeln!(out, "  {code}");
    }
    out.push_str("\nReasons of Linux's management interface (explain mgmt:3):\n");
    for reason in MgmtReason::NAMED {
        let _ = writeln!(out, "  {reason}");
    }
    out.push_str("\nTexts of hosts (explain \"le-connection-abort-by-local\"):\n");
    for (text, _) in TEXTS {
        let _ = writeln!(out, "  {text}");
    }
    out
}

/// `docs/rules.md`: every rule's documentation, in the order of their weight.
pub fn rules_page() -> String {
    let mut out = String::from(
        "# Rules\n\nMade from the rules themselves (`UPDATE_DOCS=1 cargo test --test docs`). The order is that of weight: where two rules\nexplain the same connection equally well, the earlier one is named first.\n",
    );
    for rule in RULES {
        let _ = write!(out, "\n---\n\n# `{}`: {}\n\n{}\n", rule.id, rule.title, rule.docs.trim());
        let _ = write!(out, "\n{}\n", basis(rule.basis));
        if !rule.sources.is_empty() {
            out.push_str("\nSources:\n\n");
            for source in rule.sources {
                let _ = writeln!(out, "- {source}");
            }
        }
    }
    out.push_str(UNDECIDABLE);
    out
}

/// Signatures that a capture cannot decide, so that nobody looks for their rules.
const UNDECIDABLE: &str = "
---

# What no capture can decide

- `services-resolved-race`: BlueZ reports services as resolved before its objects are there. On HCI everything is healthy; the
  complaint stands only in the program's log. hcidiff finds nothing wrong, and that is the finding.
- `l2cap-slow-ios-first-packet`: Apple centrals use a channel of their own (0x003A) right after connecting. It is shown as an
  event and never judged: there is no harm to find.
";

fn rule_card(rule: &rules::Rule) -> String {
    let mut out =
        format!("{}: {}\n\n{}\n\n{}\n", rule.id, rule.title, rule.docs.trim(), basis(rule.basis));
    if !rule.sources.is_empty() {
        out.push_str("\nSources:\n");
        for source in rule.sources {
            let _ = writeln!(out, "  {source}");
        }
    }
    out
}

fn basis(basis: Basis) -> String {
    format!("The rule rests on {basis}.")
}

fn hci(code: u8) -> String {
    code_card("HCI status or disconnect reason", Status(code).to_string(), find(HCI, Status(code)))
}

fn mgmt(code: u8) -> String {
    let note = "The kernel maps HCI 0x08 to 1, 0x16 to 2, and 0x13 to 0x15 to 3; everything else, 0x3E, 0x22 and 0x3D among it, becomes 0. Trust the HCI reason.";
    format!(
        "Management interface {code:#04x}\n\nas reason of Device Disconnected: {}\nas status of a command: {}\n\n{note}\n",
        MgmtReason(code),
        MgmtStatus(code)
    )
}

fn find<C: PartialEq>(table: &[(C, &'static str)], code: C) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

fn code_card(kind: &str, name: String, text: Option<&str>) -> String {
    let text = text.unwrap_or("The specification's name says all that hcidiff knows of it.");
    format!("{kind}: {name}\n\n{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_every_entry_has_a_card() {
        for rule in RULES {
            let card = card(rule.id).expect("a card");
            assert!(card.contains(rule.title) && card.contains("## What to do"));
        }
        for (code, text) in HCI {
            assert!(card(&format!("{:#04x}", code.0)).expect("a card").contains(text));
            assert!(code.name().is_some());
        }
        for (code, text) in ATT {
            assert!(card(&format!("att:{:#04x}", code.0)).expect("a card").contains(text));
        }
        for (code, text) in SMP {
            assert!(card(&format!("smp:{}", code.0)).expect("a card").contains(text));
        }
        for (text, says) in TEXTS {
            assert!(card(&text.to_uppercase()).expect("a card").contains(says), "{text}");
        }
    }

    #[test]
    fn a_text_within_a_longer_one_is_found_and_nonsense_is_not() {
        let card = card("[org.bluez.Error.Failed] le-connection-abort-by-local").expect("a card");
        assert!(card.contains("does not say who aborted"));
        assert_eq!(super::card("flux compensator"), None);
        assert_eq!(super::card("att:flux"), None);
    }

    #[test]
    fn the_card_for_0x3e_does_not_spread_folklore() {
        let card = card("0x3E").expect("a card");
        assert!(card.contains("Connection Failed to be Established (0x3e)"));
        assert!(card.contains("no MTU exchange, pairing or keep-alive can cause or cure it"));
    }
}
