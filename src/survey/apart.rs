//! What sets two groups of runs apart, and whether that can be chance.
use super::features::{Feature, Features};
use super::stats::{self, Effect};
use std::collections::BTreeSet;

/// Fewer runs in a group say nothing, whatever the numbers are.
pub const FEWEST: usize = 5;

/// What is less probable than this, after correction, is told.
pub const ALPHA: f64 = 0.01;

/// The answer: what differs, and what was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Apart {
    /// Runs that work.
    pub good: usize,
    /// Runs that fail.
    pub bad: usize,
    /// How many features could be compared.
    pub tested: usize,
    /// The differences that chance does not explain, the surest first.
    pub differences: Vec<Difference>,
    /// A good run and a bad one that show the first difference as it usually is.
    pub pair: Option<(String, String)>,
}

/// A feature in which the groups differ.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The feature's name.
    pub feature: String,
    /// What was measured.
    pub measured: Measured,
    /// The probability of such a difference where there is none.
    pub p: f64,
    /// The same after Holm's correction for all features that were tested.
    pub corrected: f64,
    /// An odds ratio for what is there or not, a difference for numbers; with its 95 % range.
    pub effect: Effect,
}

/// What was measured in both groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// In how many runs it is there, of how many.
    There {
        /// Good runs that have it, and good runs that could have it.
        good: (u32, u32),
        /// Bad runs that have it, and bad runs that could have it.
        bad: (u32, u32),
    },
    /// The medians of numbers, and of how many.
    Middle {
        /// The good runs' median, and their count.
        good: (f64, usize),
        /// The bad runs' median, and their count.
        bad: (f64, usize),
    },
}

/// A run, as groups are compared by it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What the run is called.
    pub name: &'a str,
    /// What was measured.
    pub features: &'a Features,
    /// For how long its link was watched, in milliseconds: a step that usually comes later is not missing.
    pub until: f64,
}

/// The feature that says that there was such a step.
pub(super) const STEP: &str = "step: ";
/// The feature that says when it came.
pub(super) const WHEN: &str = "when: ";

impl Run<'_> {
    /// A step that could have come and did not is a feature too.
    fn feature(&self, name: &str, usually: Option<f64>) -> Option<Feature> {
        let missing = || {
            let watched = usually.is_some_and(|usually| usually < self.until);
            watched.then_some(Feature::Truth(false))
        };
        self.features.get(name).copied().or_else(missing)
    }
}

/// Compares all features of two groups of runs.
pub fn differences(good: &[Run<'_>], bad: &[Run<'_>]) -> Apart {
    let mut apart =
        Apart { good: good.len(), bad: bad.len(), tested: 0, differences: Vec::new(), pair: None };
    if good.len() < FEWEST || bad.len() < FEWEST {
        return apart;
    }
    let names: BTreeSet<&String> =
        good.iter().chain(bad).flat_map(|run| run.features.keys()).collect();
    let mut all: Vec<Difference> =
        names.into_iter().filter_map(|name| difference(name, good, bad)).collect();
    let ps: Vec<f64> = all.iter().map(|one| one.p).collect();
    for (one, corrected) in all.iter_mut().zip(stats::holm(&ps)) {
        one.corrected = corrected;
    }
    apart.tested = all.len();
    all.retain(|one| one.corrected < ALPHA);
    all.sort_by(|a, b| a.p.total_cmp(&b.p).then(a.feature.cmp(&b.feature)));
    apart.pair = all.first().and_then(|first| pair(first, good, bad));
    apart.differences = all;
    apart
}

fn difference(name: &str, good: &[Run<'_>], bad: &[Run<'_>]) -> Option<Difference> {
    let usually = usually(name, good, bad);
    let of = |measured, p, effect| {
        Some(Difference { feature: name.to_owned(), measured, p, corrected: p, effect })
    };
    let numbers = |group: &[Run<'_>]| -> Vec<f64> {
        let held = group.iter().filter_map(|run| match run.feature(name, None) {
            Some(Feature::Number(number)) => Some(number),
            _ => None,
        });
        held.collect()
    };
    let (left, right) = (numbers(good), numbers(bad));
    if left.len() >= FEWEST && right.len() >= FEWEST {
        let measured = Measured::Middle {
            good: (middle(&left), left.len()),
            bad: (middle(&right), right.len()),
        };
        return of(measured, stats::mann_whitney(&left, &right), stats::shift(&left, &right));
    }
    let there = |group: &[Run<'_>]| -> Option<(u32, u32)> {
        let truths: Vec<bool> = group
            .iter()
            .filter_map(|run| match run.feature(name, usually) {
                Some(Feature::Truth(truth)) => Some(truth),
                _ => None,
            })
            .collect();
        let yes = u32::try_from(truths.iter().filter(|truth| **truth).count()).ok()?;
        (truths.len() >= FEWEST).then_some((yes, u32::try_from(truths.len()).ok()?))
    };
    let (good, bad) = (there(good)?, there(bad)?);
    let cells = [good.0, good.1 - good.0, bad.0, bad.1 - bad.0];
    let p = stats::fisher(cells[0], cells[1], cells[2], cells[3]);
    let effect = stats::odds_ratio(cells[0], cells[1], cells[2], cells[3]);
    of(Measured::There { good, bad }, p, effect)
}

/// When a step usually comes, over all runs that have it.
fn usually(name: &str, good: &[Run<'_>], bad: &[Run<'_>]) -> Option<f64> {
    let when = format!("{WHEN}{} (ms)", name.strip_prefix(STEP)?);
    let held = good.iter().chain(bad).filter_map(|run| match run.features.get(&when) {
        Some(Feature::Number(at)) => Some(*at),
        _ => None,
    });
    let held: Vec<f64> = held.collect();
    (!held.is_empty()).then(|| middle(&held))
}

fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    stats::median(&sorted)
}

/// The runs that are nearest to the middle of their group in what differs most.
fn pair(first: &Difference, good: &[Run<'_>], bad: &[Run<'_>]) -> Option<(String, String)> {
    let usually = usually(&first.feature, good, bad);
    let nearest = |group: &[Run<'_>], middle: f64| {
        let distance = |run: &Run<'_>| match run.feature(&first.feature, usually)? {
            Feature::Number(number) => Some((number - middle).abs()),
            Feature::Truth(truth) => Some((f64::from(u8::from(truth)) - middle).abs()),
        };
        let measured = group.iter().filter_map(|run| Some((distance(run)?, run.name)));
        measured.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name.to_owned())
    };
    let (left, right) = match first.measured {
        Measured::Middle { good, bad } => (good.0, bad.0),
        Measured::There { good, bad } => {
            let more = f64::from(good.0) / f64::from(good.1) > f64::from(bad.0) / f64::from(bad.1);
            (f64::from(u8::from(more)), f64::from(u8::from(!more)))
        }
    };
    Some((nearest(good, left)?, nearest(bad, right)?))
}
