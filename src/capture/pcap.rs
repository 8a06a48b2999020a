//! pcap: Wireshark's older format, tcpdump, idevicebtlogger, Bumble.
//!
//! A 24-byte header with byte order, resolution and link type; records of u32 seconds,
//! u32 fraction, u32 included and u32 original length before each frame.
use super::bytes::Endian;
use super::chain::Link;
use super::ledger::Ledger;
use super::linktype::{self, Splitter, Stamp};
use super::remark::Remark;
use super::stream::Stream;
use super::{
    CaptureError, Claim, Clock, Description, Format, LONGEST, OpenOptions, Record, Source, Warning,
    WarningKind, WriteError,
};
use pcap_parser::parse_pcap_header;
use std::io::Write;

pub(crate) const FORMAT: Format = Format { name: "pcap", claim, open };

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

fn claim(head: &super::Head<'_>) -> Claim {
    if layout(head.bytes).is_some() { Claim::CERTAIN } else { Claim::NONE }
}

/// Byte order and fractions in a second, from the magic number.
fn layout(bytes: &[u8]) -> Option<(Endian, u32)> {
    match bytes.first_chunk()? {
        [0xa1, 0xb2, 0xc3, 0xd4] => Some((Endian::Big, 1_000_000)),
        [0xa1, 0xb2, 0x3c, 0x4d] => Some((Endian::Big, 1_000_000_000)),
        [0xd4, 0xc3, 0xb2, 0xa1] => Some((Endian::Little, 1_000_000)),
        [0x4d, 0x3c, 0xb2, 0xa1] => Some((Endian::Little, 1_000_000_000)),
        _ => None,
    }
}

fn open(stream: Stream, options: &OpenOptions) -> Result<super::Boxed, CaptureError> {
    let mut ledger = Ledger::new(stream, Clock::Utc, options);
    let bytes = ledger.stream.peek(FILE_HEADER)?;
    let refused = || {
        CaptureError::Refused(
            "a pcap file cut inside its 24-byte header: it holds no records".into(),
        )
    };
    let (endian, per_second) = layout(bytes).ok_or_else(refused)?;
    let (_, header) = parse_pcap_header(bytes).map_err(|_| refused())?;
    ledger.stream.consume(FILE_HEADER);
    // The high bits may say how long a frame check sequence is.
    let linktype = header.network.0 as u16;
    if !linktype::is_read(linktype) {
        return Err(linktype::refusal(&[linktype]));
    }
    if let Some(head) = ledger.stream.peek(RECORD_HEADER)?.first_chunk() {
        let first = Header::decode(head, endian).since_1970(per_second);
        ledger.expect(first);
    }
    let splitter = Splitter::default();
    Ok(Box::new(Reader { ledger, endian, per_second, linktype, splitter }))
}

struct Reader {
    ledger: Ledger,
    endian: Endian,
    /// A million, or a thousand million.
    per_second: u32,
    linktype: u16,
    splitter: Splitter,
}

struct Header {
    seconds: u32,
    fraction: u32,
    included: u32,
    original: u32,
}

impl Header {
    fn decode(bytes: &[u8; RECORD_HEADER], endian: Endian) -> Self {
        Self {
            seconds: endian.u32(bytes, 0),
            fraction: endian.u32(bytes, 4),
            included: endian.u32(bytes, 8),
            original: endian.u32(bytes, 12),
        }
    }

    fn since_1970(&self, per_second: u32) -> i64 {
        let micros = self.fraction / (per_second / 1_000_000);
        i64::from(self.seconds) * 1_000_000 + i64::from(micros)
    }
}

impl Reader {
    /// Consumes up to the end of the next record and returns its header.
    fn advance(&mut self) -> Result<Option<Header>, CaptureError> {
        loop {
            if self.ledger.is_done() {
                return Ok(None);
            }
            let probe = probe(self.endian, self.linktype);
            let bytes = self.ledger.stream.peek(2 * RECORD_HEADER)?;
            let seen = bytes.get(..2 * RECORD_HEADER).unwrap_or(bytes);
            if seen.is_empty() {
                self.end()?;
                continue;
            }
            if seen.iter().all(|&byte| byte == 0) {
                self.ledger.padding(probe, |bytes| layout(bytes).is_some())?;
                continue;
            }
            let Some(head) = seen.first_chunk::<RECORD_HEADER>() else {
                self.ledger.cut(probe)?;
                continue;
            };
            let header = Header::decode(head, self.endian);
            if self.seam()? {
                continue;
            }
            if header.included > LONGEST {
                let text = format!("it claims {} bytes, more than any packet has", header.included);
                self.ledger.damage(WarningKind::ImpossibleLength, &text, probe)?;
                continue;
            }
            let whole = RECORD_HEADER + header.included as usize;
            if self.ledger.stream.peek(whole)?.len() < whole {
                self.ledger.cut(probe)?;
                continue;
            }
            if self.ledger.hides(whole, probe)? {
                continue;
            }
            self.ledger.stream.consume(whole);
            return Ok(Some(header));
        }
    }

