//! Apple PacketLogger `.pklg`, in both byte orders; BTstack writes it too.
//!
//! No file header and no magic number. A record: u32 length of what follows, u32 seconds,
//! u32 microseconds, a type byte, then a packet without its H4 byte, or a note's text.
use super::bytes::Endian;
use super::chain::{self, Link};
use super::ledger::{Fault, Ledger};
use super::remark::Remark;
use super::stream::Stream;
use super::{
    Boxed, CaptureError, Claim, Clock, Description, Direction, Format, Head, Kind, LONGEST,
    OpenOptions, Payload, Record, Source, Warning, WarningKind, WriteError,
};
use std::io::Write;

pub(crate) const BIG: Format = Format {
    name: "packetlogger",
    claim: |head| claim(head, Endian::Big),
    open: |stream, options| open(stream, options, Endian::Big),
};

pub(crate) const LITTLE: Format = Format {
    name: "packetlogger",
    claim: |head| claim(head, Endian::Little),
    open: |stream, options| open(stream, options, Endian::Little),
};

/// Length, seconds, microseconds; the type byte is the first that the length may leave out.
const HEADER: usize = 12;
/// What the length counts besides the packet: both times and the type.
const COUNTED: u32 = 9;
const MILLION: u32 = 1_000_000;

fn claim(head: &Head<'_>, endian: Endian) -> Claim {
    Claim::chain(chain::score(head.bytes, head.whole, probe(endian)))
}

fn open(stream: Stream, options: &OpenOptions, endian: Endian) -> Result<Boxed, CaptureError> {
    // Apple stores local time as if it were UTC. BTstack stores UTC, and nothing proves which.
    let mut ledger = Ledger::new(stream, Clock::Local, options);
    let first = since_1970(ledger.stream.peek(HEADER)?, endian);
    ledger.expect(first);
    Ok(Box::new(Reader { ledger, endian }))
}

/// A record's time, with whatever is too much in its microseconds carried over.
#[inline]
fn since_1970(header: &[u8], endian: Endian) -> i64 {
    let (seconds, micros) = (endian.u32(header, 4), endian.u32(header, 8));
    i64::from(seconds) * i64::from(MILLION) + i64::from(micros)
}

struct Reader {
    ledger: Ledger,
    endian: Endian,
}

/// What a record type means.
#[inline]
fn kind(byte: u8) -> (Kind, Option<Direction>) {
    use Direction::{Received, Sent};
    match byte {
        0x00 => (Kind::Command, Some(Sent)),
        0x01 => (Kind::Event, Some(Received)),
        0x02 => (Kind::Acl, Some(Sent)),
        0x03 => (Kind::Acl, Some(Received)),
        0x08 => (Kind::Sco, Some(Sent)),
        0x09 => (Kind::Sco, Some(Received)),
        // 0x0C/0x0D as BTstack writes them, 0x12/0x13 as BlueZ does.
        0x0c | 0x12 => (Kind::Iso, Some(Sent)),
        0x0d | 0x13 => (Kind::Iso, Some(Received)),
        note => (Kind::Note(note), None),
    }
}

fn is_known(byte: u8) -> bool {
    matches!(byte, 0..=3 | 0x08..=0x0d | 0x12 | 0x13 | 0xf7..=0xfe)
}

/// Whether bytes begin a plausible record.
fn probe(endian: Endian) -> impl Fn(&[u8]) -> Link {
    move |bytes| {
        if bytes.len() < HEADER {
            return Link::Short;
        }
        let len = endian.u32(bytes, 0);
        if !(8..=LONGEST).contains(&len) {
            return Link::No;
        }
        let seconds = endian.u32(bytes, 4);
        // 2000 to 2100, or the uptime of a board without a clock.
        let time_fits = seconds < 31_622_400 || (946_684_800..4_102_444_800).contains(&seconds);
        let clean = time_fits
            && len >= COUNTED
            && endian.u32(bytes, 8) < MILLION
            && bytes.get(HEADER).is_some_and(|&byte| is_known(byte));
        Link::Record { len: 4 + len as usize, clean }
    }
}

