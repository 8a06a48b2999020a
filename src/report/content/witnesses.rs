//! What logs say of the connections, line by line, in words.
use super::{Field, Paint, SETTLES, Section, Topic, log_open, log_story};
use crate::prose::quoted;
use crate::report::Report;
use crate::text;
use crate::time::{Span, Timestamp};
use crate::timeline::Capture;
use crate::witness::{Claim, LogClock, Relation, RelationKind, Sniffed, Testimony, What};

/// No more lines of one log are shown; `--full` shows all.
const MOST: usize = 24;

/// The logs of one capture. Nothing where it has none.
pub fn sections(report: &Report, capture: usize) -> Vec<Section> {
    let of = report.testimonies.iter().filter(|testimony| testimony.capture == capture);
    of.map(|testimony| section(report, testimony)).collect()
}

fn section(report: &Report, testimony: &Testimony) -> Section {
    let log = &testimony.log;
    if let Some(air) = &testimony.air {
        return on_air(testimony, air);
    }
    let mut section = Section::new(Topic::Witness, text!("Log {}", quoted(&log.file)));
    let lines =
        format!("{}, {} lines, {} of them about connections", log.kind, log.lines, log.understood);
    section.item("log", quoted(&lines), Paint::Plain);
    if !testimony.alone {
        let aligned = testimony.alignment.aligned;
        let paint = if aligned { Paint::Plain } else { Paint::Yellow };
        section.item("clock", quoted(&clock(testimony)), paint);
    }
    if testimony.alone {
        alone(&mut section, report, testimony);
        return section;
    }
    let told = tally(testimony);
    if !told.is_empty() {
        section.item("lines", quoted(&told), Paint::Plain);
    }
    let most = if report.shown.full { usize::MAX } else { MOST };
    let rows = rows(report, testimony, most);
    let hidden = telling(testimony).count().saturating_sub(rows.len());
    if !rows.is_empty() {
        let header = ["line", "at", "the log's words", "the packets", "frame"];
        let header = header.iter().map(|title| Field::from(*title)).collect();
        section.table(Some(header), rows);
    }
    if hidden > 0 {
        section.item("", text!("{} more lines (--full and JSON have them)", hidden), Paint::Faint);
    }
    section
}

/// A sniffer's capture, and which of its links are connections here.
fn on_air(testimony: &Testimony, air: &Sniffed) -> Section {
    let log = &testimony.log;
    let mut section = Section::new(Topic::Witness, text!("Air capture {}", quoted(&log.file)));
    let links = air.capture.connections.len();
    let told = format!(
        "{} frames, {links} links, {} of them connections of this capture",
        log.lines,
        air.joined.len()
    );
    section.item("air", quoted(&told), Paint::Plain);
    let paint = if testimony.alignment.aligned { Paint::Plain } else { Paint::Yellow };
    section.item("clock", quoted(&clock(testimony)), paint);
    super::air::links(
        &mut section,
        air.joined.iter().filter_map(|joined| {
            Some((joined.number, air.capture.connection(joined.on_air)?.air.as_deref()?))
        }),
    );
    section
}

/// A log in the place of a capture: what it tells, what it leaves open, and its lines.
fn alone(section: &mut Section, report: &Report, testimony: &Testimony) {
    let log = &testimony.log;
    for told in log_story(&log.attempts()) {
        section.item("tells", quoted(&told), Paint::Plain);
    }
    let open = log_open(report, log);
    for open in &open {
        section.item("cannot tell", quoted(open), Paint::Yellow);
    }
    if !open.is_empty() {
        section.item("settles", SETTLES, Paint::Plain);
    }
    let telling = |claim: &&Claim| {
        !matches!(claim.what, What::Aside | What::Heard | What::AddressNamed | What::ScanAsked)
    };
    let most = if report.shown.full { usize::MAX } else { MOST };
    let all = log.claims.iter().filter(telling).count();
    let rows: Vec<Vec<Field>> = log
        .claims
        .iter()
        .filter(telling)
        .take(most)
        .map(|claim| {
            let words = Field::from(format!("\u{201c}{}\u{201d}", claim.text));
            vec![Field::right(claim.line.to_string()), words]
        })
        .collect();
    let hidden = all.saturating_sub(rows.len());
    if !rows.is_empty() {
        let header = ["line", "the log's words"].iter().map(|title| Field::from(*title));
        section.table(Some(header.collect()), rows);
    }
    if hidden > 0 {
        section.item("", text!("{} more lines (--full has them)", hidden), Paint::Faint);
    }
}

