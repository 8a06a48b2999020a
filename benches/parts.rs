//! The parts that work on what was folded, and the aligner on timelines of a million steps.
//!
//! `cargo bench --bench parts`. No case of the aligner may be quadratic: nothing changed, one step in
//! ten changed, nothing in common, and inputs without any anchor.
use hcidiff::compare::{Options, align::align};
use hcidiff::diagnose;
use hcidiff::timeline::Capture;
use hcidiff::{Analysis, Case, analyse};
use std::path::Path;

fn main() {
    divan::main();
}

fn flagship() -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flagship");
    Case::pair(folder.join("mac.pklg"), folder.join("pi.btsnoop"))
}

/// From the files to the findings.
#[divan::bench]
fn analyse_the_flagship_pair() -> Analysis {
    analyse(&flagship()).expect("two captures")
}

/// The same, without reading.
#[divan::bench]
fn compare_and_diagnose_the_flagship_pair(bencher: divan::Bencher<'_, '_>) {
    let captures = analyse(&flagship()).expect("two captures").captures;
    measured(bencher, &captures);
}

/// Comparing and diagnosing what was read; captures are copied outside of the measured time.
fn measured(bencher: divan::Bencher<'_, '_>, captures: &[Capture]) {
    bencher
        .with_inputs(|| captures.to_vec())
        .bench_local_values(|captures| Analysis::of(captures, &Options::default()));
}

/// How often each rule's own example stands in one capture.
const CROWD: [usize; 2] = [1_000, 4_000];

/// Every rule's example again and again: no rule may cost more for each attempt when there are more.
#[divan::bench(args = examples(), consts = CROWD, sample_count = 3)]
fn diagnose_a_crowd<const TIMES: usize>(bencher: divan::Bencher<'_, '_>, rule: &str) {
    let rule = diagnose::rule(rule).expect("a rule");
    let example = (rule.example().expect("an example").example)();
    measured(bencher, &[example.subject.repeated(TIMES, 10_000).run()]);
}

fn examples() -> impl Iterator<Item = &'static str> {
    diagnose::RULES.iter().map(|rule| rule.id)
}

const STEPS: usize = 1_000_000;

/// A small generator: the same numbers every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn steps(&mut self, kinds: u64) -> Vec<u32> {
        (0..STEPS).map(|_| self.below(kinds) as u32).collect()
    }

    /// One step in ten replaced, left out or doubled.
    fn changed(&mut self, steps: &[u32], kinds: u64) -> Vec<u32> {
        let mut other = Vec::with_capacity(steps.len());
        for &step in steps {
            match self.below(30) {
                0 => {}
                1 => other.extend([step, self.below(kinds) as u32]),
                2 => other.push(self.below(kinds) as u32),
                _ => other.push(step),
            }
        }
        other
    }
}

const CASES: [&str; 7] = [
    "nothing changed, 60 kinds",
    "one in ten changed, 60 kinds",
    "one in ten changed, 12 kinds",
    "one in ten changed, 2 kinds in turn",
    "nothing in common",
    "the same kinds, no order in common",
    "all of one kind, half as many",
];

#[divan::bench(args = CASES, sample_count = 3)]
fn align_a_million_steps(bencher: divan::Bencher<'_, '_>, case: &str) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (few, many) = (numbers.steps(12), numbers.steps(60));
    let in_turn: Vec<u32> = (0..STEPS as u32).map(|at| at % 2).collect();
    let (left, right) = match CASES.iter().position(|name| *name == case) {
        Some(0) => (many.clone(), many),
        Some(1) => (many.clone(), numbers.changed(&many, 60)),
        Some(2) => (few.clone(), numbers.changed(&few, 12)),
        Some(3) => (in_turn.clone(), numbers.changed(&in_turn, 2)),
        Some(4) => (many.clone(), many.iter().map(|step| step + 1000).collect()),
        Some(5) => (many, numbers.steps(60)),
        _ => (vec![5; STEPS], vec![5; STEPS / 2]),
    };
    bencher.bench_local(|| align(&left, &right, |_| 1));
}
