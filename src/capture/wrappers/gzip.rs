//! gzip around one file.
use crate::capture::stream::Stream;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Bytes that show what is inside, compressed.
pub(crate) const ENOUGH: usize = 16 * 1024;

pub(crate) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b, 8])
}

pub(crate) fn open(stream: Stream) -> Stream {
    Stream::new(Box::new(MultiGzDecoder::new(stream)))
}

/// What the compressed beginning of a file decompresses to, as far as it goes.
pub(crate) fn head(compressed: &[u8], len: usize) -> Vec<u8> {
    let mut decoder = MultiGzDecoder::new(compressed);
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
