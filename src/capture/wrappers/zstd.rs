//! zstd around one file (RFC 8878).
use super::gzip::beginning;
use crate::capture::stream::Stream;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, ErrorKind, Read};

pub(super) fn open(stream: Stream) -> Stream {
    Stream::new(Box::new(Frames::new(stream)))
}

/// What the compressed beginning of a file decompresses to, as far as it goes.
pub(super) fn head(compressed: &[u8], len: usize) -> Vec<u8> {
    let stream = Stream::new(Box::new(io::Cursor::new(compressed.to_vec())));
    beginning(&mut Frames::new(stream), len)
}

/// Frame after frame; frames that hold no data are passed. The decoder keeps one window of at most 128 MiB, as
/// the zstd program does.
struct Frames {
    input: Stream,
    decoder: FrameDecoder,
    /// A frame was begun whose end was not seen.
    inside: bool,
}

impl Frames {
    fn new(input: Stream) -> Self {
        Self { input, decoder: FrameDecoder::new(), inside: false }
    }

    /// Goes to the next frame with data. False at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            if self.input.peek(1)?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    if self.input.skip(length.into())? < length.into() {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
    }

    /// The frame's bytes are all decoded: they must be what was compressed.
    fn check(&mut self) -> io::Result<()> {
        self.inside = false;
        let (said, counted) =
            (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        match said {
            Some(said) if counted != Some(said) => {
                Err(io::Error::new(ErrorKind::InvalidData, "its checksum is wrong"))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if self.inside {
                while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                    self.decoder
                        .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                        .map_err(damaged)?;
                }
                if self.decoder.can_collect() > 0 {
                    return self.decoder.read(into);
                }
                self.check()?;
            }
            if !self.next()? {
                return Ok(0);
            }
        }
    }
}

/// What came before the damage is still good; whoever reads keeps it.
fn damaged(error: FrameDecoderError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}
