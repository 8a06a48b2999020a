//! Expectations: what a capture has to show, and whether it does.
//!
//! An expectation is a sentence over the fields of the JSON report. [`Expectation::parse`] reads it,
//! [`Checked::of`] holds it against a report. What the capture cannot tell is neither true nor false, and counts
//! as not met. `docs/check.md` has the grammar.
mod fields;
mod grammar;
mod judge;
pub mod results;
mod tokens;

#[cfg(test)]
mod tests;

pub use grammar::Wrong;
pub use judge::{Fact, Truth};

use crate::report::{Report, json};
use grammar::Expr;
use judge::Scene;
use serde_json::Value;

/// Longer expectations are refused: nobody writes them, and each costs memory.
const LONGEST: usize = 2_000;

/// One expectation, as it was written and as it was understood.
#[derive(Clone, Debug)]
pub struct Expectation {
    text: String,
    expr: Expr,
}

impl Expectation {
    /// Reads one expectation.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(Wrong::new(text, LONGEST, "an expectation has at most 2,000 characters"));
        }
        Ok(Self { text: text.to_owned(), expr: grammar::parse(text)? })
    }

    /// Reads a file of expectations: one a line, comments behind `#`. The line's number stands before what is wrong.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, (usize, Wrong)> {
        let mut all = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if !line.is_empty() {
                all.push(Self::parse(line).map_err(|wrong| (index + 1, wrong))?);
            }
        }
        Ok(all)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A line up to the `#` that is not inside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// What is expected where nobody says it: no finding that is more than a note and, beside a baseline, no
/// difference that two host stacks do not explain.
pub fn by_default(with_baseline: bool) -> Vec<Expectation> {
    let texts: &[&str] = if with_baseline {
        &["no finding suspect", "not comparison.differs"]
    } else {
        &["no finding suspect"]
    };
    texts.iter().filter_map(|text| Expectation::parse(text).ok()).collect()
}

/// An expectation and what became of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The expectation, as it was written.
    pub expectation: String,
    /// Whether it holds.
    pub truth: Truth,
    /// What it was decided by, in the order of the expectation.
    pub facts: Vec<Fact>,
}

/// A capture held against all expectations.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The capture's file name, without folders.
    pub capture: String,
    /// The report's first sentence.
    pub headline: String,
    /// One for each expectation, in order.
    pub outcomes: Vec<Outcome>,
    /// The findings about this capture that are more than notes.
    pub findings: Vec<Told>,
}

/// A finding, as results show it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Told {
    /// The rule's id.
    pub rule: String,
    /// `cause` or `suspect`.
    pub level: String,
    /// What it says.
    pub says: String,
    /// The frames that prove it.
    pub frames: Vec<u64>,
}

impl Checked {
    /// Holds a report against expectations. The capture that is checked is the last one of the report.
    ///
    /// Where the report shows aliases, so does what is said here; what is true is decided by the real values.
    pub fn of(report: &mut Report, expectations: &[Expectation]) -> Self {
        let aliases = report.shown.aliases;
        report.shown.aliases = false;
        let real = document(report);
        report.shown.aliases = aliases;
        let shown = if aliases { document(report) } else { real.clone() };
        let capture = report.captures.len().saturating_sub(1);
        let scene = Scene::of(&real, &shown, capture, told(report, capture));
        let outcomes = expectations
            .iter()
            .map(|expectation| {
                let mut facts = Vec::new();
                let truth = scene.judge(&expectation.expr, &mut facts);
                Outcome { expectation: expectation.text.clone(), truth, facts }
            })
            .collect();
        Self {
            capture: scene.name(),
            headline: report.headline(),
            outcomes,
            findings: scene.told(),
        }
    }

    /// Whether every expectation holds.
    pub fn passed(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.truth == Truth::Holds)
    }

    /// How many expectations hold.
    pub fn held(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.truth == Truth::Holds).count()
    }
}

/// The connection that expectations are about: the one that is compared, else the one that a report tells.
fn told(report: &Report, capture: usize) -> Option<u32> {
    let compared = report.comparison.as_ref().and_then(|compared| {
        let sides = [compared.subject, compared.reference];
        sides.into_iter().find(|side| side.capture == capture).map(|side| side.connection)
    });
    compared.or_else(|| report.most_telling(capture).map(|connection| connection.number))
}

/// The report as its JSON says it.
fn document(report: &Report) -> Value {
    serde_json::from_str(&json::render(report)).unwrap_or_default()
}
