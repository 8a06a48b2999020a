//! Bytes of a capture, buffered once and lent from that buffer.
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much is asked of the file at a time; also what a plain record loop would use.
const CHUNK: usize = 256 * 1024;

/// How much is asked for first. Many captures are no longer, and room costs time before it is used.
const FIRST: usize = 32 * 1024;

/// A forward-only view of a byte stream that can look ahead a bounded way.
///
/// [`peek`](Self::peek) shows what comes, [`consume`](Self::consume) passes it,
/// [`taken`](Self::taken) lends what was just passed: so a reader settles
/// everything about a record first and lends its bytes last, without a copy.
pub(crate) struct Stream {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    ended: bool,
    /// Why the bytes end here although the file goes on (damaged compression).
    failure: Option<String>,
    /// Until the first byte is consumed, nobody waits for bytes that are not there yet. Becomes true when some were missed.
    hasty: Option<Arc<AtomicBool>>,
}

impl Stream {
    pub fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            failure: None,
            hasty: None,
        }
    }

    /// Lets whoever opens the capture see what is buffered and no more, instead of waiting for a whole head of a
    /// capture that still grows. The answer becomes true when more was asked for. The first byte that is consumed ends
    /// it.
    pub fn hasty(&mut self) -> Arc<AtomicBool> {
        let missed = Arc::new(AtomicBool::new(false));
        self.hasty = Some(Arc::clone(&missed));
        missed
    }

    /// Where the next byte stands in the (unwrapped) stream.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// All that is buffered, at least `want` bytes unless the stream ends before.
    #[inline]
    pub fn peek(&mut self, want: usize) -> io::Result<&[u8]> {
        if self.end - self.start < want && !self.ended {
            self.fill(want)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Passes `len` bytes that [`peek`](Self::peek) has shown.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.offset += len as u64;
    }

    /// The last `len` bytes that were consumed, until the next peek.
    #[inline]
    pub fn taken(&self, len: usize) -> &[u8] {
        let from = self.start.saturating_sub(len);
        self.buffer.get(from..self.start).unwrap_or_default()
    }

    /// Consumes and counts everything to the end, or to the first byte that `stop` accepts.
    pub fn skip_until(&mut self, stop: impl Fn(u8) -> bool) -> io::Result<u64> {
        let from = self.offset;
        loop {
            let bytes = self.peek(1)?;
            if bytes.is_empty() {
                return Ok(self.offset - from);
            }
            match bytes.iter().position(|&byte| stop(byte)) {
                Some(at) => {
                    self.consume(at);
                    return Ok(self.offset - from);
                }
                None => {
                    let all = bytes.len();
                    self.consume(all);
                }
            }
        }
    }

    /// Consumes up to `len` bytes; how many there were.
    pub fn skip(&mut self, len: u64) -> io::Result<u64> {
        let mut left = len;
        while left > 0 {
            let there = self.peek(1)?.len() as u64;
            if there == 0 {
                break;
            }
            let step = there.min(left);
            self.consume(usize::try_from(step).unwrap_or(usize::MAX));
            left -= step;
        }
        Ok(len - left)
    }

    #[cold]
    fn fill(&mut self, want: usize) -> io::Result<()> {
        if self.offset == 0
            && let Some(missed) = &self.hasty
        {
            missed.store(true, Ordering::Relaxed);
            return Ok(());
        }
        // Moved only when the rest of the buffer is too short: whoever looks far ahead in
        // small steps must not pay for a move at each of them.
        if self.buffer.len() - self.start < want {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let room = if self.buffer.is_empty() { FIRST } else { CHUNK };
            if self.buffer.len() < room.max(want) {
                self.buffer.resize(room.max(want.saturating_mul(2)), 0);
            }
        }
        while self.end - self.start < want {
            let Some(room) = self.buffer.get_mut(self.end..) else { break };
            match self.input.read(room) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(more) => self.end += more.min(room.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A decompressor that loses its way: what came before is still good.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
                    ) =>
                {
                    self.failure = Some(error.to_string());
                    self.ended = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.peek(1)?;
        let len = bytes.len().min(into.len());
        let (Some(from), Some(to)) = (bytes.get(..len), into.get_mut(..len)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.consume(len);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out three bytes at a time.
    struct Drip(Vec<u8>);

    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(3).min(into.len());
            for (to, from) in into.iter_mut().zip(self.0.drain(..len)) {
                *to = from;
            }
            Ok(len)
        }
    }

    #[test]
    fn who_is_hasty_sees_what_is_buffered_until_something_is_consumed() {
        let mut stream = Stream::new(Box::new(Drip((0..20).collect())));
        assert_eq!(stream.peek(5).unwrap().len(), 6);
        let missed = stream.hasty();
        assert_eq!(stream.peek(6).unwrap().len(), 6);
        assert!(!missed.load(Ordering::Relaxed));
        assert_eq!(stream.peek(7).unwrap().len(), 6);
        assert!(missed.load(Ordering::Relaxed));
        stream.consume(1);
        assert_eq!(stream.peek(7).unwrap().len(), 8);
    }

    #[test]
    fn lends_what_was_consumed_whatever_the_chunks() {
        let mut stream = Stream::new(Box::new(Drip((0..20).collect())));
        assert_eq!(&stream.peek(5).unwrap()[..5], [0, 1, 2, 3, 4]);
        stream.consume(5);
        assert_eq!(stream.taken(2), [3, 4]);
        assert_eq!(&stream.peek(11).unwrap()[..11], (5..16).collect::<Vec<u8>>());
        stream.consume(11);
        assert_eq!((stream.offset(), stream.peek(9).unwrap().len()), (16, 4));
        assert_eq!(stream.skip_until(|byte| byte == 18).unwrap(), 2);
        assert_eq!(stream.skip_until(|_| false).unwrap(), 2);
        assert!(stream.peek(1).unwrap().is_empty());
    }
}
