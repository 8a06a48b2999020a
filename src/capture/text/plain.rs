//! Lines that stay as they are: almost all lines of a text. They are recognised many at a time.
use super::marks::without_end;
use memchr::{memchr, memrchr};
use std::ops::Range;

/// How many bytes are looked at together.
const PAGE: usize = 16 * 1024;

/// Whole lines of a stream, with nothing in them but ASCII that shows on paper and no entity of a web page.
#[derive(Default)]
pub(super) struct Plain {
    page: String,
    /// Where the next line begins in the page.
    next: usize,
    /// Where the next line begins in the stream.
    offset: u64,
}

impl Plain {
    /// The line with which `bytes` begin, if it is such a line: its place in the page, and its length with its end.
    /// `offset` is where `bytes` begin in the stream.
    #[inline]
    pub fn line(&mut self, bytes: &[u8], offset: u64) -> Option<(Range<usize>, usize)> {
        if self.next >= self.page.len() || self.offset != offset {
            self.turn(bytes);
        }
        let rest = self.page.get(self.next..)?;
        let end = memchr(b'\n', rest.as_bytes())?;
        let shown = without_end(rest.get(..end)?).len();
        let line = self.next..self.next + shown;
        self.next += end + 1;
        self.offset = offset + end as u64 + 1;
        Some((line, end + 1))
    }

    /// The text of a line, until the next one is asked for.
    #[inline]
    pub fn text(&self, line: Range<usize>) -> &str {
        self.page.get(line).unwrap_or_default()
    }

    /// Takes the plain lines with which `bytes` begin.
    fn turn(&mut self, bytes: &[u8]) {
        self.next = 0;
        self.page.clear();
        let page = bytes.get(..PAGE).unwrap_or(bytes);
        let plain = beginning(page, |byte| (shows(byte) | (byte == b'\n')) & (byte != b'&'));
        let page = page.get(..plain).unwrap_or_default();
        let lines = memrchr(b'\n', page).and_then(|last| page.get(..=last));
        if let Some(Ok(lines)) = lines.map(std::str::from_utf8) {
            self.page.push_str(lines);
        }
    }
}

/// ASCII that shows on paper, and tabs.
#[inline]
pub(super) fn shows(byte: u8) -> bool {
    (byte.wrapping_sub(b' ') <= b'~' - b' ') | (byte == b'\t')
}

/// How many bytes at the beginning are as they should be. Many are looked at at once: there is no early end inside of a
/// chunk, so the compiler can.
#[inline]
pub(super) fn beginning(bytes: &[u8], as_it_should: impl Fn(u8) -> bool) -> usize {
    const AT_ONCE: usize = 64;
    let (chunks, _) = bytes.as_chunks::<AT_ONCE>();
    let all = |chunk: &&[u8; AT_ONCE]| {
        chunk.iter().fold(0, |odd, byte| odd | u8::from(!as_it_should(*byte))) == 0
    };
    let there = chunks.iter().take_while(all).count() * AT_ONCE;
    let rest = bytes.get(there..).unwrap_or_default();
    there + rest.iter().take_while(|byte| as_it_should(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::super::super::stream::Stream;
    use super::super::clean::clean;
    use super::super::lines::Lines;
    use super::*;
    use proptest::prelude::*;

    fn first(bytes: &[u8]) -> Option<(String, usize)> {
        let mut plain = Plain::default();
        let (line, length) = plain.line(bytes, 0)?;
        Some((plain.text(line).to_owned(), length))
    }

    #[test]
    fn only_whole_lines_of_plain_text_are_taken() {
        assert_eq!(first(b"a b  \nc"), Some(("a b".into(), 6)));
        assert_eq!(first(b"\tx\n\x1b[0m\n"), Some(("\tx".into(), 3)));
        for other in ["a", "", "a\r\n", "a &lt; b\n", "caf\u{e9}\n", "\x1b[0m\n", "a\u{0}\n"] {
            assert_eq!(first(other.as_bytes()), None, "{other:?}");
        }
        let long = [vec![b'x'; PAGE], b"\n".to_vec()].concat();
        assert_eq!(first(&long), None);
        assert_eq!(first(&long[1..]).map(|(_, length)| length), Some(PAGE));
    }

    #[test]
    fn a_page_serves_the_lines_of_its_place_and_no_others() {
        let bytes = b"one\ntwo\nthree\n";
        let mut plain = Plain::default();
        let mut line = |bytes: &[u8], at| {
            let (line, length) = plain.line(bytes, at)?;
            Some((plain.text(line).to_owned(), length))
        };
        assert_eq!(line(bytes, 0), Some(("one".into(), 4)));
        assert_eq!(line(&bytes[4..], 4), Some(("two".into(), 4)));
        // Somebody else passed a line.
        assert_eq!(line(b"four\n", 14), Some(("four".into(), 5)));
        assert_eq!(line(b"", 19), None);
    }

    proptest! {
        /// Plain lines are read by page, others one by one: each is as if it stood alone.
        #[test]
        fn each_line_is_read_as_if_it_stood_alone(
            pieces in prop::collection::vec((0..10usize, 1..40usize), 0..60),
        ) {
            const PIECES: [&[u8]; 10] = [
                b"        Status: Success (0x00)", b"> ", b"<< ACL Data TX", b"\n", b"\n", b"\r\n", b"\t", b"  \n",
                b"\x1b[0m&lt;", b"caf\xc3\xa9\xff",
            ];
            let mut text = Vec::new();
            for (piece, times) in pieces {
                let times = if piece == 0 { times } else { 1 };
                (0..times).for_each(|_| text.extend_from_slice(PIECES[piece]));
            }
            text.push(b'\n');
            let mut stream = Stream::new(Box::new(std::io::Cursor::new(text.clone())));
            let (mut read, mut at, mut alone) = (Lines::default(), 0, String::new());
            for raw in text.split_inclusive(|byte| *byte == b'\n') {
                clean(&raw[..raw.len() - 1], &mut alone);
                prop_assert!(read.read(&mut stream).unwrap());
                prop_assert_eq!((read.text(), read.offset(), read.is_open()), (alone.as_str(), at, false));
                at += raw.len() as u64;
            }
            prop_assert!(!read.read(&mut stream).unwrap());
        }
    }
}
