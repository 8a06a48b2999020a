//! Lines of a text capture, cleaned of what terminals, mail and web pages put into them.
//!
//! Escape sequences, carriage returns, zeroes, HTML entities and mail's quote marks go; the
//! indentation stays, because text formats nest by it.
use super::super::format::HEAD;
use super::super::stream::Stream;
use super::super::{Head, Warning, WarningKind};
use super::plain::Plain;
use crate::redact;
use memchr::{memchr, memchr_iter};
use std::io;
use std::ops::Range;

/// The longest line that is kept; the rest of a longer one is passed over.
const LONGEST: usize = 256 * 1024;
/// How many lines that nobody understood are quoted, and how much of each.
const QUOTED: usize = 3;
const QUOTE: usize = 100;

/// Reads a stream line by line; lends each until the next is asked for.
#[derive(Default)]
pub(crate) struct Lines {
    plain: Plain,
    /// Where the line is in `plain`, if it stays as it is.
    shown: Option<Range<usize>>,
    raw: Vec<u8>,
    /// Any other line, cleaned.
    text: String,
    offset: u64,
    number: u64,
    /// The text ends inside this line.
    last: bool,
}

impl Lines {
    /// Moves on to the next line. False at the end.
    pub fn read(&mut self, stream: &mut Stream) -> io::Result<bool> {
        self.offset = stream.offset();
        let bytes = stream.peek(1)?;
        self.shown = None;
        if let Some((line, length)) = self.plain.line(bytes, self.offset) {
            let text = self.plain.text(line.clone());
            let quotes = text.len() - without_quotes(text).len();
            self.shown = Some(line.start + quotes..line.end);
            stream.consume(length);
            self.last = false;
            self.number += 1;
            return Ok(true);
        }
        // Almost every other line is in the buffer as a whole.
        if let Some(end) = memchr(b'\n', bytes) {
            clean(bytes.get(..end.min(LONGEST)).unwrap_or_default(), &mut self.text);
            stream.consume(end + 1);
            self.last = false;
            self.number += 1;
            return Ok(true);
        }
        self.read_in_pieces(stream)
    }

    fn read_in_pieces(&mut self, stream: &mut Stream) -> io::Result<bool> {
        self.raw.clear();
        let mut any = false;
        self.last = true;
        loop {
            let bytes = stream.peek(1)?;
            if bytes.is_empty() {
                break;
            }
            any = true;
            let end = memchr(b'\n', bytes);
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            let room = LONGEST.saturating_sub(self.raw.len());
            self.raw.extend_from_slice(part.get(..room).unwrap_or(part));
            let passed = part.len() + usize::from(end.is_some());
            stream.consume(passed);
            if end.is_some() {
                self.last = false;
                break;
            }
        }
        self.number += u64::from(any);
        clean(&self.raw, &mut self.text);
        Ok(any)
    }

    /// The line, cleaned and without its end.
    #[inline]
    pub fn text(&self) -> &str {
        match &self.shown {
            Some(line) => self.plain.text(line.clone()),
            None => &self.text,
        }
    }

    /// Whether the line has no end: the text may have been cut here.
    pub fn is_open(&self) -> bool {
        self.last
    }

    /// The line, and of a line without an end only what is certain: where the text was cut, the
    /// number that it ends with may be the half of one.
    #[inline]
    pub fn certain(&self) -> &str {
        let text = self.text();
        if self.last { without_doubtful_end(text) } else { text }
    }

