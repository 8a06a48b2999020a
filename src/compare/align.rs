//! Two sequences side by side: which elements correspond.
//!
//! The answer is ranges over indices, as a diff's is. Elements weigh: where not
//! everything can be matched, what weighs more is. Small inputs are solved
//! exactly. In large ones, elements and then short runs of elements that occur
//! once on each side serve as anchors (patience), and what lies between two
//! anchors is solved exactly where it is small and window by window where it is
//! not: time and memory stay near-linear whatever the input, and no clock decides.
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// Cells that may be spent on solving one gap exactly.
const MOST_CELLS: usize = 1 << 22;

/// Side of the window in which a gap too large to solve at once is worked off.
const WINDOW: usize = 96;

/// Lengths of the runs that serve as anchors where single elements repeat too often.
const RUNS: [usize; 2] = [16, 6];

/// A range of the alignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Equal {
        left: usize,
        right: usize,
        len: usize,
    },
    /// Only on the left.
    Left(Range<usize>),
    /// Only on the right.
    Right(Range<usize>),
}

/// Aligns `left` with `right`. Exchanging the two exchanges the answer's sides and nothing else.
pub fn align<K: Ord + Hash + Clone>(
    left: &[K],
    right: &[K],
    weight: impl Fn(&K) -> u32,
) -> Vec<Op> {
    // Ties are broken by side: put both into an order that does not depend on who is left.
    let swapped = (left.len(), left) > (right.len(), right);
    let (a, b) = if swapped { (right, left) } else { (left, right) };
    let mut numbers = HashMap::new();
    let mut weights = Vec::new();
    let mut number = |key: &K| {
        *numbers.entry(key.clone()).or_insert_with(|| {
            weights.push(weight(key).max(1));
            weights.len() as u32 - 1
        })
    };
    let a: Vec<u32> = a.iter().map(&mut number).collect();
    let b: Vec<u32> = b.iter().map(&mut number).collect();
    // What the other side never has can have no counterpart: it only stands in the way.
    let (shared_a, places_a) = shared(&a, &b, weights.len());
    let (shared_b, places_b) = shared(&b, &a, weights.len());
    let mut aligner = Aligner::new(&shared_a, &shared_b, &weights, MOST_CELLS);
    aligner.gap(0..shared_a.len(), 0..shared_b.len(), 0);
    let pairs: Vec<(usize, usize)> = aligner
        .pairs
        .iter()
        .map(|&(x, y)| (places_a[x] as usize, places_b[y] as usize))
        .map(|(x, y)| if swapped { (y, x) } else { (x, y) })
        .collect();
    ranges(&pairs, left.len(), right.len())
}

/// The elements that also occur on the other side, and where they stood.
fn shared(elements: &[u32], others: &[u32], kinds: usize) -> (Vec<u32>, Vec<u32>) {
    let mut occurs = vec![false; kinds];
    others.iter().for_each(|&element| occurs[element as usize] = true);
    let kept = (0_u32..).zip(elements).filter(|&(_, &element)| occurs[element as usize]);
    kept.map(|(at, &element)| (element, at)).unzip()
}

/// What to do at a cell of the table.
#[derive(Clone, Copy)]
enum Move {
    Match,
    A,
    B,
}

struct Aligner<'a> {
    a: &'a [u32],
    b: &'a [u32],
    weights: &'a [u32],
    /// Matched indices, ascending on both sides.
    pairs: Vec<(usize, usize)>,
    /// [`MOST_CELLS`], but for tests.
    most_cells: usize,
    spent: usize,
    // Kept between solutions, so that small ones do not allocate.
    below: Vec<u32>,
    from: Vec<Move>,
}

impl<'a> Aligner<'a> {
    fn new(a: &'a [u32], b: &'a [u32], weights: &'a [u32], most_cells: usize) -> Self {
        let (below, from) = (Vec::new(), Vec::new());
        Self { a, b, weights, pairs: Vec::new(), most_cells, spent: 0, below, from }
    }

