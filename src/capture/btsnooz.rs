//! btsnooz: the snoop log that Android folds into a bug report's text.
//!
//! Base64 between two marker lines. Inside: a version byte, the last packet's time (u64,
//! microseconds from 1970), then a zlib stream of records: u16 length with the type byte,
//! in version 2 the u16 length before cutting, u32 microseconds since the record before,
//! a type byte, the packet. All little-endian.
use super::bytes::{le16, le32};
use super::chain::Link;
use super::ledger::Ledger;
use super::remark::Remark;
use super::stream::Stream;
use super::{
    Boxed, CaptureError, Claim, Clock, Description, Direction, Format, Kind, OpenOptions, Payload,
    Record, Source, Warning, WarningKind, text,
};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::ZlibDecoder;
use memchr::memmem;
use std::io::{self, Cursor};

pub(crate) const FORMAT: Format = Format { name: "btsnooz", claim, open };

const BEGIN: &[u8] = b"--- BEGIN:BTSNOOP_LOG_SUMMARY";
const END: &[u8] = b"--- END:BTSNOOP_LOG_SUMMARY";
/// Version and time of the last packet, before the compressed records.
const FILE_HEADER: usize = 9;
/// The phone keeps 256 KiB uncompressed; this is far beyond, and bounds our memory.
const LONGEST_BLOB: usize = 4 << 20;
/// Longer lines are no base64 and no marker.
const LONGEST_LINE: usize = 1 << 20;

fn claim(head: &super::Head<'_>) -> Claim {
    if !head.is_text() {
        Claim::NONE
    } else if memmem::find(head.bytes, BEGIN).is_some() {
        Claim::CERTAIN
    } else {
        // The log may stand a hundred megabytes down: found by reading on.
        Claim::FAINT
    }
}

fn open(mut stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let page = stream.peek(4096)?;
    let likeness = text::likeness(page.get(..4096).unwrap_or(page));
    let Some(encoded) = blob(&mut stream)? else {
        return Err(CaptureError::Refused(format!(
            "not an HCI capture that this tool reads: it looks like {likeness}"
        )));
    };
    let refused =
        |why: &str| CaptureError::Refused(format!("the bug report's Bluetooth snoop log {why}"));
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let blob = GeneralPurpose::new(&STANDARD, lenient)
        .decode(&encoded.base64)
        .map_err(|_| refused("is not the base64 it should be"))?;
    if blob.is_empty() {
        return Err(refused("is empty: the phone did not log Bluetooth HCI"));
    }
    let version = match blob.first() {
        Some(1) => Version::One,
        Some(2) => Version::Two,
        _ => return Err(refused("is of a version this tool does not know (1 and 2 are known)")),
    };
    let last = i64::from(le32(&blob, 1)) | i64::from(le32(&blob, 5)) << 32;
    let compressed = blob.get(FILE_HEADER..).unwrap_or_default().to_vec();
    // Only the last packet's time is known, so the first one's needs a pass over all.
    let mut elapsed = 0i64;
    let mut pass = inflate(compressed.clone());
    while let Some(header) = version.header(pass.peek(version.size())?) {
        elapsed = elapsed.saturating_add(header.delta.into());
        let whole = (version.size() + header.len()) as u64;
        if pass.skip(whole)? < whole {
            break;
        }
    }
    let mut ledger = Ledger::new(inflate(compressed), Clock::Utc, options);
    if !encoded.ended {
        ledger.say(
            WarningKind::CutInLog,
            0,
            "the bug report ends inside its Bluetooth snoop log".into(),
        );
    }
    Ok(Box::new(Reader { ledger, version, time: last.saturating_sub(elapsed) }))
}

fn inflate(compressed: Vec<u8>) -> Stream {
    Stream::new(Box::new(ZlibDecoder::new(Cursor::new(compressed))))
}

struct Encoded {
    base64: Vec<u8>,
    ended: bool,
}

/// The base64 text between the two markers, wherever in the file they are.
fn blob(stream: &mut Stream) -> io::Result<Option<Encoded>> {
    if !find_begin(stream)? {
        return Ok(None);
    }
    let mut line = Vec::new();
    next_line(stream, &mut line)?;
    let mut base64 = Vec::new();
    while next_line(stream, &mut line)? {
        if line.trim_ascii_start().starts_with(END) {
            return Ok(Some(Encoded { base64, ended: true }));
        }
        base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        if base64.len() > LONGEST_BLOB {
            break;
        }
    }
    // A last group of fewer than four characters was cut.
    base64.truncate(base64.len() / 4 * 4);
    Ok(Some(Encoded { base64, ended: false }))
}

/// Passes everything up to the marker at the beginning of a line. False: there is none.
///
/// A log of gigabytes is no bug report, as a rule: a search over the buffer costs a fraction of a search line by line.
fn find_begin(stream: &mut Stream) -> io::Result<bool> {
    let marker = memmem::Finder::new(BEGIN);
    // Whether the line that was passed last has blanks only so far.
    let mut blank = true;
    loop {
        let bytes = stream.peek(BEGIN.len())?;
        if bytes.len() < BEGIN.len() {
            return Ok(false);
        }
        let found = marker.find(bytes);
        // The buffer may end within the marker.
        let passed = found.unwrap_or(bytes.len() + 1 - BEGIN.len());
        let passed = bytes.get(..passed).unwrap_or_default();
        let line = memchr::memrchr(b'\n', passed);
        let rest = passed.get(line.map_or(0, |end| end + 1)..).unwrap_or_default();
        blank = (blank || line.is_some()) && rest.iter().all(u8::is_ascii_whitespace);
        let passed = passed.len();
        stream.consume(passed);
        if found.is_some() {
            if blank {
                return Ok(true);
            }
            stream.consume(1);
        }
    }
}

