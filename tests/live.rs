//! A capture that grows can be asked at any time: the answer is that of a file that ends there.
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::{self, Live, Next, Side};
use hcidiff::compare::Options;
use hcidiff::report::{Report, json};
use hcidiff::{Analysis, Case, analyse};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Captures of the laboratory, and one of each binary format: name and bytes.
static CAPTURES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut paths = Vec::new();
    for folder in ["flagship", "lab", "vectors"] {
        below(&root.join(folder), &mut paths);
    }
    paths.sort();
    let binary = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("btsnoop" | "pklg" | "pcap" | "pcapng" | "hcidump"))
    };
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(path).expect("readable"))
    };
    let captures: Vec<_> = paths.into_iter().filter(binary).map(read).collect();
    let readable = |(name, bytes): &(String, Vec<u8>)| {
        !name.starts_with("h_") && !records(name, bytes).is_empty()
    };
    captures.into_iter().filter(readable).collect()
});

fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// Where each record of a capture begins.
fn records(name: &str, bytes: &[u8]) -> Vec<usize> {
    let input = Input::bytes(name, bytes);
    let Ok(mut opened) = open(&input, &OpenOptions::default()) else { return Vec::new() };
    let mut begins = Vec::new();
    while let Ok(Some(record)) = opened.source.next() {
        begins.push(usize::try_from(record.offset).expect("a small file"));
    }
    begins
}

/// The whole report, for a comparison that shows what differs.
fn report(analysis: Analysis) -> String {
    json::render(&Report::from(analysis))
}

fn analysed(live: &Live) -> String {
    report(Analysis::of(vec![live.snapshot().expect("all of it")], &Options::default()))
}

fn of_file(name: &str, bytes: &[u8]) -> String {
    report(analyse(&Case::one(Input::bytes(name, bytes))).expect("readable"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_snapshot_is_the_analysis_of_a_file_that_ends_there(
        which in any::<Index>(),
        place in any::<Index>(),
    ) {
        if CAPTURES.is_empty() {
            return Ok(());
        }
        let (name, bytes) = which.get(&CAPTURES);
        let begins = records(name, bytes);
        let last = place.index(begins.len());
        let mut live = Live::open(&Side::new(Input::bytes(name, bytes.as_slice()))).unwrap();
        for _ in 0..=last {
            prop_assert!(matches!(live.next().unwrap(), Next::Record(_)));
        }
        let end = begins.get(last + 1).copied().unwrap_or(bytes.len());
        let so_far = analysed(&live);
        prop_assert_eq!(&so_far, &of_file(name, &bytes[..end]), "{} up to record {}", name, last + 1);
        // Who asks changes nothing.
        prop_assert_eq!(&analysed(&live), &so_far);
        while live.next().unwrap() != Next::End {}
        let whole = report(Analysis::of(vec![live.finish().unwrap()], &Options::default()));
        prop_assert_eq!(whole, of_file(name, bytes));
    }
}

/// Has a few bytes at a time, and nothing every other time.
struct Slow {
    bytes: Cursor<Vec<u8>>,
    waited: bool,
}

/// The format is told by the first bytes: nobody has to wait for those.
const BEGINNING: u64 = 512;

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let begun = self.bytes.position() >= BEGINNING;
        self.waited = begun && !self.waited;
        if self.waited {
            return Err(ErrorKind::WouldBlock.into());
        }
        let some = into.len().min(if begun { 100 } else { BEGINNING as usize });
        self.bytes.read(&mut into[..some])
    }
}

#[test]
fn nothing_is_lost_while_a_reader_has_nothing_yet() {
    let mut tried = BTreeSet::new();
    for (name, bytes) in CAPTURES.iter().filter(|(_, bytes)| bytes.len() < 8_000) {
        let slow = Slow { bytes: Cursor::new(bytes.clone()), waited: false };
        // Of some formats more than the first bytes is needed.
        let Ok(mut live) = Live::open(&Side::new(Input::reader(name, slow))) else { continue };
        let (mut waited, mut taken) = (0, 0);
        loop {
            match live.next().unwrap() {
                Next::Record(_) => taken += 1,
                Next::Waiting => waited += 1,
                Next::End => break,
            }
        }
        assert_eq!(taken, records(name, bytes).len(), "{name}");
        let whole = report(Analysis::of(vec![live.finish().unwrap()], &Options::default()));
        assert_eq!(whole, of_file(name, bytes), "{name}");
        if waited > 0 {
            tried.insert(name.rsplit('.').next());
        }
    }
    for format in ["btsnoop", "pcap"] {
        assert!(tried.contains(&Some(format)) || CAPTURES.is_empty(), "{format}: {tried:?}");
    }
}

#[test]
fn the_flagship_grows_up() {
    let side =
        Side::from(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flagship/pi.btsnoop"));
    let mut live = Live::open(&side).unwrap();
    assert_eq!(live.snapshot().unwrap().totals.records, 0);
    let mut ends = Vec::new();
    let mut over = 0;
    loop {
        match live.next().unwrap() {
            Next::Record(_) => {}
            Next::Waiting => unreachable!("a file does not make anybody wait"),
            Next::End => break,
        }
        let now = live.connections().iter().filter(|c| c.end.is_some()).count();
        if now > over {
            over = now;
            ends.push(live.snapshot().unwrap().totals.records);
        }
    }
    assert!(ends.len() > 1 && ends.is_sorted(), "{ends:?}");
    assert_eq!(live.finish().unwrap(), case::read(&side).unwrap());
}