    /// Aligns one gap; `level` says which anchors have been tried.
    fn gap(&mut self, mut a: Range<usize>, mut b: Range<usize>, level: usize) {
        while !a.is_empty() && !b.is_empty() && self.a[a.start] == self.b[b.start] {
            self.pairs.push((a.start, b.start));
            a.start += 1;
            b.start += 1;
        }
        let mut tail = 0;
        while !a.is_empty() && !b.is_empty() && self.a[a.end - 1] == self.b[b.end - 1] {
            a.end -= 1;
            b.end -= 1;
            tail += 1;
        }
        let (a_tail, b_tail) = (a.end, b.end);
        self.middle(a, b, level);
        self.pairs.extend((0..tail).map(|i| (a_tail + i, b_tail + i)));
    }

    fn middle(&mut self, a: Range<usize>, b: Range<usize>, level: usize) {
        if a.is_empty() || b.is_empty() {
            return;
        }
        let cells = a.len().saturating_mul(b.len());
        let budget =
            self.most_cells.max(self.a.len().saturating_add(self.b.len()).saturating_mul(WINDOW));
        if cells <= self.most_cells && self.spent.saturating_add(cells) <= budget {
            self.spent += cells;
            self.exact(a, b);
        } else if level <= RUNS.len() {
            let run = level.checked_sub(1).map_or(1, |i| RUNS[i]);
            let anchors = self.anchors(&a, &b, run);
            let (mut from_a, mut from_b) = (a.start, b.start);
            for (at_a, at_b) in anchors {
                // Runs may overlap: of each, only the first element is settled here.
                self.gap(from_a..at_a, from_b..at_b, level + 1);
                self.pairs.push((at_a, at_b));
                (from_a, from_b) = (at_a + 1, at_b + 1);
            }
            self.gap(from_a..a.end, from_b..b.end, level + 1);
        } else {
            self.windows(a, b);
        }
    }

    /// Starts of runs that occur once on each side, in an order that both sides share.
    fn anchors(&self, a: &Range<usize>, b: &Range<usize>, run: usize) -> Vec<(usize, usize)> {
        let (ours, theirs) = (once(self.a, a, run), once(self.b, b, run));
        let mut both = Vec::new();
        let mut theirs = theirs.into_iter().peekable();
        for (hash, x) in ours {
            while theirs.next_if(|&(other, _)| other < hash).is_some() {}
            if let Some((_, y)) = theirs.next_if(|&(other, _)| other == hash) {
                let (x, y) = (x as usize, y as usize);
                // Two runs may share a hash by accident.
                if self.a[x..x + run] == self.b[y..y + run] {
                    both.push((x, y));
                }
            }
        }
        both.sort_unstable();
        longest_rising(&both)
    }

    /// The heaviest common subsequence, by dynamic programming.
    fn exact(&mut self, a: Range<usize>, b: Range<usize>) {
        let pairs = self.solve(&a, &b);
        self.pairs.extend(pairs);
    }

    fn solve(&mut self, a: &Range<usize>, b: &Range<usize>) -> Vec<(usize, usize)> {
        let columns = b.len();
        self.from.clear();
        self.from.resize(a.len() * columns, Move::B);
        // Scores of what remains, so that the walk below goes forward.
        self.below.clear();
        self.below.resize(columns + 1, 0);
        let others = &self.b[b.clone()];
        for (&element, row) in
            self.a[a.clone()].iter().zip(self.from.chunks_exact_mut(columns)).rev()
        {
            let gain = self.weights[element as usize];
            let (mut diagonal, mut right) = (0, 0);
            for ((&other, from), below) in others.iter().zip(row).zip(&mut self.below).rev() {
                let down = *below;
                // To match what is equal is never worse: what it keeps from a match later on weighs the same.
                (right, *from) = if other == element {
                    (diagonal + gain, Move::Match)
                } else if down >= right {
                    (down, Move::A)
                } else {
                    (right, Move::B)
                };
                diagonal = down;
                *below = right;
            }
        }
        let (mut row, mut column) = (0, 0);
        let mut pairs = Vec::new();
        while row < a.len() && column < columns {
            match self.from[row * columns + column] {
                Move::Match => {
                    pairs.push((a.start + row, b.start + column));
                    row += 1;
                    column += 1;
                }
                Move::A => row += 1,
                Move::B => column += 1,
            }
        }
        pairs
    }

