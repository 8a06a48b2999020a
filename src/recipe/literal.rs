//! Text from a capture as a literal of another language: whatever a device calls itself, it stays a name.
use std::fmt::Write;

/// A Python string.
pub fn python(text: &str) -> String {
    quoted(text, |out, c| match u32::from(c) {
        code @ 0..=0xff => write!(out, "\\x{code:02x}"),
        code @ 0x100..=0xffff => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    })
}

/// A JavaScript string.
pub fn javascript(text: &str) -> String {
    quoted(text, |out, c| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
    })
}

/// Letters, digits and plain signs stand as they are; `other` writes everything else.
fn quoted(text: &str, other: impl Fn(&mut String, char) -> std::fmt::Result) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            // Writing into a string never fails.
            _ => drop(other(&mut out, c)),
        }
    }
    out.push('"');
    out
}

/// A value of a key file. None where no line can hold it as it is.
pub fn key_file(text: &str) -> Option<String> {
    let plain = !text.is_empty() && !text.chars().any(|c| c.is_control() || c == '\u{2028}');
    plain.then(|| {
        let text = text.replace('\\', "\\\\");
        // A space at the beginning would be lost.
        match text.strip_prefix(' ') {
            Some(rest) => format!("\\s{rest}"),
            None => text,
        }
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_inside_its_quotation_marks() {
        assert_eq!(python("Lab \"x\"\\"), r#""Lab \"x\"\\""#);
        assert_eq!(python("a\nb\u{e9}\u{202e}\u{1f600}"), r#""a\x0ab\xe9\u202e\U0001f600""#);
        assert_eq!(
            javascript("a\nb\u{2028}\u{1f600}`${x}`"),
            "\"a\\u000ab\\u2028\\ud83d\\ude00`${x}`\""
        );
    }

    #[test]
    fn a_key_file_has_one_line_for_each_value() {
        assert_eq!(key_file(" a\\b").as_deref(), Some("\\sa\\\\b"));
        for wrong in ["", "a\nTrusted=true", "a\u{1b}[2J", "\u{7f}"] {
            assert_eq!(key_file(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(hex(&[0, 0xa5, 0x0f]), "00a50f");
    }
}
