//! Linux monitor records as a serial port or RTT carries them.
//!
//! A record: u16 length of what follows, u16 opcode, a zero byte, the length of the extra
//! headers, those headers (lost packets, time), the payload. All little-endian.
use super::bytes::{le16, le32};
use super::chain::{self, Link};
use super::ledger::{Fault, Ledger};
use super::remark::Remark;
use super::stream::Stream;
use super::{
    Boxed, CaptureError, Claim, Clock, Description, Format, Kind, OpenOptions, Payload, Record,
    Source, Warning, WarningKind, h4, monitor,
};

pub(crate) const FORMAT: Format = Format {
    name: "monitor-stream",
    claim: |head| Claim::chain(chain::score(head.bytes, head.whole, probe)),
    open,
};

/// Length, opcode, flags, length of the extra headers.
const HEADER: usize = 6;
/// What the length counts before the extra headers.
const COUNTED: usize = 4;
/// Timestamps count tenths of a millisecond since power-on, and start over after five days.
const TICK_US: i64 = 100;
const WRAP: i64 = 1 << 32;
/// The last time before it starts over, and the first one behind, lie within a day of that.
const NEAR: i64 = 24 * 3_600 * 10_000;

fn open(stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let ledger = Ledger::new(stream, Clock::Relative, options);
    Ok(Box::new(Reader { ledger, ticks: None, wraps: 0 }))
}

struct Reader {
    ledger: Ledger,
    /// The last two times, the newer one last.
    ticks: Option<(i64, i64)>,
    wraps: i64,
}

struct Header {
    len: usize,
    opcode: u16,
    flags: u8,
    extra: usize,
}

impl Header {
    fn decode(bytes: &[u8; HEADER]) -> Self {
        Self {
            len: le16(bytes, 0).into(),
            opcode: le16(bytes, 2),
            flags: bytes[4],
            extra: bytes[5].into(),
        }
    }

    fn is_possible(&self) -> bool {
        self.flags == 0 && self.extra + COUNTED <= self.len
    }

    fn whole(&self) -> usize {
        2 + self.len
    }
}

/// What the extra headers say.
#[derive(Default)]
struct Extra {
    lost: u64,
    ticks: Option<u32>,
}

impl Extra {
    /// `None` where the bytes are no series of headers.
    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut extra = Self::default();
        loop {
            bytes = match bytes {
                [] => return Some(extra),
                [1..=7, lost, rest @ ..] => {
                    extra.lost += u64::from(*lost);
                    rest
                }
                [8, rest @ ..] if rest.len() >= 4 => {
                    extra.ticks = Some(le32(rest, 0));
                    rest.get(4..)?
                }
                _ => return None,
            };
        }
    }
}

/// Whether bytes begin a plausible record.
fn probe(bytes: &[u8]) -> Link {
    let Some(head) = bytes.first_chunk() else { return Link::Short };
    let header = Header::decode(head);
    if !header.is_possible() || header.opcode > monitor::LAST {
        return Link::No;
    }
    let Some(body) = bytes.get(HEADER..header.whole()) else {
        return Link::Record { len: header.whole(), clean: false };
    };
    let (extra, payload) = body.split_at(header.extra.min(body.len()));
    let fits = match monitor::kind(header.opcode).0 {
        Kind::Monitor(0) => payload.len() == 16,
        Kind::Monitor(1 | 8 | 9) => payload.is_empty(),
        Kind::Monitor(10) => payload.len() == 8,
        Kind::Monitor(12 | 13) => !payload.is_empty(),
        Kind::Monitor(_) => true,
        kind => h4::fits(kind, payload),
    };
    Link::Record { len: header.whole(), clean: fits && Extra::decode(extra).is_some() }
}

/// The length of a record, from its header.
fn whole(bytes: &[u8]) -> Result<usize, Fault> {
    let header = bytes.first_chunk().map(Header::decode);
    header.filter(Header::is_possible).map(|header| header.whole()).ok_or_else(|| Fault {
        kind: WarningKind::NotARecord,
        text: "its lengths contradict each other".into(),
    })
}

