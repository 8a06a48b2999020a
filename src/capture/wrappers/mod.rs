//! Files around captures: gzip, zip (Android bug reports), tar (iOS sysdiagnose).
mod gzip;
mod member;
mod supply;
mod tar;
mod zip;

use super::stream::Stream;
use super::{CaptureError, OpenOptions, Warning};
use member::Choice;
pub(crate) use supply::Supply;

/// A capture without its wrapping.
pub(crate) struct Unwrapped {
    pub stream: Stream,
    /// The file of an archive that was chosen.
    pub member: Option<String>,
    pub warnings: Vec<Warning>,
}

/// Takes off whatever is around a capture. What is not wrapped passes through.
pub(crate) fn unwrap(mut supply: Supply, options: &OpenOptions) -> Result<Unwrapped, CaptureError> {
    let mut stream = supply.stream()?;
    let head = stream.peek(tar::ENOUGH)?;
    let (zipped, gzipped) = (zip::is_zip(head), gzip::is_gzip(head));
    let tarred = if gzipped {
        tar::is_tar(&gzip::head(stream.peek(gzip::ENOUGH)?, tar::ENOUGH))
    } else {
        tar::is_tar(head)
    };
    if zipped {
        let mut supply = supply.seekable(stream)?;
        let choice = zip::choose(supply.file()?, options)?;
        let stream = zip::open(supply.file()?, &choice.chosen)?;
        return Ok(choice.unwrapped(plain(stream)?));
    }
    if tarred {
        let mut supply = supply.seekable(stream)?;
        let choice = tar::choose(tar_stream(&mut supply, gzipped)?, options)?;
        let mut stream = tar_stream(&mut supply, gzipped)?;
        stream.skip(choice.chosen.place)?;
        let stream = Stream::limited(stream, choice.chosen.size);
        return Ok(choice.unwrapped(plain(stream)?));
    }
    Ok(Unwrapped { stream: plain(stream)?, member: None, warnings: Vec::new() })
}

fn tar_stream(supply: &mut Supply, gzipped: bool) -> Result<Stream, CaptureError> {
    let stream = Stream::new(Box::new(supply.file()?));
    Ok(if gzipped { gzip::open(stream) } else { stream })
}

/// Compression around compression happens; more than this is a game.
const LAYERS: usize = 4;

fn plain(mut stream: Stream) -> Result<Stream, CaptureError> {
    for _ in 0..LAYERS {
        if !gzip::is_gzip(stream.peek(tar::ENOUGH)?) {
            break;
        }
        stream = gzip::open(stream);
    }
    Ok(stream)
}

impl Choice {
    fn unwrapped(self, stream: Stream) -> Unwrapped {
        let warnings = self.warning().into_iter().collect();
        Unwrapped { stream, member: Some(self.chosen.name), warnings }
    }
}
