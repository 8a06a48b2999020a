//! The keys of captures of which the fuzzer may have made anything, and whether an output shows one.
use crate::places;
use crate::search::{Search, Secret};
use hcidiff::capture::{Input, Kind, OpenOptions, Record, open};
use hcidiff::decode::Decoder;
use std::collections::{HashMap, HashSet};

/// So many bytes in a row are a leak, as `search` has it.
const PART: usize = 6;

/// A part of a key with fewer different bytes may stand in any report: a mutation makes `00 01 02 00 01 02` quickly.
const DIFFERENT: usize = 5;

/// The keys of some files, ready to be looked for.
pub struct Keys {
    all: Vec<Secret>,
    search: Search,
}

impl Keys {
    /// All keys of the records that can be read.
    pub fn of(files: &[&[u8]], options: &OpenOptions) -> Self {
        let mut all = Vec::new();
        for file in files {
            let Ok(mut opened) = open(&Input::bytes("input", *file), options) else { continue };
            let mut decoder = Decoder::new();
            while let Ok(Some(record)) = opened.source.next() {
                in_bytes(&record, &mut |key| add(&mut all, record.frame, key));
                let (bytes, places) = places::of(&decoder.decode(&record).packet);
                for (at, length) in places {
                    if let Some(key) = bytes.get(*at..at + length) {
                        add(&mut all, record.frame, key);
                    }
                }
            }
        }
        let search = Search::of(&all);
        Self { all, search }
    }

    /// Fails if the output shows a key.
    pub fn none_in(&self, name: &str, output: &str, files: &[&[u8]]) {
        if self.search.leaks(output).is_empty() {
            return;
        }
        // What stands elsewhere in a file too may be shown: the fuzzer copies keys to where addresses and names are.
        let elsewhere = self.elsewhere(files);
        let own = self.all.iter().filter(|key| is_own(&key.bytes, &elsewhere));
        let leaks = Search::of(own).leaks(output);
        assert!(leaks.is_empty(), "{name}: {leaks:?}: {output}");
    }

    /// All parts of the files that stand there more often than keys have them.
    fn elsewhere(&self, files: &[&[u8]]) -> HashSet<[u8; PART]> {
        let mut times: HashMap<[u8; PART], i32> = HashMap::new();
        let mut count = |bytes: &[u8], one: i32| {
            for part in bytes.windows(PART) {
                *times.entry(part.try_into().expect("six bytes")).or_default() += one;
            }
        };
        let distinct: HashSet<&[u8]> = self.all.iter().map(|key| &key.bytes[..]).collect();
        for file in files {
            count(file, 1);
            // In text, bytes are digits; one digit may be missing before them.
            let digits: Vec<u8> = file
                .iter()
                .filter_map(|byte| char::from(*byte).to_digit(16))
                .map(|it| it as u8)
                .collect();
            for from in [0, 1] {
                let pairs: Vec<u8> = digits[from.min(digits.len())..]
                    .chunks_exact(2)
                    .map(|two| two[0] << 4 | two[1])
                    .collect();
                count(&pairs, 1);
            }
        }
        for key in distinct {
            count(key, -1);
        }
        times.into_iter().filter(|(_, times)| *times > 0).map(|(part, _)| part).collect()
    }
}

/// The keys of commands and events as their bytes have them, whether or not the packet is whole.
fn in_bytes(record: &Record<'_>, found: &mut dyn FnMut(&[u8])) {
    let bytes = record.bytes();
    let (parameters, places) = match (record.kind, bytes) {
        (Kind::Command, [low, high, _, rest @ ..]) => {
            (rest, places::of_command(u16::from_le_bytes([*low, *high])))
        }
        (Kind::Event, [code, _, rest @ ..]) => (rest, places::of_event(*code, rest)),
        _ => return,
    };
    for (at, length) in places {
        let key = parameters.get(*at..).unwrap_or_default();
        found(&key[..key.len().min(*length)]);
    }
}

fn add(all: &mut Vec<Secret>, frame: u32, key: &[u8]) {
    if key.len() >= PART && !all.iter().any(|known| known.bytes == key) {
        let what = format!("a key of frame {frame}: {key:02x?}");
        all.push(Secret { what, bytes: key.to_vec(), text: None, identity: false });
    }
}

/// Whether no part of a key can be anything else.
fn is_own(key: &[u8], elsewhere: &HashSet<[u8; PART]>) -> bool {
    key.windows(PART).all(|part| {
        let mut backwards: [u8; PART] = part.try_into().expect("six bytes");
        let forwards = backwards;
        backwards.reverse();
        let different = part.iter().collect::<HashSet<_>>().len();
        different >= DIFFERENT && !elsewhere.contains(&forwards) && !elsewhere.contains(&backwards)
    })
}