impl Reader {
    /// Tenths of milliseconds that go on where the field starts over.
    ///
    /// A damaged time in between looks alike: then the time behind it goes on from the one before it.
    fn unwrapped(&mut self, ticks: u32) -> i64 {
        let ticks = i64::from(ticks);
        let (before, last) = self.ticks.unwrap_or((ticks, ticks));
        if last >= WRAP - NEAR && ticks < NEAR && ticks < before {
            self.wraps += 1;
        }
        self.ticks = Some((last, ticks));
        ticks + self.wraps * WRAP
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(len) = self.ledger.advance(HEADER, whole, probe)? else { return Ok(None) };
        let taken = self.ledger.stream.taken(len);
        let Some(header) = taken.first_chunk().map(Header::decode) else { return Ok(None) };
        let frame = self.ledger.next_frame();
        let offset = self.ledger.stream.offset() - len as u64;
        let body = self.ledger.stream.taken(header.len - COUNTED);
        let extra = body.get(..header.extra).and_then(Extra::decode).unwrap_or_default();
        if extra.lost > 0 {
            self.ledger.remark_sum(Remark::DroppedPackets, offset, extra.lost);
        }
        let time = extra.ticks.and_then(|ticks| {
            let at = self.unwrapped(ticks) * TICK_US;
            self.ledger.step(at, offset)
        });
        let (kind, direction) = monitor::kind(header.opcode);
        let payload = self.ledger.stream.taken(header.len - COUNTED - header.extra);
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter: None,
            direction,
            kind,
            original_len: payload.len() as u32,
            payload: Payload::Bytes(payload),
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        Description {
            format: FORMAT.name,
            variant: "Linux monitor".into(),
            clock: self.ledger.clock(),
            resolution_us: TICK_US as u32,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }

    fn lost(&self) -> u64 {
        self.ledger.lost()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Direction;

    /// An event with its time in ticks, after `extra` headers.
    fn event(extra: &[u8], ticks: u32) -> Vec<u8> {
        let payload = [0x0e, 4, 1, 3, 12, 0];
        let headers = [extra, &[8], &ticks.to_le_bytes()].concat();
        let len = (COUNTED + headers.len() + payload.len()) as u8;
        [&[len, 0, 3, 0, 0, headers.len() as u8], &headers[..], &payload].concat()
    }

    /// The times of events in ticks.
    fn times(ticks: &[u32]) -> Vec<i64> {
        let parts: Vec<Vec<u8>> = ticks.iter().map(|&ticks| event(&[], ticks)).collect();
        let stream = Stream::new(Box::new(std::io::Cursor::new(parts.concat())));
        let mut source = open(stream, &OpenOptions::default()).unwrap();
        let mut times = Vec::new();
        while let Some(record) = source.next().unwrap() {
            times.push(record.time.unwrap().0 / TICK_US);
        }
        times
    }

    #[test]
    fn a_damaged_time_does_not_move_the_clock() {
        let late = u32::MAX - 5;
        assert_eq!(times(&[500, late, 510]), [500, late.into(), 510]);
        assert_eq!(times(&[500, late, 499]), [500, late.into(), WRAP + 499]);
    }

    #[test]
    fn a_clock_starts_over_near_its_end_and_only_there() {
        let near = NEAR as u32;
        let last = u32::MAX - near + 1;
        assert_eq!(times(&[last, near - 1]), [last.into(), WRAP + NEAR - 1]);
        assert_eq!(times(&[last - 1, near - 1]), [i64::from(last) - 1, NEAR - 1]);
        assert_eq!(times(&[last, near]), [last.into(), NEAR]);
    }

    #[test]
    fn drops_are_added_up_and_the_clock_goes_on_where_it_wraps() {
        let parts = [event(&[], u32::MAX - 9), event(&[2, 3, 5, 4], 90), event(&[], 100)];
        let stream = Stream::new(Box::new(std::io::Cursor::new(parts.concat())));
        let mut source = open(stream, &OpenOptions::default()).unwrap();
        let mut times = Vec::new();
        while let Some(record) = source.next().unwrap() {
            assert_eq!((record.kind, record.direction), (Kind::Event, Some(Direction::Received)));
            times.push(record.time.unwrap().0);
        }
        assert_eq!([times[1] - times[0], times[2] - times[1]], [10_000, 1_000]);
        let warnings = source.warnings();
        assert_eq!((warnings[0].kind, warnings[0].frame), (WarningKind::DroppedPackets, Some(2)));
        assert!(warnings[0].text.contains("lost 7 packets"), "{}", warnings[0].text);
    }
}
