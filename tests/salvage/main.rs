//! A capture of a megabyte with a hole of a hundred bytes: `--salvage` finds nearly all of what the hole left, and
//! whatever is lost beside the records that it touched is told.
//!
//! A few holes in every format are tried always. A thousand in each:
//! `cargo test --release --test salvage -- --ignored --nocapture`
#[path = "../common/random.rs"]
mod random;
mod session;

use hcidiff::capture::{Kind, OpenOptions, WarningKind, open_stream};
use hcidiff::packet::Direction;
use random::Random;
use session::{CONTAINERS, Container, SIZE, Sessions};
use std::io::Cursor;
use std::ops::Range;

/// Bytes of a hole.
const HOLE: usize = 100;

/// How many holes are tried always in each format, and how many where it is asked for.
const ALWAYS: usize = 12;
const MANY: usize = 1_000;

/// The share of all records that the middle one of the trials must find, in thousandths.
const FOUND: usize = 999;

/// A record as it was read.
#[derive(PartialEq)]
struct Seen {
    kind: Kind,
    direction: Option<Direction>,
    time: Option<i64>,
    bytes: Vec<u8>,
    /// Where it begins.
    offset: u64,
}

impl Seen {
    /// The same packet at the same time, wherever it stands.
    fn is(&self, other: &Self) -> bool {
        (self.kind, self.direction, self.time) == (other.kind, other.direction, other.time)
            && self.bytes == other.bytes
    }
}

struct Read {
    records: Vec<Seen>,
    /// What was said of it.
    warnings: Vec<WarningKind>,
    refused: bool,
}

impl Read {
    /// Whether something is said that is not said of the whole capture.
    fn tells(&self, whole: &Self) -> bool {
        self.refused || self.warnings.iter().any(|kind| !whole.warnings.contains(kind))
    }

    /// Whether it is said that a place of the file is damaged.
    fn tells_of_damage(&self) -> bool {
        self.refused || self.warnings.iter().any(|kind| is_about_damage(*kind))
    }
}

fn read(bytes: &[u8]) -> Read {
    let options = OpenOptions { salvage: true, ..OpenOptions::default() };
    let opened = open_stream(Cursor::new(bytes.to_vec()), "capture", &options);
    // A file whose first bytes are damaged may be refused; that is told.
    let Ok(mut opened) = opened else {
        return Read { records: Vec::new(), warnings: Vec::new(), refused: true };
    };
    let mut records = Vec::new();
    let mut refused = false;
    loop {
        match opened.source.next() {
            Ok(Some(record)) => records.push(Seen {
                kind: record.kind,
                direction: record.direction,
                time: record.time.map(|time| time.0),
                bytes: record.bytes().to_vec(),
                offset: record.offset,
            }),
            Ok(None) => break,
            Err(_) => {
                refused = true;
                break;
            }
        }
    }
    let warnings = opened.source.warnings();
    Read { records, warnings: warnings.iter().map(|warning| warning.kind).collect(), refused }
}

fn is_about_damage(kind: WarningKind) -> bool {
    use WarningKind as Kind;
    matches!(
        kind,
        Kind::NotARecord
            | Kind::ImpossibleLength
            | Kind::DamagedLength
            | Kind::DamagedBlock
            | Kind::UnreadablePart
            | Kind::CutInRecord
            | Kind::Padding
            | Kind::DataAfterPadding
            | Kind::MoreDamage
    )
}

#[derive(Clone, Copy, Debug)]
enum Filling {
    Random,
    Zeroes,
    Deleted,
}

/// The capture with a hole.
fn holed(capture: &[u8], hole: &Range<usize>, filling: Filling, random: &mut Random) -> Vec<u8> {
    let mut bytes = capture.to_vec();
    match filling {
        Filling::Random => bytes[hole.clone()].fill_with(|| random.next() as u8),
        Filling::Zeroes => bytes[hole.clone()].fill(0),
        Filling::Deleted => drop(bytes.drain(hole.clone())),
    }
    bytes
}

/// What a hole did.
struct Trial {
    /// Records that the hole touches.
    touched: usize,
    /// Records that are no longer there as they were.
    lost: usize,
    /// Records that were never there, or no longer hold what they held.
    other: usize,
    /// Something is said that is not said of the whole capture.
    told: bool,
    /// It is said that there is damage.
    damage: bool,
    /// One record swallowed whole ones of just so many bytes as were deleted: every header stands where it should.
    seamless: bool,
}

