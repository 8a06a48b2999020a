//! Bad input gets fewer claims, never wrong ones: laboratory captures lose packets, and what is then said must be
//! true of the whole capture too.
//!
//! A loss that shows (the begin or the end is cut off, one kind of packet is filtered out, packets are cut, the
//! logger counts its drops) may take findings away and may not bring one: whatever is found in what is left, some
//! rule says of the same links of the whole, before the findings compete. One packet that is lost without a trace
//! may not bring a cause of high confidence.
//!
//! A few hundred variants run always. Many more run with
//! `HCIDIFF_VARIANTS=12000 cargo test --release --test losses -- --ignored --nocapture`.

mod damage;
mod judge;
#[path = "../common/random.rs"]
mod random;

use damage::{Loss, Recording};
use judge::{Judge, Strictness};
use std::path::{Path, PathBuf};

/// The seed of the variants that always run.
const SEED: u64 = 17;

/// How many variants always run.
const ALWAYS: usize = 400;

/// A package has only a few of the laboratory's captures.
const FEWEST: usize = 100;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The laboratory's captures as they were recorded.
fn laboratory() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["lab/A", "lab/A2", "lab/B-bluez5.66", "lab/B-bluez5.82"] {
        let held = std::fs::read_dir(fixtures().join(folder)).into_iter().flatten();
        found.extend(held.map(|entry| entry.expect("a file").path()));
    }
    found.retain(|file| file.extension().is_some_and(|ending| ending == "btsnoop"));
    found.sort();
    found
}

/// Damages captures in turn, so many variants in all, and prints what must not be; how many that were.
fn variants(count: usize, seed: u64, shown: bool) -> usize {
    let captures: Vec<Recording> = laboratory().iter().map(|file| Recording::read(file)).collect();
    if captures.len() < FEWEST {
        eprintln!("the laboratory's captures are not here: skipped");
        return 0;
    }
    // Streams of neighbouring seeds are one stream, shifted by one: these begin far apart.
    let mut random = random::Random::new(random::Random::new(seed).next());
    let mut judges: Vec<Option<Judge>> = captures.iter().map(|_| None).collect();
    let mut wrong = 0;
    for number in 0..count {
        let place = number % captures.len();
        let (Some(capture), Some(judge)) = (captures.get(place), judges.get_mut(place)) else {
            continue;
        };
        let judge = judge.get_or_insert_with(|| Judge::of(capture));
        let loss = Loss::any(&mut random, capture);
        let strictness =
            if capture.shows(&loss) { Strictness::NoFinding } else { Strictness::NoSureCause };
        for complaint in judge.complaints(&capture.after(&loss), strictness) {
            wrong += 1;
            if shown {
                println!("WRONG  {} {loss}: {complaint}", capture.name);
            }
        }
    }
    println!("losses: {count} variants of {} captures, seed {seed}: {wrong} wrong", captures.len());
    wrong
}

#[test]
fn less_of_a_capture_says_nothing_that_the_whole_does_not() {
    assert_eq!(variants(ALWAYS, SEED, true), 0);
}

#[test]
#[ignore = "takes minutes"]
fn less_of_a_capture_says_nothing_new_in_very_many_ways() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|asked| asked.parse().ok()).unwrap_or(usual)
    };
    let count = usize::try_from(number("HCIDIFF_VARIANTS", 12_000)).expect("a number");
    assert_eq!(variants(count, number("HCIDIFF_SEED", 1), true), 0);
}
