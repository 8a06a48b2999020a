//! The raw dumps of `hcidump -w`, which BTstack calls BLUEZ format.
//!
//! No file header and no magic number. A record: u16 length, a byte that is 1 for received,
//! a zero byte, u32 seconds, u32 microseconds, then an H4 packet. All little-endian.
use super::bytes::{le16, le32};
use super::chain::{self, Link};
use super::ledger::{Fault, Ledger};
use super::remark::Remark;
use super::stream::Stream;
use super::{
    Boxed, CaptureError, Claim, Clock, Description, Direction, Format, Kind, OpenOptions, Payload,
    Record, Source, Warning, WarningKind, h4,
};

pub(crate) const FORMAT: Format = Format {
    name: "hcidump",
    claim: |head| Claim::chain(chain::score(head.bytes, head.whole, probe)),
    open,
};

const HEADER: usize = 12;
const MILLION: u32 = 1_000_000;

fn open(stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let mut ledger = Ledger::new(stream, Clock::Utc, options);
    if let Some(first) = ledger.stream.peek(HEADER)?.first_chunk().map(Header::decode) {
        ledger.expect(first.since_1970());
    }
    Ok(Box::new(Reader { ledger }))
}

struct Reader {
    ledger: Ledger,
}

/// A record header: length with the type byte, whether it came in, padding, time.
struct Header {
    len: u16,
    received: u8,
    pad: u8,
    seconds: u32,
    micros: u32,
}

impl Header {
    fn decode(bytes: &[u8; HEADER]) -> Self {
        Self {
            len: le16(bytes, 0),
            received: bytes[2],
            pad: bytes[3],
            seconds: le32(bytes, 4),
            micros: le32(bytes, 8),
        }
    }

    fn since_1970(&self) -> i64 {
        i64::from(self.seconds) * i64::from(MILLION) + i64::from(self.micros)
    }

    fn whole(&self) -> usize {
        HEADER + usize::from(self.len)
    }
}

/// Whether bytes begin a plausible record.
fn probe(bytes: &[u8]) -> Link {
    let Some(head) = bytes.first_chunk() else { return Link::Short };
    let header = Header::decode(head);
    if header.received > 1 || header.pad != 0 || header.len == 0 {
        return Link::No;
    }
    let time_fits =
        header.seconds < 31_622_400 || (946_684_800..4_102_444_800).contains(&header.seconds);
    let packet_fits = match bytes.get(HEADER..header.whole()) {
        Some([byte, packet @ ..]) => h4::fits(h4::kind(*byte), packet),
        _ => false,
    };
    let clean = time_fits && header.micros < MILLION && packet_fits;
    Link::Record { len: header.whole(), clean }
}

/// The length of a record, from its header. Zeroes alone are none.
fn whole(bytes: &[u8]) -> Result<usize, Fault> {
    let header = bytes.first_chunk().map(Header::decode);
    let is_possible = |header: &Header| {
        header.received <= 1 && header.pad == 0 && (header.len, header.seconds) != (0, 0)
    };
    header.filter(is_possible).map(|header| header.whole()).ok_or_else(|| Fault {
        kind: WarningKind::NotARecord,
        text: "its direction is neither in nor out".into(),
    })
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(len) = self.ledger.advance(HEADER, whole, probe)? else { return Ok(None) };
        let taken = self.ledger.stream.taken(len);
        let Some(header) = taken.first_chunk().map(Header::decode) else { return Ok(None) };
        let frame = self.ledger.next_frame();
        let offset = self.ledger.stream.offset() - len as u64;
        if header.micros >= MILLION {
            self.ledger.remark(Remark::OddMicroseconds, offset);
        }
        let time = self.ledger.moment(header.since_1970(), offset);
        let flagged = if header.received == 1 { Direction::Received } else { Direction::Sent };
        let len = usize::from(header.len);
        let kind =
            self.ledger.stream.taken(len).first().map_or(Kind::Empty, |&byte| h4::kind(byte));
        match kind {
            Kind::Empty => self.ledger.remark(Remark::EmptyRecords, offset),
            Kind::Vendor(_) => self.ledger.remark(Remark::UnknownTypes, offset),
            _ => {}
        }
        let direction = h4::direction(kind).unwrap_or(flagged);
        if direction != flagged {
            self.ledger.remark(Remark::DirectionContradicts, offset);
        }
        let size = len.saturating_sub(1);
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter: None,
            direction: Some(direction),
            kind,
            payload: Payload::Bytes(self.ledger.stream.taken(size)),
            original_len: u32::from(header.len).saturating_sub(1),
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        Description {
            format: FORMAT.name,
            variant: "raw dump".into(),
            clock: self.ledger.clock(),
            resolution_us: 1,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }
}
