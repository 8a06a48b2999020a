//! The tables under the timeline: how it ended, clocks, parameters, databases.
use super::labels;
use super::{Field, Paint, Section, Topic};
use crate::compare::{Comparison, Names, Side, rounded};
use crate::report::{Report, words};
use crate::time::Span;
use crate::timeline::{Capture, Connection};

/// How the two links ended.
pub fn ends(report: &Report, comparison: &Comparison) -> Option<Section> {
    let side = |side: Side| {
        let capture = report.captures.get(side.capture)?;
        Some((capture, capture.connection(side.connection)?))
    };
    let (Some((left, a)), Some((right, b))) =
        (side(comparison.reference), side(comparison.subject))
    else {
        return None;
    };
    let (first, second) = labels(report, comparison);
    let mut section = Section::new(Topic::End, "End");
    type Says = fn(&Capture, &Connection) -> Option<String>;
    let rows: [(&str, Says); 6] = [
        ("how", |_, c| Some(words::ending(c))),
        ("reason", |_, c| Some(c.reason()?.to_string())),
        ("ended by", |_, c| Some(words::ended_by(c.end.as_ref()?.by).to_owned())),
        ("life in intervals", |_, c| Some(format!("{:.1}", words::intervals(c)?))),
        ("last PDU to end", |_, c| Some(c.idle_before_end()?.to_string())),
        ("open at the end", |capture, c| {
            let names = Names::of(capture, c);
            let open: Vec<String> =
                c.open_requests.iter().take(3).map(|o| words::open_request(&names, o)).collect();
            (!open.is_empty()).then(|| open.join("; "))
        }),
    ];
    let filled = rows.iter().filter_map(|(name, says)| {
        let (one, other) = (says(left, a), says(right, b));
        if one.is_none() && other.is_none() {
            return None;
        }
        Some(vec![
            Field::from(*name),
            Field::from(one.unwrap_or_else(|| "-".to_owned())),
            Field::from(other.unwrap_or_else(|| "-".to_owned())),
        ])
    });
    section.table(Some(vec!["".into(), first.into(), second.into()]), filled.collect());
    Some(section)
}

/// Distances, with how many times longer the subject took.
pub fn clocks(report: &Report, comparison: &Comparison) -> Option<Section> {
    if comparison.clocks.is_empty() {
        return None;
    }
    let (left, right) = labels(report, comparison);
    let mut section = Section::new(Topic::Clocks, "Clocks");
    let rows = comparison.clocks.iter().map(|fact| {
        let span = |span: Option<Span>| {
            span.map_or_else(|| "-".to_owned(), |s| rounded(s, comparison.resolution).to_string())
        };
        let ratio = match (fact.reference, fact.subject) {
            (Some(a), Some(b))
                if a.0 > 0 && b.0 > 0 && a.0.min(b.0) >= comparison.resolution.0 * 10 =>
            {
                ratio(a, b)
            }
            _ => String::new(),
        };
        vec![
            Field::from(fact.name),
            Field::right(span(fact.reference)),
            Field::right(span(fact.subject)),
            Field::right(ratio),
        ]
    });
    section.table(
        Some(vec!["".into(), Field::right(left), Field::right(right), Field::right("ratio")]),
        rows.collect(),
    );
    Some(section)
}

fn ratio(reference: Span, subject: Span) -> String {
    let ratio = subject.0 as f64 / reference.0 as f64;
    match ratio {
        0.995..1.005 => "×1".to_owned(),
        r if r >= 10.0 => format!("×{r:.0}"),
        r if r >= 0.1 => format!("×{r:.1}"),
        r => format!("×{r:.2}"),
    }
}

/// Parameters that differ; the normal differences only where asked for.
pub fn parameters(report: &Report, comparison: &Comparison) -> Section {
    let differ = |p: &&crate::compare::Parameter| p.reference != p.subject;
    let normal = comparison.parameters.iter().filter(differ).filter(|p| p.normal).count();
    let equal = comparison.parameters.iter().filter(|p| p.reference == p.subject).count();
    let shown = comparison
        .parameters
        .iter()
        .filter(|p| !p.normal || report.shown.full || report.shown.strict && differ(p));
    let rows: Vec<Vec<Field>> = shown
        .map(|p| {
            let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "-".to_owned());
            let (sign, paint) = match (p.reference == p.subject, p.normal) {
                (true, _) => ("=", Paint::Faint),
                (false, true) => ("~", Paint::Faint),
                (false, false) => ("~", Paint::Yellow),
            };
            let why = p.why.map_or_else(String::new, |why| format!("normal: {why}"));
            vec![
                Field::from(sign).paint(paint),
                p.name.into(),
                value(&p.reference).into(),
                value(&p.subject).into(),
                why.into(),
            ]
        })
        .collect();
    let mut section = Section::new(Topic::Parameters, "Parameters");
    let (left, right) = labels(report, comparison);
    section.table(Some(vec!["".into(), "".into(), left.into(), right.into(), "".into()]), rows);
    let hidden = match (normal, equal) {
        _ if report.shown.full => return section,
        (0, equal) => format!("{equal} equal (--full shows them)"),
        (normal, equal) if report.shown.strict => {
            format!("{normal} differ as hosts do, {equal} equal (--full shows them)")
        }
        (normal, equal) => {
            format!("{normal} differ as hosts do (--strict shows them), {equal} equal")
        }
    };
    section.item("", &hidden, Paint::Faint);
    section
}

/// What differs between the two GATT databases.
pub fn databases(comparison: &Comparison) -> Option<Section> {
    if comparison.databases.is_empty() && comparison.database_hash_equal.is_none() {
        return None;
    }
    let mut section = Section::new(Topic::Database, "Database of the device");
    match comparison.database_hash_equal {
        Some(true) => section.item("=", "Database Hash equal", Paint::Faint),
        Some(false) => section.item("~", "Database Hash differs", Paint::Yellow),
        None => {}
    }
    for difference in &comparison.databases {
        let (sign, paint) = match difference.change {
            crate::compare::DatabaseChange::Added => ("+", Paint::Green),
            crate::compare::DatabaseChange::Removed => ("-", Paint::Red),
            crate::compare::DatabaseChange::Moved => ("\u{21b7}", Paint::Blue),
            crate::compare::DatabaseChange::Altered => ("~", Paint::Yellow),
        };
        section.item(sign, &difference.says, paint);
    }
    Some(section)
}

/// What was unanswered when a link ended.
pub(super) fn open_requests(section: &mut Section, capture: &Capture, connection: &Connection) {
    if connection.open_requests.is_empty() {
        return;
    }
    let names = Names::of(capture, connection);
    for open in connection.open_requests.iter().take(8) {
        let says = format!("{} (frame {})", words::open_request(&names, open), open.frame);
        section.item("open at the end", &says, Paint::Yellow);
    }
}
