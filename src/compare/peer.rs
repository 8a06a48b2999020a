//! The device that the user asks for: by its address, or by its name.
use crate::packet::Address;
use crate::timeline::{Capture, Connection};
use std::collections::HashSet;

/// A device, as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The device of this address.
    Address(Address),
    /// Upper and lower case are the same. Where no device has exactly this name, each whose name holds it.
    Name(String),
}

impl From<Address> for Peer {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

/// What a capture knows of the device that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Addresses that the device had.
    pub addresses: HashSet<Address>,
    names: HashSet<String>,
}

impl Sought {
    /// Looks for the device in a capture.
    pub fn of(peer: &Peer, capture: &Capture) -> Self {
        let mut sought = Self::default();
        let asked = match peer {
            Peer::Address(address) => {
                sought.addresses.insert(*address);
                return sought;
            }
            Peer::Name(name) => name.trim().to_lowercase(),
        };
        let devices = capture.devices.iter().map(|device| device.name.as_deref());
        let peers = capture.connections.iter().map(|connection| connection.peer.name.as_deref());
        let all: HashSet<&str> = devices.chain(peers).flatten().collect();
        let names_like = |fits: &dyn Fn(&str) -> bool| -> HashSet<String> {
            let names = all.iter().filter(|name| fits(name.trim().to_lowercase().as_str()));
            names.map(|name| (*name).to_owned()).collect()
        };
        sought.names = names_like(&|name| name == asked);
        if sought.names.is_empty() && !asked.is_empty() {
            sought.names = names_like(&|name| name.contains(&asked));
        }
        for device in &capture.devices {
            if device.name.as_ref().is_some_and(|name| sought.names.contains(name)) {
                sought.addresses.insert(device.address);
                sought.addresses.extend(device.identity.map(|(address, _)| address));
            }
        }
        for connection in &capture.connections {
            let peer = &connection.peer;
            if peer.name.as_deref().is_some_and(|name| sought.names.contains(name)) {
                sought.addresses.extend(peer.address);
                sought.addresses.extend(peer.identity.map(|(address, _)| address));
            }
        }
        sought
    }

    /// Whether a connection is to this device.
    pub fn has(&self, connection: &Connection) -> bool {
        let peer = &connection.peer;
        let identity = peer.identity.map(|(address, _)| address);
        let mut addresses = [peer.address, identity, peer.on_air].into_iter().flatten();
        addresses.any(|address| self.addresses.contains(&address))
            || peer.name.as_deref().is_some_and(|name| self.names.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{AddressType, Status};
    use crate::trace::{PEER, Trace};

    const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);

    /// Two devices: `LabSensor` and `LabSensor 2`.
    fn capture() -> Capture {
        let link = |peer| {
            let trace = Trace::new().peer(peer, AddressType::RANDOM).up();
            trace.hangs_up(Status::REMOTE_USER_TERMINATED)
        };
        let mut capture = link(PEER).followed_by(link(OTHER)).followed_by(link(PEER)).run();
        for (number, name) in [(0, "LabSensor"), (1, "LabSensor 2")] {
            capture.connections[number].peer.name = Some(name.into());
        }
        capture
    }

    fn numbers(peer: &str) -> Vec<u32> {
        let capture = capture();
        let sought = Sought::of(&Peer::Name(peer.to_owned()), &capture);
        capture.connections.iter().filter(|c| sought.has(c)).map(|c| c.number).collect()
    }

    #[test]
    fn a_name_means_its_device_whatever_the_letters_case() {
        // The third attempt has no name, but the address of the first.
        assert_eq!(numbers("labsensor"), [1, 3]);
        assert_eq!(numbers(" LABSENSOR 2"), [2]);
    }

    #[test]
    fn a_part_of_a_name_means_each_that_holds_it_where_none_is_just_that() {
        assert_eq!(numbers("sensor"), [1, 2, 3]);
        assert_eq!(numbers("sensor 2"), [2]);
        assert!(numbers("lamp").is_empty() && numbers(" ").is_empty());
    }

    #[test]
    fn an_address_means_itself() {
        let capture = capture();
        let sought = Sought::of(&Peer::from(OTHER), &capture);
        let has: Vec<_> = capture.connections.iter().filter(|c| sought.has(c)).collect();
        assert_eq!(has.len(), 1);
    }

    /// A name that only advertising tells belongs to the addresses that were heard under it.
    #[test]
    fn a_name_that_was_heard_means_the_address_that_has_it() {
        let link = |peer| {
            let trace = Trace::new().peer(peer, AddressType::RANDOM).up();
            trace.hangs_up(Status::REMOTE_USER_TERMINATED)
        };
        let heard = Trace::new().advertises_as("Lamp").peer(OTHER, AddressType::RANDOM);
        let both = heard.advertises_as("Lock").followed_by(link(PEER)).followed_by(link(OTHER));
        let mut capture = both.run();
        // No connection has a name of its own.
        capture.connections.iter_mut().for_each(|connection| connection.peer.name = None);
        let numbers = |capture: &Capture, name: &str| {
            let sought = Sought::of(&Peer::Name(name.to_owned()), capture);
            let of = capture.connections.iter().filter(|c| sought.has(c)).map(|c| c.number);
            of.collect::<Vec<_>>()
        };
        assert_eq!(numbers(&capture, "lamp"), [1]);
        assert_eq!(numbers(&capture, "l"), [1, 2]);
        // The identity that a device proved to have is its own, too.
        let identity = Address([7, 7, 7, 7, 7, 0xc7]);
        let device = capture.devices.iter_mut().find(|device| device.address == PEER);
        device.expect("it was heard").identity = Some((identity, AddressType::PUBLIC));
        capture.connections[1].peer.identity = Some((identity, AddressType::PUBLIC));
        assert_eq!(numbers(&capture, "lamp"), [1, 2]);
        // A name that the device told itself is enough, where no address is known.
        capture.connections[1].peer.address = None;
        capture.connections[1].peer.identity = None;
        assert_eq!(numbers(&capture, "lamp"), [1]);
        capture.connections[1].peer.name = Some("Lamp".into());
        assert_eq!(numbers(&capture, "lamp"), [1, 2]);
        capture.connections[1].peer.name = None;
        // What was on the air where the controller resolved the address.
        capture.connections[1].peer.identity = None;
        capture.connections[1].peer.on_air = Some(PEER);
        assert_eq!(numbers(&capture, "lamp"), [1, 2]);
    }
}
