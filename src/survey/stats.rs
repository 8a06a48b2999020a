//! The tests behind "what sets the bad runs apart": Fisher's exact test for what is there or not, the
//! Mann–Whitney U test for numbers, Holm's correction for having asked many questions.
//!
//! The numbers are those of SciPy 1.x (`fisher_exact`, `mannwhitneyu(method="asymptotic")`); `tests.rs` compares.
use std::f64::consts::{PI, SQRT_2};

/// How far two groups are apart, with the range that holds 95 % of such measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// An odds ratio, or a difference.
    pub value: f64,
    /// The range's lower end.
    pub low: f64,
    /// The range's upper end.
    pub high: f64,
}

/// The normal distribution's 97.5 % point.
const Z95: f64 = 1.959_963_984_540_054;

/// Two-sided p of Fisher's exact test for `[[a, b], [c, d]]`.
pub fn fisher(a: u32, b: u32, c: u32, d: u32) -> f64 {
    // Tables that are as improbable as the one that was seen differ from it by rounding alone.
    const ROUNDING: f64 = 1.0 + 1e-7;
    let (row, other, column) = (a + b, c + d, a + c);
    let logs = LogFactorials::up_to(row + other);
    let total = logs.choose(row + other, column);
    let p = |x: u32| (logs.choose(row, x) + logs.choose(other, column - x) - total).exp();
    let seen = p(a) * ROUNDING;
    let (least, most) = (column.saturating_sub(other), column.min(row));
    (least..=most).map(p).filter(|p| *p <= seen).sum::<f64>().min(1.0)
}

/// The odds ratio of `[[a, b], [c, d]]` with its range (Woolf; half a case is added where a cell is empty).
pub fn odds_ratio(a: u32, b: u32, c: u32, d: u32) -> Effect {
    let add = if [a, b, c, d].contains(&0) { 0.5 } else { 0.0 };
    let [a, b, c, d] = [a, b, c, d].map(|n| f64::from(n) + add);
    let log = (a * d / (b * c)).ln();
    let spread = Z95 * (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    Effect { value: log.exp(), low: (log - spread).exp(), high: (log + spread).exp() }
}

/// Two-sided p of the Mann–Whitney U test, by the normal distribution, corrected for ties and for continuity.
pub fn mann_whitney(left: &[f64], right: &[f64]) -> f64 {
    let (m, n) = (left.len() as f64, right.len() as f64);
    if left.is_empty() || right.is_empty() {
        return 1.0;
    }
    let mut all: Vec<(f64, bool)> = left.iter().map(|x| (*x, true)).collect();
    all.extend(right.iter().map(|x| (*x, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let equal = all[at..].iter().take_while(|(x, _)| *x == all[at].0).count();
        let rank = at as f64 + (equal as f64 + 1.0) / 2.0;
        ranks += rank * all[at..at + equal].iter().filter(|(_, left)| *left).count() as f64;
        ties += (equal as f64).powi(3) - equal as f64;
        at += equal;
    }
    let u = ranks - m * (m + 1.0) / 2.0;
    let total = m + n;
    let spread = (m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))).sqrt();
    if spread <= 0.0 || spread.is_nan() {
        return 1.0;
    }
    let larger = u.max(m * n - u);
    let z = (larger - m * n / 2.0 - 0.5) / spread;
    (2.0 * above(z)).min(1.0)
}

/// By how much the right group is larger than the left one: Hodges and Lehmann's estimate, the median of all
/// differences, with Moses' range.
pub fn shift(left: &[f64], right: &[f64]) -> Effect {
    // Of large groups every k-th value stands for its neighbours: the sorted values are thinned evenly.
    const MOST: usize = 1_000;
    let (left, right) = (thinned(left, MOST), thinned(right, MOST));
    let mut differences: Vec<f64> =
        left.iter().flat_map(|a| right.iter().map(move |b| b - a)).collect();
    if differences.is_empty() {
        return Effect { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    differences.sort_by(f64::total_cmp);
    let (m, n) = (left.len() as f64, right.len() as f64);
    let count = differences.len();
    let skipped = (m * n / 2.0 - Z95 * (m * n * (m + n + 1.0) / 12.0).sqrt()).floor().max(0.0);
    // A count of differences is far below what a float holds exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let skipped = (skipped as usize).min((count - 1) / 2);
    Effect {
        value: median(&differences),
        low: differences[skipped],
        high: differences[count - 1 - skipped],
    }
}

/// The middle of sorted values.
pub fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// Holm's correction: each p as it counts among all of them, in the order in which they were given.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let mut corrected = vec![1.0; ps.len()];
    let mut least: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max(ps[at] * (ps.len() - rank) as f64).min(1.0);
        corrected[at] = least;
    }
    corrected
}

fn thinned(values: &[f64], most: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let step = sorted.len().div_ceil(most).max(1);
    sorted.into_iter().step_by(step).collect()
}

/// ln n! for every n up to a bound.
struct LogFactorials(Vec<f64>);

impl LogFactorials {
    fn up_to(most: u32) -> Self {
        let mut logs = vec![0.0];
        let mut sum = 0.0;
        for n in 1..=most {
            sum += f64::from(n).ln();
            logs.push(sum);
        }
        Self(logs)
    }

    /// The logarithm of n over k.
    fn choose(&self, n: u32, k: u32) -> f64 {
        let of = |n: u32| self.0[n as usize];
        of(n) - of(k) - of(n - k)
    }
}

/// The share of the normal distribution above z, to twelve digits: a series near the middle, a continued
/// fraction further out (Abramowitz and Stegun 7.1.5 and 7.1.14).
fn above(z: f64) -> f64 {
    let x = z / SQRT_2;
    if x < 0.0 {
        return 1.0 - above(-z);
    }
    if x < 2.5 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
            if n > 200.0 {
                break;
            }
        }
        return 0.5 - sum / PI.sqrt();
    }
    let mut fraction = 0.0;
    for k in (1..=80).rev() {
        fraction = f64::from(k) / 2.0 / (x + fraction);
    }
    0.5 * (-x * x).exp() / (PI.sqrt() * (x + fraction))
}
