//! btsnoop: Android's HCI log, `btmon -w`, BTstack, Bumble, Frontline's `.cfa`.
//!
//! A header of magic, version (1) and datalink. A record: u32 original length, u32 included
//! length, u32 flags, u32 packets lost so far, i64 microseconds since the year 0, then the
//! included bytes. All big-endian. The flags hold direction and kind, or, in a monitor
//! file, adapter and opcode.
use super::bytes::{be_i64, be32};
use super::chain::Link;
use super::ledger::Ledger;
use super::remark::Remark;
use super::stream::Stream;
use super::{
    CaptureError, Claim, Clock, Description, Direction, Format, Kind, LONGEST, OpenOptions,
    Payload, Record, Source, Timestamp, Warning, WarningKind, WriteError, h4, monitor,
};
use std::io::Write;

pub(crate) const FORMAT: Format =
    Format { name: "btsnoop", claim: |head| Claim::magic(head, MAGIC), open };

const MAGIC: &[u8; 8] = b"btsnoop\0";
const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;
/// 1970 on btsnoop's clock, as every writer has it. A calendar gives another number: the
/// format pins the year 2000 twelve days off.
const EPOCH: i64 = 0x00dc_ddb3_0f2f_8000;
/// Times up to this were written without the epoch (it is the year 2096 from 1970).
const WITHOUT_EPOCH: i64 = 4_000_000_000_000_000;

/// What the records of a file hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datalink {
    /// Packets without a type; the flags tell commands and events from data.
    H1,
    /// Packets behind their UART type byte.
    H4,
    /// Linux monitor records: every adapter, management traffic, notes.
    Monitor,
}

impl Datalink {
    fn decode(code: u32) -> Result<Self, CaptureError> {
        let refused = match code {
            1001 => return Ok(Self::H1),
            1002 => return Ok(Self::H4),
            2001 => return Ok(Self::Monitor),
            1003 => {
                "BCSP (1003), a serial framing whose layout in btsnoop is not defined: capture again at HCI level, as H4 (1002) or with btmon"
            }
            1004 => {
                "H5 three-wire (1004), a serial framing whose layout in btsnoop is not defined: capture again at HCI level, as H4 (1002) or with btmon"
            }
            2002 => {
                "the BlueZ simulator (2002), which is traffic in the air and not HCI: capture at a host with btmon -w"
            }
            other => {
                return Err(CaptureError::Refused(format!(
                    "a btsnoop file with the unknown datalink {other}: known are 1001 (H1), 1002 (H4) and 2001 (Linux monitor)"
                )));
            }
        };
        Err(CaptureError::Refused(format!("a btsnoop file of {refused}")))
    }

    fn encode(self) -> u32 {
        match self {
            Self::H1 => 1001,
            Self::H4 => 1002,
            Self::Monitor => 2001,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::H1 => "H1 (1001)",
            Self::H4 => "H4 (1002)",
            Self::Monitor => "Linux monitor (2001)",
        }
    }
}

fn open(stream: Stream, options: &OpenOptions) -> Result<Box<dyn Source>, CaptureError> {
    let mut ledger = Ledger::new(stream, Clock::Utc, options);
    let datalink = file_header(ledger.stream.peek(FILE_HEADER)?)?;
    ledger.stream.consume(FILE_HEADER);
    if let Some(first) = ledger.stream.peek(RECORD_HEADER)?.first_chunk().map(Header::decode)
        && let Some(time) = since_1970(first.time)
    {
        ledger.expect(time);
    }
    Ok(Box::new(Reader { ledger, datalink, drops: 0 }))
}

fn file_header(bytes: &[u8]) -> Result<Datalink, CaptureError> {
    if bytes.len() < FILE_HEADER {
        return Err(CaptureError::Refused(
            "a btsnoop file cut inside its 16-byte header: it holds no records".into(),
        ));
    }
    match be32(bytes, 8) {
        1 => Datalink::decode(be32(bytes, 12)),
        version => Err(CaptureError::Refused(format!(
            "a btsnoop file of version {version}: only version 1 is known"
        ))),
    }
}

/// A record's time from 1970, with or without the epoch that belongs there.
///
/// Zero is what a writer without a clock leaves.
#[inline]
fn since_1970(time: i64) -> Option<i64> {
    match time {
        0 => None,
        1..=WITHOUT_EPOCH => Some(time),
        _ => Some(time.saturating_sub(EPOCH)),
    }
}

struct Reader {
    ledger: Ledger,
    datalink: Datalink,
    /// The file's running count of lost packets.
    drops: u32,
}

/// A record header in the file's terms.
struct Header {
    original: u32,
    included: u32,
    flags: u32,
    drops: u32,
    time: i64,
}

impl Header {
    #[inline]
    fn decode(bytes: &[u8; RECORD_HEADER]) -> Self {
        Self {
            original: be32(bytes, 0),
            included: be32(bytes, 4),
            flags: be32(bytes, 8),
            drops: be32(bytes, 12),
            time: be_i64(bytes, 16),
        }
    }
}

