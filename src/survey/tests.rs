//! The numbers are SciPy's (1.17.1): `fisher_exact`, and `mannwhitneyu` with `method="asymptotic"`.
use super::apart::{Measured, Run, differences};
use super::features::{Feature, Features};
use super::stats::*;

fn close(own: f64, theirs: f64) -> bool {
    (own - theirs).abs() <= 1e-9 * theirs.abs().max(1e-300)
}

#[test]
fn fisher_is_scipy_s() {
    for (table, p) in [
        ([8, 2, 1, 5], 0.034_965_034_965_034_975),
        ([30, 0, 0, 30], 1.691_123_389_214_473_5e-17),
        ([12, 18, 17, 13], 0.301_467_123_226_751_34),
        ([3, 0, 0, 3], 0.100_000_000_000_000_02),
        ([0, 5, 0, 5], 1.0),
        ([100, 200, 150, 150], 4.753_852_139_289_002e-5),
        ([29, 1, 20, 10], 0.005_579_091_919_870_972),
        ([1, 29, 9, 21], 0.012_182_915_008_697_837),
    ] {
        let [a, b, c, d] = table;
        assert!(close(fisher(a, b, c, d), p), "{table:?}: {} {p}", fisher(a, b, c, d));
        assert!(close(fisher(c, d, a, b), p), "the rows may change places: {table:?}");
    }
}

#[test]
fn mann_whitney_is_scipy_s() {
    let stairs =
        |from: f64, count: usize| -> Vec<f64> { (0..count).map(|i| from + i as f64).collect() };
    let some = |few: usize, many: usize| [vec![7.5; few], vec![15.0; many]].concat();
    for (left, right, p) in [
        (stairs(1.0, 5), stairs(6.0, 5), 0.012_185_780_355_344_813),
        (vec![1.0, 1.0, 2.0, 2.0, 3.0], vec![2.0, 3.0, 3.0, 4.0, 4.0], 0.052_411_628_671_028_68),
        (
            vec![80.0, 81.0, 79.0, 80.0, 82.0, 80.0],
            vec![250.0, 80.0, 81.0, 249.0, 251.0, 250.0],
            0.040_858_510_635_687_045,
        ),
        (vec![5.0; 5], vec![5.0; 5], 1.0),
        (some(20, 10), some(8, 22), 0.002_135_181_372_071_65),
        (stairs(0.5, 7), vec![0.6, 1.4, 2.6, 3.4, 4.6, 5.4], 0.720_984_861_901_670_8),
        (stairs(0.0, 100), stairs(30.0, 100), 4.676_768_383_107_447e-10),
        (stairs(0.0, 100), stairs(0.5, 100), 0.903_732_420_789_796_1),
        (stairs(0.0, 1000), stairs(500.0, 1000), 2.053_180_234_684_347_4e-185),
    ] {
        let own = mann_whitney(&left, &right);
        assert!(close(own, p), "{own} {p}");
        assert!(close(mann_whitney(&right, &left), p), "the groups may change places");
    }
}

/// By hand: 0.01 × 4, then 0.02 × 3, then the larger of that and 0.03 × 2, then 0.5 × 1.
#[test]
fn holm_counts_what_was_asked() {
    assert_eq!(holm(&[0.5, 0.01, 0.03, 0.02]), [0.5, 0.04, 0.06, 0.06]);
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn effects_hold_the_truth_in_their_range() {
    let left: Vec<f64> = (0..30).map(f64::from).collect();
    let right: Vec<f64> = left.iter().map(|x| x + 170.0).collect();
    let effect = shift(&left, &right);
    assert_eq!(effect.value, 170.0);
    assert!(effect.low < 170.0 && effect.high > 170.0 && effect.low > 160.0 && effect.high < 180.0);
    // [[10, 5], [4, 12]]: 10 × 12 / (5 × 4).
    let odds = odds_ratio(10, 5, 4, 12);
    assert!(close(odds.value, 6.0) && odds.low < 6.0 && odds.high > 6.0);
    assert!(odds_ratio(5, 0, 0, 5).value.is_finite());
}

/// A small generator of numbers, the same on every machine (Knuth's constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Twenty features: ten numbers, ten that are there or not.
fn run(dice: &mut Dice) -> Features {
    let mut features = Features::new();
    for at in 0..10 {
        features.insert(format!("number {at}"), Feature::Number(100.0 + 20.0 * dice.roll()));
        features.insert(format!("truth {at}"), Feature::Truth(dice.roll() < 0.5));
    }
    features
}

fn runs(group: &[Features]) -> Vec<Run<'_>> {
    group.iter().map(|features| Run { name: "run", features, until: f64::INFINITY }).collect()
}

