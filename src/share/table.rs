//! What stands for what: one table for all captures of a bundle.
//!
//! An alias has the length of what it stands for, so that a capture stays readable. Aliases are counted and not
//! computed from their originals: nobody can compute back.
use super::grams::Grams;
use super::originals::{Originals, is_left_out, is_nobody};
use super::replace::Kept;
use crate::report::aliases::Aliases;
use crate::timeline::identity::hash;
use foldhash::{HashMap, HashSet};

/// The upper two bits of an address: what kind of random address it is, if it is one.
const KIND_BITS: u8 = 0xc0;
/// Those of a resolvable private address.
const RESOLVABLE: u8 = 0x40;
/// Aliases have a locally administered prefix: no maker owns it.
const PREFIX: [u8; 3] = [0x48, 0x53, 0x02];
/// Fills keys behind their number.
const KEY: u8 = 0xd5;
/// Fills values and names that have no alias.
pub const FILL: u8 = b'x';
/// What stands for an address that found no room in the table.
const BEYOND: u32 = 0x00ff_fffe;

/// All replacements.
pub struct Table {
    addresses: HashMap<[u8; 6], [u8; 6]>,
    /// What the addresses begin with, in both byte orders.
    near: Grams,
    aliases: HashSet<[u8; 6]>,
    names: HashMap<Vec<u8>, Vec<u8>>,
    keys: HashMap<Vec<u8>, Vec<u8>>,
    kept: Kept,
}

/// Keys are among it.
impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({} addresses)", self.addresses.len())
    }
}

impl Table {
    /// Aliases for everything that was found. `labels` says what the report calls the devices.
    pub fn of(found: &Originals, labels: &Aliases, kept: Kept) -> Self {
        let mut table = Self {
            addresses: HashMap::default(),
            near: Grams::for_many(found.addresses().len() * 2),
            aliases: HashSet::default(),
            names: HashMap::default(),
            keys: HashMap::default(),
            kept,
        };
        // Keys are counted apart by length: a passkey has to stay a number of six digits.
        let mut counts: HashMap<usize, u32> = HashMap::default();
        for key in found.keys() {
            let count = counts.entry(key.len()).or_default();
            *count += 1;
            table.keys.insert(key.clone(), dummy(key.len(), *count));
        }
        let irks: Vec<_> = found.irks().iter().map(|irk| (*irk, table.irk(irk))).collect();
        let mut count = 0;
        for address in found.addresses().iter().filter(|_| !kept.addresses) {
            let alias = loop {
                count += 1;
                let alias = alias(address, count, &irks);
                let mut reversed = alias;
                reversed.reverse();
                let free = !found.has_address(&alias) && !found.has_address(&reversed);
                if free && table.aliases.insert(alias) {
                    break alias;
                }
            };
            table.addresses.insert(*address, alias);
            let [a, b, c, d, e, f] = *address;
            table.near.note([a, b, c, d]);
            table.near.note([f, e, d, c]);
        }
        let mut taken = HashSet::default();
        for (number, name) in (1..).zip(found.names()) {
            let text = String::from_utf8_lossy(name);
            let label = labels.of_name(&text).map(str::to_owned);
            let label = label.unwrap_or_else(|| format!("name-{number}"));
            let free = |alias: &Vec<u8>| !found.has_name(alias);
            let alias = fitted(&label, name.len(), &mut taken, free);
            table.names.insert(name.clone(), alias);
        }
        table
    }

    /// What stands for an address.
    pub fn address(&self, address: [u8; 6]) -> [u8; 6] {
        if self.kept.addresses || is_nobody(&address) {
            return address;
        }
        self.addresses.get(&address).copied().unwrap_or_else(|| alias(&address, BEYOND, &[]))
    }

    /// What stands for an address, if it is one of the captures' addresses, in either byte order.
    pub fn known_address(&self, bytes: [u8; 6]) -> Option<[u8; 6]> {
        let [a, b, c, d, _, _] = bytes;
        if !self.near.may_hold([a, b, c, d]) {
            return None;
        }
        if let Some(alias) = self.addresses.get(&bytes) {
            return Some(*alias);
        }
        let mut reversed = bytes;
        reversed.reverse();
        let mut alias = *self.addresses.get(&reversed)?;
        alias.reverse();
        Some(alias)
    }

    /// Whether an address is one of the captures', in this byte order.
    pub fn is_original(&self, address: &[u8; 6]) -> bool {
        self.addresses.contains_key(address)
    }

    /// Whether an address stands for another one.
    pub fn is_alias(&self, address: &[u8; 6]) -> bool {
        self.aliases.contains(address)
    }

    /// Replaces the names in a field. False where it stays as it is.
    pub fn name_field(&self, field: &mut [u8]) -> bool {
        if self.kept.names {
            return false;
        }
        for name in field.split_mut(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            match self.names.get(&*name) {
                Some(alias) => name.copy_from_slice(alias),
                // Linux calls adapters so, all of them.
                None => name.fill(FILL),
            }
        }
        true
    }

