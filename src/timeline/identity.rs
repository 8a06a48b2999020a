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

    fn irk() -> [u8; 16] {
        let mut irk = [
            0xec, 0x02, 0x34, 0xa3, 0x57, 0xc8, 0xad, 0x05, 0x34, 0x10, 0x10, 0xa6, 0x0a, 0x39,
            0x7d, 0x9b,
        ];
        irk.reverse();
        irk
    }

    /// An address made with that key (Core, Vol 3, Part H, D.7).
    const PRIVATE: Address = Address([0xaa, 0xfb, 0x0d, 0x94, 0x81, 0x70]);
    const WHO: Address = Address([1, 2, 3, 4, 5, 6]);
    const KIND: AddressType = AddressType(0);

    #[test]
    fn a_key_belongs_to_the_link_that_named_its_identity() {
        let resolved = |key_of, named_on| {
            let mut identities = Identities::default();
            identities.irk(key_of, irk());
            identities.address(named_on, None, WHO, KIND);
            identities.resolve(PRIVATE).is_some()
        };
        assert!(resolved(1, 1) && !resolved(1, 2));
    }

    #[test]
    fn an_address_that_is_no_other_than_the_identity_needs_no_name() {
        let named = |on_link| {
            let mut identities = Identities::default();
            identities.address(1, on_link, WHO, KIND);
            identities.named.len()
        };
        assert_eq!((named(Some(PRIVATE)), named(Some(WHO)), named(None)), (1, 0, 0));
        let mut identities = Identities::default();
        identities.address(1, Some(PRIVATE), WHO, KIND);
        assert_eq!((identities.of(PRIVATE), identities.of(WHO)), (Some((WHO, KIND)), None));
        for n in 0..5000_u16 {
            let [low, high] = n.to_le_bytes();
            identities.address(1, Some(Address([low, high, 0, 0, 0, 0x40])), WHO, KIND);
        }
        assert_eq!(identities.named.len(), 4096);
    }

    #[test]
    fn a_key_is_learned_once_and_no_empty_one() {
        let mut identities = Identities::default();
        identities.learn([0; 16], WHO, KIND);
        assert_eq!(identities.keys.len(), 0, "a tool left it out");
        identities.learn(irk(), WHO, KIND);
        identities.learn(irk(), WHO, KIND);
        assert_eq!(identities.keys.len(), 1);
        identities.learn(irk(), PRIVATE, KIND);
        identities.learn([1; 16], WHO, KIND);
        assert_eq!(identities.keys.len(), 3);
        (2..=255).for_each(|n| identities.learn([n; 16], WHO, KIND));
        assert_eq!(identities.keys.len(), 64);
    }

    /// The two highest bits of a resolvable private address are 01 (Core, Vol 6, Part B, 1.3.2.2).
    #[test]
    fn only_resolvable_addresses_are_resolved() {
        let mut identities = Identities::default();
        identities.learn(irk(), WHO, KIND);
        for (high, resolvable) in [(0x00, false), (0x40, true), (0x80, false), (0xc0, false)] {
            let prand = [0x94, 0x81, high | 0x30];
            let [a, b, c] = hash(&irk(), prand);
            let address = Address([a, b, c, prand[0], prand[1], prand[2]]);
            assert_eq!(identities.resolve(address).is_some(), resolvable, "{high:#x}");
        }
    }

    #[test]
    fn a_resolving_list_is_bounded() {
        let mut list = Resolving::default();
        for n in 0..2000_u16 {
            let [low, high] = n.to_le_bytes();
            list.add(Address([low, high, 0, 0, 0, 0]));
        }
        assert_eq!(list.listed.len(), 1024);
    }
}
