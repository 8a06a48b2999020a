//! What became of expectations, as people and CI systems read it. One format a file.
mod github;
mod junit;
mod sarif;
mod text;

pub use github::github;
pub use junit::junit;
pub use sarif::sarif;
pub use text::text;

use super::{Fact, Outcome, Truth};

/// Facts as one line each, with their frames behind them.
fn lines(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(line).collect()
}

fn line(fact: &Fact) -> String {
    format!("{}{}", fact.says, frames(&fact.frames))
}

/// Frames in parentheses; of many the first.
fn frames(frames: &[u64]) -> String {
    const SHOWN: usize = 6;
    let shown: Vec<String> = frames.iter().take(SHOWN).map(u64::to_string).collect();
    let more = if frames.len() > SHOWN { ", …" } else { "" };
    match shown.as_slice() {
        [] => String::new(),
        [one] => format!(" (frame {one})"),
        many => format!(" (frames {}{more})", many.join(", ")),
    }
}

/// The sentence that says why an expectation is not met.
fn why(outcome: &Outcome) -> String {
    let facts = lines(&outcome.facts).join("; ");
    match outcome.truth {
        Truth::CannotTell => format!("cannot be told: {facts}"),
        Truth::Holds | Truth::Fails => facts,
    }
}
