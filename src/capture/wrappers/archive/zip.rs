//! zip archives: what an Android bug report is.
use super::member::{Choice, HEAD, Member, Members};
use crate::capture::bytes::le32;
use crate::capture::stream::Stream;
use crate::capture::wrappers::supply::Seekable;
use crate::capture::{CaptureError, OpenOptions};
use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

/// The longest list of files that is read into memory; a bug report's takes some 100 KiB.
const LONGEST_LIST: u32 = 4 << 20;
/// The end of the list: its record, and the comment that may follow.
const END: u64 = 22 + 0xffff;

/// The length of the archive's list of files, as the record at its end says.
fn list_len(file: &mut Seekable) -> io::Result<Option<u32>> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(len.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    file.seek(SeekFrom::Start(0))?;
    let at = end.windows(4).rposition(|window| window == b"PK\x05\x06");
    Ok(at.map(|at| le32(&end, at + 12)))
}

/// Looks through the archive.
pub(crate) fn choose(mut file: Seekable, options: &OpenOptions) -> Result<Choice, CaptureError> {
    if list_len(&mut file)?.is_some_and(|len| len > LONGEST_LIST) {
        return Err(CaptureError::Refused(
            "a zip archive of too many files to look through: unzip it and give the capture itself"
                .into(),
        ));
    }
    let mut archive = ZipArchive::new(file).map_err(refused)?;
    let mut members = Members::default();
    let mut head = Vec::new();
    for number in 0..archive.len() {
        // One that cannot be opened (encrypted, an exotic method) may still be asked for by name.
        let mut member = match archive.by_index_raw(number) {
            Ok(entry) if entry.is_file() => Member {
                name: entry
                    .name()
                    .map_or_else(|_| format!("file {number}"), |name| name.into_owned()),
                size: entry.size(),
                modified: entry.last_modified().map_or(0, |time| {
                    u64::from(time.datepart()) << 16 | u64::from(time.timepart())
                }),
                place: 0,
            },
            _ => continue,
        };
        member.place = number as u64;
        head.clear();
        if let Ok(entry) = archive.by_index(number) {
            // What can be decompressed before an error is still a beginning.
            let _ = entry.take(HEAD as u64).read_to_end(&mut head);
        }
        members.push(member, &head, options);
    }
    members.choose(options)
}

/// The bytes of one member.
pub(crate) fn open(file: Seekable, member: &Member) -> Result<Stream, CaptureError> {
    let mut archive = ZipArchive::new(file).map_err(refused)?;
    let number = usize::try_from(member.place).unwrap_or(usize::MAX);
    let entry = archive.by_index(number).map_err(refused)?;
    let (method, packed, checksum) = (entry.compression(), entry.compressed_size(), entry.crc32());
    let Some(start) = entry.data_start() else {
        return Err(CaptureError::Refused(format!(
            "{} has no data in the zip archive",
            member.name
        )));
    };
    drop(entry);
    let mut input = archive.into_inner();
    input.seek(SeekFrom::Start(start))?;
    let packed = input.take(packed);
    let plain: Box<dyn Read + Send> = match method {
        CompressionMethod::Stored => Box::new(packed),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(packed)),
        other => {
            return Err(CaptureError::Refused(format!(
                "{} is compressed in a way this tool does not know ({other}): unzip it first",
                member.name
            )));
        }
    };
    Ok(Stream::new(Box::new(Checked { input: CrcReader::new(plain), checksum })))
}

/// Compares the checksum at the end.
struct Checked {
    input: CrcReader<Box<dyn Read + Send>>,
    checksum: u32,
}

impl Read for Checked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.input.read(into)?;
        if len == 0 && !into.is_empty() && self.input.crc().sum() != self.checksum {
            return Err(io::Error::new(ErrorKind::InvalidData, "its checksum is wrong"));
        }
        Ok(len)
    }
}

fn refused(error: ZipError) -> CaptureError {
    match error {
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => CaptureError::Io(error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => CaptureError::Refused(
            "the zip archive is encrypted: unzip it with its password first".into(),
        ),
        error => CaptureError::Refused(format!("a zip archive that cannot be read ({error})")),
    }
}
