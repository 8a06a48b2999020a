//! One block of a pcapng section: what it means for reading on.
use super::interface::Interface;
use crate::capture::LONGEST;
use crate::capture::bytes::Endian;
use crate::packet::Direction;
use pcap_parser::{Block, PcapNGOption, parse_block_be, parse_block_le};

/// The obsolete Packet Block, which pcap-parser leaves unparsed.
pub(super) const OBSOLETE: u32 = 2;

const ENHANCED: u32 = 6;

const MISFIT: &str = "a block whose insides do not fit its length";

/// A packet in the block that was just consumed.
#[derive(Debug, PartialEq)]
pub(super) struct Packet {
    pub interface: u32,
    /// Ticks of the interface's clock.
    pub ticks: Option<u64>,
    pub kept: u32,
    pub original: u32,
    /// Where the packet begins in the block.
    pub at: usize,
    pub direction: Option<Direction>,
    pub lost: u64,
    pub comment: Option<String>,
}

/// What a block means for reading on.
pub(super) enum Step {
    Packet(Packet),
    Change(Change),
    /// No packet, but Wireshark numbers it among the frames.
    Counted,
    Passed,
    Damaged(String),
}

/// What a block changes that does not hold a packet.
pub(super) enum Change {
    Section { version: u16 },
    Interface(Interface),
}

/// Reads one whole block.
pub(super) fn step(block: &[u8], kind: u32, endian: Endian, interfaces: &[Interface]) -> Step {
    if kind == OBSOLETE {
        return obsolete(block, endian, interfaces);
    }
    if kind == ENHANCED {
        return match enhanced(block, endian) {
            Some(packet) => check(packet, block, interfaces),
            None => Step::Damaged(MISFIT.into()),
        };
    }
    let parsed = match endian {
        Endian::Big => parse_block_be(block),
        Endian::Little => parse_block_le(block),
    };
    let Ok((_, parsed)) = parsed else {
        return Step::Damaged(MISFIT.into());
    };
    match parsed {
        Block::SectionHeader(header) => {
            Step::Change(Change::Section { version: header.major_version })
        }
        Block::InterfaceDescription(described) => {
            let options = &described.options;
            let name = option(options, 2).map(String::from_utf8_lossy);
            Step::Change(Change::Interface(Interface {
                linktype: described.linktype.0 as u16,
                snap_len: described.snaplen,
                resolution: option(options, 9)
                    .and_then(|value| value.first().copied())
                    .unwrap_or(6),
                offset_s: option(options, 14).map_or(0, |value| long(value, endian) as i64),
                adapter: name.and_then(|name| Interface::adapter_of(&name)),
            }))
        }
        Block::SimplePacket(packet) => {
            let limit = interfaces.first().map_or(0, |interface| interface.snap_len);
            let limit = if limit == 0 { u32::MAX } else { limit };
            let there = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
            let packet = Packet {
                interface: 0,
                ticks: None,
                kept: packet.origlen.min(limit).min(there),
                original: packet.origlen,
                at: 12,
                direction: None,
                lost: 0,
                comment: None,
            };
            check(packet, block, interfaces)
        }
        Block::Custom(_) | Block::SystemdJournalExport(_) => Step::Counted,
        _ => Step::Passed,
    }
}

/// An Enhanced Packet Block, which nearly all blocks are: read in place, where pcap-parser would
/// make a list of its options.
fn enhanced(block: &[u8], endian: Endian) -> Option<Packet> {
    let kept = endian.u32(block, 20);
    let padded = (kept as usize).checked_next_multiple_of(4)?;
    let end = block.len().checked_sub(4)?;
    let options = block.get(padded.checked_add(28)?..end)?;
    let mut packet = Packet {
        interface: endian.u32(block, 8),
        ticks: Some(u64::from(endian.u32(block, 12)) << 32 | u64::from(endian.u32(block, 16))),
        kept,
        original: endian.u32(block, 24),
        at: 28,
        direction: None,
        lost: 0,
        comment: None,
    };
    let (mut flags, mut lost) = (None, None);
    for (code, value) in (Options { rest: options, endian }) {
        match code {
            1 => {
                let text = String::from_utf8_lossy(value);
                match &mut packet.comment {
                    Some(comment) => *comment += &format!("\n{text}"),
                    None => packet.comment = Some(text.into_owned()),
                }
            }
            // The first of each counts.
            2 => _ = flags.get_or_insert(endian.u32(value, 0)),
            4 => _ = lost.get_or_insert(long(value, endian)),
            _ => {}
        }
    }
    packet.direction = match flags.unwrap_or(0) & 3 {
        1 => Some(Direction::Received),
        2 => Some(Direction::Sent),
        _ => None,
    };
    packet.lost = lost.unwrap_or(0);
    Some(packet)
}

