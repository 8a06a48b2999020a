//! Linux monitor opcodes: one numbering in btsnoop 2001, pcap 254 and serial streams.
use super::{Direction, Kind};

/// What a monitor record holds, and which way it went.
#[inline]
pub(crate) fn kind(opcode: u16) -> (Kind, Option<Direction>) {
    use Direction::{Received, Sent};
    match opcode {
        2 => (Kind::Command, Some(Sent)),
        3 => (Kind::Event, Some(Received)),
        4 => (Kind::Acl, Some(Sent)),
        5 => (Kind::Acl, Some(Received)),
        6 => (Kind::Sco, Some(Sent)),
        7 => (Kind::Sco, Some(Received)),
        18 => (Kind::Iso, Some(Sent)),
        19 => (Kind::Iso, Some(Received)),
        other => (Kind::Monitor(other), None),
    }
}

/// The opcode of a kind; `None` where the monitor has none, or the direction is unknown.
pub(crate) fn opcode(kind: Kind, direction: Option<Direction>) -> Option<u16> {
    let sent = direction.map(|direction| direction == Direction::Sent);
    Some(match (kind, sent) {
        (Kind::Command, _) => 2,
        (Kind::Event, _) => 3,
        (Kind::Acl, Some(true)) => 4,
        (Kind::Acl, Some(false)) => 5,
        (Kind::Sco, Some(true)) => 6,
        (Kind::Sco, Some(false)) => 7,
        (Kind::Iso, Some(true)) => 18,
        (Kind::Iso, Some(false)) => 19,
        (Kind::Monitor(opcode), _) => opcode,
        _ => return None,
    })
}

/// The highest opcode known to this tool.
pub(crate) const LAST: u16 = 19;

/// The adapter of a monitor index; 0xFFFF stands for none.
#[inline]
pub(crate) fn adapter(index: u16) -> Option<u16> {
    (index != 0xffff).then_some(index)
}
