//! Looks for the originals in what was written: the proof that nothing was left.
use super::grams::Grams;
use super::originals::{Originals, has_different, telling_part};
use super::replace::words::is_our_word;
use super::replace::{Clean, Kept, Mark, Marks};
use crate::report::aliases::tells_somebody;
use aho_corasick::AhoCorasick;
use foldhash::HashSet;

/// Bytes of an address.
const ADDRESS: usize = 6;
/// Bytes that are looked at together.
const GRAM: usize = 4;
/// So many bytes of a key in a row are a leak: half a key is one too.
const PART: usize = 8;
/// Addresses and parts of keys with fewer different bytes occur by chance.
const LEAST_DIFFERENT: usize = 3;
/// Shorter names occur by chance.
const SHORTEST_NAME: usize = 4;

/// All originals, ready to be looked for.
pub struct Search {
    /// Four bytes in a row of every original, from its first bytes on.
    grams: Grams,
    /// Those of the names alone.
    name_grams: Grams,
    /// Every so many bytes it is enough to look: an original is longer than four bytes, and has grams at so many places.
    stride: usize,
    addresses: HashSet<[u8; 6]>,
    keys: HashSet<[u8; PART]>,
    values: HashSet<[u8; PART]>,
    names: Option<AhoCorasick>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Search({} addresses)", self.addresses.len() / 2)
    }
}

impl Search {
    pub fn of(found: &Originals, kept: Kept) -> Self {
        let telling = |name: &&Vec<u8>| {
            name.len() >= SHORTEST_NAME
                && has_different::<LEAST_DIFFERENT>(name)
                && tells_somebody(&String::from_utf8_lossy(name))
                && !is_our_word(&String::from_utf8_lossy(name))
        };
        let names: Vec<_> = found.names().iter().filter(|_| !kept.names).filter(telling).collect();
        let shortest = names.iter().map(|name| name.len()).min().unwrap_or(ADDRESS).min(ADDRESS);
        let stride = shortest - GRAM + 1;
        let many = found.values().len() + found.addresses().len() * 2 + found.keys().len() * PART;
        let mut search = Self {
            grams: Grams::for_many((many + names.len()) * stride),
            name_grams: Grams::for_many(names.len() * stride),
            stride,
            addresses: HashSet::default(),
            keys: HashSet::default(),
            values: HashSet::default(),
            names: None,
        };
        let telling =
            |it: &&[u8; ADDRESS]| !kept.addresses && has_different::<LEAST_DIFFERENT>(*it);
        for address in found.addresses().iter().filter(telling) {
            let mut reversed = *address;
            reversed.reverse();
            for bytes in [*address, reversed] {
                search.note(&bytes);
                search.addresses.insert(bytes);
            }
        }
        for key in found.keys() {
            let reversed: Vec<u8> = key.iter().rev().copied().collect();
            for bytes in [key, &reversed] {
                for part in bytes.windows(PART).filter(|it| has_different::<LEAST_DIFFERENT>(it)) {
                    search.note(part);
                    search.keys.extend(<[u8; PART]>::try_from(part));
                }
            }
        }
        if !kept.values {
            // A name is a value too, where it was read.
            let names = found.names().iter().filter(|_| kept.names);
            let names: HashSet<_> = names.filter_map(|name| telling_part(name)).collect();
            for part in found.values().iter().filter(|part| !names.contains(*part)) {
                search.note(part);
                search.values.insert(*part);
            }
        }
        for name in &names {
            search.note(name);
            grams(name, stride).for_each(|gram| search.name_grams.note(gram));
        }
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(&names);
        search.names = built.ok().filter(|_| !names.is_empty());
        search
    }

    fn note(&mut self, bytes: &[u8]) {
        grams(bytes, self.stride).for_each(|gram| self.grams.note(gram));
    }

