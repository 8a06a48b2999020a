//! For terminals and logs of CI.
use super::lines;
use crate::check::{Checked, Truth};
use crate::report::safe;

/// One line an expectation, what it was decided by under those that are not met, and the sum.
pub fn text(checked: &Checked) -> String {
    let mut out = format!("{}\n\n", safe::text(&checked.headline));
    for outcome in &checked.outcomes {
        let mark = match outcome.truth {
            Truth::Holds => "ok  ",
            Truth::Fails => "FAIL",
            Truth::CannotTell => "????",
        };
        out.push_str(&format!("{mark}  {}\n", safe::text(&outcome.expectation)));
        if outcome.truth == Truth::Holds {
            continue;
        }
        for fact in lines(&outcome.facts) {
            out.push_str(&format!("      {}\n", safe::text(&fact)));
        }
    }
    let (held, all) = (checked.held(), checked.outcomes.len());
    let expectations = if all == 1 { "expectation" } else { "expectations" };
    let unknown = checked.outcomes.iter().any(|outcome| outcome.truth == Truth::CannotTell);
    let note = if unknown { "; ???? = this capture cannot tell" } else { "" };
    out.push_str(&format!("\n{held} of {all} {expectations} met{note}\n"));
    out
}
