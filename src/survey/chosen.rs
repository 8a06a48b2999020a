//! Which runs stand for their group in a picture.
use super::{By, Feature, Label, Read, Survey};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Runs shown of good and of bad ones, and of any other group.
const OF_A_SIDE: usize = 4;
const OF_A_GROUP: usize = 2;

/// Most groups that are neither good nor bad.
const MOST_GROUPS: usize = 7;

/// A run that lacks what is usual, or is further away than this many usual distances, is as far as can be.
const FAR: f64 = 4.0;

/// A run: its place among the rows, and what was read.
type Run<'a> = (usize, &'a Read);

/// A group, and the runs that stand for it, the most usual one first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chosen {
    /// What the group is called, with how many runs it has.
    pub group: String,
    /// Their places among the survey's rows.
    pub rows: Vec<usize>,
}

impl Survey {
    /// The runs to be shown: of the good and the bad ones, else of each label, where captures are grouped by it, else
    /// of each cause.
    pub fn chosen(&self, by: By) -> Vec<Chosen> {
        let shown = self.rows.iter().enumerate().filter_map(|(at, row)| {
            let read = row.read.as_ref().ok().filter(|read| !read.features.is_empty())?;
            Some((at, row, read))
        });
        let sides = [Label::Good, Label::Bad];
        let has = |side| self.read().any(|(row, _)| row.side() == Some(side));
        let by_side = sides.iter().all(|side| has(*side));
        let mut groups: BTreeMap<(Option<Label>, String), Vec<Run<'_>>> = BTreeMap::new();
        for (at, row, read) in shown {
            let key = match (by_side, by) {
                (true, _) => row.side().map(|side| (Some(side), side.word().to_owned())),
                (false, By::Label) => row.label.clone().map(|label| (None, label)),
                (false, _) => {
                    let rule = read.verdict.map_or("nothing above a note", |(rule, _)| rule);
                    Some((None, rule.to_owned()))
                }
            };
            if let Some(key) = key {
                groups.entry(key).or_default().push((at, read));
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        if !by_side {
            groups.sort_by_key(|(_, runs)| Reverse(runs.len()));
            groups.truncate(MOST_GROUPS);
        }
        let most = if by_side { OF_A_SIDE } else { OF_A_GROUP };
        let chosen = groups.into_iter().map(|((_, name), runs)| {
            let plural = if runs.len() == 1 { "capture" } else { "captures" };
            let group = format!("{name}: {} {plural}", runs.len());
            Chosen { group, rows: usual(&runs, most) }
        });
        chosen.collect()
    }
}

/// Those that are nearest to the middle of their group. Of runs that measure the same only the first one is taken,
/// as long as there are others.
fn usual(runs: &[Run<'_>], most: usize) -> Vec<usize> {
    let middles = middles(runs);
    let mut by_distance: Vec<(f64, usize, &Read)> =
        runs.iter().map(|(at, read)| (distance(read, &middles), *at, *read)).collect();
    by_distance.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<Run<'_>> = Vec::new();
    for (_, at, read) in &by_distance {
        if chosen.len() < most && !chosen.iter().any(|(_, other)| other.features == read.features) {
            chosen.push((*at, read));
        }
    }
    chosen.into_iter().map(|(at, _)| at).collect()
}

/// What is usual in a group: the middle of a number and the usual distance from it, or what most runs have.
enum Middle {
    Number { at: f64, scale: f64 },
    There,
}

fn middles<'a>(runs: &[Run<'a>]) -> BTreeMap<&'a str, Middle> {
    let mut held: HashMap<&str, (Vec<f64>, usize)> = HashMap::new();
    for (_, read) in runs {
        for (name, feature) in &read.features {
            let (numbers, there) = held.entry(name.as_str()).or_default();
            match feature {
                Feature::Number(number) => numbers.push(*number),
                Feature::Truth(true) => *there += 1,
                Feature::Truth(false) => {}
            }
        }
    }
    let usual = held.into_iter().filter_map(|(name, (mut numbers, there))| {
        if there * 2 > runs.len() {
            return Some((name, Middle::There));
        }
        if numbers.len() * 2 <= runs.len() {
            return None;
        }
        let at = middle(&mut numbers);
        let mut away: Vec<f64> = numbers.iter().map(|number| (number - at).abs()).collect();
        // Where nearly all are the same, a hundredth is a distance.
        let scale = middle(&mut away).max(at.abs() / 100.0).max(f64::MIN_POSITIVE);
        Some((name, Middle::Number { at, scale }))
    });
    usual.collect()
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    super::stats::median(values)
}

