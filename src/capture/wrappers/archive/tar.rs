//! tar archives: what an iOS sysdiagnose is, once unzipped.
use super::member::{Choice, HEAD, Member, Members};
use crate::capture::stream::Stream;
use crate::capture::{CaptureError, OpenOptions};
use std::io::Read;
use tar::EntryType;

/// Names longer than this are cut: the archive's word for their length is not believed.
const LONGEST_NAME: u64 = 4096;

/// Looks through the archive. A damaged one is looked through as far as it goes.
pub(crate) fn choose(stream: Stream, options: &OpenOptions) -> Result<Choice, CaptureError> {
    let mut archive = tar::Archive::new(stream);
    let mut members = Members::default();
    // A name that does not fit its header comes in an entry of its own before it.
    let mut long_name = None;
    // Raw, because the crate would take in a name of any length.
    for entry in archive.entries()?.raw(true) {
        let Ok(mut entry) = entry else { break };
        let kind = entry.header().entry_type();
        let limit = if kind.is_file() { HEAD as u64 } else { LONGEST_NAME };
        let mut head = Vec::new();
        if entry.by_ref().take(limit).read_to_end(&mut head).is_err() {
            break;
        }
        match kind {
            EntryType::GNULongName => {
                let name = head.split(|&byte| byte == 0).next().unwrap_or_default();
                long_name = Some(String::from_utf8_lossy(name).into_owned());
            }
            EntryType::XHeader => long_name = extended_name(&head).or(long_name),
            kind => {
                let own = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let name = long_name.take().unwrap_or(own);
                if kind.is_file() {
                    let modified = entry.header().mtime().unwrap_or(0);
                    let (size, place) = (entry.size(), entry.raw_file_position());
                    members.push(Member { name, size, modified, place }, &head, options);
                }
            }
        }
    }
    members.choose(options)
}

/// The path in a POSIX extended header: lines of length, space, key, `=`, value.
fn extended_name(header: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(header);
    let path = text.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("path="))?;
    Some(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn chosen(archive: Vec<u8>) -> String {
        let stream = Stream::new(Box::new(Cursor::new(archive)));
        choose(stream, &OpenOptions::default()).unwrap().chosen.name
    }

    #[test]
    fn long_names_of_both_kinds_are_put_together() {
        let name = format!("{}/btsnoop_hci.log", "folder".repeat(30));
        let log = b"btsnoop\0\0\0\0\x01\0\0\x03\xea";
        let mut header = tar::Header::new_gnu();
        header.set_size(log.len() as u64);
        let mut gnu = tar::Builder::new(Vec::new());
        gnu.append_data(&mut header.clone(), &name, &log[..]).unwrap();
        assert_eq!(chosen(gnu.into_inner().unwrap()), name);
        let mut posix = tar::Builder::new(Vec::new());
        posix.append_pax_extensions([("path", name.as_bytes())]).unwrap();
        posix.append_data(&mut header, "short", &log[..]).unwrap();
        assert_eq!(chosen(posix.into_inner().unwrap()), name);
    }
}