impl Reader {
    /// Consumes up to the end of the next record and returns its header.
    #[inline]
    fn advance(&mut self) -> Result<Option<Header>, CaptureError> {
        loop {
            if self.ledger.is_done() {
                return Ok(None);
            }
            let bytes = self.ledger.stream.peek(RECORD_HEADER)?;
            let held = bytes.len();
            let Some(head) = bytes.first_chunk::<RECORD_HEADER>() else {
                self.tail()?;
                continue;
            };
            let header = Header::decode(head);
            let odd = header.included > LONGEST || header.included == 0;
            if odd && !self.oddity(&header)? {
                continue;
            }
            let whole = RECORD_HEADER + header.included as usize;
            if held < whole && self.ledger.stream.peek(whole)?.len() < whole {
                self.ledger.cut(probe(self.datalink))?;
                continue;
            }
            if self.ledger.hides(whole, probe(self.datalink))? {
                continue;
            }
            self.ledger.stream.consume(whole);
            return Ok(Some(header));
        }
    }

    /// Fewer bytes than a header.
    fn tail(&mut self) -> Result<(), CaptureError> {
        let bytes = self.ledger.stream.peek(RECORD_HEADER)?;
        if bytes.is_empty() {
            self.ledger.finish()
        } else if bytes.iter().all(|&byte| byte == 0) {
            self.ledger.padding(probe(self.datalink), |_| false)
        } else {
            self.ledger.cut(probe(self.datalink)).map(drop)
        }
    }

    /// No record, or an empty one: a second file, padding, damage. True for an empty record.
    #[cold]
    fn oddity(&mut self, header: &Header) -> Result<bool, CaptureError> {
        let bytes = self.ledger.stream.peek(2 * RECORD_HEADER)?;
        if bytes.starts_with(MAGIC) {
            return self.seam().map(|()| false);
        }
        if header.included == 0 {
            let two = bytes.get(..2 * RECORD_HEADER).unwrap_or(bytes);
            if two.iter().any(|&byte| byte != 0) {
                return Ok(true);
            }
            let joined = |bytes: &[u8]| bytes.starts_with(MAGIC);
            return self.ledger.padding(probe(self.datalink), joined).map(|()| false);
        }
        let text = format!("it claims {} bytes, more than any packet has", header.included);
        self.ledger
            .damage(WarningKind::ImpossibleLength, &text, probe(self.datalink))
            .map(|_| false)
    }

    /// Another btsnoop file joined to the end of this one.
    fn seam(&mut self) -> Result<(), CaptureError> {
        let offset = self.ledger.stream.offset();
        match file_header(self.ledger.stream.peek(FILE_HEADER)?) {
            Ok(datalink) => {
                self.ledger.remark_ahead(Remark::Concatenated, offset);
                self.ledger.stream.consume(FILE_HEADER);
                self.datalink = datalink;
                self.drops = 0;
                Ok(())
            }
            Err(error) => {
                let text = format!("another file is joined here that cannot be read ({error})");
                self.ledger
                    .damage(WarningKind::UnreadablePart, &text, probe(self.datalink))
                    .map(drop)
            }
        }
    }

    /// What is out of the ordinary about a record's lengths and drop counter.
    #[cold]
    fn remarks(&mut self, header: &Header, offset: u64) {
        if header.original < header.included {
            self.ledger.remark(Remark::OriginalShorter, offset);
        }
        if header.original > header.included {
            self.ledger.remark(Remark::CutPackets, offset);
        } else if self.datalink == Datalink::H4 && header.included == 1 {
            self.ledger.remark(Remark::TypeOnly, offset);
        }
        if header.drops > self.drops {
            let lost = u64::from(header.drops - self.drops);
            self.ledger.remark_sum(Remark::DroppedPackets, offset, lost);
        }
        self.drops = header.drops;
    }

