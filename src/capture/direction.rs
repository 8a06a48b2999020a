//! Which way an ACL packet went, where the capture does not say.
use super::{Direction, Kind};
use std::collections::{HashMap, HashSet};

/// What the packets so far tell about directions.
#[derive(Default)]
pub(crate) struct Inference {
    /// How the packet that a handle's continuation continues went. At most 4096 handles.
    open: HashMap<u16, Direction>,
    /// Handles of BR/EDR links, where both sides may send flushable starts.
    classic: HashSet<u16>,
}

impl Inference {
    /// Hosts send non-flushable starts, LE controllers only flushable ones.
    pub fn direction(&mut self, kind: Kind, packet: &[u8]) -> Option<Direction> {
        let (Kind::Acl, [low, high, ..]) = (kind, packet) else { return None };
        let header = u16::from_le_bytes([*low, *high]);
        let handle = header & 0x0fff;
        let found = match header >> 12 & 3 {
            0 => Some(Direction::Sent),
            1 => return self.open.get(&handle).copied(),
            2 if !self.classic.contains(&handle) => Some(Direction::Received),
            _ => None,
        };
        match found {
            Some(direction) => self.open.insert(handle, direction),
            None => self.open.remove(&handle),
        };
        found
    }

    /// Takes notice of connections, which tell LE handles from BR/EDR ones.
    pub fn learn(&mut self, kind: Kind, packet: &[u8]) {
        match (kind, packet) {
            // Connection Complete; LE Connection Complete and its enhanced form.
            (Kind::Event, [0x03, _, 0, low, high, ..]) => {
                self.classic.insert(u16::from_le_bytes([*low, *high]) & 0x0fff);
            }
            (Kind::Event, [0x3e, _, 0x01 | 0x0a | 0x29, 0, low, high, ..]) => {
                self.classic.remove(&(u16::from_le_bytes([*low, *high]) & 0x0fff));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuations_go_the_way_of_their_start() {
        let mut inference = Inference::default();
        let mut way = |packet: [u8; 4]| inference.direction(Kind::Acl, &packet);
        assert_eq!(way([0x40, 0x00, 0, 0]), Some(Direction::Sent));
        assert_eq!(way([0x40, 0x10, 0, 0]), Some(Direction::Sent));
        assert_eq!(way([0x40, 0x20, 0, 0]), Some(Direction::Received));
        assert_eq!(way([0x40, 0x10, 0, 0]), Some(Direction::Received));
        assert_eq!(way([0x41, 0x10, 0, 0]), None);
    }

    #[test]
    fn a_flushable_start_on_a_classic_link_may_go_either_way() {
        let mut inference = Inference::default();
        inference.learn(Kind::Event, &[0x03, 11, 0, 0x0b, 0x00]);
        assert_eq!(inference.direction(Kind::Acl, &[0x0b, 0x20, 0, 0]), None);
        inference.learn(Kind::Event, &[0x3e, 19, 0x01, 0, 0x0b, 0x00]);
        assert_eq!(inference.direction(Kind::Acl, &[0x0b, 0x20, 0, 0]), Some(Direction::Received));
    }
}
