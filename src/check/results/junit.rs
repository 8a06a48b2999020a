//! JUnit's XML, which every CI system reads.
use super::{lines, why};
use crate::check::{Checked, Truth};
use crate::report::safe;

/// A test suite for the capture, a test case for each expectation.
pub fn junit(checked: &Checked) -> String {
    let failures = checked.outcomes.len() - checked.held();
    let (name, tests) = (escaped(&checked.capture), checked.outcomes.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites>\n  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n"
    ));
    for outcome in &checked.outcomes {
        let case = escaped(&outcome.expectation);
        let begin = format!("    <testcase name=\"{case}\" classname=\"{name}\"");
        if outcome.truth == Truth::Holds {
            out.push_str(&format!("{begin}/>\n"));
            continue;
        }
        let kind = match outcome.truth {
            Truth::CannotTell => "cannot-tell",
            Truth::Fails | Truth::Holds => "failed",
        };
        let message = escaped(&why(outcome));
        let facts = escaped(&lines(&outcome.facts).join("\n"));
        out.push_str(&format!(
            "{begin}>\n      <failure type=\"{kind}\" message=\"{message}\">{facts}</failure>\n    </testcase>\n"
        ));
    }
    let headline = escaped(&checked.headline);
    out.push_str(&format!(
        "    <system-out>{headline}</system-out>\n  </testsuite>\n</testsuites>\n"
    ));
    out
}

/// Text as it may stand in an element or in quotes. XML has no place for most control characters: they are
/// written out.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(safe::text).collect();
    let mut out = String::new();
    for letter in lines.join("\n").chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}
