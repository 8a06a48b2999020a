//! Lines that begin a packet, whoever prints them, and lines that nobody understood.
use super::super::{Warning, WarningKind};
use super::lines::Lines;
use crate::redact;
use memchr::memchr_iter;

/// How many lines that nobody understood are quoted, and how much of each.
const QUOTED: usize = 3;
const QUOTE: usize = 100;

/// The words with which btmon and hcidump begin a packet.
const PACKETS: [&str; 13] = [
    "HCI Command: ",
    "HCI Event: ",
    "ACL Data TX: ",
    "ACL Data RX: ",
    "ACL data: ",
    "SCO Data TX: ",
    "SCO Data RX: ",
    "SCO data: ",
    "ISO Data TX: ",
    "ISO Data RX: ",
    "ISO data: ",
    "MGMT Command: ",
    "MGMT Event: ",
];
/// What follows those words in a packet, and seldom in prose.
const PARAMETERS: [&str; 6] = ["(0x", " plen", " dlen", "flags 0x", "ogf 0x", ".. "];

/// Whether a line begins a packet, by its words and whatever stands before them.
///
/// A reader that does not understand such a line says so: it is never passed over in silence.
pub(crate) fn begins_packet(line: &str) -> bool {
    let bytes = line.as_bytes();
    // Of the words that stand in the line more than once, the first place counts.
    let mut seen = 0_u32;
    // All the words end with a colon and a blank: so most lines are soon done with.
    memchr_iter(b':', bytes).any(|colon| {
        if !matches!(bytes.get(..colon), Some([.., b'd' | b't' | b'X' | b'a'])) {
            return false;
        }
        let Some((head, rest)) = line.split_at_checked(colon + 1) else { return false };
        let Some(rest) = rest.strip_prefix(' ') else { return false };
        PACKETS.iter().enumerate().any(|(number, words)| {
            let Some(before) = head.strip_suffix(words.trim_end()) else { return false };
            let again = seen & 1 << number != 0;
            seen |= 1 << number;
            let marked = before.trim_end().chars().next_back().is_none_or(|last| {
                !last.is_alphanumeric() && !matches!(last, '"' | '\'' | '`' | '(' | '\u{201c}')
            });
            !again && marked && PARAMETERS.iter().any(|mark| rest.contains(mark))
        })
    })
}

/// Lines that should have said something and that nobody understood.
#[derive(Default)]
pub(crate) struct Puzzles {
    count: u64,
    first: Vec<String>,
    place: Option<(u32, u64)>,
}

impl Puzzles {
    /// Notes a line that belongs to (or comes after) record `frame`.
    pub fn push(&mut self, lines: &Lines, frame: u32) {
        self.push_line(lines.text(), lines.number(), lines.offset(), frame);
    }

    /// Notes a line that was read earlier.
    pub fn push_line(&mut self, line: &str, number: u64, offset: u64, frame: u32) {
        self.count += 1;
        self.place.get_or_insert((frame, offset));
        if self.first.len() < QUOTED {
            // Hidden before it is cut: no half of a key stays.
            let line: String = redact::quote(line.trim()).chars().take(QUOTE).collect();
            self.first.push(format!("line {number}: \u{201c}{line}\u{201d}"));
        }
    }

    pub fn warning(&self) -> Option<Warning> {
        let (frame, offset) = self.place?;
        let (count, s) = (self.count, if self.count == 1 { "" } else { "s" });
        let (was, first) = (if count == 1 { "was" } else { "were" }, self.first.join("; "));
        Some(Warning {
            kind: WarningKind::LinesNotUnderstood,
            frame: Some(frame.max(1)),
            last_frame: None,
            offset: Some(offset),
            text: format!("{count} line{s} of the text {was} not understood ({first})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::stream::Stream;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_that_begins_a_packet_is_known_by_its_words() {
        for line in [
            "| < HCI Command: Reset (0x03|0x0003) plen 0",
            "Nov 21 10:00:00 pi btmon[7]: > ACL Data RX: Handle 64 flags 0x02 dlen 7",
            "=> ACL data: handle 64 flags 0x02 dlen 11",
            "HCI Event: LE Meta Ev.. (0x3e)",
            "*@ MGMT Event: Command.. plen",
        ] {
            assert!(begins_packet(line), "{line}");
        }
        for line in [
            "> HCI Event: see the chapter on events",
            "        Status: Success (0x00)",
            "I saw a HCI Event: Disconnect Complete (0x05) plen 4",
            "the line \"HCI Event: Disconnect Complete (0x05) plen 4\" is there",
            "HCI Command: ",
        ] {
            assert!(!begins_packet(line), "{line}");
        }
    }

    /// What [`begins_packet`] says, word by word.
    fn begins_packet_slowly(line: &str) -> bool {
        PACKETS.iter().any(|words| {
            let Some((before, rest)) = line.split_once(words) else { return false };
            let marked = before.trim_end().chars().next_back().is_none_or(|last| {
                !last.is_alphanumeric() && !matches!(last, '"' | '\'' | '`' | '(' | '\u{201c}')
            });
            marked && PARAMETERS.iter().any(|mark| rest.contains(mark))
        })
    }

    #[test]
    fn puzzles_are_counted_and_three_are_quoted() {
        let mut stream = Stream::new(Box::new(&b"a\nb\nc\nd\n"[..]));
        let (mut lines, mut puzzles) = (Lines::default(), Puzzles::default());
        assert_eq!(puzzles.warning(), None);
        while lines.read(&mut stream).unwrap() {
            puzzles.push(&lines, 7);
        }
        let warning = puzzles.warning().unwrap();
        assert!(warning.text.starts_with("4 lines of the text were not understood (line 1:"));
        assert!(warning.text.contains("line 3") && !warning.text.contains("line 4"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn lines_that_begin_a_packet_are_known_quickly(
            pieces in prop::collection::vec((0..PACKETS.len() + PARAMETERS.len() + 6, 0..10usize), 0..8),
        ) {
            let mut line = String::new();
            for (piece, cut) in pieces {
                let more = ["x", " ", "\"", "\u{e9}", ": ", ":"];
                let all = PACKETS.iter().chain(&PARAMETERS).chain(&more);
                let word = all.clone().nth(piece).unwrap();
                // Some words lose their end.
                let end = if cut == 0 { word.trim_end() } else { word };
                line.push_str(end);
            }
            prop_assert_eq!(begins_packet(&line), begins_packet_slowly(&line), "{}", line);
        }
    }
}
