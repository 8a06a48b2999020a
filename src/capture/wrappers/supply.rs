//! Where an archive's bytes come from, more than once if need be.
use crate::capture::CaptureError;
use crate::capture::stream::Stream;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// What standard input may take on disk when an archive arrives there.
const LARGEST_SPOOL: u64 = 4 << 30;

/// A file that can be opened again, or bytes that come once.
pub(crate) enum Supply {
    Path(PathBuf),
    Once(Option<Box<dyn Read + Send>>),
    /// What came once, kept in a file that is gone when it is closed.
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

    /// The bytes from the beginning.
    pub fn stream(&mut self) -> io::Result<Stream> {
        if let Self::Once(input) = self {
            return Ok(Stream::new(input.take().unwrap_or_else(|| Box::new(io::empty()))));
        }
        Ok(Stream::new(Box::new(self.file()?)))
    }

    /// The same bytes, readable again; `stream` is what has been opened of them, unconsumed.
    pub fn seekable(self, stream: Stream) -> Result<Self, CaptureError> {
        if !matches!(self, Self::Once(_)) {
            return Ok(self);
        }
        let mut spool = tempfile::tempfile()?;
        let written = io::copy(&mut stream.take(LARGEST_SPOOL + 1), &mut spool)?;
        if written > LARGEST_SPOOL {
            return Err(CaptureError::Refused(
                "the archive on standard input is larger than 4 GiB: give it as a file".into(),
            ));
        }
        Ok(Self::Spool(spool))
    }

    /// A handle at the beginning. Handles of a spool share their place: one at a time.
    pub fn file(&mut self) -> io::Result<File> {
        match self {
            Self::Path(path) => File::open(path),
            Self::Spool(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(0))?;
                Ok(file)
            }
            Self::Once(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
