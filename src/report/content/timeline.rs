//! Timelines: two lanes aligned, or one alone.
use super::{Block, Field, Paint, Section, Table, Topic, labels, tables};
use crate::case::Value;
use crate::compare::{self, AlignedStep, Comparison, Names, StepKind, rounded};
use crate::report::{Report, words};
use crate::sides::Sides;
use crate::time::Span;
use crate::timeline::{Capture, Connection, Procedure, Step};

/// Equal steps are folded from this many on.
const FOLD: usize = 3;

/// Most lines of a timeline; `--full` lifts it.
const MOST: usize = 400;

/// Both timelines, aligned.
pub fn compared(report: &Report, comparison: &Comparison) -> Option<Section> {
    let Sides { reference: ours, subject: theirs } =
        compare::names(&report.captures, comparison.reference, comparison.subject)?;
    let side = |side: compare::Side| report.captures.get(side.capture)?.connection(side.connection);
    let (a, b) = (side(comparison.reference)?, side(comparison.subject)?);
    let lanes = Lanes {
        report,
        comparison,
        a,
        b,
        ours: &ours,
        theirs: &theirs,
        resolution: comparison.resolution,
    };
    let mut rows = Vec::new();
    let mut at = 0;
    while at < comparison.steps.len() && (report.shown.full || rows.len() < MOST) {
        let run = comparison.steps[at..].iter().take_while(|step| folds(report, step)).count();
        if run >= FOLD && !report.shown.full {
            // The last equal step before a difference stays in sight.
            let kept = usize::from(at + run < comparison.steps.len());
            rows.push(lanes.folded(&comparison.steps[at..at + run - kept]));
            at += run - kept;
            if kept == 0 {
                continue;
            }
        }
        rows.push(lanes.row(&comparison.steps[at], report.shown.strict));
        at += 1;
    }
    let mut section = Section::new(Topic::Timeline, "Timeline");
    let (left, right) = labels(report, comparison);
    let header: Vec<Field> = vec![
        "".into(),
        "step".into(),
        Field::right("frame"),
        Field::right(left.as_str()),
        Field::right("frame"),
        Field::right(right.as_str()),
        "note".into(),
    ];
    section.blocks.push(Block::Table(Table { header: Some(header), rows, remarks: true }));
    if at < comparison.steps.len() {
        section.item(
            "",
            &format!("{} more steps (--full shows them)", comparison.steps.len() - at),
            Paint::Faint,
        );
    }
    elided(&mut section, a);
    elided(&mut section, b);
    section.item("", &words::legend(&left, &right), Paint::Faint);
    Some(section)
}

/// Whether a step may vanish in a run of equal ones.
fn folds(report: &Report, step: &AlignedStep) -> bool {
    match step.kind {
        StepKind::Same => true,
        _ => step.normal && !report.shown.strict,
    }
}

struct Lanes<'a> {
    report: &'a Report,
    comparison: &'a Comparison,
    a: &'a Connection,
    b: &'a Connection,
    ours: &'a Names,
    theirs: &'a Names,
    resolution: Span,
}

