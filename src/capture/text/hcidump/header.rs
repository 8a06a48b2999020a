//! The line that begins a packet in hcidump's decoded text, and words below it.
use super::super::super::Direction;
use super::super::hex;
use super::super::puzzles;
use super::super::times::{self, When};
use crate::packet::ConnHandle;

/// Details kept of one packet: the longest that hcidump prints is a list of names.
const LINES: usize = 256;

/// What a header announces. A length is unknown where the terminal's edge cut the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Command { opcode: u16, length: Option<u8> },
    Event { code: u8, length: Option<u8> },
    Acl { handle: ConnHandle, boundary: u8, length: Option<u16> },
    Sco { handle: ConnHandle, length: Option<u16> },
}

impl What {
    /// Whether the line was cut before its end.
    pub fn is_cut(self) -> bool {
        match self {
            Self::Command { length, .. } | Self::Event { length, .. } => length.is_none(),
            Self::Acl { length, .. } | Self::Sco { length, .. } => length.is_none(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub when: Option<When>,
    /// `None` where the line lost its mark.
    pub direction: Option<Direction>,
    pub what: What,
}

/// What a line is.
pub(super) enum Line {
    Header(Header),
    /// It begins as a packet does, and cannot be read.
    Puzzle,
    Detail,
}

impl Line {
    /// A line that begins a packet is a header, or a puzzle: never a detail.
    pub fn parse(line: &str) -> Self {
        match Self::read(line) {
            Self::Detail if puzzles::begins_packet(line) => Self::Puzzle,
            read => read,
        }
    }

    fn read(line: &str) -> Self {
        let line = line.trim_start();
        let (when, rest) = match times::date_time(line) {
            Some((at, rest)) => (Some(When::Wall(at)), rest.trim_start()),
            None => (None, line),
        };
        let (direction, rest) = match (rest.strip_prefix("< "), rest.strip_prefix("> ")) {
            (Some(rest), _) => (Some(Direction::Sent), rest),
            (_, Some(rest)) => (Some(Direction::Received), rest),
            // An archive has taken the mark for a quotation's.
            _ => (None, rest),
        };
        let what = if let Some(rest) = rest.strip_prefix("HCI Command: ") {
            command(rest)
        } else if let Some(rest) = rest.strip_prefix("HCI Event: ") {
            event(rest)
        } else if let Some(rest) = rest.strip_prefix("ACL data: ") {
            data(rest).map(|(handle, flags, length)| What::Acl {
                handle,
                boundary: flags & 3,
                length,
            })
        } else if let Some(rest) = rest.strip_prefix("SCO data: ") {
            data(rest).map(|(handle, _, length)| What::Sco { handle, length })
        } else {
            return Self::Detail;
        };
        match what {
            Some(what) => Self::Header(Header { when, direction, what }),
            None if direction.is_none() => Self::Detail,
            None => Self::Puzzle,
        }
    }
}

/// What stands before the word of the length, and the length. At a terminal's edge the length may
/// be cut, and the word too: `… (0x3e) ple`, `… (0x3e) plen$`, `… (0x3e) plen 1$`.
fn length<'a, N: std::str::FromStr>(text: &'a str, word: &str) -> Option<(&'a str, Option<N>)> {
    let edge = text.strip_suffix('$');
    let text = edge.unwrap_or(text).trim_end();
    let full =
        text.rsplit_once(word).and_then(|(before, rest)| Some((before, rest.strip_prefix(' ')?)));
    match full {
        // Another digit may have stood behind the edge.
        Some((before, digits)) if edge.is_some() => {
            digits.bytes().all(|digit| digit.is_ascii_digit()).then_some((before, None))
        }
        Some((before, digits)) => Some((before, Some(digits.parse().ok()?))),
        None => {
            let at = text.rfind(' ')?;
            let (before, rest) = text.split_at_checked(at)?;
            match rest {
                _ if rest.len() > 1 && word.starts_with(rest) => Some((before, None)),
                _ if edge.is_some() => Some((text, None)),
                _ => None,
            }
        }
    }
}

/// `LE Create Connection (0x08|0x000d) plen 25`.
fn command(text: &str) -> Option<What> {
    let (name, length) = length(text, " plen")?;
    let name = name.strip_suffix(')').map(|_| name)?;
    Some(What::Command { opcode: opcode(name)?, length })
}

/// The opcode in the parentheses of `LE Create Connection (0x08|0x000d)`.
pub(super) fn opcode(text: &str) -> Option<u16> {
    let (_, code) = text.rsplit_once('(')?;
    let (group, command) = code.split_once(')')?.0.split_once('|')?;
    let group = u16::try_from(number(group)?).ok().filter(|&group| group < 0x40)?;
    let command = u16::try_from(number(command)?).ok().filter(|&command| command < 0x400)?;
    Some(group << 10 | command)
}

/// `Command Complete (0x0e) plen 4`.
fn event(text: &str) -> Option<What> {
    let (name, length) = length(text, " plen")?;
    let (_, code) = name.strip_suffix(')')?.rsplit_once('(')?;
    Some(What::Event { code: u8::try_from(number(code)?).ok()?, length })
}

/// `handle 64 flags 0x02 dlen 7`.
fn data(text: &str) -> Option<(ConnHandle, u8, Option<u16>)> {
    let (text, length) = length(text, " dlen")?;
    let (handle, flags) = text.strip_prefix("handle ")?.split_once(" flags ")?;
    // Half a number is another number: `0x0` may have been `0x02`.
    let flags = (flags.len() == 4).then_some(flags)?;
    // Versions before 2 print it in hexadecimal.
    let handle = number(handle).filter(|&handle| handle < 0x1000)?;
    Some((ConnHandle(u16::try_from(handle).ok()?), u8::try_from(number(flags)?).ok()?, length))
}

/// `0x1f` or `31`.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim_end_matches([',', ')', ':']);
    match text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
        _ => text.parse().ok(),
    }
}

