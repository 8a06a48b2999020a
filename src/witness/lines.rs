//! A log, line by line, as bytes: of gigabytes almost every line is somebody else's.
use crate::capture::Stream;
use aho_corasick::AhoCorasick;
use std::io;

/// The longest line that is looked at; the rest of a longer one is passed over.
const LONGEST: usize = 64 * 1024;

/// Lends one line after the other.
pub(super) struct Lines {
    stream: Stream,
    number: u64,
    /// Text with two bytes a character, as PowerShell writes it.
    wide: bool,
    kept: Vec<u8>,
}

/// Lines that were passed.
pub(super) struct Passed<'a> {
    /// The last of them, without its end.
    pub last: &'a [u8],
    /// How many of them hold a zero byte.
    pub with_zeroes: u64,
}

impl Lines {
    pub fn new(mut stream: Stream) -> io::Result<Self> {
        let head = stream.peek(256)?;
        let head = head.get(..256).unwrap_or(head);
        let zeroes = head.iter().filter(|byte| **byte == 0).count();
        let wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
        let wide =
            wide || (head.len() >= 16 && zeroes * 3 > head.len() && zeroes * 3 < head.len() * 2);
        Ok(Self { stream, number: 0, wide, kept: Vec::new() })
    }

    /// How many lines were read.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Passes whole lines that hold none of these words, as many as the buffer shows. `None`: the next line may hold
    /// one. A search over the buffer costs a fraction of a search line by line.
    pub fn pass_without(&mut self, words: &AhoCorasick) -> io::Result<Option<Passed<'_>>> {
        if self.wide {
            return Ok(None);
        }
        let bytes = self.stream.peek(LONGEST + 1)?;
        let until = words.find(bytes).map_or(bytes.len(), |found| found.start());
        let Some(end) = bytes.get(..until).and_then(|without| memchr::memrchr(b'\n', without))
        else {
            return Ok(None);
        };
        self.stream.consume(end + 1);
        let passed = self.stream.taken(end + 1);
        self.number += memchr::memchr_iter(b'\n', passed).count() as u64;
        let lines = passed.get(..end).unwrap_or_default();
        let last = memchr::memrchr(b'\n', lines).map_or(0, |before| before + 1);
        let with_zeroes = match memchr::memchr(0, lines) {
            None => 0,
            Some(_) => lines.split(|byte| *byte == b'\n').filter(|line| line.contains(&0)).count(),
        };
        let last = lines.get(last..).unwrap_or_default();
        Ok(Some(Passed { last, with_zeroes: with_zeroes as u64 }))
    }

    /// The next line without its end.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let bytes = self.stream.peek(LONGEST + 1)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let seen = bytes.get(..LONGEST + 1).unwrap_or(bytes);
        match memchr::memchr(b'\n', seen) {
            Some(end) => {
                self.stream.consume(end + 1);
                if !self.wide {
                    let line = self.stream.taken(end + 1);
                    return Ok(line.get(..end));
                }
                self.kept.clear();
                let line = self.stream.taken(end + 1);
                self.kept.extend(line.iter().take(end).filter(|byte| **byte != 0));
            }
            None => {
                let there = seen.len().min(LONGEST);
                self.kept.clear();
                let wide = self.wide;
                self.kept.extend(seen.iter().take(there).filter(|byte| !wide || **byte != 0));
                self.stream.consume(there);
                self.stream.skip_until(|byte| byte == b'\n')?;
                self.stream.consume(1);
            }
        }
        Ok(Some(&self.kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &'static [u8]) -> Vec<String> {
        let mut lines = Lines::new(Stream::new(Box::new(bytes))).unwrap();
        let mut out = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            out.push(String::from_utf8_lossy(line).into_owned());
        }
        assert_eq!(lines.number(), out.len() as u64);
        out
    }

    #[test]
    fn lines_end_where_they_end() {
        assert_eq!(all(b"one\ntwo\r\n\nlast"), ["one", "two\r", "", "last"]);
        assert_eq!(all(b""), [""; 0]);
        assert_eq!(all(b"\xff\xfeo\0n\0e\0\n\0t\0w\0o\0"), ["\u{fffd}\u{fffd}one", "two"]);
    }

    #[test]
    fn lines_without_the_words_are_passed_and_counted() {
        let words = AhoCorasick::new(["word"]).unwrap();
        let text = b"one\ntwo\0\nthe word\n\nlast word";
        let mut lines = Lines::new(Stream::new(Box::new(&text[..]))).unwrap();
        let passed = lines.pass_without(&words).unwrap().unwrap();
        assert_eq!((passed.last, passed.with_zeroes), (&b"two\0"[..], 1));
        assert!(lines.pass_without(&words).unwrap().is_none());
        assert_eq!(lines.next().unwrap(), Some(&b"the word"[..]));
        assert_eq!(lines.number(), 3);
        let passed = lines.pass_without(&words).unwrap().unwrap();
        assert_eq!((passed.last, passed.with_zeroes), (&b""[..], 0));
        assert!(lines.pass_without(&words).unwrap().is_none());
        assert_eq!(lines.next().unwrap(), Some(&b"last word"[..]));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.number(), 5);
    }

    #[test]
    fn an_endless_line_is_cut_and_passed() {
        let mut text = vec![b'x'; 300_000];
        text.extend(b"\nnext");
        let lines = all(Vec::leak(text));
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, 4]);
    }
}