/// Options of a block: code, length, value, padding; up to the first that does not fit.
struct Options<'a> {
    rest: &'a [u8],
    endian: Endian,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.rest.split_first_chunk::<4>()?;
        let (code, len) = (self.endian.u16(head, 0), usize::from(self.endian.u16(head, 2)));
        let padded = rest.get(..len.next_multiple_of(4))?;
        self.rest = rest.get(padded.len()..)?;
        Some((code, padded.get(..len)?))
    }
}

/// The obsolete Packet Block, which old Wireshark wrote.
fn obsolete(block: &[u8], endian: Endian, interfaces: &[Interface]) -> Step {
    if block.len() < 32 {
        return Step::Damaged("a packet block shorter than its own fields".into());
    }
    let lost = endian.u16(block, 10);
    let packet = Packet {
        interface: endian.u16(block, 8).into(),
        ticks: Some(u64::from(endian.u32(block, 12)) << 32 | u64::from(endian.u32(block, 16))),
        kept: endian.u32(block, 20),
        original: endian.u32(block, 24),
        at: 28,
        direction: None,
        // All ones: unknown.
        lost: if lost == u16::MAX { 0 } else { lost.into() },
        comment: None,
    };
    check(packet, block, interfaces)
}

fn check(packet: Packet, block: &[u8], interfaces: &[Interface]) -> Step {
    let room = block.len().saturating_sub(packet.at + 4);
    if packet.kept as usize > room || packet.kept > LONGEST {
        Step::Damaged(format!("a packet of {} bytes in a block of {}", packet.kept, block.len()))
    } else if interfaces.get(packet.interface as usize).is_none() {
        Step::Damaged(format!(
            "a packet of interface {}, which this section has not described",
            packet.interface
        ))
    } else {
        Step::Packet(packet)
    }
}

fn option<'a>(options: &'a [PcapNGOption<'_>], code: u16) -> Option<&'a [u8]> {
    options.iter().find(|option| option.code.0 == code)?.as_bytes().ok()
}

fn long(value: &[u8], endian: Endian) -> u64 {
    let (first, second) = (endian.u32(value, 0).into(), endian.u32(value, 4).into());
    let (high, low): (u64, u64) = match endian {
        Endian::Big => (first, second),
        Endian::Little => (second, first),
    };
    high << 32 | low
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap_parser::OptionCode;
    use proptest::prelude::*;

    /// What pcap-parser reads of an Enhanced Packet Block.
    fn by_pcap_parser(block: &[u8], endian: Endian) -> Option<Packet> {
        let parsed = match endian {
            Endian::Big => parse_block_be(block),
            Endian::Little => parse_block_le(block),
        };
        let Ok((_, Block::EnhancedPacket(packet))) = parsed else { return None };
        let comments: Vec<_> = packet
            .options
            .iter()
            .filter(|option| option.code == OptionCode::Comment)
            .filter_map(|option| option.as_bytes().ok())
            .map(String::from_utf8_lossy)
            .collect();
        let flags = option(&packet.options, 2).map_or(0, |value| endian.u32(value, 0));
        Some(Packet {
            interface: packet.if_id,
            ticks: Some(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low)),
            kept: packet.caplen,
            original: packet.origlen,
            at: 28,
            direction: [None, Some(Direction::Received), Some(Direction::Sent), None]
                [flags as usize & 3],
            lost: option(&packet.options, 4).map_or(0, |value| long(value, endian)),
            comment: (!comments.is_empty()).then(|| comments.join("\n")),
        })
    }

    /// One option, padded, whose length may lie.
    fn an_option() -> impl Strategy<Value = (u16, Vec<u8>, u16)> {
        let lie = prop_oneof![9 => Just(0u16), 1 => any::<u16>()];
        (0u16..6, prop::collection::vec(any::<u8>(), 0..12), lie)
    }

    proptest! {
        #[test]
        fn an_enhanced_packet_is_what_pcap_parser_says(
            big in any::<bool>(),
            fields in any::<[u32; 4]>(),
            packet in prop::collection::vec(any::<u8>(), 0..40),
            lie in prop_oneof![9 => Just(None), 1 => (0u32..100).prop_map(Some)],
            options in prop::collection::vec(an_option(), 0..5),
            tail in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let endian = if big { Endian::Big } else { Endian::Little };
            let u16 = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let u32 = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut body = Vec::new();
            for field in fields.into_iter().take(3) {
                body.extend(u32(field));
            }
            body.extend(u32(lie.unwrap_or(packet.len() as u32)));
            body.extend(u32(fields[3]));
            body.extend(&packet);
            body.resize(body.len().next_multiple_of(4), 0);
            for (code, value, lie) in options {
                body.extend(u16(code));
                body.extend(u16((value.len() as u16).wrapping_add(lie)));
                body.extend(&value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            body.extend(&tail);
            body.resize(body.len().next_multiple_of(4), 0);
            let len = u32(body.len() as u32 + 12);
            let block = [&u32(ENHANCED)[..], &len, &body, &len].concat();
            prop_assert_eq!(enhanced(&block, endian), by_pcap_parser(&block, endian));
        }
    }
}
