//! gzip around one file.
use crate::capture::stream::Stream;
use flate2::read::MultiGzDecoder;
use std::io::Read;

pub(super) fn open(stream: Stream) -> Stream {
    Stream::new(Box::new(MultiGzDecoder::new(stream)))
}

/// What the compressed beginning of a file decompresses to, as far as it goes.
pub(super) fn head(compressed: &[u8], len: usize) -> Vec<u8> {
    beginning(&mut MultiGzDecoder::new(compressed), len)
}

/// As many bytes as a decompressor gives before it ends or fails.
pub(super) fn beginning(decoder: &mut impl Read, len: usize) -> Vec<u8> {
    let mut head = vec![0; len];
    let mut filled = 0;
    while let Some(room) = head.get_mut(filled..)
        && !room.is_empty()
    {
        match decoder.read(room) {
            Ok(more) if more > 0 => filled += more,
            _ => break,
        }
    }
    head.truncate(filled);
    head
}
