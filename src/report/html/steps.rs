//! The steps of the picture as data for the page's script. Without a script the tables say the same.
use super::lane::{Phase, micros};
use crate::compare::{self, AlignedStep, Comparison, Names, StepKind};
use crate::packet::Direction;
use crate::prose::quoted;
use crate::report::content::{self, Said, Spoken, ThirdLane};
use crate::report::{Report, words};
use crate::sides::Sides;
use crate::text;
use crate::timeline::{Capture, Connection, Outcome, Step};
use serde::Serialize;

/// Most steps of one list, and most other attempts that have a list.
const MOST_STEPS: usize = 1_500;
const MOST_OTHERS: usize = 8;

/// The id of the element that holds the data.
pub const ID: &str = "hcidiff-steps";

/// All lists that the reader can choose from: the first is what the report tells.
#[derive(Serialize)]
pub struct Steps {
    lists: Vec<List>,
}

/// Steps of one attempt, or of two side by side.
#[derive(Serialize)]
struct List {
    title: String,
    sides: Vec<Lane>,
    rows: Vec<Row>,
    /// How many steps found no room.
    more: usize,
}

/// One column of a list.
#[derive(Serialize)]
struct Lane {
    label: String,
    capture: usize,
    connection: u32,
    /// Frames have numbers that Wireshark knows.
    numbered: bool,
}

/// One step, or the same step on both sides.
#[derive(Serialize)]
struct Row {
    sign: &'static str,
    kind: &'static str,
    name: String,
    phase: &'static str,
    /// A difference as hosts have it, or none at all.
    normal: bool,
    note: String,
    at: Vec<Option<Place>>,
}

/// A step on one side, or a line of a witness.
#[derive(Default, Serialize)]
struct Place {
    /// Where a line of a witness stands: `line 12`, `air 40`; and in which file.
    cites: Option<String>,
    witness: Option<String>,
    frame: u32,
    last: u32,
    /// Microseconds from the connection's zero.
    us: Option<i64>,
    took: Option<i64>,
    by: &'static str,
    outcome: String,
    count: u32,
    bytes: u64,
    handle: Option<u16>,
}

/// The data of a report.
pub fn of(report: &Report) -> Steps {
    let lists = match &report.comparison {
        Some(comparison) => pair(report, comparison).unwrap_or_default(),
        None => (0..report.captures.len()).flat_map(|at| alone(report, at)).collect(),
    };
    Steps { lists }
}

/// JSON in which no character can end the element around it.
pub fn json(data: &impl Serialize) -> String {
    let mut out = String::new();
    // Writing plain data into memory cannot fail.
    for c in serde_json::to_string(data).unwrap_or_default().chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            c => out.push(c),
        }
    }
    out
}

fn pair(report: &Report, comparison: &Comparison) -> Option<Vec<List>> {
    let Sides { reference: ours, subject: theirs } =
        compare::names(&report.captures, comparison.reference, comparison.subject)?;
    let of = |side: compare::Side| report.captures.get(side.capture)?.connection(side.connection);
    let (a, b) = (of(comparison.reference)?, of(comparison.subject)?);
    let (left, right) = content::labels(report, comparison);
    let lane = |side: compare::Side, label: &str| Lane {
        label: label.to_owned(),
        capture: side.capture,
        connection: side.connection,
        numbered: numbered(&report.captures[side.capture]),
    };
    let row = |aligned: &AlignedStep| {
        let x = aligned.reference.and_then(|at| a.steps.get(at)).map(|step| (a, &ours, step));
        let y = aligned.subject.and_then(|at| b.steps.get(at)).map(|step| (b, &theirs, step));
        let (connection, names, step) = x.or(y)?;
        Some(Row {
            sign: if aligned.normal && aligned.kind != StepKind::Same {
                words::NORMAL
            } else {
                words::sign(aligned.kind)
            },
            kind: aligned.kind.word(),
            name: report.visible(&words::step(connection, names, step)),
            phase: phase(connection, names, step),
            normal: aligned.normal,
            note: report.visible(&aligned.note),
            at: [x, y].map(|at| at.map(|(c, n, s)| place(report, c, n, s))).into(),
        })
    };
    let mut third = ThirdLane::of(report, comparison)?;
    let said = |(line, is_reference): &Said<'_>| {
        let place = Some(spoken_place(report, line));
        let at = if *is_reference { vec![place, None] } else { vec![None, place] };
        spoken(report, line, at)
    };
    let mut rows: Vec<Row> = Vec::new();
    for aligned in comparison.steps.iter().take(MOST_STEPS) {
        rows.extend(third.before(aligned).iter().map(said));
        rows.extend(row(aligned));
    }
    rows.extend(third.rest().iter().map(said));
    let mut lists = vec![List {
        title: format!("{left} and {right}"),
        sides: vec![lane(comparison.reference, &left), lane(comparison.subject, &right)],
        more: comparison.steps.len().saturating_sub(MOST_STEPS),
        rows,
    }];
    let at = comparison.subject.capture;
    let capture = report.captures.get(at)?;
    let others = comparison.others.subject.connections.iter().filter(|&&other| other != b.number);
    let others = others.filter_map(|number| capture.connection(*number)).take(MOST_OTHERS);
    lists.extend(others.map(|other| one(report, at, other)));
    Some(lists)
}

