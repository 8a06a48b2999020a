//! Lines of a text capture, one by one or of a file's beginning.
use super::super::Head;
use super::super::format::HEAD;
use super::super::stream::Stream;
use super::clean::{clean, without_quotes};
use super::plain::Plain;
use memchr::memchr;
use std::io;
use std::ops::Range;

/// The longest line that is kept; the rest of a longer one is passed over.
const LONGEST: usize = 256 * 1024;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