/// The length of a record, from its header.
fn whole(endian: Endian) -> impl Fn(&[u8]) -> Result<usize, Fault> {
    move |bytes| {
        let len = endian.u32(bytes, 0);
        let text = match len {
            8..=LONGEST => return Ok(4 + len as usize),
            ..8 => format!("it claims {len} bytes, fewer than its own times take"),
            _ => format!("it claims {len} bytes, more than any packet has"),
        };
        Err(Fault { kind: WarningKind::ImpossibleLength, text })
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let endian = self.endian;
        let Some(len) = self.ledger.advance(HEADER, whole(endian), probe(endian))? else {
            return Ok(None);
        };
        let header = self.ledger.stream.taken(len);
        let (time, micros) = (since_1970(header, endian), endian.u32(header, 8));
        let frame = self.ledger.next_frame();
        let offset = self.ledger.stream.offset() - len as u64;
        if micros >= MILLION {
            self.ledger.remark(Remark::OddMicroseconds, offset);
        }
        let time = self.ledger.moment(time, offset);
        let (kind, direction, size) = match (len - 4).checked_sub(COUNTED as usize) {
            None => {
                self.ledger.remark(Remark::EmptyRecords, offset);
                (Kind::Empty, None, 0)
            }
            Some(size) => {
                let whole = self.ledger.stream.taken(size + 1);
                let byte = whole.first().copied().unwrap_or_default();
                if !is_known(byte) {
                    self.ledger.remark(Remark::UnknownTypes, offset);
                }
                let (kind, direction) = kind(byte);
                (kind, direction, size)
            }
        };
        let payload = Payload::Bytes(self.ledger.stream.taken(size));
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter: None,
            direction,
            kind,
            payload,
            original_len: size as u32,
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        let variant = match self.endian {
            Endian::Big => "big-endian",
            Endian::Little => "little-endian",
        };
        Description {
            format: BIG.name,
            variant: variant.into(),
            clock: self.ledger.clock(),
            resolution_us: 1,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }
}

/// Writes PacketLogger files. Times are written as given: Apple's habit is local time.
pub struct Writer<W: Write> {
    output: W,
    endian: Endian,
}

impl<W: Write> Writer<W> {
    /// A file with the most significant byte first.
    pub fn big_endian(output: W) -> Self {
        Self { output, endian: Endian::Big }
    }

    /// A file with the least significant byte first.
    pub fn little_endian(output: W) -> Self {
        Self { output, endian: Endian::Little }
    }

    /// Appends a record; one that the format has no place for is refused.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        let received = record.direction.map(|direction| u8::from(direction == Direction::Received));
        let byte = match (record.kind, received) {
            (Kind::Command, _) => Some(0x00),
            (Kind::Event, _) => Some(0x01),
            (Kind::Acl, Some(received)) => Some(0x02 + received),
            (Kind::Sco, Some(received)) => Some(0x08 + received),
            (Kind::Iso, Some(received)) => Some(0x12 + received),
            (Kind::Note(byte), _) => Some(byte),
            (Kind::Empty, _) => None,
            _ => return Err(WriteError::Unfit("PacketLogger has no type for this record")),
        };
        let bytes = record.bytes();
        if record.original_len as usize != bytes.len() {
            return Err(WriteError::Unfit("PacketLogger cannot say that a packet was cut"));
        }
        let micros = record.time.map_or(0, |time| time.0);
        let seconds = u32::try_from(micros.div_euclid(i64::from(MILLION)))
            .map_err(|_| WriteError::Unfit("the time does not fit PacketLogger's seconds"))?;
        let fraction = micros.rem_euclid(i64::from(MILLION)) as u32;
        let len = 8 + u32::from(byte.is_some()) + record.original_len;
        if len > LONGEST {
            return Err(WriteError::Unfit("the packet is longer than readers accept"));
        }
        for word in [len, seconds, fraction] {
            self.output.write_all(&self.endian.encode_u32(word))?;
        }
        if let Some(byte) = byte {
            self.output.write_all(&[byte])?;
        }
        Ok(self.output.write_all(bytes)?)
    }

    /// Writes what is left, and gives the output back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.output.flush()?;
        Ok(self.output)
    }
}
