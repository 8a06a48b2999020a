//! The two sides of a comparison, and since when they differ.
use crate::compare::{self, Comparison};
use crate::report::Report;

/// What the two lanes are called.
pub fn labels(report: &Report, comparison: &Comparison) -> (String, String) {
    if report.captures.len() == 1 {
        return (
            format!("#{}", comparison.reference.connection),
            format!("#{}", comparison.subject.connection),
        );
    }
    let label = |side: compare::Side| {
        let label = report.captures.get(side.capture).map_or("", |c| c.label.as_str());
        crate::report::safe::fit(label, 16).into_owned()
    };
    match (label(comparison.reference), label(comparison.subject)) {
        // Long names that begin alike do not tell the sides apart.
        (one, other) if one == other => ("reference".to_owned(), "subject".to_owned()),
        both => both,
    }
}

/// `same until frame 412 / 377, then …`.
pub fn divergence(comparison: &Comparison) -> String {
    let normal =
        comparison.steps.iter().filter(|step| step.normal && !step.note.is_empty()).count()
            + comparison
                .steps
                .iter()
                .filter(|step| step.normal && step.note.is_empty() && step.why.is_some())
                .count();
    match (&comparison.divergence, comparison.same_until) {
        (Some(says), Some((left, right))) => {
            format!("same until frame {left} / frame {right}, then {says}")
        }
        (Some(says), None) => format!("from the beginning: {says}"),
        (None, _) if normal == 0 => "no difference".to_owned(),
        (None, _) => format!(
            "no difference but {normal} that are normal between two hosts (--strict shows them)"
        ),
    }
}
