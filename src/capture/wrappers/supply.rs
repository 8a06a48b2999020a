//! Where a capture's bytes come from; an archive's are read more than once.
use crate::capture::Digest;
use crate::capture::stream::Stream;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// A file that can be opened again, bytes in memory, or bytes that come once.
pub(crate) enum Supply {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
    Once(Option<Box<dyn Read + Send>>),
    /// What came once, kept in a file that is gone when it is closed.
    #[cfg(feature = "cli")]
    Spool(File),
}

impl Supply {
    /// A path; a pipe with a name is read once all the same.
    pub fn from_path(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        if file.metadata()?.is_file() {
            Ok(Self::Path(path))
        } else {
            Ok(Self::Once(Some(Box::new(file))))
        }
    }

    /// The bytes from the beginning; through a digest, if so asked.
    pub fn stream(&mut self, sha256: bool) -> io::Result<(Stream, Option<Digest>)> {
        let input: Box<dyn Read + Send> = match self {
            Self::Path(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Once(input) => input.take().unwrap_or_else(|| Box::new(io::empty())),
            #[cfg(feature = "cli")]
            Self::Spool(file) => Box::new(file.try_clone()?),
        };
        Ok(through(input, sha256))
    }
}

/// A stream of a file's bytes, with a digest of them, if so asked.
pub(crate) fn through(input: Box<dyn Read + Send>, sha256: bool) -> (Stream, Option<Digest>) {
    if !sha256 {
        return (Stream::new(input), None);
    }
    let digest = Digest::of(input);
    (Stream::new(Box::new(digest.clone())), Some(digest))
}

#[cfg(feature = "archives")]
pub(crate) use again::Seekable;

#[cfg(feature = "archives")]
mod again {
    use super::*;
    use crate::capture::CaptureError;
    use std::io::Seek;

    /// What an archive that comes once may take: on disk where there are temporary files, else in memory.
    #[cfg(feature = "cli")]
    const LARGEST: (u64, &str) = (4 << 30, "4 GiB");
    #[cfg(not(feature = "cli"))]
    const LARGEST: (u64, &str) = (256 << 20, "256 MiB");

    /// A file, or bytes in memory.
    pub(crate) type Seekable = Box<dyn ReadAndSeek>;

    pub(crate) trait ReadAndSeek: Read + Seek + Send {}

    impl<T: Read + Seek + Send> ReadAndSeek for T {}

    impl Supply {
        /// The same bytes, readable again; `stream` is what has been opened of them, unconsumed.
        pub fn seekable(self, stream: Stream) -> Result<Self, CaptureError> {
            if !matches!(self, Self::Once(_)) {
                return Ok(self);
            }
            let (largest, says) = LARGEST;
            let mut stream = stream.take(largest + 1);
            let (written, kept) = keep(&mut stream)?;
            if written > largest {
                return Err(CaptureError::Refused(format!(
                    "the archive on standard input is larger than {says}: give it as a file"
                )));
            }
            Ok(kept)
        }

        /// A handle at the beginning. Handles of a spool share their place: one at a time.
        pub fn seek(&mut self) -> io::Result<Seekable> {
            match self {
                Self::Path(path) => Ok(Box::new(File::open(path)?)),
                Self::Bytes(bytes) => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
                #[cfg(feature = "cli")]
                Self::Spool(file) => {
                    let mut file = file.try_clone()?;
                    file.rewind()?;
                    Ok(Box::new(file))
                }
                Self::Once(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        }
    }

    #[cfg(feature = "cli")]
    fn keep(stream: &mut impl Read) -> io::Result<(u64, Supply)> {
        let mut spool = tempfile::tempfile()?;
        let written = io::copy(stream, &mut spool)?;
        Ok((written, Supply::Spool(spool)))
    }

    #[cfg(not(feature = "cli"))]
    fn keep(stream: &mut impl Read) -> io::Result<(u64, Supply)> {
        let mut bytes = Vec::new();
        let written = stream.read_to_end(&mut bytes)?;
        Ok((written as u64, Supply::Bytes(bytes.into())))
    }
}
