//! A capture that is still being written: its format is told early, and looked at once more when enough of it is there.
//!
//! A file whose first bytes are a magic number is known at once. Of the others a whole head is looked at, and a capture
//! that grows has none for long. So a few clean records or lines settle it for the time being. The head is kept, and
//! when all of it has come the format is chosen as for a finished file. Where that is another one, or its reader wanted
//! to see more of the head than there was, reading begins again.
use super::format::{self, Boxed, Claim, Format, HEAD, Head};
use super::stream::Stream;
use super::wrappers;
use super::{CaptureError, Digest, OpenOptions, Opened};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many clean records or lines in a row settle a format for the time being.
const SURE: u32 = 8;

/// What is looked at first: a magic number and what must follow it.
const FIRST: usize = 64;

/// What is known of the input so far.
struct Kept {
    input: Box<dyn Read + Send>,
    /// The first bytes, until they have settled the format.
    head: Vec<u8>,
    /// How much of the head was read again.
    at: usize,
    /// The format for the time being. `None`: it is settled, or was not chosen yet.
    for_now: Option<ForNow>,
    keeps: bool,
    /// A whole head would have been read in another way.
    wrong: bool,
}

/// How a capture is read whose head is not there yet.
#[derive(Clone, Copy)]
struct ForNow {
    format: &'static Format,
    /// Its reader wanted to see more of the head than there was.
    short: bool,
}

impl Kept {
    /// Looks at the whole head. False where reading must begin again.
    fn settle(&mut self, whole: bool) -> bool {
        let Some(for_now) = self.for_now else { return true };
        let bytes = self.head.get(..HEAD).unwrap_or(&self.head);
        let best = Head::new(bytes, whole).format().map(|(format, _)| format);
        self.wrong = for_now.short || !best.is_some_and(|best| std::ptr::eq(best, for_now.format));
        if !self.wrong {
            self.settled();
        }
        !self.wrong
    }

    fn settled(&mut self) {
        self.for_now = None;
        self.keeps = false;
        // Nobody reads the head again: what is left of it goes out first, then it is gone.
        if self.at >= self.head.len() {
            self.head = Vec::new();
            self.at = 0;
        }
    }
}

impl Read for Kept {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(rest) = self.head.get(self.at..).filter(|rest| !rest.is_empty()) {
            let len = rest.len().min(into.len());
            let (Some(from), Some(to)) = (rest.get(..len), into.get_mut(..len)) else {
                return Ok(0);
            };
            to.copy_from_slice(from);
            self.at += len;
            return Ok(len);
        }
        if self.head.len() >= HEAD && !self.settle(false) {
            return Ok(0);
        }
        let len = self.input.read(into)?;
        if len == 0 {
            self.settle(true);
        } else if self.keeps {
            self.head.extend_from_slice(into.get(..len).unwrap_or_default());
            self.at = self.head.len();
        }
        Ok(len)
    }
}

/// The reader that a source has; another one may be made over the same input.
struct Shared(Arc<Mutex<Kept>>);

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Read for Shared {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(into)
    }
}

/// A capture that is still being written.
///
/// The reader must wait where nothing more is there yet: an answer of no bytes is the capture's end.
pub struct Growing {
    kept: Arc<Mutex<Kept>>,
    name: String,
    options: OpenOptions,
}

impl Growing {
    /// Opens it as soon as its beginning shows what it is.
    pub fn open(
        input: impl Read + Send + 'static,
        name: &str,
        options: &OpenOptions,
    ) -> Result<(Self, Opened), CaptureError> {
        let kept = Kept {
            input: Box::new(input),
            head: Vec::new(),
            at: 0,
            for_now: None,
            keeps: true,
            wrong: false,
        };
        let kept = Arc::new(Mutex::new(kept));
        let growing = Self { kept, name: name.to_owned(), options: options.clone() };
        let opened = growing.open_early()?;
        Ok((growing, opened))
    }

    /// Where the capture turned out to be of another format than it seemed to be: the same capture from its beginning.
    /// To be asked when its source has come to its end.
    pub fn again(&self) -> Option<Result<Opened, CaptureError>> {
        let mut kept = lock(&self.kept);
        if !kept.wrong {
            return None;
        }
        (kept.wrong, kept.at) = (false, 0);
        // Now the head shows what a finished file's head would.
        (kept.for_now, kept.keeps) = (None, false);
        drop(kept);
        let (stream, digest) = self.stream();
        let source = format::detect(stream, &self.options);
        Some(source.map(|source| self.opened(source, digest)))
    }

    fn opened(&self, source: Boxed, digest: Option<Digest>) -> Opened {
        Opened { name: self.name.clone(), member: None, warnings: Vec::new(), source, digest }
    }

    fn stream(&self) -> (Stream, Option<Digest>) {
        let shared = Shared(Arc::clone(&self.kept));
        wrappers::through(Box::new(shared), self.options.sha256)
    }

    fn open_early(&self) -> Result<Opened, CaptureError> {
        let (mut stream, digest) = self.stream();
        let mut packed = false;
        if !is_certain(stream.peek(FIRST)?) {
            (stream, packed) = wrappers::growing(stream)?;
        }
        let source = match if packed { None } else { early(&mut stream)? } {
            Some((format, claim)) => {
                let missed = stream.hasty();
                let source = (format.open)(stream, &self.options)?;
                let short = missed.load(Ordering::Relaxed);
                let mut kept = lock(&self.kept);
                if short || claim != Claim::CERTAIN {
                    kept.for_now = Some(ForNow { format, short });
                } else {
                    kept.settled();
                }
                source
            }
            // What is inside of compressed data is looked at as in a finished file; so is what nobody knows.
            None => {
                lock(&self.kept).settled();
                format::detect(stream, &self.options)?
            }
        };
        Ok(self.opened(source, digest))
    }
}

/// Whether the first bytes leave no doubt. (A tar archive may begin with a file that is called like a magic number; then
/// zeroes follow it.)
fn is_certain(first: &[u8]) -> bool {
    let head = Head::new(first, false);
    let certain = head.format().is_some_and(|(_, claim)| claim == Claim::CERTAIN);
    certain && first.get(8..16).is_some_and(|next| next.iter().any(|&byte| byte != 0))
}

/// The format of a beginning, as soon as there is little doubt.
fn early(stream: &mut Stream) -> io::Result<Option<(&'static Format, Claim)>> {
    let mut want = FIRST;
    loop {
        let bytes = stream.peek(want)?;
        let there = bytes.len();
        let whole = there < want;
        let found = Head::new(bytes, whole).format();
        match found {
            Some((_, claim)) if whole || there >= HEAD || claim > Claim::chain(SURE) => {
                return Ok(found);
            }
            None if whole || there >= HEAD => return Ok(None),
            _ => want = (there + (there / 4).max(FIRST)).min(HEAD),
        }
    }
}