/// The most telling attempt of a capture, then others.
fn alone(report: &Report, at: usize) -> Vec<List> {
    let Some(told) = report.most_telling(at) else { return Vec::new() };
    let capture = &report.captures[at];
    let others = capture.connections.iter().filter(|other| other.number != told.number);
    std::iter::once(told).chain(others.take(MOST_OTHERS)).map(|c| one(report, at, c)).collect()
}

fn one(report: &Report, at: usize, connection: &Connection) -> List {
    let capture = &report.captures[at];
    let names = Names::of(capture, connection);
    let label = format!("{}, attempt {}", report.label(at), connection.number);
    let mut lines = content::spoken(report, at, connection).into_iter().peekable();
    let said = |line: Spoken<'_>| spoken(report, &line, vec![Some(spoken_place(report, &line))]);
    let mut rows: Vec<Row> = Vec::new();
    for step in connection.steps.iter().take(MOST_STEPS) {
        let until = connection.after(step.at);
        let before =
            |line: &Spoken<'_>| line.order.zip(until).is_some_and(|(at, until)| at < until);
        while let Some(line) = lines.next_if(before) {
            rows.push(said(line));
        }
        rows.push(Row {
            sign: "",
            kind: StepKind::Same.word(),
            name: report.visible(&words::step(connection, &names, step)),
            phase: phase(connection, &names, step),
            normal: false,
            note: String::new(),
            at: vec![Some(place(report, connection, &names, step))],
        });
    }
    rows.extend(lines.map(said));
    List {
        title: report.visible(&text!(
            "{}, attempt {}: {}",
            report.source(at),
            connection.number,
            words::ending(connection)
        )),
        rows,
        sides: vec![Lane {
            label,
            capture: at,
            connection: connection.number,
            numbered: numbered(capture),
        }],
        more: connection.steps.len().saturating_sub(MOST_STEPS),
    }
}

fn place(report: &Report, connection: &Connection, names: &Names, step: &Step) -> Place {
    let said = match step.outcome {
        Outcome::Ok => words::said(connection, names, step),
        _ => None,
    };
    let us = micros(connection, step.at);
    let end = micros(connection, step.last.at);
    Place {
        frame: step.frame,
        last: step.last.frame,
        us,
        took: us.zip(end).map(|(from, to)| to.saturating_sub(from)),
        by: if step.by == Direction::Sent { "sent" } else { "received" },
        outcome: report.visible(&said.unwrap_or_else(|| words::outcome(step))),
        count: step.count,
        bytes: step.bytes,
        handle: (step.attribute != 0).then_some(step.attribute),
        ..Place::default()
    }
}

/// A line of a witness as a row between the steps.
fn spoken(report: &Report, line: &Spoken<'_>, at: Vec<Option<Place>>) -> Row {
    let shown = |words: &str| report.visible(&quoted(words));
    Row {
        sign: line.sign(),
        kind: if line.is_wrong { "wrong" } else { "witness" },
        name: shown(&line.quote()),
        phase: if line.on_air() { "on the air" } else { "log" },
        normal: false,
        note: match line.order_only() {
            true => shown(&format!("{}; order only", line.remark())),
            false => shown(&line.remark()),
        },
        at,
    }
}

fn spoken_place(report: &Report, line: &Spoken<'_>) -> Place {
    Place {
        cites: Some(line.cites().to_string()),
        witness: Some(report.visible(&quoted(&line.testimony.log.file))),
        frame: line.place,
        last: line.place,
        us: line.after.map(|after| after.0),
        count: 1,
        ..Place::default()
    }
}

fn phase(connection: &Connection, names: &Names, step: &Step) -> &'static str {
    Phase::of(connection, names, step).map_or("other", |phase| phase.name().0)
}

/// Packets of a text have no numbers that another tool knows.
fn numbered(capture: &Capture) -> bool {
    !capture.format.ends_with("-text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let row = Row {
            sign: "=",
            kind: "same",
            name: "</script><!-- & ]]>".to_owned(),
            phase: "data",
            normal: false,
            note: String::new(),
            at: Vec::new(),
        };
        let list = List { title: String::new(), sides: Vec::new(), rows: vec![row], more: 0 };
        let text = json(&Steps { lists: vec![list] });
        assert!(!text.contains(['<', '>', '&']), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["lists"][0]["rows"][0]["name"], "</script><!-- & ]]>");
    }
}