/// Reads a line, without what is too long in it. False at the end.
fn next_line(stream: &mut Stream, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let from = stream.offset();
    loop {
        let bytes = stream.peek(1)?;
        if bytes.is_empty() {
            return Ok(stream.offset() > from);
        }
        let end = memchr::memchr(b'\n', bytes);
        let part = end.map_or(bytes.len(), |end| end + 1);
        let room = LONGEST_LINE.saturating_sub(line.len());
        line.extend_from_slice(bytes.get(..part.min(room)).unwrap_or_default());
        stream.consume(part);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    /// Also tells the packet's length before it was cut.
    Two,
}

struct Header {
    /// With the type byte.
    included: u16,
    original: u16,
    /// Microseconds since the record before.
    delta: u32,
    byte: u8,
}

impl Header {
    /// Bytes after the header.
    fn len(&self) -> usize {
        usize::from(self.included).saturating_sub(1)
    }
}

impl Version {
    fn size(self) -> usize {
        match self {
            Self::One => 7,
            Self::Two => 9,
        }
    }

    fn header(self, bytes: &[u8]) -> Option<Header> {
        let included = le16(bytes, 0);
        let at = self.size() - 5;
        let byte = *bytes.get(at + 4)?;
        let original = if self == Self::One { included } else { le16(bytes, 2) };
        Some(Header { included, original, delta: le32(bytes, at), byte })
    }
}

fn kind(byte: u8) -> Option<(Kind, Direction)> {
    use Direction::{Received, Sent};
    Some(match byte {
        0x10 => (Kind::Event, Received),
        0x11 => (Kind::Acl, Received),
        0x12 => (Kind::Sco, Received),
        0x17 => (Kind::Iso, Received),
        0x20 => (Kind::Command, Sent),
        0x21 => (Kind::Acl, Sent),
        0x22 => (Kind::Sco, Sent),
        0x2d => (Kind::Iso, Sent),
        _ => return None,
    })
}

struct Reader {
    ledger: Ledger,
    version: Version,
    /// Of the last record, from 1970.
    time: i64,
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if self.ledger.is_done() {
            return Ok(None);
        }
        let size = self.version.size();
        let bytes = self.ledger.stream.peek(size)?;
        if bytes.is_empty() {
            self.ledger.finish()?;
            return Ok(None);
        }
        // Nothing in these records marks their beginning: there is no picking up after damage.
        let nothing = |_: &[u8]| Link::No;
        let Some(header) = self.version.header(bytes) else {
            self.ledger.cut(nothing)?;
            return Ok(None);
        };
        let (Some((kind, direction)), true) = (kind(header.byte), header.included > 0) else {
            let text =
                format!("packet type {:#04x} of {} bytes is none", header.byte, header.included);
            self.ledger.damage(WarningKind::NotARecord, &text, nothing)?;
            return Ok(None);
        };
        let whole = size + header.len();
        if self.ledger.stream.peek(whole)?.len() < whole {
            self.ledger.cut(nothing)?;
            return Ok(None);
        }
        self.ledger.stream.consume(whole);
        let frame = self.ledger.next_frame();
        let offset = self.ledger.stream.offset() - whole as u64;
        self.time = self.time.saturating_add(header.delta.into());
        let time = self.ledger.moment(self.time, offset);
        if header.original > header.included {
            self.ledger.remark(Remark::CutPackets, offset);
        } else if header.original < header.included {
            self.ledger.remark(Remark::OriginalShorter, offset);
        }
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter: None,
            direction: Some(direction),
            kind,
            payload: Payload::Bytes(self.ledger.stream.taken(header.len())),
            original_len: u32::from(header.original.max(header.included)) - 1,
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        let variant = match self.version {
            Version::One => "Android bug report, version 1",
            Version::Two => "Android bug report, version 2",
        };
        Description {
            format: FORMAT.name,
            variant: variant.into(),
            clock: self.ledger.clock(),
            resolution_us: 1,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Hands out so many bytes at a time.
    struct Drip(&'static [u8], usize);

    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(into.len());
            self.0.take(len as u64).read(into).inspect(|len| self.0 = &self.0[*len..])
        }
    }

    /// What stands at the marker, however the bytes come.
    fn found(text: &'static [u8]) -> Option<Vec<u8>> {
        let by = |bytes| {
            let mut stream = Stream::new(Box::new(Drip(text, bytes)));
            let found = find_begin(&mut stream).unwrap();
            found.then(|| stream.peek(4096).map(<[u8]>::to_vec).unwrap_or_default())
        };
        let all = by(1 << 20);
        for bytes in [1, 7, 30, 64] {
            assert_eq!(by(bytes), all, "{bytes}");
        }
        all
    }

    #[test]
    fn the_marker_begins_a_line() {
        let marker = Some(b"--- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA".to_vec());
        for text in [
            &b"--- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA"[..],
            b"one\ntwo\n--- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA",
            b"one\r\n \t--- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA",
            b"x --- BEGIN:BTSNOOP_LOG_SUMMARY\n--- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA",
        ] {
            assert_eq!(found(text), marker, "{}", String::from_utf8_lossy(text));
        }
        for text in [
            &b""[..],
            b"one\ntwo",
            b"x --- BEGIN:BTSNOOP_LOG_SUMMARY (12 bytes in) ---\nAA",
            b"--- BEGIN:BTSNOOP_LOG_SUMMAR",
            b"   \n--- BEGIN:",
        ] {
            assert_eq!(found(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