    #[inline]
    fn moment(&mut self, time: i64, offset: u64) -> Option<Timestamp> {
        if (1..=WITHOUT_EPOCH).contains(&time) {
            self.ledger.remark(Remark::EpochMissing, offset);
        }
        match since_1970(time) {
            Some(time) => self.ledger.moment(time, offset),
            None => {
                self.ledger.remark(Remark::TimeUnusable, offset);
                None
            }
        }
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(header) = self.advance()? else { return Ok(None) };
        let frame = self.ledger.next_frame();
        let mut len = header.included as usize;
        let offset = self.ledger.stream.offset() - (RECORD_HEADER + len) as u64;
        if header.original != header.included || len <= 1 || header.drops != self.drops {
            self.remarks(&header, offset);
        }
        let time = self.moment(header.time, offset);
        let mut original_len = header.original.max(header.included);
        let received = header.flags & 1 == 1;
        let flagged = if received { Direction::Received } else { Direction::Sent };
        let (kind, direction, adapter) = match self.datalink {
            Datalink::Monitor => {
                let (kind, direction) = monitor::kind(header.flags as u16);
                (kind, direction, monitor::adapter((header.flags >> 16) as u16))
            }
            Datalink::H1 => {
                let kind = match header.flags & 3 {
                    2 => Kind::Command,
                    3 => Kind::Event,
                    _ => Kind::Acl,
                };
                (kind, Some(flagged), None)
            }
            Datalink::H4 => {
                original_len = original_len.saturating_sub(1);
                match self.ledger.stream.taken(len).first() {
                    None => {
                        self.ledger.remark(Remark::EmptyRecords, offset);
                        (Kind::Empty, Some(flagged), None)
                    }
                    Some(&byte) => {
                        len -= 1;
                        let kind = h4::kind(byte);
                        if let Kind::Vendor(_) = kind {
                            self.ledger.remark(Remark::UnknownTypes, offset);
                        }
                        let direction = h4::direction(kind).unwrap_or(flagged);
                        if direction != flagged {
                            self.ledger.remark(Remark::DirectionContradicts, offset);
                        }
                        (kind, Some(direction), None)
                    }
                }
            }
        };
        let payload = Payload::Bytes(self.ledger.stream.taken(len));
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter,
            direction,
            kind,
            payload,
            original_len,
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        Description {
            format: FORMAT.name,
            variant: self.datalink.name().into(),
            clock: self.ledger.clock(),
            resolution_us: 1,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }

    fn lost(&self) -> u64 {
        self.ledger.lost()
    }
}

/// Whether bytes begin a plausible record, for picking up after damage.
fn probe(datalink: Datalink) -> impl Fn(&[u8]) -> Link {
    move |bytes| {
        let Some(head) = bytes.first_chunk() else { return Link::Short };
        let header = Header::decode(head);
        let flags_fit = match datalink {
            Datalink::H1 => header.flags <= 3,
            Datalink::H4 => {
                header.flags <= 0x1f
                    && bytes.get(RECORD_HEADER).is_some_and(|byte| (1..=5).contains(byte))
            }
            Datalink::Monitor => header.flags as u16 <= monitor::LAST,
        };
        // 2000 to 2100: padding and text have other times.
        let time_fits = since_1970(header.time)
            .is_some_and(|time| (946_684_800_000_000..4_102_444_800_000_000).contains(&time));
        if flags_fit && time_fits && header.included <= 0xffff && header.original >= header.included
        {
            Link::Record { len: RECORD_HEADER + header.included as usize, clean: true }
        } else {
            Link::No
        }
    }
}

/// Writes btsnoop files.
pub struct Writer<W: Write> {
    output: W,
    datalink: Datalink,
    lost: u32,
}

impl<W: Write> Writer<W> {
    /// Writes the head of the file.
    pub fn new(mut output: W, datalink: Datalink) -> Result<Self, WriteError> {
        output.write_all(MAGIC)?;
        output.write_all(&1u32.to_be_bytes())?;
        output.write_all(&datalink.encode().to_be_bytes())?;
        Ok(Self { output, datalink, lost: 0 })
    }

    /// How many packets were lost, up to the record that comes next.
    pub fn lost(&mut self, lost: u64) {
        self.lost = u32::try_from(lost).unwrap_or(u32::MAX);
    }

    /// Appends a record; one that the datalink has no place for is refused.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        let received = record.direction == Some(Direction::Received);
        let (flags, prefix) = match self.datalink {
            Datalink::H1 => match record.kind {
                Kind::Command => (2, None),
                Kind::Event => (3, None),
                Kind::Acl => (u32::from(received), None),
                _ => {
                    return Err(WriteError::Unfit(
                        "btsnoop 1001 holds commands, events and ACL data only",
                    ));
                }
            },
            Datalink::H4 if record.kind == Kind::Empty => (u32::from(received), None),
            Datalink::H4 => {
                let byte = h4::byte(record.kind)
                    .ok_or(WriteError::Unfit("btsnoop 1002 holds HCI packets only"))?;
                let flags = match record.kind {
                    Kind::Command => 2,
                    Kind::Event => 3,
                    _ => u32::from(received),
                };
                (flags, Some(byte))
            }
            Datalink::Monitor => {
                let opcode = monitor::opcode(record.kind, record.direction)
                    .ok_or(WriteError::Unfit("the Linux monitor has no opcode for this record"))?;
                let index = record.adapter.unwrap_or(0xffff);
                (u32::from(index) << 16 | u32::from(opcode), None)
            }
        };
        let bytes = record.bytes();
        let typed = u32::from(prefix.is_some());
        let included = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(typed);
        if included > LONGEST {
            return Err(WriteError::Unfit("the packet is longer than readers accept"));
        }
        let original = record.original_len.saturating_add(typed);
        let time = record.time.map_or(0, |time| time.0.saturating_add(EPOCH));
        let head = [
            original.to_be_bytes(),
            included.to_be_bytes(),
            flags.to_be_bytes(),
            self.lost.to_be_bytes(),
        ];
        self.output.write_all(head.as_flattened())?;
        self.output.write_all(&time.to_be_bytes())?;
        if let Some(byte) = prefix {
            self.output.write_all(&[byte])?;
        }
        Ok(self.output.write_all(bytes)?)
    }

    /// What it writes into.
    pub fn get_ref(&self) -> &W {
        &self.output
    }

    /// What it writes into: whole records can be taken out of it.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }

    /// Writes what is left, and gives the output back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.output.flush()?;
        Ok(self.output)
    }
}