fn distance(read: &Read, middles: &BTreeMap<&str, Middle>) -> f64 {
    let one = |(name, middle): (&&str, &Middle)| match (middle, read.features.get(*name)) {
        (Middle::Number { at, scale }, Some(Feature::Number(number))) => {
            ((number - at).abs() / scale).min(FAR)
        }
        (Middle::There, Some(Feature::Truth(true))) => 0.0,
        _ => FAR,
    };
    middles.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::*;
    use crate::diagnose::Level;

    /// A run with one number, one step, and a verdict.
    fn row(file: &str, label: &str, number: f64, step: bool, rule: &'static str) -> Row {
        let mut read = Read { verdict: Some((rule, Level::Cause)), ..Read::default() };
        read.features.insert("number".into(), Feature::Number(number));
        if step {
            read.features.insert("step: write".into(), Feature::Truth(true));
        }
        Row { file: file.into(), label: Some(label.into()), read: Ok(read) }
    }

    fn names(survey: &Survey, by: By) -> Vec<(String, Vec<&str>)> {
        let named = |one: Chosen| {
            (one.group, one.rows.iter().map(|at| survey.rows[*at].file.as_str()).collect())
        };
        survey.chosen(by).into_iter().map(named).collect()
    }

    #[test]
    fn what_is_usual_stands_for_its_group() {
        let mut survey = Survey::default();
        for (file, number, step) in [
            ("far", 900.0, true),
            ("low", 99.0, true),
            ("middle", 100.0, true),
            ("twin", 100.0, true),
            ("lacks", 100.0, false),
        ] {
            survey.rows.push(row(file, "bad", number, step, "rule-a"));
        }
        survey.rows.push(row("one", "good", 5.0, true, "rule-b"));
        survey.rows.push(row("other", "of neither", 5.0, true, "rule-b"));
        // The good run comes first; of the twins one is enough; what lacks a usual step is far away.
        assert_eq!(
            names(&survey, By::Device),
            [
                ("good: 1 capture".to_owned(), vec!["one"]),
                ("bad: 5 captures".to_owned(), vec!["middle", "low", "far", "lacks"]),
            ]
        );
        // Without bad runs there are no sides: by cause, the larger group first.
        survey.rows.retain(|row| row.label.as_deref() != Some("good"));
        survey.rows.iter_mut().for_each(|row| row.label = Some("new firmware".into()));
        let causes = names(&survey, By::Device);
        assert_eq!(causes[0], ("rule-a: 5 captures".to_owned(), vec!["middle", "low"]));
        assert_eq!(causes[1], ("rule-b: 1 capture".to_owned(), vec!["other"]));
        let labels = names(&survey, By::Label);
        assert_eq!((labels.len(), labels[0].0.as_str()), (1, "new firmware: 6 captures"));
    }

    #[test]
    fn files_that_were_not_read_stand_for_nothing() {
        let mut survey = Survey::default();
        survey.rows.push(Row::unread("picture".into(), Some("good".into()), "why".into()));
        survey.rows.push(row("one", "bad", 1.0, true, "rule-a"));
        assert_eq!(names(&survey, By::Host), [("rule-a: 1 capture".to_owned(), vec!["one"])]);
    }
}
