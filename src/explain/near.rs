//! The names that come nearest to one that is not known.
use super::index::INDEX;
use crate::diagnose::RULES;
use std::cmp::Reverse;

/// Most names that are offered.
const MOST: usize = 3;

/// Longer questions are compared by their beginning.
const LONGEST: usize = 80;

/// How much of a name must agree, in thousandths.
const ENOUGH: u32 = 650;

/// Names as they can be typed, the nearest first.
pub fn names(question: &str) -> Vec<String> {
    let asked: String = question.to_lowercase().chars().take(LONGEST).collect();
    let rules = RULES.iter().map(|rule| rule.id);
    let known = rules.chain(INDEX.names.iter().map(|name| name.text.as_str()));
    let mut near: Vec<(Reverse<u32>, &str)> = known
        .filter(|name| name.len().abs_diff(asked.len()) * 2 <= asked.len().max(4))
        .map(|name| (Reverse(likeness(&asked, name)), name))
        .filter(|(Reverse(likeness), _)| *likeness >= ENOUGH)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of one, in thousandths"
)]
fn likeness(asked: &str, name: &str) -> u32 {
    (strsim::normalized_damerau_levenshtein(asked, name) * 1000.0) as u32
}
