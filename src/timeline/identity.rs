//! Which addresses are one device, where the capture itself proves it.
//!
//! Identity resolving keys are used here and never leave this file.
use crate::packet::{Address, AddressType};
use aes::Aes128;
use aes::cipher::{Block, BlockEncrypt, KeyInit};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Most keys tried on an address.
const MOST_KEYS: usize = 64;

/// A peer's identity resolving key with the address behind it.
#[derive(Clone)]
struct Key {
    irk: [u8; 16],
    identity: (Address, AddressType),
}

/// Most identities remembered of one resolving list; controllers hold a few dozen.
const MOST_LISTED: usize = 1024;

/// What a controller was told of resolving addresses: its resolving list, and whether it uses it.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolving {
    listed: HashSet<Address>,
    enabled: bool,
}

impl Resolving {
    pub fn add(&mut self, identity: Address) {
        if self.listed.len() < MOST_LISTED {
            self.listed.insert(identity);
        }
    }

    pub fn remove(&mut self, identity: Address) {
        self.listed.remove(&identity);
    }

    pub fn clear(&mut self) {
        self.listed.clear();
    }

    pub fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Whether it would know this identity behind a private address.
    pub fn covers(&self, identity: Address) -> bool {
        self.enabled && self.listed.contains(&identity)
    }
}

/// What is known of identities.
#[derive(Clone, Default)]
pub(super) struct Identities {
    keys: Vec<Key>,
    /// IRK received on a connection whose identity address has not come yet.
    waiting: Option<(usize, [u8; 16])>,
    /// Addresses whose identity was sent by SMP on the link itself.
    named: HashMap<Address, (Address, AddressType)>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({} keys)", self.keys.len())
    }
}

impl Identities {
    pub fn irk(&mut self, connection: usize, irk: [u8; 16]) {
        self.waiting = Some((connection, irk));
    }

    /// The peer of a connection names its identity address.
    pub fn address(
        &mut self,
        connection: usize,
        on_link: Option<Address>,
        identity: Address,
        kind: AddressType,
    ) {
        if let Some((of, irk)) = self.waiting.take()
            && of == connection
        {
            self.learn(irk, identity, kind);
        }
        if let Some(on_link) = on_link
            && on_link != identity
            && self.named.len() < 4096
        {
            self.named.insert(on_link, (identity, kind));
        }
    }

    pub fn learn(&mut self, irk: [u8; 16], identity: Address, kind: AddressType) {
        let useful = irk != [0; 16] && self.keys.len() < MOST_KEYS;
        if useful && !self.keys.iter().any(|k| k.irk == irk && k.identity.0 == identity) {
            self.keys.push(Key { irk, identity: (identity, kind) });
        }
    }

    /// An identity that SMP named for this very address.
    pub fn of(&self, address: Address) -> Option<(Address, AddressType)> {
        self.named.get(&address).copied()
    }

    /// The identity whose key made this resolvable private address (Core, Vol 6, Part B, 1.3.2.3).
    pub fn resolve(&self, address: Address) -> Option<(Address, AddressType)> {
        let bytes = address.0;
        if bytes[5] & 0xc0 != 0x40 {
            return None;
        }
        self.keys
            .iter()
            .find(|key| {
                hash(&key.irk, [bytes[3], bytes[4], bytes[5]]) == [bytes[0], bytes[1], bytes[2]]
            })
            .map(|k| k.identity)
    }
}

/// The random address hash function `ah` (Core, Vol 3, Part H, 2.2.2); both operands little-endian.
pub(crate) fn hash(irk: &[u8; 16], prand: [u8; 3]) -> [u8; 3] {
    let mut key = *irk;
    key.reverse();
    let mut block = Block::<Aes128>::default();
    block[13] = prand[2];
    block[14] = prand[1];
    block[15] = prand[0];
    Aes128::new(&key.into()).encrypt_block(&mut block);
    [block[15], block[14], block[13]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_resolves_what_is_listed_while_it_is_told_to() {
        let (one, other) = (Address([1; 6]), Address([2; 6]));
        let mut list = Resolving::default();
        list.add(one);
        list.add(other);
        assert!(!list.covers(one), "not enabled");
        list.enable(true);
        assert!(list.covers(one) && list.covers(other));
        list.remove(one);
        assert!(!list.covers(one) && list.covers(other));
        list.clear();
        assert!(!list.covers(other));
    }

    /// Sample data of the specification (Core, Vol 3, Part H, D.7).
    #[test]
    fn the_hash_matches_the_specifications_sample() {
        let mut irk = [
            0xec, 0x02, 0x34, 0xa3, 0x57, 0xc8, 0xad, 0x05, 0x34, 0x10, 0x10, 0xa6, 0x0a, 0x39,
            0x7d, 0x9b,
        ];
        irk.reverse();
        // prand 0x708194, hash 0x0dfbaa
        assert_eq!(hash(&irk, [0x94, 0x81, 0x70]), [0xaa, 0xfb, 0x0d]);
        let mut identities = Identities::default();
        let who = Address([1, 2, 3, 4, 5, 6]);
        identities.learn(irk, who, AddressType(0));
        assert_eq!(
            identities.resolve(Address([0xaa, 0xfb, 0x0d, 0x94, 0x81, 0x70])),
            Some((who, AddressType(0)))
        );
        assert_eq!(identities.resolve(Address([0xab, 0xfb, 0x0d, 0x94, 0x81, 0x70])), None);
    }
}