    /// What stands for exactly this name.
    #[cfg(test)]
    pub fn name(&self, name: &[u8]) -> Option<&[u8]> {
        self.names.get(name).map(Vec::as_slice)
    }

    pub fn kept(&self) -> Kept {
        self.kept
    }

    /// Replaces a key. One that found no room becomes zeros.
    pub fn key(&self, key: &mut [u8]) {
        if is_left_out(key) {
            return;
        }
        match self.keys.get(&*key) {
            Some(dummy) => key.copy_from_slice(dummy),
            None => key.fill(0),
        }
    }

    fn irk(&self, irk: &[u8; 16]) -> [u8; 16] {
        let mut dummy = *irk;
        self.key(&mut dummy);
        dummy
    }

    /// Writes aliases over every known address in bytes that stay otherwise.
    pub fn scrub(&self, bytes: &mut [u8]) -> bool {
        let mut found = false;
        let mut at = 0;
        while let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<6>) {
            match self.known_address(*window) {
                Some(alias) => {
                    bytes[at..at + 6].copy_from_slice(&alias);
                    found = true;
                    at += 6;
                }
                None => at += 1,
            }
        }
        found
    }

    /// Zeros, but with an alias where a known address stood: of bytes that nobody decoded.
    pub fn blank(&self, bytes: &mut [u8]) {
        if bytes.len() < 6 {
            return bytes.fill(0);
        }
        let mut at = 0;
        while at < bytes.len() {
            let window = bytes.get(at..).and_then(<[u8]>::first_chunk::<6>);
            match window.and_then(|window| self.known_address(*window)) {
                Some(alias) => {
                    bytes[at..at + 6].copy_from_slice(&alias);
                    at += 6;
                }
                None => {
                    bytes[at] = 0;
                    at += 1;
                }
            }
        }
    }

    /// Every address with its alias, in no order.
    pub fn addresses(&self) -> impl Iterator<Item = ([u8; 6], [u8; 6])> + '_ {
        self.addresses.iter().map(|(original, alias)| (*original, *alias))
    }

    /// Every name with its alias, in no order.
    pub fn names(&self) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
        self.names.iter().map(|(original, alias)| (original.as_slice(), alias.as_slice()))
    }
}

/// The `number`th alias for an address: with the same kind bits, and resolvable where it was.
fn alias(address: &[u8; 6], number: u32, irks: &[([u8; 16], [u8; 16])]) -> [u8; 6] {
    let [a, b, c, _] = number.to_le_bytes();
    let kind = address[5] & KIND_BITS;
    let [prefix0, prefix1, prefix2] = PREFIX;
    let plain = [a, b, c, prefix0, prefix1, prefix2 | kind];
    if kind != RESOLVABLE {
        return plain;
    }
    let resolves = |irk: &[u8; 16], address: &[u8; 6]| {
        let [h0, h1, h2, p0, p1, p2] = *address;
        hash(irk, [p0, p1, p2]) == [h0, h1, h2]
    };
    match irks.iter().find(|(irk, _)| resolves(irk, address)) {
        Some((_, dummy)) => {
            let random = [a, b, c & 0x3f | RESOLVABLE];
            let [h0, h1, h2] = hash(dummy, random);
            [h0, h1, h2, random[0], random[1], random[2]]
        }
        // It belonged to nobody whose key is here, and still does.
        None => {
            let mut alias = plain;
            while irks.iter().any(|(_, dummy)| resolves(dummy, &alias)) {
                alias[3] = alias[3].wrapping_add(1);
            }
            alias
        }
    }
}

/// The `number`th dummy for a key of this length.
fn dummy(length: usize, number: u32) -> Vec<u8> {
    let number = number.to_le_bytes();
    match length {
        // A passkey: a number that people can type.
        4 => (u32::from_le_bytes(number) % 1_000_000).to_le_bytes().to_vec(),
        _ => (0..length)
            .map(|at| number.get(at).copied().filter(|_| at < 3).unwrap_or(KEY))
            .collect(),
    }
}

