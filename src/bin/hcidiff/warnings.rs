//! Warnings about the captures, on standard error.
use crate::console;
use hcidiff::capture::{Warning, WarningKind};
use hcidiff::report::{Report, safe};

/// Most warnings beside a first screen, and the columns that one may take: two rows of a terminal.
const FEW: usize = 2;
const LONGEST: usize = 140;

/// All of them.
pub fn all(report: &Report) {
    each(report, |file, warning| console::say(&line(file, &warning.text)));
}

/// Those that may change what was found, for commands that print no report.
pub fn grave(report: &Report) {
    each(report, |file, warning| {
        if !harmless(warning.kind) {
            console::say(&line(file, &warning.text));
        }
    });
}

/// Those that may change what the report says, as far as a screen has room; the others are counted.
/// Returns the rows of 80 columns that they take.
pub fn few(report: &Report) -> usize {
    let mut grave = Vec::new();
    let mut hidden = 0;
    each(report, |file, warning| {
        if !harmless(warning.kind) && grave.len() < FEW {
            grave.push(safe::fit(&line(file, &warning.text), LONGEST).into_owned());
        } else {
            hidden += 1;
        }
    });
    let said = |line: &String| safe::width(line) + "hcidiff: ".len();
    let rows: usize = grave.iter().map(|line| said(line).div_ceil(80)).sum();
    grave.iter().for_each(|line| console::say(line));
    if hidden > 0 {
        let more = if grave.is_empty() { "" } else { "more " };
        let plural = if hidden == 1 { "" } else { "s" };
        console::say(&format!("{hidden} {more}warning{plural}: --full shows what"));
    }
    rows + usize::from(hidden > 0)
}

fn each(report: &Report, mut say: impl FnMut(&str, &Warning)) {
    for capture in &report.captures {
        for warning in &capture.warnings {
            say(&capture.file, warning);
        }
    }
}

fn line(file: &str, text: &str) -> String {
    format!("warning: {}: {}", safe::text(file), safe::text(text))
}

/// What changes nothing that a first screen says: oddities of the logger that were understood.
fn harmless(kind: WarningKind) -> bool {
    use WarningKind::*;
    matches!(
        kind,
        TypeOnly
            | OriginalShorter
            | DirectionContradicts
            | EpochMissing
            | TimeStepsBack
            | OddMicroseconds
            | Concatenated
            | ForeignFrames
            | DirectionInferred
            | TimesRounded
            | Padding
            | ArchiveMember
    )
}
