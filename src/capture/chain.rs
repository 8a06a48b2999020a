//! Recognising records without a magic number: by several that follow each other.
use super::stream::Stream;
use std::io;

/// What the bytes at some place look like to one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// A possible record of `len` bytes; `clean` if every field is as it should be.
    Record { len: usize, clean: bool },
    /// Too few bytes to tell.
    Short,
    /// Nothing of this format.
    No,
}

/// Records looked at before deciding.
const DEPTH: usize = 16;
/// Clean records that make a chain.
const ENOUGH: u32 = 3;

/// How many clean records begin `head`, or 0 if too few to believe in.
///
/// A file shorter than three records must end exactly where its last one does.
pub(crate) fn score(head: &[u8], whole: bool, probe: impl Fn(&[u8]) -> Link) -> u32 {
    let (mut rest, mut clean_ones) = (head, 0);
    for _ in 0..DEPTH {
        match probe(rest) {
            Link::Record { len, clean } => {
                let Some(after) = rest.get(len.max(1)..) else { break };
                clean_ones += u32::from(clean);
                rest = after;
                if rest.is_empty() {
                    return if whole { clean_ones } else { believed(clean_ones) };
                }
            }
            Link::Short | Link::No => break,
        }
    }
    believed(clean_ones)
}

fn believed(clean_ones: u32) -> u32 {
    if clean_ones >= ENOUGH { clean_ones } else { 0 }
}

/// How far ahead a chain is followed when picking up after damage.
const AHEAD: usize = 256 * 1024;

/// Consumes to the next place where clean records chain. False if there is none.
pub(crate) fn resume(stream: &mut Stream, probe: impl Fn(&[u8]) -> Link) -> io::Result<bool> {
    resume_within(stream, u64::MAX, probe)
}

/// The same, if that place is one of the next `limit` bytes; else all of them are consumed.
pub(crate) fn resume_within(
    stream: &mut Stream,
    limit: u64,
    probe: impl Fn(&[u8]) -> Link,
) -> io::Result<bool> {
    let end = stream.offset().saturating_add(limit);
    loop {
        let left = usize::try_from(end - stream.offset()).unwrap_or(usize::MAX);
        let window = stream.peek(AHEAD)?;
        let last = window.len() < AHEAD;
        // The last stretch of a full window is looked at again once more has been read.
        let places = if last { window.len() } else { window.len() / 2 };
        let (places, last_places) = (places.min(left), last || places >= left);
        let found = (0..places).find(|&at| {
            let here = window.get(at..).unwrap_or_default();
            chains(here, last, &probe)
        });
        match found {
            Some(at) => {
                stream.consume(at);
                return Ok(true);
            }
            None => {
                stream.consume(places);
                if last_places {
                    return Ok(false);
                }
            }
        }
    }
}

/// Where clean records chain inside of the next `len` bytes, behind their first. Nothing is consumed.
pub(crate) fn inside(
    stream: &mut Stream,
    len: usize,
    probe: impl Fn(&[u8]) -> Link,
) -> io::Result<Option<usize>> {
    let want = len.saturating_add(AHEAD);
    let window = stream.peek(want)?;
    let last = window.len() < want;
    let begins = |&at: &usize| window.get(at..).is_some_and(|here| chains(here, last, &probe));
    Ok((1..len.min(window.len())).find(begins))
}

fn chains(mut here: &[u8], last: bool, probe: &impl Fn(&[u8]) -> Link) -> bool {
    for found in 0..ENOUGH {
        if here.is_empty() {
            return last && found > 0;
        }
        let Link::Record { len, clean: true } = probe(here) else { return false };
        match here.get(len.max(1)..) {
            Some(after) => here = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A record is its own length, a mark, and anything.
    fn probe(bytes: &[u8]) -> Link {
        match bytes {
            [] | [_] => Link::Short,
            [len, 0xaa, ..] if *len > 1 => Link::Record { len: usize::from(*len), clean: true },
            _ => Link::No,
        }
    }

    /// Where records begin inside of the first 20 bytes.
    fn found(before: usize, records: usize, behind: usize) -> Option<usize> {
        let record = [5, 0xaa, 1, 1, 1];
        let bytes = [vec![1; before], record.repeat(records), vec![1; behind]].concat();
        let mut stream = Stream::new(Box::new(Cursor::new(bytes)));
        let found = inside(&mut stream, 20, probe).unwrap();
        assert_eq!(stream.offset(), 0, "nothing is consumed");
        found
    }

    #[test]
    fn records_inside_of_a_record_are_found() {
        assert_eq!(found(5, 3, 40), Some(5));
        assert_eq!(found(2, 3, 40), Some(2));
    }

    #[test]
    fn two_records_are_no_chain_unless_the_file_ends_with_them() {
        assert_eq!(found(10, 2, 40), None);
        assert_eq!(found(10, 2, 0), Some(10));
    }

    #[test]
    fn the_record_itself_and_what_follows_it_are_not_inside() {
        assert_eq!(found(0, 3, 40), None);
        assert_eq!(found(20, 4, 0), None);
        assert_eq!(found(19, 4, 0), Some(19));
    }
}
