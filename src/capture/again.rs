//! An input that can be read once, whose beginning is kept until it is known what it is: a capture, or a log.
use super::{CaptureError, Input};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is kept. A log that comes through a pipe and is longer must be given as a file.
const MOST: usize = 64 << 20;

/// What was read so far, and what comes behind it.
struct Keep {
    input: Box<dyn Read + Send>,
    kept: Vec<u8>,
    keeps: bool,
    /// More was read than is kept.
    lost: bool,
}

/// The beginning of an input, to be read again.
pub(crate) struct Again {
    name: String,
    keep: Arc<Mutex<Keep>>,
}

struct Tee(Arc<Mutex<Keep>>);

fn lock(keep: &Mutex<Keep>) -> MutexGuard<'_, Keep> {
    keep.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Read for Tee {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut keep = lock(&self.0);
        let count = keep.input.read(into)?;
        if keep.keeps {
            if keep.kept.len() + count > MOST {
                (keep.keeps, keep.lost, keep.kept) = (false, true, Vec::new());
            } else {
                keep.kept.extend_from_slice(into.get(..count).unwrap_or_default());
            }
        }
        Ok(count)
    }
}

impl Again {
    /// The input through a memory of its beginning. `None`: it is a file, or in memory, and can be read again anyway.
    pub fn of(input: &Input) -> Result<Option<(Input, Self)>, CaptureError> {
        let reader: Box<dyn Read + Send> = match input {
            Input::Bytes(..) => return Ok(None),
            Input::Stdin => Box::new(io::stdin()),
            Input::Path(path) => {
                // A pipe with a name, as `<(journalctl)` makes it, ends when it is closed.
                match std::fs::metadata(path) {
                    Ok(about) if !about.is_file() && !about.is_dir() => Box::new(File::open(path)?),
                    _ => return Ok(None),
                }
            }
            Input::Reader(_, once) => match once.take() {
                Some(reader) => reader,
                None => return Err(CaptureError::Refused("it can be read only once".into())),
            },
        };
        let keep = Keep { input: reader, kept: Vec::new(), keeps: true, lost: false };
        let keep = Arc::new(Mutex::new(keep));
        let name = input.name().into_owned();
        let through = Input::reader(name.clone(), Tee(Arc::clone(&keep)));
        Ok(Some((through, Self { name, keep })))
    }

    /// It is known what it is: nothing more is kept.
    pub fn forget(self) {
        let mut keep = lock(&self.keep);
        (keep.keeps, keep.kept) = (false, Vec::new());
    }

    /// The input from its beginning. `None`: too much was read of it.
    pub fn input(self) -> Option<Input> {
        let mut keep = lock(&self.keep);
        keep.keeps = false;
        if keep.lost {
            return None;
        }
        let kept = std::mem::take(&mut keep.kept);
        drop(keep);
        Some(Input::reader(self.name, Cursor::new(kept).chain(Tee(self.keep))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{OpenOptions, bytes};

    /// Reads so much of an input, then all of it from its beginning.
    fn twice(first: usize, size: usize) -> Option<usize> {
        let input = Input::reader("x", io::repeat(b'\n').take(size as u64));
        let (input, again) = Again::of(&input).unwrap().unwrap();
        let (_, mut stream) = bytes(&input, &OpenOptions::default()).unwrap();
        stream.skip(first as u64).unwrap();
        let (_, mut stream) = bytes(&again.input()?, &OpenOptions::default()).unwrap();
        Some(stream.skip(u64::MAX).unwrap() as usize)
    }

    #[test]
    fn what_was_read_is_read_again_and_the_rest_behind_it() {
        assert_eq!(twice(0, 10), Some(10));
        assert_eq!(twice(300_000, 1_000_000), Some(1_000_000));
        assert_eq!(twice(1_000_000, 1_000_000), Some(1_000_000));
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!(twice(MOST + 1_000_000, MOST + 2_000_000), None);
    }

    #[test]
    fn files_need_no_memory() {
        let file = Input::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert!(Again::of(&file).unwrap().is_none());
        assert!(Again::of(&Input::bytes("x", &b"x"[..])).unwrap().is_none());
        assert!(Again::of(&Input::from("/nowhere/at/all")).unwrap().is_none());
    }
}
