//! The tables under the timeline: how it ended, clocks, parameters, databases.
use super::labels;
use super::{Field, Paint, Section, Topic};
use crate::compare::{Comparison, Names, Side, rounded};
use crate::prose::Text;
use crate::report::{Report, words};
use crate::text;
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
    type Says = fn(&Capture, &Connection) -> Option<Text>;
    let rows: [(&'static str, Says); 6] = [
        ("how", |_, c| Some(words::ending(c))),
        ("reason", |_, c| Some(text!("{}", c.reason()?))),
        ("ended by", |_, c| Some(words::ended_by(c.end.as_ref()?.by).into())),
        ("life in intervals", |_, c| {
            let intervals = words::intervals(c)?;
            Some(text!("{}", format_args!("{intervals:.1}")))
        }),
        ("last PDU to end", |_, c| Some(text!("{}", c.idle_before_end()?))),
        ("open at the end", |capture, c| {
            let names = Names::of(capture, c);
            let open = c.open_requests.iter().take(3).map(|o| words::open_request(&names, o));
            Some(Text::joined(open, "; ")).filter(|open| !open.is_empty())
        }),
    ];
    let filled = rows.iter().filter_map(|(name, says)| {
        let (one, other) = (says(left, a), says(right, b));
        if one.is_none() && other.is_none() {
            return None;
        }
        Some(vec![
            Field::from(*name),
            Field::from(one.unwrap_or("-".into())),
            Field::from(other.unwrap_or("-".into())),
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
            let span = span.map(|span| text!("{}", rounded(span, comparison.resolution)));
            span.unwrap_or("-".into())
        };
        let ratio = match (fact.reference, fact.subject) {
            (Some(a), Some(b))
                if a.0 > 0 && b.0 > 0 && a.0.min(b.0) >= comparison.resolution.0 * 10 =>
            {
                ratio(a, b)
            }
            _ => Text::EMPTY,
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

fn ratio(reference: Span, subject: Span) -> Text {
    let ratio = subject.0 as f64 / reference.0 as f64;
    match ratio {
        0.995..1.005 => "×1".into(),
        r if r >= 10.0 => text!("×{}", format_args!("{r:.0}")),
        r if r >= 0.1 => text!("×{}", format_args!("{r:.1}")),
        r => text!("×{}", format_args!("{r:.2}")),
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
            let value = |v: &Option<Text>| v.clone().unwrap_or("-".into());
            let (sign, paint) = match (p.reference == p.subject, p.normal) {
                (true, _) => ("=", Paint::Faint),
                (false, true) => ("~", Paint::Faint),
                (false, false) => ("~", Paint::Yellow),
            };
            let why = p.why.map(|why| text!("normal: {}", why)).unwrap_or_default();
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
        (0, equal) => text!("{} equal (--full shows them)", equal),
        (normal, equal) if report.shown.strict => {
            text!("{} differ as hosts do, {} equal (--full shows them)", normal, equal)
        }
        (normal, equal) => {
            text!("{} differ as hosts do (--strict shows them), {} equal", normal, equal)
        }
    };
    section.item("", hidden, Paint::Faint);
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
        section.item(sign, difference.says.clone(), paint);
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
        let says = text!("{} (frame {})", words::open_request(&names, open), open.frame);
        section.item("open at the end", says, Paint::Yellow);
    }
}