    /// The file's proper end; a USB capture may turn out to be of something else.
    fn end(&mut self) -> Result<(), CaptureError> {
        self.ledger.finish()?;
        if self.ledger.frames() > 0 && !self.splitter.found_hci(self.linktype) {
            self.ledger.say_of_all(
                WarningKind::NoHci,
                "no device in this USB capture speaks Bluetooth HCI",
            );
        }
        Ok(())
    }

    /// True if another pcap file is joined here; its header has been consumed.
    fn seam(&mut self) -> Result<bool, CaptureError> {
        let bytes = self.ledger.stream.peek(FILE_HEADER)?;
        let Some((endian, per_second)) = layout(bytes) else { return Ok(false) };
        let Ok((_, header)) = parse_pcap_header(bytes) else { return Ok(false) };
        if (header.version_major, header.version_minor) != (2, 4) {
            return Ok(false);
        }
        let offset = self.ledger.stream.offset();
        self.ledger.remark_ahead(Remark::Concatenated, offset);
        self.ledger.stream.consume(FILE_HEADER);
        (self.endian, self.per_second) = (endian, per_second);
        self.linktype = header.network.0 as u16;
        Ok(true)
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(header) = self.advance()? else { return Ok(None) };
        let frame = self.ledger.next_frame();
        let included = header.included as usize;
        let offset = self.ledger.stream.offset() - (RECORD_HEADER + included) as u64;
        if header.fraction >= self.per_second {
            self.ledger.remark(Remark::OddMicroseconds, offset);
        }
        let time = self.ledger.moment(header.since_1970(self.per_second), offset);
        let cut = header.original > header.included;
        if cut {
            self.ledger.remark(Remark::CutPackets, offset);
        } else if header.original < header.included {
            self.ledger.remark(Remark::OriginalShorter, offset);
        }
        let bytes = self.ledger.stream.taken(included);
        let split = self.splitter.split(self.linktype, self.endian, bytes, cut, None);
        if let Some(remark) = split.remark {
            self.ledger.remark(remark, offset);
        }
        let bytes = self.ledger.stream.taken(included);
        Ok(Some(split.record(
            &self.splitter,
            bytes,
            header.original,
            Stamp { frame, offset, time },
        )))
    }

    fn describe(&self) -> Description {
        Description {
            format: FORMAT.name,
            variant: linktype::name(self.linktype),
            clock: self.ledger.clock(),
            resolution_us: 1,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }
}

/// Writes little-endian pcap files, of HCI with direction (201) or of the Linux monitor (254).
pub struct Writer<W: Write> {
    output: W,
    linktype: u16,
}

impl<W: Write> Writer<W> {
    /// HCI packets with their direction.
    pub fn new(output: W) -> Result<Self, WriteError> {
        Self::of(output, linktype::H4_WITH_DIRECTION)
    }

    /// Linux monitor records: management traffic and notes too.
    pub fn monitor(output: W) -> Result<Self, WriteError> {
        Self::of(output, linktype::LINUX_MONITOR)
    }

    fn of(mut output: W, linktype: u16) -> Result<Self, WriteError> {
        // Magic number, version 2.4, no zone, no accuracy, the longest packet, the link type.
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, LONGEST, u32::from(linktype)] {
            output.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { output, linktype })
    }

    /// Appends a record. A record that this link type cannot hold is refused.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        let (header, length) = linktype::header(self.linktype, record)?;
        let Some(time) = record.time else {
            return Err(WriteError::Unfit("pcap needs a time"));
        };
        let seconds = u32::try_from(time.0.div_euclid(1_000_000))
            .map_err(|_| WriteError::Unfit("the time does not fit pcap's seconds"))?;
        let fraction = time.0.rem_euclid(1_000_000) as u32;
        let bytes = record.bytes();
        let longer = u32::try_from(length).unwrap_or(u32::MAX);
        let kept = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(longer);
        if kept > LONGEST {
            return Err(WriteError::Unfit("the packet is longer than readers accept"));
        }
        for word in [seconds, fraction, kept, record.original_len.saturating_add(longer)] {
            self.output.write_all(&word.to_le_bytes())?;
        }
        self.output.write_all(header.get(..length).unwrap_or(&header))?;
        Ok(self.output.write_all(bytes)?)
    }

    /// Writes what is left, and gives the output back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.output.flush()?;
        Ok(self.output)
    }
}

/// Whether bytes begin a plausible record, for picking up after damage.
fn probe(endian: Endian, linktype: u16) -> impl Fn(&[u8]) -> Link {
    move |bytes| {
        let Some(head) = bytes.first_chunk() else { return Link::Short };
        let header = Header::decode(head, endian);
        let rest = bytes.get(RECORD_HEADER..).unwrap_or_default();
        let frame = rest.get(..header.included as usize).unwrap_or(rest);
        if !linktype::is_plausible(linktype, frame) {
            return Link::No;
        }
        linktype::plausible_record(RECORD_HEADER, header.seconds, header.included, header.original)
    }
}