/// How the log's clock lies against the capture's.
fn clock(testimony: &Testimony) -> String {
    let alignment = &testimony.alignment;
    let unit = if testimony.air.is_some() { "moment" } else { "line" };
    let anchors = match alignment.anchors {
        1 => format!("1 {unit} has"),
        many => format!("{many} {unit}s have"),
    };
    if let (Some(offset), Some(error)) = (alignment.offset, alignment.error) {
        let rate =
            alignment.drift_ppm.map_or_else(String::new, |ppm| format!(", {ppm:.0} ppm fast"));
        let direction = if offset < 0 { "behind" } else { "ahead of" };
        let by = match offset {
            0 => "the same clock as the capture".to_owned(),
            offset => format!("{} {direction} the capture", Span(offset.saturating_abs())),
        };
        return format!("{by}, give or take {}{rate}; {anchors} their counterpart", Span(error));
    }
    if alignment.aligned {
        return format!("no times: the order of the lines tells; {anchors} their counterpart");
    }
    if alignment.other_time {
        return "not aligned: the log is of another time than the capture".to_owned();
    }
    match testimony.log.clock {
        LogClock::None => "not aligned: no times, and too few lines with a counterpart".to_owned(),
        LogClock::Boot => "not aligned: it counts from the start of the machine, and too few lines have a counterpart".to_owned(),
        LogClock::Utc | LogClock::Local => {
            "not aligned: fewer than two lines have a counterpart; its times are taken as they stand".to_owned()
        }
    }
}

/// How many lines there are of each relation.
fn tally(testimony: &Testimony) -> String {
    let count = |kind| testimony.relations.iter().filter(|r| r.kind == kind).count();
    let words = [
        (RelationKind::Cause, "lead to packets"),
        (RelationKind::Echo, "follow from packets"),
        (RelationKind::Contradiction, "say something else than the packets"),
        (RelationKind::Elsewhere, "have nothing in this capture"),
    ];
    let told = words.iter().filter_map(|(kind, words)| match count(*kind) {
        0 => None,
        count => Some(format!("{count} {words}")),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn telling(testimony: &Testimony) -> impl Iterator<Item = &Relation> {
    testimony.relations.iter().filter(|relation| relation.kind != RelationKind::Context)
}

/// The lines, contradictions before all others where there is no room for all; in the log's order.
fn rows(report: &Report, testimony: &Testimony, most: usize) -> Vec<Vec<Field>> {
    let mut shown: Vec<&Relation> = telling(testimony).collect();
    if shown.len() > most {
        let weight = |kind| match kind {
            RelationKind::Contradiction => 0,
            RelationKind::Echo | RelationKind::Elsewhere => 1,
            RelationKind::Cause | RelationKind::Context => 2,
        };
        shown.sort_by_key(|relation| weight(relation.kind));
        shown.truncate(most);
        shown.sort_by_key(|relation| relation.claim);
    }
    let capture = report.captures.get(testimony.capture);
    shown.iter().map(|relation| row(capture, testimony, relation)).collect()
}

fn row(capture: Option<&Capture>, testimony: &Testimony, relation: &Relation) -> Vec<Field> {
    let words = testimony.claim(relation).map_or("", |claim| &claim.text);
    let first = capture.and_then(|capture| capture.first_time);
    let at = testimony.at(relation.claim).zip(first.filter(|_| testimony.alignment.aligned));
    let at =
        at.map_or_else(|| "·".to_owned(), |(at, first): (Timestamp, _)| (at - first).to_string());
    let kind = match relation.detail {
        Some(detail) => format!("{}/{detail}", relation.kind),
        None => relation.kind.to_string(),
    };
    let paint = match relation.kind {
        RelationKind::Contradiction => Paint::Red,
        RelationKind::Elsewhere => Paint::Yellow,
        _ => Paint::Plain,
    };
    vec![
        Field::right(relation.line.to_string()),
        Field::right(at),
        Field::from(format!("\u{201c}{words}\u{201d}")),
        Field::from(format!("{kind}: {}", relation.says)).paint(paint),
        Field::right(relation.frame.map_or_else(|| "·".to_owned(), |frame| frame.to_string())),
    ]
}
