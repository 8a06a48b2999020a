//! Compression around one file: gzip, and zstd where archives are read.
use super::gzip;
#[cfg(feature = "archives")]
use super::zstd;
use crate::capture::CaptureError;
use crate::capture::stream::Stream;

/// How a file is compressed, as its first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b, 8]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            // A frame without data, with which some writers begin (RFC 8878, 3.1.2).
            || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
        {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// Compressed bytes that show the beginning of what is inside.
    pub fn enough(self) -> usize {
        match self {
            Self::Gzip => 16 * 1024,
            // A block of 128 KiB comes out at once or not at all (RFC 8878, 3.1.1.2).
            Self::Zstd => 160 * 1024,
        }
    }

    /// What the compressed beginning of a file decompresses to, as far as it goes.
    pub fn head(self, compressed: &[u8], len: usize) -> Vec<u8> {
        match self {
            Self::Gzip => gzip::head(compressed, len),
            #[cfg(feature = "archives")]
            Self::Zstd => zstd::head(compressed, len),
            #[cfg(not(feature = "archives"))]
            Self::Zstd => Vec::new(),
        }
    }

    /// The bytes inside.
    pub fn open(self, stream: Stream) -> Result<Stream, CaptureError> {
        match self {
            Self::Gzip => Ok(gzip::open(stream)),
            #[cfg(feature = "archives")]
            Self::Zstd => Ok(zstd::open(stream)),
            #[cfg(not(feature = "archives"))]
            Self::Zstd => Err(CaptureError::Refused(
                "compressed with zstd, which this build cannot read: decompress it first".into(),
            )),
        }
    }
}
