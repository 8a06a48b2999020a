//! The indented lines below a packet's first: labels, values, rows of bytes.

use super::super::marks::{rsplit, split, trimmed, without_end};
use memchr::memchr;

/// Text and lines kept of one packet; no packet of btmon's comes near.
const MOST_TEXT: usize = 512 * 1024;
const MOST_LINES: usize = 8192;

/// The lines of one packet.
#[derive(Default)]
pub(super) struct Body {
    text: String,
    lines: Vec<Kept>,
}

/// Where a line is in the body's text, and where its label ends.
#[derive(Clone, Copy)]
struct Kept {
    indent: usize,
    start: usize,
    end: usize,
    /// Nothing where the line has no colon.
    label: Option<Label>,
}

/// Where a line has its first colon, and how long the label before it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Label {
    length: usize,
    colon: usize,
}

/// One line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detail<'a> {
    pub indent: usize,
    pub text: &'a str,
    label: Option<Label>,
}

impl Body {
    pub fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
    }

    pub fn push(&mut self, line: &str) {
        if self.lines.len() < MOST_LINES && self.text.len() + line.len() <= MOST_TEXT {
            let indented = |byte: &u8| matches!(byte, b' ' | b'\t' | b'>');
            let indent = line.bytes().take_while(indented).count();
            let text = line.get(indent..).unwrap_or_default();
            let start = self.text.len();
            self.text.push_str(text);
            let colon = memchr(b':', text.as_bytes());
            let label = colon.and_then(|colon| {
                Some(Label { length: label_of(text.get(..colon)?).len(), colon })
            });
            self.lines.push(Kept { indent, start, end: self.text.len(), label });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn details(&self) -> Details<'_> {
        Details { body: self, from: 0, to: self.lines.len(), next: 0 }
    }

    fn get(&self, at: usize) -> Option<Detail<'_>> {
        let &Kept { indent, start, end, label } = self.lines.get(at)?;
        Some(Detail { indent, text: self.text.get(start..end)?, label })
    }

    /// Whether the line has one of these labels.
    fn is_labelled(&self, line: &Kept, labels: &str) -> bool {
        let label = line.label.and_then(|it| self.text.get(line.start..line.start + it.length));
        label.is_some_and(|label| is_one_of(label, labels))
    }
}

impl<'a> Detail<'a> {
    /// The label, without the length that newer versions put behind it.
    pub fn label(self) -> &'a str {
        let length = self.label.map_or(0, |label| label.length);
        self.text.get(..length).unwrap_or_default()
    }

    pub fn value(self) -> Option<&'a str> {
        self.text.get(self.label?.colon + 1..).map(trimmed)
    }

    /// The number in the last parentheses: `Success (0x00)`.
    pub fn code(self) -> Option<u64> {
        last_hex(self.text)
    }

    /// Whether the line is a hexdump's row.
    pub fn is_row(self) -> bool {
        self.row().is_some()
    }

    /// The bytes of a hexdump's row.
    fn row(self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut rest = self.text;
        loop {
            let (pair, after) = rest.split_at_checked(2)?;
            if !pair.bytes().all(|digit| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f')) {
                return None;
            }
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            // Two blanks part the digits from the characters.
            match after.strip_prefix(' ') {
                Some(more) if !more.starts_with(' ') && bytes.len() < 16 && !more.is_empty() => {
                    rest = more;
                }
                Some(_) => return Some(bytes),
                None => return after.is_empty().then_some(bytes),
            }
        }
    }
}

/// Lines being searched, in order; a search begins behind what was found last.
#[derive(Clone)]
pub(super) struct Details<'a> {
    body: &'a Body,
    from: usize,
    to: usize,
    next: usize,
}

impl<'a> Iterator for Details<'a> {
    type Item = Detail<'a>;

    fn next(&mut self) -> Option<Detail<'a>> {
        if self.next >= self.to {
            return None;
        }
        self.next += 1;
        self.body.get(self.next - 1)
    }
}

