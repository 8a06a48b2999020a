//! Lines of a live view, in the words of the first screen.
use super::Screen;
use super::first::fit;
use super::page::painted;
use crate::compare::{Failure, Standing};
use crate::diagnose::{Finding, Level};
use crate::prose::Text;
use crate::report::content::{self, Paint};
use crate::report::{Report, safe};
use crate::text;

/// Most rows of one line, however long a name is.
const ROWS: usize = 2;

/// Narrower terminals are not believed.
const NARROWEST: usize = 20;

/// What became of an attempt. Empty where there is none of that number.
pub fn attempt(report: &Report, capture: usize, number: u32, screen: Screen) -> String {
    let held = report.captures.get(capture);
    let Some(connection) = held.and_then(|held| held.connection(number)) else {
        return String::new();
    };
    let (sign, paint) = match Failure::of(connection) {
        Some(_) => ("\u{2717}", Paint::Red),
        None if Standing::of(connection).usable => ("\u{2713}", Paint::Green),
        None => ("\u{b7}", Paint::Blue),
    };
    let says = text!("#{} {}", number, content::outcome(report, capture, connection));
    rows(report, (sign, paint), &says, screen)
}

/// What a rule has found: a line under the attempts that it is about.
pub fn finding(report: &Report, finding: &Finding, screen: Screen) -> String {
    let level = match finding.level {
        Level::Cause => "cause",
        Level::Suspect => "suspect",
        Level::Note => "note",
    };
    let numbers = match finding.connections.as_slice() {
        [number] => text!("#{}: ", *number),
        _ => Text::EMPTY,
    };
    let says = text!("{}: {}{} [{}]", level, numbers, finding.title, finding.rule);
    rows(report, (" ", Paint::Plain), &says, screen)
}

fn rows(report: &Report, (sign, paint): (&str, Paint), says: &Text, screen: Screen) -> String {
    let width = screen.width.max(NARROWEST) - 2;
    let says = report.visible(says);
    let mut lines = String::new();
    for (at, row) in fit(&safe::text(&says), width, ROWS).iter().enumerate() {
        match at {
            0 => lines.push_str(&painted(sign, paint, screen.colour)),
            _ => lines.push(' '),
        }
        lines.push(' ');
        lines.push_str(row.trim_end());
        lines.push('\n');
    }
    lines
}
