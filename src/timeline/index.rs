//! Who is who in a folded capture. A phone's log has thousands of connections to thousands of
//! private addresses: whoever asks about one device must not look at all of them.
use super::connection::Connection;
use super::device::Device;
use crate::packet::Address;
use std::collections::HashMap;

/// Places by address: of devices in their table, of connections by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    devices: HashMap<Address, usize>,
    attempts: HashMap<Address, Vec<u32>>,
    peers: HashMap<Address, Vec<u32>>,
    identities: HashMap<Address, Vec<u32>>,
    aliases: HashMap<Address, Vec<usize>>,
}

impl Index {
    pub fn of(devices: &[Device], connections: &[Connection]) -> Self {
        let mut index = Self::default();
        for (place, device) in devices.iter().enumerate() {
            index.devices.entry(device.address).or_insert(place);
            if let Some((identity, _)) = device.identity {
                index.aliases.entry(identity).or_default().push(place);
            }
        }
        for connection in connections {
            if let Some(address) = connection.peer.address {
                index.attempts.entry(address).or_default().push(connection.number);
            }
            if let Some(peer) = connection.peer.who() {
                index.peers.entry(peer).or_default().push(connection.number);
            }
            if let Some((identity, _)) = connection.peer.identity {
                index.identities.entry(identity).or_default().push(connection.number);
            }
        }
        index
    }

    pub fn device(&self, address: Address) -> Option<usize> {
        self.devices.get(&address).copied()
    }

    /// Devices that proved to have this identity.
    pub fn aliases(&self, identity: Address) -> &[usize] {
        self.aliases.get(&identity).map_or(&[], Vec::as_slice)
    }

    pub fn attempts_to(&self, address: Address) -> &[u32] {
        self.attempts.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Attempts to one device, by its identity where that is known.
    pub fn attempts_of(&self, peer: Address) -> &[u32] {
        self.peers.get(&peer).map_or(&[], Vec::as_slice)
    }

    pub fn identified_as(&self, identity: Address) -> &[u32] {
        self.identities.get(&identity).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use crate::packet::{Address, AddressType, Status};
    use crate::trace::{PEER, Trace};

    #[test]
    fn kin_are_the_nearest_attempts_to_the_same_device() {
        let other = Address([9, 9, 9, 9, 9, 0xc9]);
        let link = |peer| {
            let trace = Trace::new().peer(peer, AddressType::RANDOM).up();
            trace.hangs_up(Status::REMOTE_USER_TERMINATED)
        };
        let trace = link(PEER).repeated(3, 1000).followed_by(link(other)).followed_by(link(PEER));
        let capture = trace.run();
        let of_lamp: Vec<u32> = capture.attempts_to(PEER).map(|c| c.number).collect();
        assert_eq!(of_lamp, [1, 2, 3, 5]);
        let numbers = |of: u32, most| -> Vec<u32> {
            let of = capture.connection(of).expect("it is there");
            capture.kin(of, most).map(|c| c.number).collect()
        };
        assert_eq!(numbers(1, 1), [2]);
        assert_eq!(numbers(2, 1), [1, 3]);
        assert_eq!(numbers(2, 16), [1, 3, 5]);
        assert_eq!(numbers(5, 1), [3]);
        assert!(numbers(4, 16).is_empty());
    }
}