impl<'a> Details<'a> {
    /// The next line with one of these labels, else the first one.
    pub fn find(&mut self, labels: &str) -> Option<Detail<'a>> {
        self.find_ahead(labels).or_else(|| {
            let mut all = Self { next: self.from, to: self.next.min(self.to), ..self.clone() };
            let found = all.find_ahead(labels);
            if found.is_some() {
                self.next = all.next;
            }
            found
        })
    }

    /// The next line with one of these labels.
    pub fn find_ahead(&mut self, labels: &str) -> Option<Detail<'a>> {
        let lines = self.body.lines.get(self.next..self.to)?;
        let passed = lines.iter().position(|line| self.body.is_labelled(line, labels))?;
        self.next += passed + 1;
        self.body.get(self.next - 1)
    }

    /// What follows, as lines of their own.
    pub fn rest(&self) -> Self {
        Self { from: self.next, ..self.clone() }
    }

    /// The lines up to the next one with this label, which begins another entry.
    pub fn entry(&mut self, label: &str) -> Option<Self> {
        self.find_ahead(label)?;
        let from = self.next - 1;
        let mut ahead = self.clone();
        let to = if ahead.find_ahead(label).is_some() { ahead.next - 1 } else { self.to };
        Some(Self { from, to, next: from, ..self.clone() })
    }

    /// A value in hexadecimal: behind its label, or in rows below it.
    pub fn hex(&self, detail: Detail<'_>, out: &mut Vec<u8>) {
        let value = detail.value().unwrap_or_default();
        if !value.is_empty() {
            let digits = value.split_ascii_whitespace().next().unwrap_or_default();
            digits_of(digits.strip_prefix("0x").unwrap_or(digits), out);
            // Mail breaks long values in two.
            for detail in self.clone() {
                let text = detail.text;
                if text.len() < 2 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    break;
                }
                digits_of(text, out);
            }
            return;
        }
        for detail in self.clone() {
            let Some(row) = detail.row() else { break };
            out.extend(row);
        }
    }

    /// All rows of bytes from here on.
    pub fn rows(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for row in self.clone().map(Detail::row).skip_while(Option::is_none) {
            let Some(row) = row else { break };
            bytes.extend(row);
        }
        bytes
    }
}

/// Whether a label is one of the names in `NAME|NAME`, of which almost always there is one alone.
fn is_one_of(label: &str, mut names: &str) -> bool {
    while names.len() > label.len() {
        let Some(end) = memchr(b'|', names.as_bytes()) else { return false };
        if names.get(..end).is_some_and(|name| name.eq_ignore_ascii_case(label)) {
            return true;
        }
        names = names.get(end + 1..).unwrap_or_default();
    }
    names.eq_ignore_ascii_case(label)
}

/// A label without the length that newer versions put behind it.
fn label_of(before_colon: &str) -> &str {
    let label = without_end(before_colon);
    match label.strip_suffix(']').and_then(|label| label.rsplit_once('[')) {
        Some((name, length)) if length.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => label,
    }
}

fn digits_of(digits: &str, out: &mut Vec<u8>) {
    super::super::hex::run(digits, out);
}

/// The number in the last parentheses of a text.
pub(super) fn last_hex(text: &str) -> Option<u64> {
    let (_, inside) = rsplit(text, "(0x")?;
    u64::from_str_radix(inside.split_once(')')?.0, 16).ok()
}

/// The number in the first parentheses of a text.
pub(super) fn first_hex(text: &str) -> Option<u64> {
    let (_, inside) = split(text, "(0x")?;
    u64::from_str_radix(inside.split_once(')')?.0, 16).ok()
}

/// A number as btmon prints them: `60.000 msec (0x0060)`, `64 Address: …`, `0x03`, `Intel (2)`.
pub(super) fn number(text: &str) -> Option<i64> {
    if let Some(number) = last_hex(text) {
        return i64::try_from(number).ok().or(Some(number.cast_signed()));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        return u64::from_str_radix(hex.get(..digits)?, 16).ok().map(u64::cast_signed);
    }
    let digits = text.bytes().skip(usize::from(text.starts_with('-')));
    let length = digits.take_while(u8::is_ascii_digit).count() + usize::from(text.starts_with('-'));
    if let Ok(number) = text.get(..length)?.parse() {
        return Some(number);
    }
    let phys = [("LE 1M", 1), ("LE 2M", 2), ("LE Coded", 3), ("No packets", 0)];
    if let Some((_, number)) = phys.iter().find(|(name, _)| text.starts_with(name)) {
        return Some(*number);
    }
    text.strip_suffix(')')?.rsplit_once('(')?.1.parse().ok()
}

/// An address and what btmon says of it; the octets are missing where somebody hid them, by
/// `XX` in the octets' place or by any other word in that of the whole: `(removed)`, `<MAC>`.
pub(super) fn address(text: &str) -> (Option<[u8; 6]>, Option<u8>) {
    let text = text.trim();
    let (shown, rest) = text.split_at_checked(17).unwrap_or_default();
    let parts: Vec<_> = shown.split(':').collect();
    if parts.len() != 6 || parts.iter().any(|part| part.len() != 2) {
        let kind = text.rsplit_once(" (").and_then(|(_, kind)| kind.strip_suffix(')'));
        let kind = kind.and_then(|kind| match kind {
            _ if RANDOM.contains(&kind) => Some(1),
            _ if kind.starts_with("OUI ") => Some(0),
            _ => None,
        });
        return (None, kind);
    }
    let mut octets = [0; 6];
    let mut hidden = false;
    for (octet, part) in octets.iter_mut().rev().zip(&parts) {
        match u8::from_str_radix(part, 16) {
            Ok(byte) => *octet = byte,
            Err(_) => hidden = true,
        }
    }
    let kind = rest.trim_start().strip_prefix('(').map(|kind| {
        let named = |name: &&str| kind.strip_prefix(*name).is_some_and(|r| r.starts_with(')'));
        u8::from(RANDOM.iter().any(named))
    });
    ((!hidden).then_some(octets), kind)
}

