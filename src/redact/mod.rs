//! Text that programs and people wrote, without the keys in it.
//!
//! Logs and notes stand in captures beside the packets, and some of them print keys. Whoever
//! shows such a text shows what [`text`] leaves of it. Hidden are bytes written as digits, from
//! eight digits on and in any usual spelling, and what follows a word that announces a key.
//!
//! A device address is no key: `AA:BB:CC:DD:EE:FF` stays. Outputs with aliases replace it.
mod digits;
mod people;
mod words;

pub(crate) use digits::{BASE64, GAP, LISTED, LONG};
pub(crate) use words::Meaning;

use std::borrow::Cow;
use std::ops::Range;

/// What stands where something was taken out.
pub const HIDDEN: &str = "(not shown)";

/// Bytes of a dump from here on are followed by the same bytes as characters, as a rule.
const DUMP: usize = 16;

/// A text from a log or a note, without keys.
pub fn text(text: &str) -> Cow<'_, str> {
    let words = words::of(text);
    let digits = digits::find(text, &words);
    let mut hidden = digits.hidden;
    words::announced(text, &words, &digits.addresses, words::Secret::Key, &mut hidden);
    without(text, hidden)
}

/// A line of a log as a report quotes it: without keys, and without what names people and their machines: e-mail
/// addresses, what stands before the `@` of a web address, and the folder that is called like its user.
pub fn log(line: &str) -> Cow<'_, str> {
    let words = words::of(line);
    let digits = digits::find(line, &words);
    let mut hidden = digits.hidden;
    words::announced(line, &words, &digits.addresses, words::Secret::Key, &mut hidden);
    hidden.extend(people::find(line));
    without(line, hidden)
}

/// Names of users that a line of a log tells by their folders.
pub(crate) fn users(line: &str) -> impl Iterator<Item = &str> {
    people::users(line)
}

/// The text without these words, which name a person or a machine. Parts of longer words stay.
pub(crate) fn words<'a>(line: &'a str, words: &[String]) -> Cow<'a, str> {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut hidden = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        for (at, _) in line.match_indices(word.as_str()) {
            let (before, behind) = line.split_at(at);
            let behind = behind.get(word.len()..).unwrap_or_default();
            if !part(before.chars().next_back()) && !part(behind.chars().next()) {
                hidden.push(at..at + word.len());
            }
        }
    }
    without(line, hidden)
}

/// A line that nobody understood, quoted in a warning: without keys and addresses, and without
/// what the line itself calls a name or a serial number.
pub fn quote(text: &str) -> Cow<'_, str> {
    let words = words::of(text);
    let digits = digits::find(text, &words);
    let mut hidden = digits.hidden;
    if let Some(dump) =
        hidden.iter().find(|dump| digits::count(&text[dump.start..dump.end]) >= DUMP)
    {
        hidden.push(dump.start..text.trim_end().len());
    }
    for secret in [words::Secret::Key, words::Secret::Identity] {
        words::announced(text, &words, &digits.addresses, secret, &mut hidden);
    }
    hidden.extend(digits.addresses);
    without(text, hidden)
}

