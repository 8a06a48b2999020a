//! zip archives: what an Android bug report is.
use super::member::{Choice, HEAD, Member, Members};
use crate::capture::bytes::le64;
use crate::capture::wrappers::supply::Seekable;
use crate::capture::{CaptureError, OpenOptions};
use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;
use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

/// What is read of the list of files; a bug report's takes some 100 KiB, and becomes several
/// times that in memory.
const LONGEST_LIST: u64 = 4 << 20;
/// A file in the list, without its name.
const SHORTEST_ENTRY: u64 = 46;
/// What is looked through for the record that ends the list.
const END: u64 = 1 << 17;

/// An archive whose list of files is read to a limit: its own word for the list's length is not
/// believed, for there may be several records that say they are its end.
struct Limited {
    file: Seekable,
    left: Rc<Cell<u64>>,
}

impl Read for Limited {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.file.read(into)?;
        match self.left.get().checked_sub(len as u64) {
            Some(left) => self.left.set(left),
            None => {
                self.left.set(0);
                return Err(ErrorKind::FileTooLarge.into());
            }
        }
        Ok(len)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Whether a record of 64 bits at the end claims more files than a list of that length can name.
/// The reader would make room for all of them before it reads the first.
fn claims_too_many(file: &mut Seekable) -> io::Result<bool> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(len.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.by_ref().take(END).read_to_end(&mut end)?;
    let locators = end.windows(16).filter(|window| window.starts_with(b"PK\x06\x07"));
    for locator in locators {
        let mut record = Vec::new();
        file.seek(SeekFrom::Start(le64(locator, 8)))?;
        file.by_ref().take(40).read_to_end(&mut record)?;
        if record.len() == 40 && le64(&record, 32) > LONGEST_LIST / SHORTEST_ENTRY {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the list of files.
fn list(mut file: Seekable) -> Result<ZipArchive<Limited>, CaptureError> {
    if claims_too_many(&mut file)? {
        return Err(refused(ZipError::Io(ErrorKind::FileTooLarge.into())));
    }
    let left = Rc::new(Cell::new(LONGEST_LIST + END));
    // The archive begins where the file does: nobody searches for another beginning.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let archive = ZipArchive::with_config(config, Limited { file, left: left.clone() });
    left.set(u64::MAX);
    archive.map_err(refused)
}

/// Looks through the archive.
pub(crate) fn choose(file: Seekable, options: &OpenOptions) -> Result<Choice, CaptureError> {
    let mut archive = list(file)?;
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
            // What was decompressed before an error is kept as the beginning of the file.
            let _ = entry.take(HEAD as u64).read_to_end(&mut head);
        }
        members.push(member, &head, options);
    }
    members.choose(options)
}

/// The bytes of one member.
pub(crate) fn open(
    file: Seekable,
    member: &Member,
) -> Result<impl Read + Send + use<>, CaptureError> {
    let mut archive = list(file)?;
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
    let mut input = archive.into_inner().file;
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
    Ok(Checked { input: CrcReader::new(plain), checksum })
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
        ZipError::Io(error) if error.kind() == ErrorKind::FileTooLarge => CaptureError::Refused(
            "a zip archive of too many files to look through: unzip it and give the capture itself"
                .into(),
        ),
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => CaptureError::Io(error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => CaptureError::Refused(
            "the zip archive is encrypted: unzip it with its password first".into(),
        ),
        error => CaptureError::Refused(format!("a zip archive that cannot be read ({error})")),
    }
}