    /// A gap without anchors, worked off window by window: the first half of each solution is kept.
    fn windows(&mut self, mut a: Range<usize>, mut b: Range<usize>) {
        while !a.is_empty() && !b.is_empty() {
            let window_a = a.start..a.end.min(a.start + WINDOW);
            let window_b = b.start..b.end.min(b.start + WINDOW);
            let pairs = self.solve(&window_a, &window_b);
            let last = window_a.end == a.end && window_b.end == b.end;
            let half = |at: usize, window: &Range<usize>| at < window.start + WINDOW / 2;
            let kept = pairs
                .iter()
                .take_while(|&&(x, y)| last || (half(x, &window_a) && half(y, &window_b)));
            let before = self.pairs.len();
            self.pairs.extend(kept);
            if last {
                return;
            }
            match self.pairs.last().filter(|_| self.pairs.len() > before) {
                Some(&(x, y)) => (a.start, b.start) = (x + 1, y + 1),
                None => {
                    (a.start, b.start) =
                        (a.end.min(a.start + WINDOW / 2), b.end.min(b.start + WINDOW / 2))
                }
            }
        }
    }
}

/// Hashes of runs that occur once in a range, ascending, with their places.
fn once(elements: &[u32], range: &Range<usize>, run: usize) -> Vec<(u64, u32)> {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let Some(starts) = (range.len() + 1).checked_sub(run) else { return Vec::new() };
    let leaving = (1..run).fold(1_u64, |power, _| power.wrapping_mul(FACTOR));
    let mixed = |at: usize| u64::from(elements[at]).wrapping_add(1);
    let mut hash = 0_u64;
    let mut hashes = Vec::with_capacity(starts);
    for end in range.clone() {
        hash = hash.wrapping_mul(FACTOR).wrapping_add(mixed(end));
        if let Some(gone) = (end + 1).checked_sub(run).filter(|start| *start >= range.start) {
            hashes.push((hash ^ hash >> 29, gone as u32));
            hash = hash.wrapping_sub(mixed(gone).wrapping_mul(leaving));
        }
    }
    hashes.sort_unstable();
    let mut unique = Vec::with_capacity(hashes.len());
    for chunk in hashes.chunk_by(|one, other| one.0 == other.0) {
        if let [only] = chunk {
            unique.push(*only);
        }
    }
    unique
}

/// The longest chain of pairs that rises on both sides; `pairs` rises on the first.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; pairs.len()];
    for (at, pair) in pairs.iter().enumerate() {
        let place = tails.partition_point(|&tail| pairs[tail].1 < pair.1);
        if place > 0 {
            before[at] = tails[place - 1];
        }
        if place == tails.len() {
            tails.push(at);
        } else {
            tails[place] = at;
        }
    }
    let mut chain = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        chain.push(pairs[at]);
        at = before[at];
    }
    chain.reverse();
    chain
}