/// A label made as long as the name that it stands for, and unlike all others.
fn fitted(
    label: &str,
    length: usize,
    taken: &mut HashSet<Vec<u8>>,
    free: impl Fn(&Vec<u8>) -> bool,
) -> Vec<u8> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    /// Tries before two names become one.
    const MOST: usize = 50_000;
    let label = label.as_bytes();
    let mut alias = match label.len().checked_sub(length) {
        // The end of a label tells more than its beginning.
        Some(more) => label[more..].to_vec(),
        None => {
            let mut alias = label.to_vec();
            alias.resize(length, b'_');
            alias
        }
    };
    for number in 0..MOST {
        if number > 0 {
            let mut rest = number;
            for place in alias.iter_mut().rev().take(4) {
                *place = DIGITS[rest % DIGITS.len()];
                rest /= DIGITS.len();
            }
        }
        if free(&alias) && taken.insert(alias.clone()) {
            break;
        }
    }
    alias
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(found: &Originals) -> Table {
        Table::of(found, &Aliases::default(), Kept::default())
    }

    #[test]
    fn an_alias_keeps_the_kind_of_address_and_nothing_else() {
        let mut found = Originals::default();
        let all =
            [[17, 18, 19, 20, 21, 0xc6], [17, 18, 19, 20, 21, 0x06], [17, 18, 19, 20, 21, 0x46]];
        all.iter().for_each(|address| found.address(*address));
        let table = table(&found);
        let aliases: HashSet<_> = all.iter().map(|address| table.address(*address)).collect();
        assert_eq!(aliases.len(), 3);
        for address in all {
            let alias = table.address(address);
            assert_eq!(alias[5] & KIND_BITS, address[5] & KIND_BITS);
            assert!(address[..5].iter().zip(&alias).all(|(a, b)| a != b), "{alias:?}");
        }
        assert_eq!(table.address([0; 6]), [0; 6]);
        let stranger = table.address([9, 9, 9, 9, 9, 0xc9]);
        assert_eq!(stranger, [0xfe, 0xff, 0xff, 0x48, 0x53, 0xc2]);
    }

    /// Sample data of the specification (Core, Vol 3, Part H, D.7).
    #[test]
    fn what_resolved_before_resolves_after() {
        let mut irk = 0xec0234a357c8ad05341010a60a397d9b_u128.to_be_bytes();
        irk.reverse();
        let private = [0xaa, 0xfb, 0x0d, 0x94, 0x81, 0x70];
        let other = [0xab, 0xfb, 0x0d, 0x94, 0x81, 0x70];
        let mut found = Originals::default();
        found.key(&irk);
        found.irk(&irk);
        found.address(private);
        found.address(other);
        let table = table(&found);
        let mut dummy = irk;
        table.key(&mut dummy);
        assert_ne!(dummy, irk);
        let resolves =
            |address: [u8; 6]| hash(&dummy, [address[3], address[4], address[5]]) == address[..3];
        assert!(resolves(table.address(private)));
        assert!(!resolves(table.address(other)));
    }

    #[test]
    fn equal_keys_stay_equal_and_lengths_stay() {
        let mut found = Originals::default();
        let keys = [vec![1u8; 16], vec![2; 16], vec![3; 8], vec![0x15, 0xcd, 0x5b, 0]];
        keys.iter().for_each(|key| found.key(key));
        let table = table(&found);
        let replaced = |key: &[u8]| {
            let mut key = key.to_vec();
            table.key(&mut key);
            key
        };
        let all: HashSet<_> = keys.iter().map(|key| replaced(key)).collect();
        assert_eq!(all.len(), keys.len());
        assert!(keys.iter().all(|key| replaced(key).len() == key.len() && replaced(key) != *key));
        let passkey = u32::from_le_bytes(replaced(&keys[3]).try_into().unwrap());
        assert!(passkey < 1_000_000);
        assert_eq!(replaced(&[0; 16]), [0; 16], "a key that was left out");
        assert_eq!(replaced(&[7; 16]), [0; 16], "a key that found no room");
    }

    #[test]
    fn names_keep_their_length_and_differ() {
        let mut found = Originals::default();
        let names = ["Zoe's lamp", "Zoe's Lamp", "Bo", "Al", "x"];
        names.iter().for_each(|name| found.name(name.as_bytes()));
        let table = table(&found);
        let mut aliases = HashSet::default();
        for name in names {
            let alias = table.name(name.as_bytes()).unwrap();
            assert_eq!(alias.len(), name.len());
            assert!(aliases.insert(alias.to_vec()), "{name}");
        }
        let mut field = *b"Bo\0\0Zoe's lamp\0\0";
        assert!(table.name_field(&mut field));
        assert_eq!(&field[2..4], &[0, 0]);
        assert!(!field.windows(3).any(|part| part == b"Zoe"));
    }

    #[test]
    fn a_known_address_is_replaced_inside_of_anything_in_both_orders() {
        let mut found = Originals::default();
        found.address([1, 2, 3, 4, 5, 0xc6]);
        let table = table(&found);
        let mut bytes = [9, 1, 2, 3, 4, 5, 0xc6, 9, 0xc6, 5, 4, 3, 2, 1];
        let mut blank = bytes;
        assert!(table.scrub(&mut bytes));
        assert_eq!(bytes, [9, 1, 0, 0, 0x48, 0x53, 0xc2, 9, 0xc2, 0x53, 0x48, 0, 0, 1]);
        table.blank(&mut blank);
        assert_eq!(blank, [0, 1, 0, 0, 0x48, 0x53, 0xc2, 0, 0xc2, 0x53, 0x48, 0, 0, 1]);
    }
}