/// Records are equal up to the hole, and equal again from somewhere behind it.
fn compared(all: &Read, end: usize, left: &Read, hole: &Range<usize>) -> Trial {
    let whole = &all.records;
    let ends = |at: usize| whole.get(at + 1).map_or(end as u64, |next| next.offset);
    let touched = (0..whole.len())
        .filter(|&at| whole[at].offset < hole.end as u64 && (hole.start as u64) < ends(at))
        .count();
    let same = |(a, b): &(&Seen, &Seen)| a.is(b);
    let before = whole.iter().zip(&left.records).take_while(same).count();
    let rest = (whole.len() - before).min(left.records.len() - before);
    let both = whole.iter().rev().zip(left.records.iter().rev());
    let behind = both.take(rest).take_while(same).count();
    let swallowed = before + 1..(whole.len() - behind).max(before + 1);
    let bytes: u64 = swallowed.map(|at| ends(at) - whole[at].offset).sum();
    Trial {
        touched,
        lost: whole.len() - before - behind,
        other: left.records.len() - before - behind,
        told: left.tells(all),
        damage: left.tells_of_damage(),
        seamless: bytes == HOLE as u64 && left.records.len() - before - behind == 1,
    }
}

/// Tries so many holes of every kind in one format; what was wrong.
fn tries(container: &Container, sessions: &Sessions, count: usize, shown: bool) -> Vec<String> {
    let capture = container.capture(sessions);
    assert!(capture.len() > SIZE, "{}", container.name);
    let whole = read(&capture);
    assert!(!whole.tells_of_damage(), "{}: it is not damaged yet", container.name);
    let first = whole.records.first().map_or(0, |record| record.offset as usize);
    let mut random = Random::new(5);
    let (mut wrong, mut found, mut most_lost, mut most_other) = (Vec::new(), Vec::new(), 0, 0);
    let (mut by_remarks, mut seamless) = (0, 0);
    for number in 0..count {
        let filling = [Filling::Random, Filling::Zeroes, Filling::Deleted][number % 3];
        let start = first + random.below(capture.len() - HOLE - first);
        let hole = start..start + HOLE;
        let left = holed(&capture, &hole, filling, &mut random);
        let trial = compared(&whole, capture.len(), &read(&left), &hole);
        seamless += usize::from(trial.seamless);
        if !trial.told && !trial.seamless && trial.lost > trial.touched {
            wrong.push(format!(
                "{}, {filling:?} from byte {start} on: {} records are lost without a word, and the hole touches {}",
                container.name, trial.lost, trial.touched
            ));
        }
        most_lost = most_lost.max(trial.lost.saturating_sub(trial.touched));
        most_other = most_other.max(trial.other);
        by_remarks += usize::from(!trial.damage && trial.told && trial.lost > trial.touched);
        found.push(whole.records.len() - trial.lost);
    }
    found.sort_unstable();
    let (records, middle) = (whole.records.len(), found[found.len() / 2]);
    if shown {
        println!(
            "{:28} {count} holes, {} bytes, {records} records: median {:.3} %, worst {:.3} %; most lost beside the hole {most_lost}, most others {most_other}; lost more than touched: told by remarks alone {by_remarks}, seamless {seamless}, silent {}",
            container.name,
            capture.len(),
            100.0 * middle as f64 / records as f64,
            100.0 * found[0] as f64 / records as f64,
            wrong.len()
        );
    }
    if middle * 1_000 < records * FOUND {
        wrong.push(format!("{}: the median is {middle} of {records} records", container.name));
    }
    wrong
}

fn all(count: usize, shown: bool) {
    let sessions = Sessions::of_the_laboratory();
    let wrong: Vec<String> =
        CONTAINERS.iter().flat_map(|container| tries(container, &sessions, count, shown)).collect();
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn a_hole_takes_little_more_than_the_records_that_it_touches() {
    all(ALWAYS, false);
}

#[test]
#[ignore = "takes a minute"]
fn a_thousand_holes_in_every_format() {
    all(MANY, true);
}
