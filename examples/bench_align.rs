//! How long the aligner takes on timelines of a million steps.
//!
//! `cargo run --release --example bench_align` prints one line a case: nothing
//! changed, one step in ten changed, nothing in common, and inputs without any
//! anchor. Every case is bounded; none may be quadratic.
use hcidiff::compare::align::{Op, align};
use std::time::Instant;

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
}

/// One step in ten replaced, left out or doubled.
fn changed(steps: &[u32], kinds: u64, numbers: &mut Numbers) -> Vec<u32> {
    let mut other = Vec::with_capacity(steps.len());
    for &step in steps {
        match numbers.below(30) {
            0 => {}
            1 => other.extend([step, numbers.below(kinds) as u32]),
            2 => other.push(numbers.below(kinds) as u32),
            _ => other.push(step),
        }
    }
    other
}

fn main() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut random =
        |kinds: u64| (0..STEPS).map(|_| numbers.below(kinds) as u32).collect::<Vec<_>>();
    let (few, many) = (random(12), random(60));
    let unlike: Vec<u32> = many.iter().map(|step| step + 1000).collect();
    let periodic: Vec<u32> = (0..STEPS as u32).map(|i| i % 2).collect();
    let shuffled: Vec<u32> = random(60);
    let mut numbers = Numbers(7);
    let cases: [(&str, &[u32], Vec<u32>); 7] = [
        ("nothing changed, 60 kinds", &many, many.clone()),
        ("one in ten changed, 60 kinds", &many, changed(&many, 60, &mut numbers)),
        ("one in ten changed, 12 kinds", &few, changed(&few, 12, &mut numbers)),
        ("one in ten changed, 2 kinds in turn", &periodic, changed(&periodic, 2, &mut numbers)),
        ("nothing in common", &many, unlike),
        ("the same kinds, no order in common", &many, shuffled),
        ("all of one kind, half as many", &[5; STEPS], vec![5; STEPS / 2]),
    ];
    for (name, left, right) in cases {
        let start = Instant::now();
        let ops = align(left, &right, |_| 1);
        let took = start.elapsed();
        let equal: usize =
            ops.iter().map(|op| if let Op::Equal { len, .. } = op { *len } else { 0 }).sum();
        println!(
            "{name:38} {:7} against {:7}: {took:7.2?}, {equal} equal in {} ranges",
            left.len(),
            right.len(),
            ops.len()
        );
    }
}
