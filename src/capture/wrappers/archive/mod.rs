//! Archives: which of their files is the capture, and its bytes.
mod member;
mod tar;
mod zip;

use super::{Archive, Supply, Unwrapped, gzip, plain};
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
            choice.unwrapped(stream)
        }
        Archive::Tar { gzipped } => {
            let choice = tar::choose(tar_stream(&mut supply, gzipped)?, options)?;
            let mut stream = tar_stream(&mut supply, gzipped)?;
            stream.skip(choice.chosen.place)?;
            let stream = Stream::new(Box::new(stream.take(choice.chosen.size)));
            choice.unwrapped(stream)
        }
    }
}

fn tar_stream(supply: &mut Supply, gzipped: bool) -> Result<Stream, CaptureError> {
    let stream = Stream::new(Box::new(supply.seek()?));
    Ok(if gzipped { gzip::open(stream) } else { stream })
}

impl Choice {
    fn unwrapped(self, stream: Stream) -> Result<Unwrapped, CaptureError> {
        let warnings = self.warning().into_iter().collect();
        Ok(Unwrapped { stream: plain(stream)?, member: Some(self.chosen.name), warnings })
    }
}
