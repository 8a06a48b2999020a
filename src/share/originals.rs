//! What a capture holds that must not be shown: collected while it is read, looked for in what is written.
//!
//! Every table has a bound. What found no room is counted, and the manifest says so.
use foldhash::HashSet;
use std::borrow::{Borrow, ToOwned};

/// Most addresses that get an alias of their own.
const MOST_ADDRESSES: usize = 1 << 18;
/// Most names, and most keys.
const MOST_NAMES: usize = 1 << 14;
const MOST_KEYS: usize = 1 << 16;
/// No more values are looked for in the output.
const MOST_VALUES: usize = 1 << 20;
/// Identity resolving keys that private addresses are tried with. The timeline tries as many.
const MOST_IRKS: usize = 64;

/// Shorter values are not looked for, and neither are those with fewer different bytes: they occur by chance.
const SHORTEST_VALUE: usize = 8;
const LEAST_DIFFERENT: usize = 4;

/// Everything that was found, each once and in the order of first sight.
#[derive(Default)]
pub struct Originals {
    addresses: Seen<[u8; 6]>,
    names: Seen<Vec<u8>>,
    keys: Seen<Vec<u8>>,
    irks: Seen<[u8; 16]>,
    /// The first eight bytes that tell a value from others.
    values: Seen<[u8; 8]>,
}

/// Keys are among it.
impl std::fmt::Debug for Originals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Originals({} addresses)", self.addresses.list.len())
    }
}

/// A list without repetitions, and how much found no room in it.
struct Seen<T> {
    list: Vec<T>,
    known: HashSet<T>,
    beyond: u64,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { list: Vec::new(), known: HashSet::default(), beyond: 0 }
    }
}

impl<T: std::hash::Hash + Eq + Clone> Seen<T> {
    fn add<B: std::hash::Hash + Eq + ToOwned<Owned = T> + ?Sized>(&mut self, entry: &B, most: usize)
    where
        T: Borrow<B>,
    {
        if self.known.contains(entry) {
            return;
        }
        if self.list.len() >= most {
            self.beyond += 1;
            return;
        }
        self.known.insert(entry.to_owned());
        self.list.push(entry.to_owned());
    }
}

impl Originals {
    /// An address. That of nobody (all zeros, all ones) is none.
    pub fn address(&mut self, address: [u8; 6]) {
        if !is_nobody(&address) {
            self.addresses.add(&address, MOST_ADDRESSES);
        }
    }

    /// A name, as its bytes. It may be padded, and a field may hold two of them.
    pub fn name(&mut self, field: &[u8]) {
        for name in names_in(field) {
            self.names.add(name, MOST_NAMES);
        }
    }

    pub fn key(&mut self, key: &[u8]) {
        if !is_left_out(key) {
            self.keys.add(key, MOST_KEYS);
        }
    }

    pub fn irk(&mut self, key: &[u8]) {
        if let Ok(irk) = <[u8; 16]>::try_from(key)
            && !is_left_out(key)
        {
            self.irks.add(&irk, MOST_IRKS);
        }
    }

    pub fn value(&mut self, value: &[u8]) {
        if let Some(part) = telling_part(value) {
            self.values.add(&part, MOST_VALUES);
        }
    }

    pub fn addresses(&self) -> &[[u8; 6]] {
        &self.addresses.list
    }

    pub fn names(&self) -> &[Vec<u8>] {
        &self.names.list
    }

    pub fn keys(&self) -> &[Vec<u8>] {
        &self.keys.list
    }

    pub fn irks(&self) -> &[[u8; 16]] {
        &self.irks.list
    }

    pub fn values(&self) -> &[[u8; 8]] {
        &self.values.list
    }

    pub fn has_address(&self, address: &[u8; 6]) -> bool {
        self.addresses.known.contains(address)
    }

    pub fn has_name(&self, name: &[u8]) -> bool {
        self.names.known.contains(name)
    }

    /// How much was not kept, by kind: it is still replaced, but not looked for afterwards.
    pub fn beyond(&self) -> Vec<(&'static str, u64)> {
        let all = [
            ("addresses", self.addresses.beyond),
            ("names", self.names.beyond),
            ("keys", self.keys.beyond),
            ("values", self.values.beyond),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// The address of nobody.
pub fn is_nobody(address: &[u8; 6]) -> bool {
    *address == [0; 6] || *address == [0xff; 6]
}

/// What tools write in place of a key that they leave out.
pub fn is_left_out(key: &[u8]) -> bool {
    key.iter().all(|byte| *byte == 0) || key.iter().all(|byte| *byte == 0xff)
}

/// The names in a field: what NULs part.
pub fn names_in(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    field.split(|byte| *byte == 0).filter(|name| !name.is_empty())
}

/// The first eight bytes in a row that nobody has by chance.
pub fn telling_part(value: &[u8]) -> Option<[u8; SHORTEST_VALUE]> {
    // Nearly always the first eight do, or there are no eight.
    let first = value.first_chunk::<SHORTEST_VALUE>()?;
    if has_different::<LEAST_DIFFERENT>(first) {
        return Some(*first);
    }
    // How often each byte stands among the last eight.
    let mut counts = [0_u8; 256];
    let mut different = 0;
    for (at, byte) in value.iter().enumerate() {
        let count = &mut counts[usize::from(*byte)];
        different += usize::from(*count == 0);
        *count += 1;
        if let Some(gone) = at.checked_sub(SHORTEST_VALUE) {
            let count = &mut counts[usize::from(value[gone])];
            *count -= 1;
            different -= usize::from(*count == 0);
        }
        if at + 1 >= SHORTEST_VALUE && different >= LEAST_DIFFERENT {
            return value[..=at].last_chunk().copied();
        }
    }
    None
}

/// Whether there are so many different bytes.
pub fn has_different<const LEAST: usize>(bytes: &[u8]) -> bool {
    let mut seen = [0_u8; LEAST];
    let mut count = 0;
    for byte in bytes {
        if !seen[..count].contains(byte) {
            seen[count] = *byte;
            count += 1;
            if count == LEAST {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_hold_two_names_and_padding() {
        assert_eq!(names_in(b"Zoe\0\0\0Lamp\0").collect::<Vec<_>>(), [&b"Zoe"[..], b"Lamp"]);
        assert_eq!(names_in(&[0; 8]).count(), 0);
    }

    #[test]
    fn only_what_tells_something_is_looked_for() {
        assert_eq!(telling_part(&[1, 2, 3, 4, 5, 6, 7]), None, "seven bytes");
        assert_eq!(telling_part(&[1, 2, 3, 1, 2, 3, 1, 2]), None, "three different ones");
        assert_eq!(telling_part(&[1, 2, 3, 4, 1, 2, 3, 1]), Some([1, 2, 3, 4, 1, 2, 3, 1]));
        let late = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
        assert_eq!(telling_part(&late), Some([0, 0, 0, 0, 0, 1, 2, 3]));
    }

    #[test]
    fn nobody_and_keys_that_were_left_out_are_not_collected() {
        let mut found = Originals::default();
        found.address([0; 6]);
        found.address([0xff; 6]);
        found.key(&[0; 16]);
        found.irk(&[0xff; 16]);
        assert!(found.addresses().is_empty() && found.keys().is_empty() && found.irks().is_empty());
        found.address([1, 2, 3, 4, 5, 6]);
        found.address([1, 2, 3, 4, 5, 6]);
        assert_eq!(found.addresses().len(), 1);
    }
}