/// The text with one mark for each stretch that is hidden.
fn without(text: &str, mut hidden: Vec<Range<usize>>) -> Cow<'_, str> {
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    hidden.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for range in hidden {
        if range.end <= at {
            continue;
        }
        // What parts two hidden words tells nothing, and may belong to them.
        let between = text.get(at..range.start).unwrap_or_default();
        let goes_on = at > 0 && shown.ends_with(HIDDEN) && !between.contains(char::is_alphanumeric);
        if !goes_on {
            shown.push_str(between);
            shown.push_str(HIDDEN);
        }
        at = range.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 16] = [
        0x6f, 0x1e, 0xd2, 0x94, 0xb8, 0x03, 0x7c, 0xe5, 0x41, 0xaf, 0x90, 0x2b, 0xd7, 0x58, 0x3c,
        0xe6,
    ];

    fn hex(separator: &str, prefix: &str) -> String {
        KEY.map(|byte| format!("{prefix}{byte:02x}")).join(separator)
    }

    #[test]
    fn bytes_in_every_spelling_are_hidden() {
        for spelled in [
            hex("", ""),
            hex("", "").to_uppercase(),
            format!("0x{}", hex("", "")),
            hex(":", ""),
            hex("-", ""),
            hex(" ", ""),
            hex(".", ""),
            hex("_", ""),
            hex(", ", "0x"),
            hex(",", ""),
            hex("", "\\x"),
            hex(" ", "0x"),
            hex("\n", ""),
            KEY.map(|byte| format!("{byte:x}")).join(" "),
            KEY.map(|byte| byte.to_string()).join(", "),
            KEY.map(|byte| byte.to_string()).join(" "),
            KEY.chunks(2)
                .map(|b| format!("{:02x}{:02x}", b[0], b[1]))
                .collect::<Vec<_>>()
                .join(" "),
            KEY.chunks(4)
                .map(|b| b.iter().map(|b| format!("{b:02x}")).collect::<String>())
                .collect::<Vec<_>>()
                .join(" "),
            "bx7SlLgDfOVBr5Ar11g85g==".into(),
            "6f1ed294-b803-7ce5-41af-902bd7583ce6".into(),
        ] {
            for (before, after) in [("stored ", " now"), ("x=", ";"), ("[", "]"), ("\"", "\"")] {
                let hidden = text(&format!("{before}{spelled}{after}")).replace("\\(", "(");
                assert_eq!(hidden, format!("{before}{HIDDEN}{after}"), "{spelled}");
            }
        }
        assert_eq!(text("LTKdeadbeef01 is set"), "LTK(not shown) is set");
    }

    #[test]
    fn what_is_no_key_stays() {
        for plain in [
            "",
            "connect to C0:00:5E:00:53:01: Host is down (112)",
            "/org/bluez/hci0/dev_C0_00_5E_00_53_01/service0010",
            "src/device.c:device_connect_cb() 2026-11-21 07:50:07.123456 RSSI -60, MTU 247",
            "Linux version 6.12.25+rpt-rpi-v8 (aarch64)",
            "service 0000180f-0000-1000-8000-00805f9b34fb resolved",
            "handle 0x0040, opcode 0x200d, status 0x3e, 1234 bytes",
            "a bad cab had faded",
            "keyboard and mouse, keyed",
            "K\u{fc}che \u{1f321} \u{6e29}\u{5ea6}",
        ] {
            assert!(matches!(text(plain), Cow::Borrowed(same) if same == plain), "{}", text(plain));
        }
        assert_eq!(quote("status 0x3e, 1234 bytes"), "status 0x3e, 1234 bytes");
        for address in ["C0:00:5E:00:53:01", "c0-00-5e-00-53-01", "dev_C0_00_5E_00_53_01"] {
            let hidden = quote(address);
            assert_eq!(hidden.trim_start_matches("dev_"), HIDDEN);
        }
    }

    #[test]
    fn what_follows_a_word_for_a_key_is_hidden() {
        for (said, shown) in [
            ("PIN code is 4711", "PIN code is (not shown)"),
            ("Passkey: 098765", "Passkey: (not shown)"),
            (
                "passkey for C0:00:5E:00:53:01 is 098765!",
                "passkey for C0:00:5E:00:53:01 is (not shown)!",
            ),
            ("linkKey='hunter two'", "linkKey='(not shown)'"),
            ("token=abc.DEF-ghi next", "token=(not shown)"),
            ("098765 is your passkey", "(not shown) is your passkey"),
            ("pin4711", "(not shown)"),
            ("PIN or Key Missing, reason 0x06", "PIN or Key Missing, reason 0x06"),
            ("link key type 4, size 16 not found", "link key type 4, size 16 not found"),
            ("Broadcast Code: Bass Boost", "Broadcast Code: (not shown)"),
            ("local_irk \u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}", "local_irk (not shown)"),
            ("no key", "no key"),
        ] {
            assert_eq!(text(said), shown);
        }
    }

    #[test]
    fn users_and_hosts_are_words_to_be_hidden() {
        let line = "File \"/home/jdoe/x.py\", C:\\Users\\zoe\\y";
        assert_eq!(users(line).collect::<Vec<_>>(), ["jdoe", "zoe"]);
        let known = ["jdoe".to_owned(), "attic".to_owned(), String::new()];
        assert_eq!(words("jdoe@attic: jdoes attics", &known), "(not shown): jdoes attics");
        assert_eq!(words("nobody", &known), "nobody");
    }

    #[test]
    fn a_quote_has_no_names_and_nothing_beside_a_dump() {
        assert_eq!(quote("Name (complete): Zoe's lamp"), "Name (complete): (not shown)");
        assert_eq!(quote("  serial number=A-1177"), "  serial number=(not shown)");
        assert_eq!(
            quote("> 0000: 02 01 06 09 09 5a 6f 65 2c 20  .....Zoe,"),
            "> 0000: (not shown)"
        );
        assert_eq!(text("Name: Zoe's lamp"), "Name: Zoe's lamp");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read_and_a_second_time_changes_nothing(said in "\\PC{0,60}") {
            let once = text(&said).into_owned();
            prop_assert_eq!(text(&once).into_owned(), once);
            quote(&said);
        }

        #[test]
        fn a_key_never_passes(before in "[ -~]{0,12}", key in "[0-9a-f]{8,64}", after in "[ -~]{0,12}") {
            let shown = text(&format!("{before}{key}{after}")).into_owned();
            prop_assert!(!shown.contains(&key), "{}", shown);
        }
    }
}