/// The lines below a header.
#[derive(Debug, Default)]
pub(super) struct Details {
    lines: Vec<String>,
}

impl Details {
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    pub fn push(&mut self, line: &str) {
        if self.lines.len() < LINES {
            self.lines.push(line.trim().into());
        }
    }

    pub fn first(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().flat_map(|line| line.split_whitespace())
    }

    /// Every word that follows the word `key`.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        let mut words = self.words();
        std::iter::from_fn(move || {
            words.by_ref().find(|word| word.trim_end_matches(':') == key)?;
            words.next()
        })
    }

    pub fn word<'a>(&'a self, key: &str) -> Option<&'a str> {
        self.all(key).next()
    }

    /// The number behind a word.
    pub fn number(&self, key: &str) -> Option<u64> {
        number(self.word(key)?)
    }

    pub fn byte(&self, key: &str) -> Option<u8> {
        u8::try_from(self.number(key)?).ok()
    }

    pub fn short(&self, key: &str) -> Option<[u8; 2]> {
        Some(u16::try_from(self.number(key)?).ok()?.to_le_bytes())
    }

    /// `60.00ms` behind a word, in hundredths of a millisecond.
    pub fn hundredths(&self, key: &str) -> Option<u32> {
        hundredths(self.word(key)?)
    }

    /// The address behind `bdaddr`, as on the wire.
    pub fn address(&self) -> Option<[u8; 6]> {
        hex::address(self.word("bdaddr")?)
    }

    /// Whether something else stands in the address's place: somebody hid it.
    pub fn hides_address(&self) -> bool {
        self.word("bdaddr").is_some_and(|word| hex::address(word).is_none())
    }

    /// The bytes of rows that are nothing else, as `-x` and `-X` print what they do not decode.
    pub fn dump(&self, bytes: &mut Vec<u8>) {
        for line in &self.lines {
            let before = bytes.len();
            let row = line.split_once(": ").filter(|(at, _)| at.len() == 4);
            let (row, ascii) = match row {
                Some((_, row)) => (row.split_once("  ").map_or(row, |(row, _)| row), true),
                None => (line.as_str(), false),
            };
            if !hex::words(row, bytes).is_empty() && !ascii {
                bytes.truncate(before);
            }
        }
    }
}

