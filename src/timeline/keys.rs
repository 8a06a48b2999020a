//! Which key was handed out, and which one was used: the same one, or another.
//!
//! Keys are compared here and never leave this file: a connection keeps a number for each, equal for equal keys.
use super::connection::Connection;
use super::live::At;
use crate::packet::hci::Command;
use crate::packet::{Direction, Secret, smp};
use crate::seen::{Seen, seen_at};
use crate::vocabulary::vocabulary;
use std::collections::HashMap;
use std::fmt;

/// Most keys that are told apart in one capture, and most that are noted of one connection.
const MOST_KEYS: usize = 4096;
const MOST_NOTED: usize = 64;

/// What a tool writes in place of a key that it leaves out.
const LEFT_OUT: [[u8; 16]; 2] = [[0; 16], [0xff; 16]];

vocabulary! {
    /// What was done with a long term key.
    KeyUse {
        /// Our host handed it out while it paired: it is for links on which we are the peripheral.
        GivenByUs "given by this host",
        /// The peer handed it out: it is for links on which the peer is the peripheral.
        GivenByPeer "given by the peer",
        /// Our host encrypted a link with it.
        Used "used",
    }
}

/// A long term key that a capture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySeen {
    /// Equal for equal keys of one capture, and nothing else.
    pub number: u32,
    /// Where the capture shows it.
    pub seen: Seen,
    /// What was done with it.
    pub how: KeyUse,
}

seen_at!(KeySeen: seen);

/// The keys of a capture, while it is read.
#[derive(Clone, Default)]
pub(super) struct Keys {
    numbers: HashMap<[u8; 16], u32>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.numbers.len())
    }
}

impl Keys {
    /// A key that is handed out at the end of a pairing.
    pub fn given(&mut self, connection: &mut Connection, at: At, pdu: &smp::Pdu<'_>) {
        if let smp::Pdu::EncryptionInformation { long_term_key } = pdu {
            let how = match at.direction {
                Direction::Sent => KeyUse::GivenByUs,
                Direction::Received => KeyUse::GivenByPeer,
            };
            self.see(connection, at, long_term_key, how);
        }
    }

    /// A key that our host encrypts with.
    pub fn used(&mut self, connection: &mut Connection, at: At, command: &Command<'_>) {
        if let Command::LeEnableEncryption { long_term_key, .. }
        | Command::LeLongTermKeyRequestReply { long_term_key, .. } = command
        {
            self.see(connection, at, long_term_key, KeyUse::Used);
        }
    }

    fn see(&mut self, connection: &mut Connection, at: At, key: &Secret<16>, how: KeyUse) {
        let key = *key.bytes();
        if at.cut || LEFT_OUT.contains(&key) || connection.keys.len() >= MOST_NOTED {
            return;
        }
        let next = self.numbers.len() as u32;
        if self.numbers.len() >= MOST_KEYS && !self.numbers.contains_key(&key) {
            return;
        }
        let number = *self.numbers.entry(key).or_insert(next);
        connection.keys.push(KeySeen { number, seen: at.seen(), how });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    fn keys(trace: &Trace) -> Vec<(u32, KeyUse)> {
        let capture = trace.run();
        let keys = capture.connections.iter().flat_map(|connection| &connection.keys);
        keys.map(|key| (key.number, key.how)).collect()
    }

    #[test]
    fn equal_keys_have_equal_numbers_on_all_links_of_a_capture() {
        let link = |used| Trace::new().up().encrypts_with(used).wait_ms(60);
        let first = link(7).gives_key(Direction::Received, 9).gives_key(Direction::Sent, 8);
        let both = first.followed_by(link(9));
        assert_eq!(
            keys(&both),
            [
                (0, KeyUse::Used),
                (1, KeyUse::GivenByPeer),
                (2, KeyUse::GivenByUs),
                (1, KeyUse::Used)
            ]
        );
    }

    #[test]
    fn a_key_that_a_tool_left_out_is_none() {
        assert_eq!(keys(&Trace::new().up().encrypts_with(0).encrypts_with(0xff)), []);
    }

    /// What stands for a key must not give it away.
    #[test]
    fn nothing_that_a_capture_prints_holds_a_key() {
        let capture = Trace::new().up().encrypts_with(0xa7).run();
        let printed = format!("{:?}", capture.connections);
        assert!(!printed.contains("167, 167") && !printed.contains("a7a7"), "{printed}");
    }

    #[test]
    fn as_many_keys_are_noted_and_told_apart_as_there_is_room_for() {
        let mut keys = Keys::default();
        let mut connection = Connection::new(0, None, crate::timeline::Transport::Le);
        let at = At {
            source: crate::seen::SourceId::FIRST,
            frame: 1,
            time: crate::time::Moment::UNKNOWN,
            direction: Direction::Sent,
            cut: false,
            link: None,
        };
        let key = |n: u32| {
            let mut bytes = [7; 16];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            Secret::new(bytes)
        };
        keys.see(&mut connection, At { cut: true, ..at }, &key(0), KeyUse::Used);
        assert_eq!(connection.keys.len(), 0, "half a key is none");
        (0..100).for_each(|n| keys.see(&mut connection, at, &key(n), KeyUse::Used));
        assert_eq!(connection.keys.len(), 64);
        for n in 0..5_000 {
            connection.keys.clear();
            keys.see(&mut connection, at, &key(n), KeyUse::Used);
        }
        assert_eq!(keys.numbers.len(), 4096);
        // One that is known already is told all the same.
        let noted = |keys: &mut Keys, connection: &mut Connection, n| {
            connection.keys.clear();
            keys.see(connection, at, &key(n), KeyUse::Used);
            connection.keys.iter().map(|seen| seen.number).collect::<Vec<_>>()
        };
        assert_eq!(noted(&mut keys, &mut connection, 5), [5]);
        assert!(noted(&mut keys, &mut connection, 4_999).is_empty());
    }
}