/// What btmon calls the kinds of random addresses.
const RANDOM: [&str; 4] = ["Static", "Resolvable", "Non-Resolvable", "Reserved"];

/// A UUID in 16 or 128 bits, as on the wire.
pub(super) fn uuid(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let long = text
        .split(['(', ')', ' '])
        .rev()
        .find(|word| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4);
    if let Some(long) = long {
        let mut bytes = Vec::with_capacity(16);
        digits_of(&long.replace('-', ""), &mut bytes);
        if bytes.len() != 16 {
            return None;
        }
        out.extend(bytes.iter().rev());
        return Some(());
    }
    let short =
        last_hex(text).or_else(|| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok())?;
    out.extend(u16::try_from(short).ok()?.to_le_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(lines: &[&str]) -> Body {
        let mut body = Body::default();
        lines.iter().for_each(|line| body.push(line));
        body
    }

    #[test]
    fn numbers_have_many_shapes() {
        for (text, value) in [
            ("60.000 msec (0x0060)", Some(0x60)),
            ("64 Address: F0:12:7C:AA:00:01 (Static)", Some(64)),
            ("0x03", Some(3)),
            ("-54 dBm (0xca)", Some(0xca)),
            ("127 dBm", Some(127)),
            ("-7 dBm", Some(-7)),
            ("Broadcom Corporation (15)", Some(15)),
            ("LE 2M", Some(2)),
            ("Bluetooth 5.0 (0x09) - Subversion 24857 (0x6119)", Some(0x6119)),
            ("none", None),
            ("", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
        assert_eq!(first_hex("5.0 (0x09) - Subversion 24857 (0x6119)"), Some(9));
    }

    #[test]
    fn values_stand_behind_their_label_or_below_it() {
        let body = body(&[
            "        Handle: 0x002a",
            "          Data[18]:",
            "        00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................",
            "        10 11                                            ..              ",
            "        Value: 0a0b0c",
            "        0d0e",
        ]);
        let mut details = body.details();
        let mut bytes = Vec::new();
        let found = details.find("Value|Data").unwrap();
        details.hex(found, &mut bytes);
        assert_eq!(bytes, (0..0x12).collect::<Vec<u8>>());
        bytes.clear();
        let found = details.find("Value").unwrap();
        details.hex(found, &mut bytes);
        assert_eq!(bytes, [10, 11, 12, 13, 14]);
        assert_eq!(details.find("Handle").and_then(Detail::value), Some("0x002a"));
        assert_eq!(details.find("Offset"), None);
    }

    #[test]
    fn a_label_is_one_of_several_names_as_a_whole() {
        for (label, names, is) in [
            ("handle", "Handle", true),
            ("SCA", "Peer clock accuracy|SCA", true),
            ("Peer clock accuracy", "Peer clock accuracy|SCA", true),
            ("Data", "Value|Data|Length", true),
            ("Dat", "Value|Data|Length", false),
            ("Data|Length", "Value|Data", false),
            ("Handles", "Handle", false),
            ("", "Handle", false),
        ] {
            assert_eq!(is_one_of(label, names), is, "{label}");
        }
    }

    #[test]
    fn addresses_tell_their_kind_and_may_be_hidden() {
        let octets = [1, 0, 0xaa, 0x7c, 0x12, 0xf0];
        assert_eq!(address("F0:12:7C:AA:00:01 (Static)"), (Some(octets), Some(1)));
        assert_eq!(address("F0:12:7C:AA:00:01 (OUI F0-12-7C)"), (Some(octets), Some(0)));
        assert_eq!(address("F0:12:7C:AA:00:01"), (Some(octets), None));
        assert_eq!(address("XX:XX:XX:XX:XX:XX (Static)"), (None, Some(1)));
        assert_eq!(address("<MAC> (Static)"), (None, Some(1)));
        assert_eq!(address("[hidden] (OUI XX-XX-XX)"), (None, Some(0)));
        assert_eq!(address("(removed)"), (None, None));
        assert_eq!(address("somewhere else"), (None, None));
    }

    #[test]
    fn uuids_of_both_sizes() {
        let mut bytes = Vec::new();
        uuid("Generic Access Profile (0x1800)", &mut bytes).unwrap();
        uuid("Vendor specific (8f1d0001-5a3b-4c1e-9d55-6c6f6c6f6c61)", &mut bytes).unwrap();
        assert_eq!(bytes[..4], [0x00, 0x18, 0x61, 0x6c]);
        assert_eq!(bytes.len(), 18);
        assert_eq!(uuid("Unknown", &mut bytes), None);
    }
}
