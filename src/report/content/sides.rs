//! The two sides of a comparison, and since when they differ.
use super::{Field, Section, Topic, attempts, capture};
use crate::compare::{self, Comparison};
use crate::link::{Capture, Connection};
use crate::report::{Report, safe, words};

/// What the two lanes are called.
pub fn labels(report: &Report, comparison: &Comparison) -> (String, String) {
    if report.captures.len() == 1 {
        return (
            format!("#{}", comparison.reference.connection),
            format!("#{}", comparison.subject.connection),
        );
    }
    let label = |side: compare::Side| safe::fit(&report.label(side.capture), 16).into_owned();
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

/// What each side is and how it came out: host, controller, device, attempts, times.
pub fn sides(report: &Report) -> Section {
    let mut section = Section::new(Topic::Sides, "The two sides");
    let side = |side: compare::Side| {
        let capture = report.captures.get(side.capture)?;
        Some((capture, capture.connection(side.connection)))
    };
    let (columns, titles): (Vec<(&Capture, Option<&Connection>)>, Vec<String>) =
        match &report.comparison {
            Some(comparison) => {
                let (left, right) = labels(report, comparison);
                let both = [comparison.reference, comparison.subject];
                (
                    both.into_iter().filter_map(side).collect(),
                    vec![role(&left, "reference"), role(&right, "subject")],
                )
            }
            None => {
                "Captures".clone_into(&mut section.title);
                let column = |(index, capture)| (capture, attempts::most_telling(report, index));
                (
                    report.captures.iter().enumerate().map(column).collect(),
                    (0..report.captures.len()).map(|index| report.label(index)).collect(),
                )
            }
        };
    let mut header = vec![Field::default()];
    header.extend(titles.into_iter().map(Field::from));
    let mut rows = Vec::new();
    let mut row = |name: &str, says: &dyn Fn(&Capture, Option<&Connection>) -> Option<String>| {
        let cells: Vec<Option<String>> = columns.iter().map(|(c, link)| says(c, *link)).collect();
        if cells.iter().any(Option::is_some) {
            let mut row = vec![Field::from(name)];
            row.extend(
                cells.into_iter().map(|cell| Field::from(cell.unwrap_or_else(|| "-".to_owned()))),
            );
            rows.push(row);
        }
    };
    row("capture", &|capture, _| {
        Some(format!("{}, {}, {} records", capture.file, capture.format, capture.totals.records))
    });
    row("time", &|capture, _| capture::time(capture));
    row("host", &|capture, _| words::host(capture));
    row("adapter", &|capture, link| {
        let adapter = |index| capture.adapters.iter().find(|a| a.index == index);
        let used = link.and_then(|link| adapter(link.adapter)).or(capture.adapters.first());
        used.map(capture::adapter)
    });
    row("device", &|_, link| link.map(compare::describe));
    row("attempts", &|capture, _| match &report.comparison {
        Some(comparison) => {
            let reference = report.captures.len() > 1
                && std::ptr::eq(capture, &report.captures[comparison.reference.capture]);
            let others =
                if reference { &comparison.reference_others } else { &comparison.subject_others };
            (!others.says.is_empty()).then(|| others.says.clone())
        }
        None => Some(capture.connections.len().to_string()),
    });
    row("connection", &|_, link| {
        link.map(|link| format!("#{}, {}", link.number, words::link(link)))
    });
    row("outcome", &|_, link| link.map(words::ending));
    section.table(Some(header), rows);
    section
}

/// `mac (reference)`.
pub fn role(label: &str, role: &str) -> String {
    if label == role { label.to_owned() } else { format!("{label} ({role})") }
}
