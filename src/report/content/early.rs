//! The early ledger: what one side did within the window and the other did not.
use super::{Field, Paint, Section, Topic, labels};
use crate::compare::{Comparison, EarlyOperation, Fate, rounded};
use crate::prose::{Text, quoted};
use crate::report::{Report, words};
use crate::text;
use crate::time::Span;

/// What one side did within the window and the other did not.
pub fn early(report: &Report, comparison: &Comparison) -> Vec<Section> {
    let mut sections = Vec::new();
    let (left, right) = labels(report, comparison);
    for (there, here, side, operations) in [
        (&left, &right, comparison.reference, &comparison.missing_early),
        (&right, &left, comparison.subject, &comparison.extra_early),
    ] {
        let step = |operation: &EarlyOperation| {
            report
                .captures
                .get(side.capture)?
                .connection(side.connection)?
                .steps
                .get(operation.step)
        };
        let value = |operation| report.value(side.capture, step(operation)?);
        let shown: Vec<&EarlyOperation> =
            operations.iter().filter(|o| weighs(o) || report.shown.strict).collect();
        let habits = operations.len() - shown.len();
        if shown.is_empty() {
            continue;
        }
        let title = text!("Within {} of connecting, only in {}", comparison.window, quoted(there));
        let mut section = Section::new(Topic::Early, title);
        let header = vec![
            "operation".into(),
            Field::right("frame"),
            Field::right("after"),
            Field::from(text!("in {}", quoted(here))),
        ];
        let after = |span: Option<Span>| {
            let span = span.map(|span| text!("{}", rounded(span, comparison.resolution)));
            span.unwrap_or(Text::EMPTY)
        };
        let rows = shown.iter().map(|operation| {
            let fate = match operation.blocked_by {
                Some(frame) => text!("blocked: frame {} was never answered", frame),
                None => words::fate(
                    operation.fate,
                    operation.other_after.map(|s| rounded(s, comparison.resolution)),
                ),
            };
            vec![
                Field::from(match value(operation) {
                    Some(value) => text!("{} = {}", operation.name, quoted(&value.to_string())),
                    None => operation.name.clone(),
                }),
                Field::right(operation.frame.to_string()),
                Field::right(after(operation.after)),
                Field::from(fate).paint(if operation.fate == Fate::Never {
                    Paint::Red
                } else {
                    Paint::Plain
                }),
            ]
        });
        section.table(Some(header), rows.collect());
        if habits > 0 {
            section.item(
                "",
                text!("and {} by habit of the host (--strict shows them)", habits),
                Paint::Faint,
            );
        }
        sections.push(section);
    }
    sections
}

/// Whether an early operation is worth a line by itself.
fn weighs(operation: &EarlyOperation) -> bool {
    use crate::timeline::Procedure::*;
    let application =
        matches!(operation.procedure, Write | WriteCommand | Subscribe | Pair | Channel);
    !operation.normal || operation.fate != Fate::Never && application
}
