//! A pipe that is read as it fills, and left when nobody waits any more.
use crate::stop::Stop;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How much is read at a time, and how many of such pieces wait to be looked at.
const PIECE: usize = 64 << 10;
const PIECES: usize = 16;

/// How often somebody looks whether it is time to end.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// When it is time to end, the program at the other end may have been told so, too: what it still writes is read for so
/// long, while it comes without pauses.
const LAST_WORDS: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(300);

/// The reading end of a pipe. A thread waits for its bytes: a plain read could not be ended.
pub struct Piped {
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// Pieces that were read and not looked at.
    waiting: Arc<AtomicUsize>,
    piece: Vec<u8>,
    at: usize,
    stop: Stop,
    /// When the last words must be over.
    last: Option<Instant>,
    ended: bool,
}

impl Piped {
    /// Standard input.
    pub fn stdin(stop: Stop) -> io::Result<Self> {
        Self::new(|| Ok(io::stdin()), stop)
    }

    /// A pipe with a name. It may take until somebody opens its other end.
    pub fn named(path: &Path, stop: Stop) -> io::Result<Self> {
        let path = path.to_owned();
        Self::new(move || File::open(path), stop)
    }

    fn new<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: Stop,
    ) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(PIECES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&waiting);
        thread::Builder::new().spawn(move || match open() {
            Ok(input) => pump(input, &sender, &count),
            Err(error) => drop(sender.send(Err(error))),
        })?;
        Ok(Self { pieces, waiting, piece: Vec::new(), at: 0, stop, last: None, ended: false })
    }

    /// How many pieces have come that were not looked at.
    pub fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// The next piece. `None` at the end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut silent_since = Instant::now();
        loop {
            if self.last.is_none() && self.stop.is_set() {
                self.last = Some(Instant::now() + LAST_WORDS);
                silent_since = Instant::now();
            }
            match self.pieces.recv_timeout(LOOKS_EVERY) {
                Ok(piece) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    return piece.map(Some);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let over = |last| Instant::now() >= last || silent_since.elapsed() >= PAUSE;
            if self.last.is_some_and(over) {
                return Ok(None);
            }
        }
    }
}

/// Reads until the end, or until nobody wants more.
fn pump(mut input: impl Read, to: &SyncSender<io::Result<Vec<u8>>>, waiting: &AtomicUsize) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(len) => {
                piece.truncate(len);
                Ok(piece)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        waiting.fetch_add(1, Ordering::Relaxed);
        if to.send(read).is_err() || failed {
            return;
        }
    }
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() && !self.ended {
            match self.next()? {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None => self.ended = true,
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let len = rest.len().min(into.len());
        if let (Some(from), Some(to)) = (rest.get(..len), into.get_mut(..len)) {
            to.copy_from_slice(from);
        }
        self.at += len;
        Ok(len)
    }
}
