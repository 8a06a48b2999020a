//! The UART transport's packet types (Core, Vol 4, Part A, 2).
use super::{Direction, Kind};

/// The kind of packet that an H4 type byte announces.
#[inline]
pub(crate) fn kind(byte: u8) -> Kind {
    match byte {
        1 => Kind::Command,
        2 => Kind::Acl,
        3 => Kind::Sco,
        4 => Kind::Event,
        5 => Kind::Iso,
        other => Kind::Vendor(other),
    }
}

/// The type byte of a kind; `None` where H4 has none.
pub(crate) fn byte(kind: Kind) -> Option<u8> {
    Some(match kind {
        Kind::Command => 1,
        Kind::Acl => 2,
        Kind::Sco => 3,
        Kind::Event => 4,
        Kind::Iso => 5,
        Kind::Vendor(byte) => byte,
        Kind::Monitor(_) | Kind::Note(_) | Kind::Empty | Kind::Air(_) | Kind::Foreign(_) => {
            return None;
        }
    })
}

/// The only direction in which a kind travels, where there is one.
#[inline]
pub(crate) fn direction(kind: Kind) -> Option<Direction> {
    match kind {
        Kind::Command => Some(Direction::Sent),
        Kind::Event => Some(Direction::Received),
        _ => None,
    }
}

/// How long a packet says it is, once its header is there.
pub(crate) fn declared(kind: Kind, packet: &[u8]) -> Option<usize> {
    Some(match (kind, packet) {
        (Kind::Command, [_, _, len, ..]) => 3 + usize::from(*len),
        (Kind::Event, [_, len, ..]) => 2 + usize::from(*len),
        (Kind::Acl, [_, _, low, high, ..]) => 4 + usize::from(u16::from_le_bytes([*low, *high])),
        (Kind::Sco, [_, _, len, ..]) => 3 + usize::from(*len),
        (Kind::Iso, [_, _, low, high, ..]) => {
            4 + usize::from(u16::from_le_bytes([*low, *high]) & 0x3fff)
        }
        _ => return None,
    })
}

/// Whether the packet's own length field fits the bytes: the strongest sign of HCI.
pub(crate) fn fits(kind: Kind, packet: &[u8]) -> bool {
    declared(kind, packet) == Some(packet.len())
}
