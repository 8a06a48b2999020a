//! The SHA-256 of a file, computed while it is read: nothing is read a second time for it.
use sha2::{Digest as _, Sha256};
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Reading may end before the file does, at damage. The rest is read for the digest alone, but no more than
/// this: a pipe may have no end.
const LONGEST_REST: u64 = 4 << 30;

/// How much of the rest is read at a time.
const CHUNK: usize = 256 * 1024;

/// What was read of a file so far, and what is left of it.
struct Reading {
    file: Box<dyn Read + Send>,
    /// `None` once an error made it impossible to know all bytes.
    sha256: Option<Sha256>,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.file.read(into) {
            Ok(len) => {
                if let Some(sha256) = &mut self.sha256 {
                    sha256.update(into.get(..len).unwrap_or_default());
                }
                Ok(len)
            }
            Err(error) => {
                // Of a capture that still grows, nothing was read and nothing is lost.
                if !matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) {
                    self.sha256 = None;
                }
                Err(error)
            }
        }
    }
}

/// A file that is read through a digest. Clones share it: one is read from, another is asked at the end.
#[derive(Clone)]
pub struct Digest(Arc<Mutex<Reading>>);

impl Digest {
    pub(super) fn of(file: Box<dyn Read + Send>) -> Self {
        Self(Arc::new(Mutex::new(Reading { file, sha256: Some(Sha256::new()) })))
    }

    /// The SHA-256 of the whole file, for which its rest is read now. `None` where the file cannot be
    /// read to its end.
    pub fn finish(self) -> Option<[u8; 32]> {
        self.finish_within(LONGEST_REST)
    }

    fn finish_within(self, longest_rest: u64) -> Option<[u8; 32]> {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = vec![0; CHUNK];
        let mut rest = 0;
        while reading.sha256.is_some() && rest <= longest_rest {
            match reading.read(&mut buffer) {
                Ok(0) => return reading.sha256.take().map(|sha256| sha256.finalize().into()),
                Ok(len) => rest += len as u64,
                // An error has taken the digest away; an interruption has not.
                Err(_) => {}
            }
        }
        None
    }
}

impl Read for Digest {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// FIPS 180-2, appendix B.1.
    const ABC: [u8; 32] = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
        0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
        0x15, 0xad,
    ];

    #[test]
    fn what_nobody_read_counts_too() {
        for read in 0..=3 {
            let digest = Digest::of(Box::new(Cursor::new(b"abc")));
            let mut reader = digest.clone();
            reader.read_exact(&mut vec![0; read]).unwrap();
            drop(reader);
            assert_eq!(digest.finish(), Some(ABC), "{read} bytes read before");
        }
    }

    /// Interrupted at first, then broken after some bytes.
    struct Broken(u8);

    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(ErrorKind::Interrupted.into()),
                2 => {
                    into[0] = b'a';
                    Ok(1)
                }
                3 => Err(ErrorKind::InvalidData.into()),
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_to_its_end_has_no_digest() {
        assert_eq!(Digest::of(Box::new(Broken(0))).finish(), None);
        let whole = Cursor::new(b"abc").chain(io::empty());
        assert_eq!(Digest::of(Box::new(whole)).finish(), Some(ABC));
    }

    #[test]
    fn a_pipe_without_an_end_is_given_up() {
        assert_eq!(Digest::of(Box::new(io::repeat(0))).finish_within(1 << 20), None);
        // On both sides of the limit.
        let abc = || Digest::of(Box::new(Cursor::new(b"abc")));
        assert_eq!((abc().finish_within(3), abc().finish_within(2)), (Some(ABC), None));
    }
}
