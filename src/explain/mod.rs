//! Offline cards: what a rule, a code or a host's error text means.
mod codes;
mod texts;

use crate::decode::Decoder;
use crate::diagnose::{self, Basis, RULES};
use crate::packet::att::ErrorCode;
use crate::packet::{MgmtReason, MgmtStatus, Status, smp};
use crate::report::events::{Events, Place, Style};
use crate::time::Clock;
use codes::{ATT, HCI, MGMT, SMP};
use std::fmt::Write;
use texts::TEXTS;

/// The card for a rule, a code or a text; `None` where there is none.
pub fn card(what: &str) -> Option<String> {
    let asked = what.trim().to_ascii_lowercase();
    if let Some(rule) = diagnose::rule(&asked) {
        return Some(rule_card(rule));
    }
    let words: Vec<&str> =
        asked.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    // `att:0x0e`, and as programs print it: `ATT error: 0x0e`.
    for (place, word) in words.iter().enumerate() {
        let card = match *word {
            "hci" => hci,
            "att" => att,
            "smp" => smp,
            "mgmt" => mgmt,
            _ => continue,
        };
        if let Some(code) = words.iter().skip(place + 1).find_map(|word| number(word)) {
            return Some(card(code));
        }
    }
    match number(&asked) {
        // Android's number, which is none of HCI's.
        Some(0x85) => return texts::find("gatt_error").map(text_card),
        Some(code) => return Some(hci(code)),
        None => {}
    }
    if let Some(text) = texts::find(&asked) {
        return Some(text_card(text));
    }
    named(&asked).or_else(|| {
        // `rsn 0x3e` and `reason = 62` are HCI's numbers.
        let place = words.iter().position(|word| matches!(*word, "rsn" | "reason" | "status"))?;
        words.iter().skip(place + 1).find_map(|word| number(word)).map(hci)
    })
}

