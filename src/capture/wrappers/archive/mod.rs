//! Archives: which of their files is the capture, and its bytes.
mod member;
mod tar;
mod zip;

use super::supply::through;
use super::{Archive, Compression, Supply, Unwrapped, plain};
use crate::capture::stream::Stream;
use crate::capture::{CaptureError, OpenOptions};
use member::Choice;
use std::io::Read;

/// The capture of an archive; `stream` is what has been opened of it, unconsumed.
pub(super) fn open(
    archive: Archive,
    supply: Supply,
    stream: Stream,
    options: &OpenOptions,
) -> Result<Unwrapped, CaptureError> {
    let mut supply = supply.seekable(stream)?;
    match archive {
        Archive::Zip => {
            let choice = zip::choose(supply.seek()?, options)?;
            let stream = zip::open(supply.seek()?, &choice.chosen)?;
            choice.unwrapped(Box::new(stream), options)
        }
        Archive::Tar { compression } => {
            let choice = tar::choose(tar_stream(&mut supply, compression)?, options)?;
            let mut stream = tar_stream(&mut supply, compression)?;
            stream.skip(choice.chosen.place)?;
            let member = stream.take(choice.chosen.size);
            choice.unwrapped(Box::new(member), options)
        }
    }
}

fn tar_stream(
    supply: &mut Supply,
    compression: Option<Compression>,
) -> Result<Stream, CaptureError> {
    let stream = Stream::new(Box::new(supply.seek()?));
    match compression {
        Some(compression) => compression.open(stream),
        None => Ok(stream),
    }
}

impl Choice {
    fn unwrapped(
        self,
        member: Box<dyn Read + Send>,
        options: &OpenOptions,
    ) -> Result<Unwrapped, CaptureError> {
        let warnings = self.warning().into_iter().collect();
        let (stream, digest) = through(member, options.sha256);
        let stream = plain(stream)?;
        Ok(Unwrapped { stream, member: Some(self.chosen.name), warnings, digest })
    }
}
