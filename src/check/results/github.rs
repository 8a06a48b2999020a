//! Annotations that a GitHub workflow shows beside its log.
use super::why;
use crate::check::{Checked, Truth};
use crate::report::safe;

/// One `::error` for each expectation that is not met, and a `::notice` where all are.
///
/// The syntax is that of GitHub's documentation, "Workflow commands": in a message `%`, CR and LF are
/// escaped, in a property `:` and `,` too.
pub fn github(checked: &Checked) -> String {
    let mut out = String::new();
    for outcome in checked.outcomes.iter().filter(|outcome| outcome.truth != Truth::Holds) {
        let title = property(&format!("{}: {}", checked.capture, outcome.expectation));
        let message = message(&format!("{}. {}", why(outcome), checked.headline));
        out.push_str(&format!("::error title={title}::{message}\n"));
    }
    if checked.passed() {
        let all = checked.outcomes.len();
        let title = property(&checked.capture);
        let message = message(&format!("{all} of {all} expectations met. {}", checked.headline));
        out.push_str(&format!("::notice title={title}::{message}\n"));
    }
    out
}

fn message(text: &str) -> String {
    safe::text(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
