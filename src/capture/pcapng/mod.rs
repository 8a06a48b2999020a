//! pcapng: what Wireshark saves, with sections, interfaces and comments.
//!
//! Blocks of type, length, body, length again; pcap-parser takes each body apart.
mod block;
mod interface;
mod writer;

use super::bytes::Endian;
use super::chain::Link;
use super::ledger::Ledger;
use super::linktype::{self, Splitter, Stamp};
use super::remark::Remark;
use super::stream::Stream;
use super::{
    Boxed, CaptureError, Claim, Clock, Description, Format, Head, LONGEST, OpenOptions, Record,
    Source, Warning, WarningKind,
};
use std::borrow::Cow;

use block::{Change, Packet, Step, step};
use interface::{Adapters, Interface};
pub use writer::Writer;

pub(crate) const FORMAT: Format = Format { name: "pcapng", claim, open };

const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Type, length, and the length again at the end.
const FRAME: usize = 12;
/// Blocks that hold a packet: their size is limited before they are buffered.
const PACKET_BLOCKS: [u32; 3] = [block::OBSOLETE, 3, 6];
const LONGEST_BLOCK: u32 = LONGEST + 0x1_0000;
/// Interfaces of one section; the obsolete Packet Block could not name more.
const MANY: usize = 0x1_0000;

fn claim(head: &Head<'_>) -> Claim {
    let magic = head.bytes.get(8..12);
    if head.bytes.starts_with(&SECTION_HEADER) && magic.and_then(endian).is_some() {
        Claim::CERTAIN
    } else {
        Claim::NONE
    }
}

fn endian(magic: &[u8]) -> Option<Endian> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Endian::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Endian::Little),
        _ => None,
    }
}

fn open(stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let mut ledger = Ledger::new(stream, Clock::Utc, options);
    if let Some(first) = first_time(ledger.stream.peek(PAGE)?) {
        ledger.expect(first);
    }
    Ok(Box::new(Reader {
        ledger,
        endian: Endian::Little,
        section: 0,
        interfaces: Vec::new(),
        adapters: Adapters::default(),
        splitter: Splitter::default(),
        linktypes: Vec::new(),
        resolution_us: 1,
    }))
}

/// Where the first packet of HCI usually is: after a section header and a few interfaces.
const PAGE: usize = 4096;

/// When the first packet of HCI was, if it is within the first page.
fn first_time(mut head: &[u8]) -> Option<i64> {
    let endian = endian(head.get(8..12)?)?;
    let mut interfaces = Vec::new();
    loop {
        let len = endian.u32(head, 4) as usize;
        let block = head.get(..len).filter(|block| block.len() >= FRAME)?;
        match step(block, endian.u32(block, 0), endian, &interfaces) {
            Step::Change(Change::Interface(interface)) => interfaces.push(interface),
            Step::Packet(packet) => {
                let interface = interfaces.get(packet.interface as usize)?;
                if linktype::is_read(interface.linktype) {
                    return interface.since_1970(packet.ticks?);
                }
            }
            Step::Damaged(_) => return None,
            Step::Change(Change::Section { .. }) | Step::Counted | Step::Passed => {}
        }
        head = head.get(len..)?;
    }
}

struct Reader {
    ledger: Ledger,
    /// Of the current section.
    endian: Endian,
    section: u32,
    interfaces: Vec<Interface>,
    adapters: Adapters,
    splitter: Splitter,
    /// Link types met so far, each once.
    linktypes: Vec<u16>,
    resolution_us: u32,
}