fn ranges(pairs: &[(usize, usize)], left: usize, right: usize) -> Vec<Op> {
    let mut ops = Vec::new();
    let (mut at_left, mut at_right) = (0, 0);
    let end = [(left, right)];
    for &(x, y) in pairs.iter().chain(&end) {
        if x > at_left {
            ops.push(Op::Left(at_left..x));
        }
        if y > at_right {
            ops.push(Op::Right(at_right..y));
        }
        if (x, y) != (left, right) {
            match ops.last_mut() {
                // Nothing of either side lies between it and this pair, or that would be the last.
                Some(Op::Equal { len, .. }) => *len += 1,
                _ => ops.push(Op::Equal { left: x, right: y, len: 1 }),
            }
        }
        (at_left, at_right) = (x + 1, y + 1);
    }
    ops
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ops(left: &str, right: &str) -> Vec<Op> {
        let (left, right): (Vec<char>, Vec<char>) =
            (left.chars().collect(), right.chars().collect());
        align(&left, &right, |_| 1)
    }

    fn matched(ops: &[Op]) -> usize {
        ops.iter().map(|op| if let Op::Equal { len, .. } = op { *len } else { 0 }).sum()
    }

    /// Every index of both sides exactly once, and matches that match.
    fn sound(ops: &[Op], left: &[u16], right: &[u16]) -> Result<(), TestCaseError> {
        let (mut at_left, mut at_right) = (0, 0);
        for op in ops {
            match op {
                Op::Equal { left: x, right: y, len } => {
                    prop_assert_eq!((*x, *y), (at_left, at_right));
                    prop_assert_eq!(&left[*x..x + len], &right[*y..y + len]);
                    (at_left, at_right) = (x + len, y + len);
                }
                Op::Left(range) => {
                    prop_assert_eq!(range.start, at_left);
                    at_left = range.end;
                }
                Op::Right(range) => {
                    prop_assert_eq!(range.start, at_right);
                    at_right = range.end;
                }
            }
        }
        prop_assert_eq!((at_left, at_right), (left.len(), right.len()));
        Ok(())
    }

    #[test]
    fn nothing_aligns_with_nothing() {
        assert_eq!(ops("", ""), []);
        assert_eq!(ops("ab", ""), [Op::Left(0..2)]);
        assert_eq!(ops("", "a"), [Op::Right(0..1)]);
        assert_eq!(ops("ab", "ab"), [Op::Equal { left: 0, right: 0, len: 2 }]);
    }

    #[test]
    fn what_weighs_more_is_matched() {
        let heavy = |key: &char| if *key == 'W' { 5 } else { 1 };
        let (left, right): (Vec<char>, Vec<char>) =
            ("abW".chars().collect(), "Wab".chars().collect());
        assert_eq!(
            align(&left, &right, heavy),
            [Op::Left(0..2), Op::Equal { left: 2, right: 0, len: 1 }, Op::Right(1..3)]
        );
        assert_eq!(matched(&align(&left, &right, |_| 1)), 2);
    }

    #[test]
    fn a_large_input_without_any_anchor_is_still_aligned() {
        // Three symbols only: nothing and no short run is unique.
        let left: Vec<u16> = (0..60_000_u32).map(|i| (i * i / 7 % 3) as u16).collect();
        let mut right = left.clone();
        right.drain(1000..1040);
        right.insert(30_000, 2);
        let ops = align(&left, &right, |_| 1);
        sound(&ops, &left, &right).unwrap();
        assert!(matched(&ops) > 59_000, "{}", matched(&ops));
    }

    #[test]
    fn nothing_in_common_is_bounded_too() {
        let left: Vec<u16> = (0..100_000_u32).map(|i| (i % 1000) as u16).collect();
        let right: Vec<u16> = (0..100_000_u32).map(|i| (2000 + i % 1000) as u16).collect();
        assert_eq!(align(&left, &right, |_| 1), [Op::Left(0..100_000), Op::Right(0..100_000)]);
    }

    const ONES: [u32; 100] = [1; 100];

    /// The pairs that one step of the work finds.
    fn pairs(
        a: &[u32],
        b: &[u32],
        most_cells: usize,
        work: impl FnOnce(&mut Aligner<'_>, Range<usize>, Range<usize>),
    ) -> Vec<(usize, usize)> {
        let mut aligner = Aligner::new(a, b, &ONES, most_cells);
        work(&mut aligner, 0..a.len(), 0..b.len());
        assert!(aligner.pairs.iter().all(|&(x, y)| a[x] == b[y]));
        assert!(aligner.pairs.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
        aligner.pairs
    }

    fn exact(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
        pairs(a, b, 0, |aligner, a, b| aligner.exact(a, b))
    }

    #[test]
    fn of_several_equal_ones_the_first_is_matched() {
        assert_eq!(exact(&[1], &[2, 1, 1]), [(0, 1)]);
        assert_eq!(exact(&[2, 1, 1], &[1]), [(1, 0)]);
    }

    #[test]
    fn anchors_are_runs_that_stand_once_on_each_side() {
        let of = |a: &[u32], b: &[u32], run| {
            Aligner::new(a, b, &ONES, 0).anchors(&(0..a.len()), &(0..b.len()), run)
        };
        assert_eq!(of(&[1, 2, 3, 2, 4], &[9, 1, 2, 4, 9], 1), [(0, 1), (4, 3)]);
        assert_eq!(of(&[1, 2, 3, 2, 4], &[9, 1, 2, 4, 9], 2), [(0, 1), (3, 2)]);
        assert_eq!(of(&[1, 2], &[2, 1], 1).len(), 1, "in one order on both sides");
        assert_eq!(of(&[1, 2, 1], &[1, 2, 1], 1), [(1, 1)]);
        assert_eq!(of(&[1, 2], &[1, 2], 3), []);
    }

    /// Where nothing may be solved exactly, what stands once on each side still finds its counterpart.
    #[test]
    fn what_stands_once_is_matched_however_large_the_gap() {
        let middle = |a: &[u32], b: &[u32]| pairs(a, b, 0, |aligner, a, b| aligner.middle(a, b, 0));
        let noise = |with: u32, times: usize| std::iter::repeat_n(with, times);
        // Equal noise on other sides of the anchors: only the anchors tell what belongs together.
        let side = |one: usize, two: usize| -> Vec<u32> {
            noise(1, one).chain([7]).chain(noise(2, two)).chain([8]).chain(noise(1, one)).collect()
        };
        let found = middle(&side(300, 20), &side(10, 500));
        assert_eq!(found.len(), 10 + 1 + 20 + 1 + 10);
        assert!(found.contains(&(300, 10)) && found.contains(&(321, 511)));
    }

    /// Window by window, nothing of the longer side's rest is forgotten.
    #[test]
    fn windows_go_to_the_end_of_both_sides() {
        let windows = |a: &[u32], b: &[u32]| pairs(a, b, 0, |aligner, a, b| aligner.windows(a, b));
        let all: Vec<u32> = (0..60).collect();
        let gap = |at: usize, length: usize| -> Vec<u32> {
            let noise = std::iter::repeat_n(99, length);
            all[..at].iter().copied().chain(noise).chain(all[at..].iter().copied()).collect()
        };
        assert_eq!(windows(&all, &gap(40, 60)).len(), 60);
        assert_eq!(windows(&gap(40, 60), &all).len(), 60);
        let repeated: Vec<u32> = all.iter().cycle().copied().take(500).collect();
        assert_eq!(windows(&repeated, &repeated).len(), 500);
        // Nothing in common: the end is reached all the same, and after an earlier match too.
        let (ones, twos) = (vec![1; 400], vec![2; 300]);
        assert_eq!(windows(&ones, &twos), []);
        let mut aligner = Aligner::new(&ones, &twos, &ONES, 0);
        aligner.pairs.push((0, 0));
        aligner.windows(1..400, 1..300);
        assert_eq!(aligner.pairs, [(0, 0)]);
    }

    #[test]
    fn ranges_hold_what_lies_between_pairs() {
        let equal = |left, right, len| Op::Equal { left, right, len };
        assert_eq!(
            ranges(&[(0, 0), (1, 1), (3, 2)], 4, 4),
            [equal(0, 0, 2), Op::Left(2..3), equal(3, 2, 1), Op::Right(3..4)]
        );
        assert_eq!(
            ranges(&[(1, 2), (2, 4)], 3, 5),
            [Op::Left(0..1), Op::Right(0..2), equal(1, 2, 1), Op::Right(3..4), equal(2, 4, 1)]
        );
        assert_eq!(ranges(&[], 1, 0), [Op::Left(0..1)]);
    }

    /// The weight of the heaviest common subsequence, by trying everything.
    fn heaviest(a: &[u32], b: &[u32], weights: &[u32]) -> u32 {
        let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first(), b.split_first()) else {
            return 0;
        };
        let both =
            if x == y { weights[*x as usize] + heaviest(a_rest, b_rest, weights) } else { 0 };
        both.max(heaviest(a_rest, b, weights)).max(heaviest(a, b_rest, weights))
    }

    proptest! {
        #[test]
        fn the_exact_solution_is_the_heaviest(
            a in prop::collection::vec(0_u32..4, 0..8),
            b in prop::collection::vec(0_u32..4, 1..8),
            weights in prop::collection::vec(1_u32..5, 4),
        ) {
            let mut aligner = Aligner::new(&a, &b, &weights, 0);
            aligner.exact(0..a.len(), 0..b.len());
            let weight: u32 = aligner.pairs.iter().map(|&(x, _)| weights[a[x] as usize]).sum();
            prop_assert_eq!(weight, heaviest(&a, &b, &weights));
            prop_assert!(aligner.pairs.iter().all(|&(x, y)| a[x] == b[y]));
        }

        #[test]
        fn a_run_stands_once_where_no_other_is_equal(
            elements in prop::collection::vec(0_u32..4, 0..40),
            from in 0_usize..5,
            run in 1_usize..5,
        ) {
            let range = from.min(elements.len())..elements.len();
            let mut found: Vec<u32> = once(&elements, &range, run).iter().map(|(_, at)| *at).collect();
            found.sort_unstable();
            let runs: Vec<&[u32]> = elements[range.clone()].windows(run).collect();
            let lone = |run: &&[u32]| runs.iter().filter(|other| *other == run).count() == 1;
            let starts = (range.start as u32..).zip(&runs).filter(|(_, run)| lone(run));
            prop_assert_eq!(found, starts.map(|(at, _)| at).collect::<Vec<_>>());
        }

        #[test]
        fn the_longest_rising_chain_is_as_long_as_any(order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let all: Vec<(usize, usize)> = order.iter().copied().enumerate().collect();
            let chain = longest_rising(&all);
            prop_assert!(chain.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
            let rising = |subset: u32| {
                let chosen = all.iter().filter(|(at, _)| subset & (1 << at) != 0);
                let chosen: Vec<usize> = chosen.map(|(_, y)| *y).collect();
                chosen.is_sorted().then_some(chosen.len())
            };
            prop_assert_eq!(Some(chain.len()), (0..256).filter_map(rising).max());
        }

        /// Whatever is solved exactly, by anchors or by windows: each element stands once, and what is equal matches.
        #[test]
        fn no_way_of_working_loses_anything(
            left in prop::collection::vec(0_u32..30, 0..300),
            right in prop::collection::vec(0_u32..30, 0..300),
            most_cells in prop::sample::select(vec![0, 50, 2_000, 1 << 22]),
        ) {
            let mut aligner = Aligner::new(&left, &right, &ONES, most_cells);
            aligner.gap(0..left.len(), 0..right.len(), 0);
            let ops = ranges(&aligner.pairs, left.len(), right.len());
            let narrow = |side: &[u32]| side.iter().map(|n| *n as u16).collect::<Vec<_>>();
            sound(&ops, &narrow(&left), &narrow(&right))?;
        }

        #[test]
        fn one_insertion_is_one_difference_whatever_may_be_spent(
            left in prop::collection::vec(0_u32..1000, 1..300),
            at in any::<prop::sample::Index>(),
            most_cells in prop::sample::select(vec![0, 50, 2_000]),
        ) {
            let mut right = left.clone();
            right.insert(at.index(left.len()), 1000);
            let weights = [1; 1001];
            let mut aligner = Aligner::new(&left, &right, &weights, most_cells);
            aligner.gap(0..left.len(), 0..right.len(), 0);
            prop_assert_eq!(aligner.pairs.len(), left.len());
        }

        #[test]
        fn every_element_appears_once_and_sides_may_be_exchanged(
            left in prop::collection::vec(0_u16..6, 0..60),
            right in prop::collection::vec(0_u16..6, 0..60),
        ) {
            let there = align(&left, &right, |key| u32::from(*key) + 1);
            sound(&there, &left, &right)?;
            let back = align(&right, &left, |key| u32::from(*key) + 1);
            let count = |ops: &[Op]| ops.iter().fold((0, 0), |(l, r), op| match op {
                Op::Left(range) => (l + range.len(), r),
                Op::Right(range) => (l, r + range.len()),
                Op::Equal { .. } => (l, r),
            });
            let (missing, extra) = count(&there);
            prop_assert_eq!(count(&back), (extra, missing));
        }

        #[test]
        fn one_deletion_is_one_difference(left in prop::collection::vec(0_u16..9, 1..80), at in any::<prop::sample::Index>()) {
            let mut right = left.clone();
            right.remove(at.index(left.len()));
            let ops = align(&left, &right, |_| 1);
            prop_assert_eq!(matched(&ops), right.len());
        }
    }

    /// Where nothing else corresponds, a match is found within half a window: 48 elements on either side.
    #[test]
    fn a_window_reaches_half_its_side() {
        let windows = |a: &[u32], b: &[u32]| pairs(a, b, 0, |aligner, a, b| aligner.windows(a, b));
        let found = |at: usize| {
            let (mut ours, mut theirs) = (vec![1; 400], vec![2; 400]);
            (ours[0], theirs[at]) = (3, 3);
            (windows(&ours, &theirs).len(), windows(&theirs, &ours).len())
        };
        assert_eq!((found(47), found(48)), ((1, 1), (0, 0)));
    }
}