fn number(text: &str) -> Option<u8> {
    match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The card for a name of the specification, as reports print it: `Connection Timeout (0x08)`.
fn named(asked: &str) -> Option<String> {
    let name = asked.split('(').next().unwrap_or(asked).trim();
    let is = |known: Option<&str>| known.is_some_and(|known| known.eq_ignore_ascii_case(name));
    let of_hci = || Status::NAMED.iter().find(|c| is(c.name())).map(|c| hci(c.0));
    let of_att = || ErrorCode::NAMED.iter().find(|c| is(c.name())).map(|c| att(c.0));
    let of_smp = || smp::Reason::NAMED.iter().find(|c| is(c.name())).map(|c| self::smp(c.0));
    of_hci().or_else(of_att).or_else(of_smp)
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
    for text in TEXTS {
        let _ = writeln!(out, "  {}", text.names.first().unwrap_or(&""));
    }
    out
}

/// `docs/rules.md`: every rule's documentation, in the order of their weight.
pub fn rules_page() -> String {
    let mut out = String::from(
        "# Rules\n\nMade from the rules themselves (`UPDATE_DOCS=1 cargo test --test docs`). The order is that of weight: where two rules\nexplain the same connection equally well, the earlier one is named first.\n",
    );
    out.push_str("\n| rule | what is wrong | rests on |\n| --- | --- | --- |\n");
    for rule in RULES {
        let _ = writeln!(out, "| `{}` | {} | {} |", rule.id, rule.title, rule.basis);
    }
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

fn rule_card(rule: &diagnose::Rule) -> String {
    let mut out =
        format!("{}: {}\n\n{}\n\n{}\n", rule.id, rule.title, rule.docs.trim(), basis(rule.basis));
    if !rule.sources.is_empty() {
        out.push_str("\nSources:\n");
        for source in rule.sources {
            let _ = writeln!(out, "  {source}");
        }
    }
    out.push_str(&rule.example().map_or(String::new(), example));
    out
}

/// Most packets of an example that are shown.
const MOST_PACKETS: usize = 24;

/// A case as a small timeline: the packets of the side that fails.
fn example(case: &diagnose::Case) -> String {
    let trace = (case.example)().subject;
    let mut decoder = Decoder::new();
    let mut events = Events::new(Style::Table, false, Clock::Relative);
    let mut table = Vec::new();
    // Writing to a vector cannot fail.
    let _ = events.begin(&mut table);
    for record in trace.records().take(MOST_PACKETS) {
        let _ = events.push(&decoder.decode(&record), Place::default(), &mut table);
    }
    let mut out = format!("\nExample: {}\n\n{}", case.name, String::from_utf8_lossy(&table));
    if let Some(more @ 1..) = trace.records().count().checked_sub(MOST_PACKETS) {
        let _ = writeln!(out, "and {more} more");
    }
    out
}

fn basis(basis: Basis) -> String {
    format!("The rule rests on {basis}.")
}

fn hci(code: u8) -> String {
    code_card("HCI status or disconnect reason", Status(code).to_string(), find(HCI, Status(code)))
}

fn att(code: u8) -> String {
    let error = ErrorCode(code);
    // Core, Vol 3, Part F, 3.4.1.1.
    let text = find(ATT, error).or_else(|| {
        (0x80..=0x9f).contains(&code).then_some(
            "An error of the application: the profile or the device's vendor says what it means.",
        )
    });
    code_card("ATT error", error.to_string(), text)
}

fn smp(code: u8) -> String {
    let reason = smp::Reason(code);
    code_card("SMP reason", reason.to_string(), find(SMP, reason))
}

fn mgmt(code: u8) -> String {
    let reason = MgmtReason(code);
    let note = "The kernel maps HCI 0x08 to 1, 0x16 to 2, and 0x13 to 0x15 to 3; everything else, 0x3E, 0x22 and 0x3D among it, becomes 0. Trust the HCI reason.";
    let says = find(MGMT, reason).map_or(String::new(), |says| format!("{says}\n\n"));
    format!(
        "Management interface {code:#04x}\n\nas reason of Device Disconnected: {reason}\nas status of a command: {}\n\n{says}{note}\n",
        MgmtStatus(code)
    )
}

fn text_card(text: &texts::Text) -> String {
    let mut out = format!("\"{}\"\n\n{}\n", text.names.first().unwrap_or(&""), text.says);
    if !text.codes.is_empty() {
        out.push_str("\nHCI codes behind it:\n");
        for code in text.codes {
            let _ = writeln!(out, "  {code}");
        }
    }
    out
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
        for (reason, text) in MGMT {
            assert!(card(&format!("mgmt:{}", reason.0)).expect("a card").contains(text));
        }
        assert_eq!(MGMT.len(), MgmtReason::NAMED.len());
        for text in TEXTS {
            for name in text.names {
                let shouted = card(&name.to_uppercase()).expect("a card");
                assert!(shouted.contains(text.says), "{name}: {shouted}");
                let within = card(&format!("[Errno] {name}: (again)")).expect("a card");
                assert!(within.contains(text.says), "{name}: {within}");
            }
            for code in text.codes {
                assert!(code.name().is_some(), "{:?}: {code}", text.names);
            }
        }
    }

    /// What the kernel makes of HCI's codes (`bt_to_errno`), and programs print.
    #[test]
    fn every_error_text_of_a_host_leads_to_its_codes() {
        let cases: &[(&str, &[u8])] = &[
            ("Transport endpoint is not connected (107)", &[0x02]),
            ("[Errno 13] Permission denied", &[0x05]),
            ("Invalid exchange (52)", &[0x06]),
            ("Connection timed out (110)", &[0x08, 0x10]),
            ("Too many links (31)", &[0x09, 0x0a]),
            ("Operation already in progress (114)", &[0x0b]),
            ("Device or resource busy (16)", &[0x0c]),
            ("Connection refused (111)", &[0x0d, 0x0e, 0x0f]),
            ("Operation not supported (95)", &[0x11]),
            ("Invalid argument (22)", &[0x12]),
            ("Connection reset by peer (104)", &[0x13, 0x14, 0x15]),
            ("connect error: Software caused connection abort (103)", &[0x16, 0x3e]),
            ("Protocol not supported (93)", &[0x1a]),
            ("Protocol error (71)", &[0x19, 0x1e, 0x23, 0x24, 0x25]),
            ("connect: Function not implemented (38)", &[0x22, 0x3b, 0x3d, 0x3e]),
            ("[org.bluez.Error.Failed] le-connection-abort-by-local", &[0x3e, 0x08]),
            ("org.bluez.Error.AuthenticationCanceled", &[0x3d]),
            ("le-connection-key-missing", &[0x06]),
            ("ESP_GATT_CONN_FAIL_ESTABLISH", &[0x3e]),
            ("GATT_CONN_FAILED_ESTABLISHMENT", &[0x3e]),
            ("CONN_CANCEL", &[0x0d]),
            ("0x100", &[0x0d]),
            ("rsn 0x3e", &[0x3e]),
            ("reason = 62", &[0x3e]),
            ("onConnectionStateChange status=8", &[0x08]),
            ("status 62", &[0x3e]),
            ("status 19", &[0x13]),
            ("status 22", &[0x16]),
            ("status 34", &[0x22]),
            ("Connection Timeout (0x08)", &[0x08]),
            ("8", &[0x08]),
        ];
        for (text, codes) in cases {
            let card = card(text).unwrap_or_else(|| panic!("no card for {text}"));
            for code in *codes {
                assert!(card.contains(&Status(*code).to_string()), "{text}: {card}");
            }
        }
        for (text, says) in [
            ("Service Discovery has not been performed yet", "before this text"),
            ("failed to discover services, device disconnected", "disconnect reason"),
            ("GATT_ERROR", "generic"),
            ("status 133", "generic"),
            ("133", "generic"),
            ("ATT error: 0x0e", "Unlikely Error (0x0e)"),
            ("Operation failed with ATT error: 0x05 (Insufficient Authentication)", "Pair first"),
            ("Insufficient Authentication", "ATT error"),
            ("att:0x80", "vendor"),
            ("SMP reason 0x05", "pairing mode"),
            ("Pairing Not Supported", "pairing mode"),
            ("mgmt reason 5", "sleep"),
            ("HCI reason 0x13", "chose to hang up"),
        ] {
            let card = card(text).unwrap_or_else(|| panic!("no card for {text}"));
            assert!(card.contains(says), "{text}: {card}");
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