impl Reader {
    /// Consumes up to the end of the next packet's block; also the block's length.
    fn advance(&mut self) -> Result<Option<(Packet, usize)>, CaptureError> {
        loop {
            if self.ledger.is_done() {
                return Ok(None);
            }
            let bytes = self.ledger.stream.peek(FRAME)?;
            if bytes.len() < FRAME || bytes.iter().take(FRAME).all(|&byte| byte == 0) {
                self.tail()?;
                continue;
            }
            if bytes.starts_with(&SECTION_HEADER) {
                match bytes.get(8..12).and_then(endian) {
                    Some(endian) => self.endian = endian,
                    None => {
                        self.damage("a section header without a byte order")?;
                        continue;
                    }
                }
            }
            let kind = self.endian.u32(bytes, 0);
            let len = self.endian.u32(bytes, 4);
            if len < FRAME as u32 || !len.is_multiple_of(4) {
                self.damage(&format!("a block of {len} bytes is none"))?;
                continue;
            }
            if len > LONGEST_BLOCK {
                // Anything but a packet may be large (secrets, journals): passed by length.
                if PACKET_BLOCKS.contains(&kind) || kind == 1 || bytes.starts_with(&SECTION_HEADER)
                {
                    self.damage(&format!("it claims {len} bytes, more than any packet has"))?;
                } else {
                    self.pass(len)?;
                }
                continue;
            }
            let len = len as usize;
            let block = self.ledger.stream.peek(len)?;
            let Some(block) = block.get(..len) else {
                self.ledger.cut(probe(self.endian))?;
                continue;
            };
            let trailer = self.endian.u32(block, len - 4);
            if trailer as usize != len {
                self.damage(&unequal(len as u32, trailer))?;
                continue;
            }
            match step(block, kind, self.endian, &self.interfaces) {
                Step::Change(change) => {
                    if self.change(change)? {
                        self.ledger.stream.consume(len);
                    }
                }
                Step::Damaged(text) => self.damage(&text)?,
                Step::Passed => self.ledger.stream.consume(len),
                Step::Counted => {
                    self.ledger.next_frame();
                    self.ledger.stream.consume(len);
                }
                Step::Packet(packet) => {
                    self.refuse_foreign()?;
                    self.ledger.stream.consume(len);
                    return Ok(Some((packet, len)));
                }
            }
        }
    }

    /// Passes a block that is no packet and longer than any: it is not buffered, but its length
    /// has to be the one that stands at its end.
    fn pass(&mut self, len: u32) -> Result<(), CaptureError> {
        let offset = self.ledger.stream.offset();
        if self.ledger.pass(u64::from(len) - 4, probe(self.endian))? {
            return Ok(());
        }
        let probe = probe(self.endian);
        match self.ledger.stream.peek(4)?.get(..4) {
            None => self.ledger.cut_since(offset, probe).map(drop),
            Some(trailer) if self.endian.u32(trailer, 0) == len => {
                self.ledger.stream.consume(4);
                Ok(())
            }
            Some(trailer) => {
                let text = unequal(len, self.endian.u32(trailer, 0));
                self.ledger.damage_since(offset, WarningKind::DamagedBlock, &text, probe).map(drop)
            }
        }
    }

    /// Takes notice of a block; false if it cannot be, and reading has moved on.
    fn change(&mut self, change: Change) -> Result<bool, CaptureError> {
        match change {
            Change::Section { version } => {
                if version != 1 {
                    let text =
                        format!("a section of pcapng version {version}: only version 1 is known");
                    if self.ledger.frames() == 0 {
                        return Err(CaptureError::Refused(text));
                    }
                    return self.damage(&text).map(|()| false);
                }
                if self.ledger.frames() > 0 {
                    let offset = self.ledger.stream.offset();
                    self.ledger.remark_ahead(Remark::Concatenated, offset);
                }
                self.section = self.section.saturating_add(1);
                self.interfaces.clear();
            }
            Change::Interface(interface) => {
                if self.interfaces.len() >= MANY {
                    let text = "more interfaces than a section can name";
                    return self.damage(text).map(|()| false);
                }
                let linktype = interface.linktype;
                if !self.linktypes.contains(&linktype) && self.linktypes.len() < 64 {
                    self.linktypes.push(linktype);
                }
                if linktype::is_read(linktype) {
                    self.resolution_us = self.resolution_us.max(interface.resolution_us());
                }
                self.interfaces.push(interface);
            }
        }
        Ok(true)
    }

    /// Before the first packet: a capture in which no interface carries HCI is none.
    fn refuse_foreign(&mut self) -> Result<(), CaptureError> {
        let any = self.linktypes.iter().any(|&linktype| linktype::is_read(linktype));
        if self.ledger.frames() == 0 && !any && !self.linktypes.is_empty() {
            return Err(linktype::refusal(&self.linktypes));
        }
        Ok(())
    }

    fn damage(&mut self, text: &str) -> Result<(), CaptureError> {
        self.ledger.damage(WarningKind::DamagedBlock, text, probe(self.endian)).map(drop)
    }