fn compared(good: &[Features], bad: &[Features]) -> super::Apart {
    differences(&runs(good), &runs(bad))
}

#[test]
fn a_planted_difference_is_found_and_nothing_else() {
    let mut dice = Dice(2026);
    let good: Vec<Features> = (0..30).map(|_| run(&mut dice)).collect();
    let clean: Vec<Features> = (0..30).map(|_| run(&mut dice)).collect();
    assert!(compared(&good, &clean).differences.is_empty());
    let mut late = clean.clone();
    for features in &mut late {
        features.insert("number 4".into(), Feature::Number(130.0 + 20.0 * dice.roll()));
    }
    let apart = compared(&good, &late);
    let names: Vec<&str> = apart.differences.iter().map(|one| one.feature.as_str()).collect();
    assert_eq!((names, apart.tested), (vec!["number 4"], 20));
    assert!(apart.differences[0].effect.low > 20.0 && apart.differences[0].effect.high < 40.0);
    let mut lacking = clean;
    for features in lacking.iter_mut().skip(2) {
        features.insert("truth 7".into(), Feature::Truth(false));
    }
    let apart = compared(&good, &lacking);
    let names: Vec<&str> = apart.differences.iter().map(|one| one.feature.as_str()).collect();
    assert_eq!(names, ["truth 7"]);
}

/// Without a difference, at α = 1 %, 200 shuffles may speak twice by chance; six are beyond doubt too many.
#[test]
fn chance_is_not_told() {
    let mut dice = Dice(7);
    let spoke = (0..200)
        .filter(|_| {
            let good: Vec<Features> = (0..30).map(|_| run(&mut dice)).collect();
            let bad: Vec<Features> = (0..30).map(|_| run(&mut dice)).collect();
            !compared(&good, &bad).differences.is_empty()
        })
        .count();
    assert!(spoke <= 6, "{spoke}");
}

#[test]
fn too_few_runs_say_nothing() {
    let mut dice = Dice(1);
    let mut group = |count: usize, at: f64| -> Vec<Features> {
        let mut runs: Vec<Features> = (0..count).map(|_| run(&mut dice)).collect();
        runs.iter_mut().for_each(|run| {
            run.insert("number 0".into(), Feature::Number(at));
        });
        runs
    };
    let apart = compared(&group(4, 0.0), &group(30, 1000.0));
    assert_eq!((apart.tested, apart.differences.len()), (0, 0));
    let apart = compared(&group(12, 0.0), &group(12, 1000.0));
    assert_eq!(apart.differences.len(), 1);
}

/// A link that ended before the step usually comes does not lack it.
#[test]
fn a_step_is_missing_only_where_it_could_have_come() {
    let with = |at: f64| -> Features {
        [
            ("step: Write".to_owned(), Feature::Truth(true)),
            ("when: Write (ms)".to_owned(), Feature::Number(at)),
        ]
        .into()
    };
    let good: Vec<Features> = (0..20).map(|i| with(150.0 + f64::from(i))).collect();
    let empty = Features::new();
    let good: Vec<Run<'_>> =
        good.iter().map(|features| Run { name: "good", features, until: f64::INFINITY }).collect();
    let bad = |until: f64| vec![Run { name: "bad", features: &empty, until }; 20];
    let step =
        |apart: &super::Apart| apart.differences.iter().any(|one| one.feature == "step: Write");
    assert!(step(&differences(&good, &bad(400.0))));
    assert!(!step(&differences(&good, &bad(100.0))));
    let apart = differences(&good, &bad(400.0));
    assert_eq!(apart.differences[0].measured, Measured::There { good: (20, 20), bad: (0, 20) });
    assert_eq!(apart.pair, Some(("good".into(), "bad".into())));
}