    /// What of the originals stands in these bytes, outside of what was kept by intent.
    pub fn find(&self, clean: &Clean) -> Option<&'static str> {
        let mut names = false;
        let mut next = 0;
        while let Some(at) = self.grams.next(&clean.bytes, next, self.stride) {
            let gram = clean.bytes.get(at..).and_then(<[u8]>::first_chunk);
            names |= gram.is_some_and(|gram| self.name_grams.may_hold(*gram));
            let from = (at + 1).saturating_sub(self.stride);
            if let Some(what) = (from..=at).find_map(|from| self.begins_at(from, clean)) {
                return Some(what);
            }
            next = at + self.stride;
        }
        let names = self.names.as_ref().filter(|_| names)?;
        let told = |name: aho_corasick::Match| {
            is_told(clean, name.start(), name.len()) || is_long(clean, name.start(), name.len())
        };
        names.find_iter(&clean.bytes).any(told).then_some("a name")
    }

    /// The original, but for names, that begins at this place.
    fn begins_at(&self, from: usize, clean: &Clean) -> Option<&'static str> {
        let bytes = &clean.bytes[from..];
        let six = bytes.first_chunk::<ADDRESS>()?;
        let either = |length| is_told(clean, from, length) || is_long(clean, from, length);
        if self.addresses.contains(six) && either(ADDRESS) {
            return Some("an address");
        }
        let part = bytes.first_chunk::<PART>()?;
        if self.keys.contains(part) && either(PART) {
            return Some("a key");
        }
        (self.values.contains(part) && is_told(clean, from, PART)).then_some("a value")
    }

    /// What of the originals stands in a text: as bytes in any usual spelling, or as a name. What stands in every
    /// such text, whoever it is about, is nobody's name: `always` is one of them.
    pub fn find_in_text(&self, text: &str, always: &str) -> Option<&'static str> {
        for run in spelled(text) {
            let mut reversed = run.clone();
            reversed.reverse();
            for bytes in [run, reversed] {
                let marks = Marks::of(bytes.len(), Mark::Replaced);
                if let Some(what) = self.find(&Clean { bytes, marks }) {
                    return Some(what);
                }
            }
        }
        let names = self.names.as_ref()?;
        let known: HashSet<_> = names.find_iter(always).map(|found| found.pattern()).collect();
        let whole = |found: aho_corasick::Match| {
            let before = text.get(..found.start()).and_then(|text| text.chars().next_back());
            let after = text.get(found.end()..).and_then(|text| text.chars().next());
            !before.is_some_and(char::is_alphanumeric)
                && !after.is_some_and(char::is_alphanumeric)
                && !known.contains(&found.pattern())
        };
        names.find_iter(text).any(whole).then_some("a name")
    }
}

/// Something of these bytes was replaced: an original here was missed.
fn is_told(clean: &Clean, from: usize, length: usize) -> bool {
    clean.marks.within(from..from + length).any(|(_, mark)| mark == Mark::Replaced)
}

/// They stand in a long field, which may hide something.
fn is_long(clean: &Clean, from: usize, length: usize) -> bool {
    clean.marks.within(from..from + length).all(|(_, mark)| mark == Mark::Long)
}

/// The first so many grams.
fn grams(bytes: &[u8], count: usize) -> impl Iterator<Item = [u8; GRAM]> + '_ {
    bytes.windows(GRAM).take(count).filter_map(|gram| gram.try_into().ok())
}

/// Bytes written in hexadecimal or decimal, one run for each row of pairs with the same signs between them.
fn spelled(text: &str) -> Vec<Vec<u8>> {
    let mut runs = Vec::new();
    let tokens = tokens(text);
    let mut at = 0;
    while at < tokens.len() {
        let (first, _, _) = tokens[at];
        let run: Vec<&str> = {
            let mut run = vec![first];
            let mut gap = None;
            while let Some((next, between, _)) = tokens.get(at + run.len())
                && gap.is_none_or(|gap| gap == *between)
                && between.len() <= 4
            {
                gap = Some(*between);
                run.push(next);
            }
            run
        };
        // A word that is no number parts the row.
        for row in rows(&run, hexadecimal) {
            runs.push(row.concat());
        }
        runs.extend(rows(&run, |word| word.parse::<u8>().ok()));
        at += run.len().saturating_sub(1).max(1);
    }
    runs.retain(|run| run.len() >= 6);
    runs
}

/// The words that can be read, as far as they follow each other.
fn rows<T>(words: &[&str], read: impl Fn(&str) -> Option<T>) -> Vec<Vec<T>> {
    let mut rows = vec![Vec::new()];
    for word in words {
        match read(word) {
            Some(value) => {
                if let Some(row) = rows.last_mut() {
                    row.push(value);
                }
            }
            None => rows.push(Vec::new()),
        }
    }
    rows
}