    fn tail(&mut self) -> Result<(), CaptureError> {
        let bytes = self.ledger.stream.peek(FRAME)?;
        if bytes.is_empty() {
            return self.end();
        }
        if bytes.iter().take(FRAME).any(|&byte| byte != 0) {
            return self.ledger.cut(probe(self.endian)).map(drop);
        }
        let joined = |bytes: &[u8]| bytes.starts_with(&SECTION_HEADER);
        self.ledger.padding(probe(self.endian), joined)
    }

    /// The file's proper end; a USB capture may turn out to be of something else.
    fn end(&mut self) -> Result<(), CaptureError> {
        self.ledger.finish()?;
        let all_usb = !self
            .linktypes
            .iter()
            .any(|&linktype| linktype::is_read(linktype) && self.splitter.found_hci(linktype));
        if self.ledger.frames() > 0 && all_usb {
            self.ledger.say_of_all(
                WarningKind::NoHci,
                "no device in this USB capture speaks Bluetooth HCI",
            );
        }
        Ok(())
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some((packet, block)) = self.advance()? else { return Ok(None) };
        let frame = self.ledger.next_frame();
        let offset = self.ledger.stream.offset() - block as u64;
        let index = packet.interface;
        let Some(interface) = self.interfaces.get(index as usize) else { return Ok(None) };
        let linktype = interface.linktype;
        let is_read = linktype::is_read(linktype);
        let name = interface.adapter;
        let time = packet.ticks.and_then(|ticks| interface.since_1970(ticks));
        // Foreign interfaces have clocks of their own; only that of what is read is watched.
        let time = match time {
            Some(time) if is_read => self.ledger.moment(time, offset),
            _ => None,
        };
        if packet.lost > 0 {
            self.ledger.remark_sum(Remark::DroppedPackets, offset, packet.lost);
        }
        let cut = packet.original > packet.kept;
        if cut && is_read {
            self.ledger.remark(Remark::CutPackets, offset);
        } else if packet.original < packet.kept {
            self.ledger.remark(Remark::OriginalShorter, offset);
        }
        let end = packet.at + packet.kept as usize;
        let bytes = self.ledger.stream.taken(block).get(packet.at..end).unwrap_or_default();
        let mut split = self.splitter.split(linktype, self.endian, bytes, cut, packet.direction);
        if let Some(remark) = split.remark {
            self.ledger.remark(remark, offset);
        }
        split.adapter = if linktype::is_hci(linktype) {
            self.adapters.number((self.section, index, split.adapter), name)
        } else {
            None
        };
        let bytes = self.ledger.stream.taken(block).get(packet.at..end).unwrap_or_default();
        let stamp = Stamp { frame, offset, time };
        let mut record = split.record(&self.splitter, bytes, packet.original, stamp);
        record.comment = packet.comment.map(Cow::Owned);
        Ok(Some(record))
    }

    fn describe(&self) -> Description {
        let names: Vec<_> =
            self.linktypes.iter().take(4).map(|&linktype| linktype::name(linktype)).collect();
        Description {
            format: FORMAT.name,
            variant: names.join(", "),
            clock: self.ledger.clock(),
            resolution_us: self.resolution_us,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.ledger.warnings()
    }

    fn lost(&self) -> u64 {
        self.ledger.lost()
    }
}

fn unequal(first: u32, last: u32) -> String {
    format!("a block says {first} bytes at its beginning and {last} at its end")
}

/// Whether bytes begin a plausible block, for picking up after damage.
fn probe(endian: Endian) -> impl Fn(&[u8]) -> Link {
    move |bytes| {
        if bytes.len() < FRAME {
            return Link::Short;
        }
        let known = matches!(endian.u32(bytes, 0), 1..=6 | 9 | 10 | 0xbad | 0x4000_0bad)
            || bytes.starts_with(&SECTION_HEADER);
        let len = endian.u32(bytes, 4);
        if !known || len < FRAME as u32 || !len.is_multiple_of(4) || len > LONGEST_BLOCK {
            return Link::No;
        }
        let len = len as usize;
        match bytes.get(..len) {
            Some(block) if endian.u32(block, len - 4) as usize == len => {
                Link::Record { len, clean: true }
            }
            _ => Link::No,
        }
    }
}