impl Lanes<'_> {
    fn row(&self, aligned: &AlignedStep, strict: bool) -> Vec<Field> {
        let (x, y) = (
            aligned.reference.and_then(|i| self.a.steps.get(i)),
            aligned.subject.and_then(|i| self.b.steps.get(i)),
        );
        let name = match (x, y) {
            (Some(step), _) => words::step(self.a, self.ours, step),
            (None, Some(step)) => words::step(self.b, self.theirs, step),
            (None, None) => String::new(),
        };
        let value = |side: compare::Side, step: Option<&Step>| {
            self.report.value(side.capture, step?).map(ToString::to_string)
        };
        let values = [value(self.comparison.reference, x), value(self.comparison.subject, y)];
        let (name, differ) = match values {
            [Some(one), Some(other)] if one != other => (name, format!("{one} against {other}")),
            [Some(value), _] | [None, Some(value)] => (format!("{name} = {value}"), String::new()),
            [None, None] => (name, String::new()),
        };
        let mut note = match (aligned.note.as_str(), differ.as_str()) {
            (note, "") => note.to_owned(),
            ("", differ) => format!("values {differ}"),
            (note, differ) => format!("{note}; values {differ}"),
        };
        if let Some(why) = aligned.why.filter(|why| strict && !note.contains(why)) {
            note = if note.is_empty() {
                format!("normal: {why}")
            } else {
                format!("{note} (normal: {why})")
            };
        } else if aligned.normal && aligned.kind != StepKind::Same {
            note.push_str(if note.is_empty() { "normal" } else { " (normal)" });
        }
        let mut row =
            vec![Field::from(words::sign(aligned.kind)).paint(paint(aligned)), Field::from(name)];
        for (connection, step) in [(self.a, x), (self.b, y)] {
            row.push(Field::right(step.map_or_else(|| "·".to_owned(), |s| s.frame.to_string())));
            row.push(Field::right(step.map_or_else(String::new, |s| self.after(connection, s))));
        }
        row.push(Field::from(note));
        row
    }

    fn folded(&self, steps: &[AlignedStep]) -> Vec<Field> {
        let normal = steps.iter().filter(|step| step.kind != StepKind::Same).count();
        let plural = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        let what = match (steps.len() - normal, normal) {
            (same, 0) => plural(same, "equal step"),
            (0, normal) => plural(normal, "normal difference"),
            (same, normal) => {
                format!("{}, {}", plural(same, "equal step"), plural(normal, "normal difference"))
            }
        };
        let sign = if normal == 0 { words::sign(StepKind::Same) } else { words::NORMAL };
        let mut row =
            vec![Field::from(sign).paint(Paint::Faint), Field::from(what).paint(Paint::Faint)];
        for (connection, of) in [
            (self.a, steps.iter().filter_map(|s| s.reference).collect::<Vec<_>>()),
            (self.b, steps.iter().filter_map(|s| s.subject).collect()),
        ] {
            let first = of.iter().min().and_then(|i| connection.steps.get(*i));
            row.push(Field::right(first.map_or_else(|| "·".to_owned(), |s| s.frame.to_string())));
            row.push(Field::right(first.map_or_else(String::new, |s| self.after(connection, s))));
        }
        row.push(Field::default());
        row
    }

    fn after(&self, connection: &Connection, step: &Step) -> String {
        connection
            .after(step.at)
            .map_or_else(String::new, |after| rounded(after, self.resolution).to_string())
    }
}

fn paint(step: &AlignedStep) -> Paint {
    match step.kind {
        _ if step.normal => Paint::Faint,
        StepKind::Same => Paint::Faint,
        StepKind::Changed => Paint::Yellow,
        StepKind::Missing => Paint::Red,
        StepKind::Extra => Paint::Green,
        StepKind::Moved => Paint::Blue,
    }
}

/// One timeline.
pub fn alone(report: &Report, index: usize, capture: &Capture, connection: &Connection) -> Section {
    let names = Names::of(capture, connection);
    let title = format!("Timeline of #{}, {}", connection.number, compare::describe(connection));
    let mut section = Section::new(Topic::Timeline, title);
    let most = if report.shown.full { usize::MAX } else { MOST };
    let rows: Vec<Vec<Field>> = connection
        .steps
        .iter()
        .take(most)
        .map(|step| row(connection, &names, step, report.value(index, step)))
        .collect();
    let left = connection.steps.len().saturating_sub(rows.len());
    let header = vec![
        Field::right("frame"),
        Field::right("after"),
        "".into(),
        "step".into(),
        "outcome".into(),
    ];
    section.table(Some(header), rows);
    if left > 0 {
        section.item("", &format!("{left} more steps (--full shows them)"), Paint::Faint);
    }
    elided(&mut section, connection);
    tables::open_requests(&mut section, capture, connection);
    section
}

fn row(connection: &Connection, names: &Names, step: &Step, value: Option<&Value>) -> Vec<Field> {
    let direction = match step.procedure {
        Procedure::Connect | Procedure::Disconnect => " ",
        _ if step.by == crate::packet::Direction::Sent => ">",
        _ => "<",
    };
    let mut outcome = if step.procedure == Procedure::Disconnect {
        words::ending(connection)
    } else if step.failed() {
        words::outcome(step)
    } else {
        words::said(connection, names, step).unwrap_or_else(|| words::outcome(step))
    };
    if let Some(took) =
        step.duration().filter(|took| took.0 > 0 && step.procedure != Procedure::Disconnect)
    {
        outcome = if step.count > 1 {
            format!("{outcome}, over {took}")
        } else {
            format!("{outcome}, {took}")
        };
    }
    vec![
        Field::right(step.frame.to_string()),
        Field::right(connection.after(step.at).map_or_else(String::new, |after| after.to_string())),
        Field::from(direction),
        Field::from(match value {
            Some(value) => format!("{} = {value}", words::step(connection, names, step)),
            None => words::step(connection, names, step),
        }),
        Field::from(outcome).paint(if step.failed() { Paint::Red } else { Paint::Plain }),
    ]
}

fn elided(section: &mut Section, connection: &Connection) {
    if connection.elided_steps > 0 {
        let says = format!(
            "#{}: {} steps beyond the first {} are counted only",
            connection.number,
            connection.elided_steps,
            connection.steps.len()
        );
        section.item("", &says, Paint::Yellow);
    }
}
