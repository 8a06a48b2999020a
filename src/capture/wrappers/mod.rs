//! Files around captures: gzip, zstd, zip (Android bug reports), tar (iOS sysdiagnose).
#[cfg(feature = "archives")]
mod archive;
mod compression;
mod gzip;
mod supply;
#[cfg(feature = "archives")]
mod zstd;

use super::stream::Stream;
use super::{CaptureError, Digest, OpenOptions, Warning};
use compression::Compression;
pub(crate) use supply::{Supply, through};

/// A capture without its wrapping.
pub(crate) struct Unwrapped {
    pub stream: Stream,
    /// The file of an archive that was chosen.
    pub member: Option<String>,
    pub warnings: Vec<Warning>,
    /// Of the file, or of the archive's member, where it was asked for.
    pub digest: Option<Digest>,
}

/// An archive, known by its first bytes.
#[derive(Clone, Copy)]
enum Archive {
    Zip,
    Tar { compression: Option<Compression> },
}

/// A tar header, where its magic word stands.
const TAR_HEADER: usize = 512;

fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

impl Archive {
    fn of(stream: &mut Stream) -> Result<Option<Self>, CaptureError> {
        let head = stream.peek(TAR_HEADER)?;
        if head.starts_with(b"PK\x03\x04") {
            return Ok(Some(Self::Zip));
        }
        let compression = Compression::of(head);
        let tarred = match compression {
            Some(how) => is_tar(&how.head(stream.peek(how.enough())?, TAR_HEADER)),
            None => is_tar(head),
        };
        Ok(tarred.then_some(Self::Tar { compression }))
    }
}

/// Takes off whatever is around a capture. What is not wrapped passes through.
pub(crate) fn unwrap(mut supply: Supply, options: &OpenOptions) -> Result<Unwrapped, CaptureError> {
    // An archive's digest is of no use: which of its members is the capture is not known yet.
    let (mut stream, digest) = supply.stream(options.sha256)?;
    match Archive::of(&mut stream)? {
        #[cfg(feature = "archives")]
        Some(archive) => archive::open(archive, supply, stream, options),
        #[cfg(not(feature = "archives"))]
        Some(archive) => Err(no_archives(archive, options)),
        None => {
            Ok(Unwrapped { stream: plain(stream)?, member: None, warnings: Vec::new(), digest })
        }
    }
}

/// Takes compression off a capture that still grows, and says whether there was any. An archive does not grow: its list
/// of files is written last.
pub(crate) fn growing(mut stream: Stream) -> Result<(Stream, bool), CaptureError> {
    if let Some(archive) = Archive::of(&mut stream)? {
        let kind = match archive {
            Archive::Zip => "zip",
            Archive::Tar { .. } => "tar",
        };
        return Err(CaptureError::Refused(format!(
            "a {kind} archive is read when it is complete: give it to `hcidiff` itself, or watch the capture that goes into it"
        )));
    }
    let packed = Compression::of(stream.peek(TAR_HEADER)?).is_some();
    Ok((plain(stream)?, packed))
}

#[cfg(not(feature = "archives"))]
fn no_archives(archive: Archive, options: &OpenOptions) -> CaptureError {
    let kind = match archive {
        Archive::Zip => "zip",
        Archive::Tar { compression: None } => "tar",
        Archive::Tar { compression: Some(_) } => "compressed tar",
    };
    let what = options.member.as_deref().unwrap_or("the capture");
    CaptureError::Refused(format!(
        "a {kind} archive, which this build cannot look into: unpack it and give {what} itself"
    ))
}

/// Compression around compression happens; more than this is a game.
const LAYERS: usize = 4;

fn plain(mut stream: Stream) -> Result<Stream, CaptureError> {
    for _ in 0..LAYERS {
        let Some(compression) = Compression::of(stream.peek(TAR_HEADER)?) else { break };
        stream = compression.open(stream)?;
    }
    Ok(stream)
}