/// Words with the signs before them.
fn tokens(text: &str) -> Vec<(&str, &str, usize)> {
    let mut tokens = Vec::new();
    let mut before = 0;
    let mut rest = 0;
    while let Some(start) = text[rest..].find(|c: char| c.is_ascii_alphanumeric()) {
        let start = rest + start;
        let length = text[start..].find(|c: char| !c.is_ascii_alphanumeric());
        let end = length.map_or(text.len(), |length| start + length);
        tokens.push((&text[start..end], &text[before..start], start));
        (before, rest) = (end, end);
    }
    tokens
}

/// `c0`, `0xc0`, `xc0` (of `\xc0`), or a longer even row of digits.
fn hexadecimal(word: &str) -> Option<Vec<u8>> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix('x')).unwrap_or(word);
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: [u8; 6] = [0x9d, 0x3a, 0xe7, 0x52, 0x1b, 0xc4];
    const KEY: [u8; 16] = [
        0x6f, 0x1e, 0xd2, 0x94, 0xb8, 0x03, 0x7c, 0xe5, 0x41, 0xaf, 0x90, 0x2b, 0xd7, 0x58, 0x3c,
        0xe6,
    ];

    fn search() -> Search {
        let mut found = Originals::default();
        found.address(ADDRESS);
        found.key(&KEY);
        found.value(b"what was typed");
        found.name(b"Zoe's lamp");
        Search::of(&found, Kept::default())
    }

    fn with(bytes: &[u8], mark: Mark) -> Option<&'static str> {
        let mut clean = Clean::default();
        clean.push(&[9, 9], Mark::Number);
        clean.push(bytes, mark);
        clean.push(&[9], Mark::Number);
        search().find(&clean)
    }

    #[test]
    fn originals_are_found_in_bytes() {
        let mut reversed = ADDRESS;
        reversed.reverse();
        assert_eq!(with(&ADDRESS, Mark::Replaced), Some("an address"));
        assert_eq!(with(&reversed, Mark::Replaced), Some("an address"));
        assert_eq!(with(&ADDRESS[1..], Mark::Replaced), None);
        assert_eq!(with(&KEY[5..13], Mark::Replaced), Some("a key"));
        assert_eq!(with(&KEY[5..12], Mark::Replaced), None);
        assert_eq!(with(b"what was", Mark::Replaced), Some("a value"));
        assert_eq!(with(b"ZOE'S LAMP", Mark::Replaced), Some("a name"));
    }

    #[test]
    fn what_is_kept_by_intent_is_not_found_but_a_long_field_may_hide_an_address() {
        assert_eq!(with(&ADDRESS, Mark::Number), None);
        assert_eq!(with(&ADDRESS, Mark::Long), Some("an address"));
        assert_eq!(with(b"what was", Mark::Long), None);
    }

    #[test]
    fn originals_are_found_in_text_in_every_spelling() {
        let search = search();
        let join = |separator: &str, spell: fn(&u8) -> String| {
            ADDRESS.iter().map(spell).collect::<Vec<_>>().join(separator)
        };
        for spelled in [
            join(":", |b| format!("{b:02X}")),
            join("-", |b| format!("{b:02x}")),
            join(" ", |b| format!("{b:02x}")),
            join("_", |b| format!("{b:02x}")),
            join("", |b| format!("{b:02x}")),
            join(", ", |b| format!("0x{b:02x}")),
            join(", ", |b| b.to_string()),
            join("", |b| format!("\\x{b:02x}")),
            "C4:1B:52:E7:3A:9D".into(),
        ] {
            let text = format!("the device {spelled} left");
            assert_eq!(search.find_in_text(&text, ""), Some("an address"), "{spelled}");
        }
        assert_eq!(search.find_in_text("by zoe's lamp.", ""), Some("a name"));
        assert_eq!(search.find_in_text("by Zoe's lamps", ""), None);
        assert_eq!(search.find_in_text("by Zoe's lamp", "everybody's: Zoe's lamp"), None);
        assert_eq!(search.find_in_text("2026-11-21 07:50:07, frame 12, 0x0040", ""), None);
    }
}