    /// Where the line begins in the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The line's number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// A text without its last word where that may be the half of a number.
fn without_doubtful_end(text: &str) -> &str {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or(text);
    let doubtful = last.ends_with(|end: char| end.is_alphanumeric())
        && last.contains(|digit: char| digit.is_ascii_hexdigit());
    if doubtful { text[..text.len() - last.len()].trim_end() } else { text }
}

/// How much of a file's beginning [`of_head`] looks at.
pub(crate) const PAGE: usize = 64 * 1024;

/// The cleaned lines of a file's beginning, for whoever decides whether it is theirs.
///
/// Nothing where the bytes are no text; the last line is left out where it may go on.
pub(crate) fn of_head<'h>(head: &'h Head<'_>) -> &'h [String] {
    head.lines.get_or_init(|| read_head(head))
}

fn read_head(head: &Head<'_>) -> Vec<String> {
    let page = head.bytes.get(..PAGE).unwrap_or(head.bytes);
    // Zeroes come from crashed loggers and from UTF-16; others of a terminal, now and then.
    let strange = |byte: &&u8| matches!(**byte, 1..0x20) && !b"\t\n\r\x1b\x07\x08".contains(byte);
    if page.iter().filter(strange).count() > page.len() / 64 {
        return Vec::new();
    }
    let mut lines: Vec<_> = page.split(|&byte| byte == b'\n').collect();
    if !(head.whole && page.len() == head.bytes.len()) {
        lines.pop();
    }
    lines
        .into_iter()
        .map(|line| {
            let mut text = String::new();
            clean(line, &mut text);
            text
        })
        .collect()
}

/// The cleaned lines of a stream's beginning, and whether that is all of it.
pub(crate) fn ahead(stream: &mut Stream) -> io::Result<(Vec<String>, bool)> {
    let bytes = stream.peek(HEAD)?;
    let whole = bytes.len() <= PAGE;
    Ok((read_head(&Head::new(bytes, bytes.len() < HEAD)), whole))
}

/// Writes a raw line into `text` as whoever printed it meant it.
pub(crate) fn clean(raw: &[u8], text: &mut String) {
    shown(raw, text);
    let quotes = text.len() - without_quotes(text).len();
    if quotes > 0 {
        text.drain(..quotes);
    }
}

/// A line without what mail puts before it.
fn without_quotes(line: &str) -> &str {
    match line.as_bytes().first() {
        Some(b'<' | b'>') => single_mark(unquoted(line)),
        _ => line,
    }
}

/// Writes a raw line into `text` as a screen shows it, with mail's quote marks.
fn shown(raw: &[u8], text: &mut String) {
    text.clear();
    let ended = raw.strip_suffix(b"\r").unwrap_or(raw);
    if is_plain(ended)
        && let Ok(line) = std::str::from_utf8(ended)
    {
        text.push_str(line.trim_end());
        return;
    }
    // UTF-16, as PowerShell writes it: without its zeroes it is plain text behind this mark.
    let raw = raw.strip_prefix(b"\xff\xfe").unwrap_or(raw);
    // Almost every line is valid, which is quickly seen.
    match std::str::from_utf8(raw) {
        Ok(line) => printable(line, text),
        Err(_) => {
            for chunk in raw.utf8_chunks() {
                printable(chunk.valid(), text);
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
    if text.contains('&') {
        *text = unescape(text);
    }
    let end = text.trim_end().len();
    text.truncate(end);
}

/// Reads the next line as a screen shows it, or the next `most` bytes of a longer one: then what it gives is false.
/// Nothing at the end.
pub(crate) fn next_shown(
    stream: &mut Stream,
    most: usize,
    text: &mut String,
) -> io::Result<Option<bool>> {
    let bytes = stream.peek(most)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let page = bytes.get(..most).unwrap_or(bytes);
    let end = page.iter().position(|byte| *byte == b'\n');
    let length = end.map_or(page.len(), |end| end + 1);
    shown(page.get(..length).unwrap_or(page), text);
    stream.consume(length);
    Ok(Some(end.is_some() || length < most))
}

/// How many bytes at the beginning stay as they are. Many are looked at at once: almost every line is plain.
fn plain(bytes: &[u8]) -> usize {
    const AT_ONCE: usize = 32;
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let mut there = 0;
    for chunk in bytes.chunks(AT_ONCE) {
        if !chunk.iter().fold(true, |all, byte| all & is_plain(byte)) {
            return there + chunk.iter().take_while(|byte| is_plain(byte)).count();
        }
        there += chunk.len();
    }
    there
}

/// Whether a line stays as it is: nothing but ASCII that shows on paper, and no entity of a web page.
fn is_plain(raw: &[u8]) -> bool {
    // No early end inside of a chunk: so the compiler looks at its bytes at once.
    let plain = |all, byte: &u8| all & (matches!(byte, b' '..=b'~' | b'\t') & (*byte != b'&'));
    let (chunks, rest) = raw.as_chunks::<16>();
    chunks.iter().all(|chunk| chunk.iter().fold(true, plain))
        // The last bytes are looked at together with some before them.
        && raw.last_chunk::<16>().map_or_else(
            || rest.iter().fold(true, plain),
            |chunk| chunk.iter().fold(true, plain),
        )
}

/// Copies what shows on paper: no escape sequences, no control codes but tabs.
fn printable(piece: &str, text: &mut String) {
    // The beginning that stays as it is, which is mostly all of it.
    let (plain, rest) = piece.split_at(plain(piece.as_bytes()));
    text.push_str(plain);
    let mut chars = rest.chars();
    let mut titles_end = true;
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars, &mut titles_end),
            // `script` records what was typed and taken back.
            '\u{8}' => drop(text.pop()),
            '\u{a0}' => text.push(' '),
            '\t' => text.push(char),
            // Byte order marks and zero-width spaces come from pasting.
            '\u{feff}' | '\u{200b}' => {}
            char if char.is_control() => {}
            char => text.push(char),
        }
    }
}

/// Passes the rest of an escape sequence (ECMA-48, and xterm's window titles).
///
/// `titles_end` becomes false where the rest of the piece ends no title: then nobody looks again,
/// because a look goes to the end of the piece.
fn skip_escape(chars: &mut std::str::Chars<'_>, titles_end: &mut bool) {
    match chars.next() {
        Some('[') => drop(chars.find(|char| ('@'..='~').contains(char))),
        Some(']') if *titles_end => {
            let mut last = ' ';
            let ends = |char: &char| {
                let end = *char == '\u{7}' || (last == '\u{1b}' && *char == '\\');
                last = *char;
                end
            };
            // A title that never ends would eat the line: then only its mark goes.
            let mut ahead = chars.clone();
            *titles_end = ahead.find(ends).is_some();
            if *titles_end {
                *chars = ahead;
            }
        }
        Some('(' | ')') => drop(chars.next()),
        _ => {}
    }
}

/// Turns the entities of web pages back into characters; everything else stays.
fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, &str); 8] = [
        ("lt;", "<"),
        ("gt;", ">"),
        ("amp;", "&"),
        ("quot;", "\""),
        ("apos;", "'"),
        ("#39;", "'"),
        ("#x27;", "'"),
        ("nbsp;", " "),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known =
            ENTITIES.iter().find_map(|(name, char)| Some((char, after.strip_prefix(name)?)));
        rest = match known {
            Some((char, after)) => {
                out.push_str(char);
                after
            }
            None => {
                out.push('&');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// A line without the `>` that mail puts before what it quotes.
///
/// `> HCI Event` and `> 04 0E` are what a tool printed: the mark is mail's only where a mark,
/// a date or the indentation of a detail follows it.
pub(crate) fn unquoted(line: &str) -> &str {
    let mut line = line;
    while let Some(rest) = line.strip_prefix('>') {
        let inner = rest.strip_prefix(' ').unwrap_or(rest);
        let marked = inner.starts_with(['<', '>', '@', '=', '*'])
            || inner.starts_with("  ")
            || inner.starts_with('\t')
            || inner.is_empty()
            || begins_with_year(inner);
        if !marked {
            break;
        }
        line = inner;
    }
    line
}

/// A line with one mark of direction: some mail programs and archives double the first `<`.
fn single_mark(line: &str) -> &str {
    let bare = line.trim_start_matches('<');
    match line.len() - bare.len() {
        marks @ 2.. if bare.starts_with(' ') => &line[marks - 1..],
        _ => line,
    }
}

fn begins_with_year(text: &str) -> bool {
    let mut bytes = text.bytes();
    (0..4).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_digit()))
        && bytes.next() == Some(b'-')
}

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
    use super::*;
    use crate::capture::Head;
    use proptest::prelude::*;

    fn cleaned(raw: &[u8]) -> String {
        let mut text = String::from("left over");
        clean(raw, &mut text);
        text
    }

    #[test]
    fn what_a_terminal_adds_goes() {
        let raw = b"\x1b[0;34m< HCI Command:\x1b[0m Reset\x1b[K\x00 (0x03|0x0003)\r";
        assert_eq!(cleaned(raw), "< HCI Command: Reset (0x03|0x0003)");
        assert_eq!(cleaned(b"\x1b]0;root@host: ~\x07# btmonx\x08"), "# btmon");
        assert_eq!(cleaned(b"\x1b]0;never ends"), "0;never ends");
        assert_eq!(cleaned(b"        Name: caf\xc3\xa9 \xff"), "        Name: caf\u{e9} \u{fffd}");
    }

    #[test]
    fn titles_that_never_end_are_looked_for_once() {
        // Each mark looked at the whole rest of the line: this took minutes.
        let marks = b"\x1b]".repeat(LONGEST / 2);
        assert_eq!(cleaned(&marks), "");
        let one_ends = [b"\x1b]title\x07", &marks[..], b"Reset"].concat();
        assert_eq!(cleaned(&one_ends), "Reset");
        let last_ends = [&marks[..], b"title\x1b\\Reset"].concat();
        assert_eq!(cleaned(&last_ends), "Reset");
    }

    #[test]
    fn what_web_pages_escape_comes_back() {
        assert_eq!(cleaned(b"&lt; ACL &amp; &unknown; &"), "< ACL & &unknown; &");
        assert_eq!(cleaned(b"&gt; HCI Event"), "> HCI Event");
        assert_eq!(cleaned(b"&amp;lt;"), "&lt;");
    }

    #[test]
    fn quoting_goes_and_directions_stay() {
        for (line, bare) in [
            ("> HCI Event: Reset", "> HCI Event: Reset"),
            ("> 04 0E 04", "> 04 0E 04"),
            ("> > HCI Event", "> HCI Event"),
            (">> HCI Event", "> HCI Event"),
            ("> > > HCI Event", "> HCI Event"),
            ("> < ACL Data TX", "< ACL Data TX"),
            (">       Status", "      Status"),
            ("> 2026-09-21 14:13:20.0 > 04", "2026-09-21 14:13:20.0 > 04"),
            ("> @ MGMT Open", "@ MGMT Open"),
            (">", ""),
        ] {
            assert_eq!(unquoted(line), bare, "{line}");
        }
    }

    #[test]
    fn a_doubled_mark_of_direction_is_one() {
        for (line, bare) in [
            ("<< HCI Command: Reset", "< HCI Command: Reset"),
            ("> << ACL Data TX", "< ACL Data TX"),
            ("> > <<< 01 03 0C 00", "< 01 03 0C 00"),
            ("<<EOF", "<<EOF"),
            ("< ACL Data TX", "< ACL Data TX"),
        ] {
            assert_eq!(cleaned(line.as_bytes()), bare, "{line}");
        }
    }

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
    fn lines_know_where_they_stand() {
        let mut stream = Stream::new(Box::new(&b"one\r\n\ntwo"[..]));
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        while lines.read(&mut stream).unwrap() {
            seen.push((lines.number(), lines.offset(), lines.text().to_owned()));
        }
        assert_eq!(seen, [(1, 0, "one".into()), (2, 5, String::new()), (3, 6, "two".into())]);
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let endless = io::Read::take(io::repeat(b'x'), 3 << 20);
        let mut stream = Stream::new(Box::new(endless));
        let mut lines = Lines::default();
        assert!(lines.read(&mut stream).unwrap());
        assert_eq!(lines.text().len(), LONGEST);
        assert!(!lines.read(&mut stream).unwrap());
    }

    #[test]
    fn binary_files_have_no_lines() {
        let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert!(of_head(&Head::new(&bytes, true)).is_empty());
        assert_eq!(of_head(&Head::new(b"a\nb", true)), ["a", "b"]);
        assert_eq!(of_head(&Head::new(b"a\nb", false)), ["a"]);
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
        fn any_bytes_are_cleaned(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = cleaned(&raw);
            prop_assert!(!text.chars().any(|char| char.is_control() && char != '\t'));
        }

        #[test]
        fn a_plain_line_is_cleaned_as_any_other(raw in "[ -~\t]{0,60}") {
            let (mut slowly, mut at_once) = (String::new(), String::new());
            printable(&raw, &mut slowly);
            shown(raw.as_bytes(), &mut at_once);
            let slowly = unescape(&slowly);
            prop_assert_eq!(slowly.trim_end(), at_once);
        }

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
