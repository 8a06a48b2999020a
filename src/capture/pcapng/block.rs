//! One block of a pcapng section: what it means for reading on.
use super::interface::Interface;
use crate::capture::bytes::Endian;
use crate::capture::{Direction, LONGEST};
use pcap_parser::{Block, OptionCode, PcapNGOption, parse_block_be, parse_block_le};

/// The obsolete Packet Block, which pcap-parser leaves unparsed.
pub(super) const OBSOLETE: u32 = 2;

/// A packet in the block that was just consumed.
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

/// What a block that is no packet changes.
pub(super) enum Change {
    Section { version: u16 },
    Interface(Interface),
}

/// Reads one whole block.
pub(super) fn step(block: &[u8], kind: u32, endian: Endian, interfaces: &[Interface]) -> Step {
    if kind == OBSOLETE {
        return obsolete(block, endian, interfaces);
    }
    let parsed = match endian {
        Endian::Big => parse_block_be(block),
        Endian::Little => parse_block_le(block),
    };
    let Ok((_, parsed)) = parsed else {
        return Step::Damaged("a block whose insides do not fit its length".into());
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
        Block::EnhancedPacket(packet) => {
            let flags = option(&packet.options, 2).map_or(0, |value| endian.u32(value, 0));
            let comments: Vec<_> = packet
                .options
                .iter()
                .filter(|option| option.code == OptionCode::Comment)
                .filter_map(|option| option.as_bytes().ok())
                .map(String::from_utf8_lossy)
                .collect();
            check(
                Packet {
                    interface: packet.if_id,
                    ticks: Some(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low)),
                    kept: packet.caplen,
                    original: packet.origlen,
                    at: 28,
                    direction: match flags & 3 {
                        1 => Some(Direction::Received),
                        2 => Some(Direction::Sent),
                        _ => None,
                    },
                    lost: option(&packet.options, 4).map_or(0, |value| long(value, endian)),
                    comment: (!comments.is_empty()).then(|| comments.join("\n")),
                },
                block,
                interfaces,
            )
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