/// The list of numbers that ends a line: `0xa5 0x5a 0x01`.
pub(super) fn list(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend(
        text.split_whitespace()
            .map_while(|word| u8::try_from(number(word).filter(|_| word.len() == 4)?).ok()),
    );
}

/// `75.00ms,` in hundredths of a millisecond.
pub(super) fn hundredths(text: &str) -> Option<u32> {
    let text = text.trim_end_matches(',').strip_suffix("ms")?;
    let (whole, fraction) = text.split_once('.')?;
    let fraction: u32 = fraction.get(..2)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_other_tools_are_not_taken_for_hcidump() {
        let what = |line: &str| match Line::parse(line) {
            Line::Header(header) => Some(header.what),
            _ => None,
        };
        let create = What::Command { opcode: 0x200d, length: Some(25) };
        assert_eq!(what("< HCI Command: LE Create Connection (0x08|0x000d) plen 25"), Some(create));
        assert_eq!(
            what("2016-10-07 03:26:36.027673 > HCI Event: Disconn Complete (0x05) plen 4"),
            Some(What::Event { code: 5, length: Some(4) })
        );
        assert_eq!(
            what("> ACL data: handle 64 flags 0x02 dlen 11"),
            Some(What::Acl { handle: ConnHandle(64), boundary: 2, length: Some(11) })
        );
        assert_eq!(
            what("> ACL data: handle 0x0029 flags 0x02 dlen 8"),
            Some(What::Acl { handle: ConnHandle(41), boundary: 2, length: Some(8) })
        );
        // btmon's lines go on with a frame number.
        assert_eq!(what("> HCI Event: Disconn Complete (0x05) plen 4   #5 [hci0] 1.5"), None);
        assert_eq!(what("< ACL Data TX: Handle 64 flags 0x00 dlen 7"), None);
        assert_eq!(what("< HCI Command: ogf 0x08, ocf 0x000d, plen 25"), None);
        assert!(matches!(Line::parse("> HCI Event: Disconn Comp"), Line::Puzzle));
        assert!(matches!(Line::parse("    status 0x00"), Line::Detail));
        // A terminal's edge takes the length, or a part of it.
        for cut in ["p", "pl", "ple", "plen", "plen$", "plen 1$", "$"] {
            assert_eq!(
                what(&format!("> HCI Event: LE Meta Event (0x3e) {cut}")),
                Some(What::Event { code: 0x3e, length: None }),
                "{cut}"
            );
        }
        assert_eq!(
            what("< ACL data: handle 64 flags 0x02 dl"),
            Some(What::Acl { handle: ConnHandle(64), boundary: 2, length: None })
        );
        for lost in ["> HCI Event: LE Meta Event (0x3", "< ACL data: handle 64 flags 0x0$"] {
            assert!(matches!(Line::parse(lost), Line::Puzzle), "{lost}");
        }
        // A mark of direction that is not there makes no other packet, and no packet of prose.
        assert_eq!(
            what("HCI Event: Disconn Complete (0x05) plen 4"),
            Some(What::Event { code: 5, length: Some(4) })
        );
        assert!(matches!(Line::parse("HCI Event: see below"), Line::Detail));
    }

    #[test]
    fn words_below_are_found() {
        let mut details = Details::default();
        details.push("    status 0x3e handle 64, role central");
        details.push("    bdaddr F0:12:7C:AA:00:01 (Random)");
        details.push("    interval 75.00ms, latency 5.00ms");
        assert_eq!((details.byte("status"), details.number("handle")), (Some(0x3e), Some(64)));
        assert_eq!(details.address(), Some([1, 0, 0xaa, 0x7c, 0x12, 0xf0]));
        assert_eq!(
            (details.hundredths("interval"), details.hundredths("role")),
            (Some(7500), None)
        );
        assert_eq!(details.word("timeout"), None);
    }
}
