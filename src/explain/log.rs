//! Whole logs: each line that is known is shown with its meaning. One line is in memory at a time.
use super::card::Hit;
use super::{Answer, answer, ask};
use crate::redact;
use crate::report::safe;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

/// Longer lines are read up to here; the rest is passed over.
const LONGEST_LINE: usize = 16 * 1024;

/// Columns of a line that are shown.
const WIDEST: usize = 160;

/// Most cards named for one line.
const MOST_CARDS: usize = 4;

/// What a text on standard input was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Summary {
    /// There was none.
    Nothing,
    /// A single line: a question.
    Question(Answer),
    /// A log: how many lines, and how many of them were known.
    Log {
        /// How many lines there were.
        lines: u64,
        /// How many of them were explained.
        known: u64,
    },
}

/// Reads a text to its end. A single line is a question, more are a log, whose known lines are written with what they mean.
pub fn annotate(input: &mut impl BufRead, out: &mut impl Write) -> io::Result<Summary> {
    let mut line = Vec::new();
    if !read_line(input, &mut line)? {
        return Ok(Summary::Nothing);
    }
    let first = line.clone();
    if !read_line(input, &mut line)? {
        return Ok(Summary::Question(answer(&plain(&first))));
    }
    let mut annotator = Annotator { lines: 0, known: 0, seen: BTreeMap::new() };
    annotator.push(&first, out)?;
    annotator.push(&line, out)?;
    while read_line(input, &mut line)? {
        annotator.push(&line, out)?;
    }
    annotator.end(out)?;
    Ok(Summary::Log { lines: annotator.lines, known: annotator.known })
}

struct Annotator {
    lines: u64,
    known: u64,
    /// How often each card was met.
    seen: BTreeMap<String, u64>,
}

impl Annotator {
    fn push(&mut self, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        self.lines += 1;
        let line = plain(line);
        let hits = ask::line(&line);
        if hits.is_empty() {
            return Ok(());
        }
        self.known += 1;
        // Hidden before it is cut: no half of a key stays.
        let hidden = redact::log(line.trim());
        let shown = safe::text(&hidden);
        writeln!(out, "{}: {}", self.lines, safe::fit(&shown, WIDEST))?;
        for hit in hits.iter().take(MOST_CARDS) {
            let id = hit.id();
            let times = self.seen.entry(id.clone()).or_default();
            *times += 1;
            if *times == 1 {
                writeln!(out, "    = {}: {} [{id}]", hit.title(), first_sentence(hit))?;
            } else {
                writeln!(out, "    = {} [{id}]", hit.title())?;
            }
        }
        Ok(())
    }

    fn end(&self, out: &mut impl Write) -> io::Result<()> {
        if self.known == 0 {
            return Ok(());
        }
        writeln!(out, "\n{} of {} lines are known. Cards, by how often:", self.known, self.lines)?;
        let mut seen: Vec<(&String, &u64)> = self.seen.iter().collect();
        seen.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (id, times) in seen {
            writeln!(out, "  {times:6}  hcidiff explain {id}")?;
        }
        Ok(())
    }
}

/// What the card says, up to the first full stop.
fn first_sentence(hit: &Hit) -> &'static str {
    let says = hit.card.says;
    says.find(". ").map_or(says, |end| &says[..=end])
}

/// The next line without its end; what is longer than the bound is passed over. False at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = end.map_or(buffer, |end| &buffer[..end]);
        let room = LONGEST_LINE.saturating_sub(line.len()).min(part.len());
        line.extend_from_slice(&part[..room]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// The text of a line: without terminal sequences, and without the zeros of UTF-16.
fn plain(line: &[u8]) -> String {
    let text: Vec<u8> = line.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&text);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // CSI: parameters, then one final character. Other sequences have one character.
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    chars.by_ref().find(|c| matches!(c, '@'..='~'));
                }
            }
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotated(text: &[u8]) -> (Summary, String) {
        let mut out = Vec::new();
        let summary = annotate(&mut &text[..], &mut out).expect("memory");
        (summary, String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn a_log_shows_its_known_lines_and_their_meaning_once() {
        let line = "bluetoothd[992]: src/adapter.c:dev_disconnected() Device AA:BB:CC:DD:EE:FF disconnected, reason 0\n";
        let (summary, out) = annotated(format!("starting\n{line}nothing\n{line}").as_bytes());
        assert_eq!(summary, Summary::Log { lines: 4, known: 2 });
        assert!(out.starts_with("2: bluetoothd[992]"), "{out}");
        assert_eq!(out.matches("Every HCI reason that has no number here").count(), 1, "{out}");
        assert_eq!(out.matches("[mgmt:0]").count(), 2, "{out}");
        assert!(out.contains("2 of 4 lines"), "{out}");
    }

    #[test]
    fn a_single_line_is_a_question_and_nothing_is_nothing() {
        let (summary, out) = annotated(b"error 62\n");
        assert!(
            matches!(summary, Summary::Question(Answer::Cards(card)) if card.contains("hci:0x3e"))
        );
        assert!(out.is_empty());
        assert_eq!(annotated(b"").0, Summary::Nothing);
    }

    #[test]
    fn bad_input_is_bounded_and_escaped() {
        let mut text = b"\x1b[0;94m[bluetoothctl]> \x1b[0mFailed to connect: org.bluez.Error.Failed le-connection-abort-by-local\r\n".to_vec();
        text.extend(std::iter::repeat_n(b'A', 10_000_000));
        text.extend_from_slice(b"\n\xff\xfe\x00noise\x1b]0;x\x07\n");
        text.extend_from_slice("lamp\u{202e}gpj: TimeoutError\n".as_bytes());
        text.extend_from_slice(
            b"ltk 00112233445566778899aabbccddeeff: Connection reset by peer (104) bluetoothd\n\
              bluetoothd: key 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff: Connection reset by peer (104)\n\
              bluetoothd: passkey is 471108: Connection reset by peer (104)\n",
        );
        let (summary, out) = annotated(&text);
        assert_eq!(summary, Summary::Log { lines: 7, known: 5 });
        assert!(out.len() < 4_000 && !out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
        assert!(out.contains("[bluetoothctl]> Failed to connect"), "{out}");
        for key in ["00112233", "00:11", "471108"] {
            assert!(!out.contains(key), "{out}");
        }
    }

    #[test]
    fn lines_about_something_else_are_left_alone() {
        let (summary, out) = annotated(
            b"nginx: upstream timed out (110: Connection timed out)\nHTTP status 200\nPermission denied\n\
              self.address, f\"Device with address {self.address} was not found.\"\nprocess exited with code 19\n",
        );
        // `Connection` makes the first a line that may be Bluetooth's.
        assert!(matches!(summary, Summary::Log { lines: 5, known: 0 | 1 }), "{out}");
        assert!(
            !out.contains("status 200") && !out.contains("Permission") && !out.contains("exited")
        );
    }
}
