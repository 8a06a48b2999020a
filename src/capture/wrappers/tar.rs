//! tar archives: what an iOS sysdiagnose is, once unzipped.
use super::member::{Choice, HEAD, Member, Members};
use crate::capture::stream::Stream;
use crate::capture::{CaptureError, OpenOptions};
use std::io::Read;

/// A header, where the magic word stands.
pub(crate) const ENOUGH: usize = 512;

pub(crate) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Looks through the archive. A damaged one is looked through as far as it goes.
pub(crate) fn choose(stream: Stream, options: &OpenOptions) -> Result<Choice, CaptureError> {
    let mut archive = tar::Archive::new(stream);
    let mut members = Members::default();
    let mut head = Vec::new();
    for entry in archive.entries()? {
        let Ok(mut entry) = entry else { break };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = Member {
            name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            size: entry.size(),
            modified: entry.header().mtime().unwrap_or(0),
            place: entry.raw_file_position(),
        };
        head.clear();
        if entry.by_ref().take(HEAD as u64).read_to_end(&mut head).is_err() {
            break;
        }
        members.push(member, &head, options);
    }
    members.choose(options)
}
