//! Timelines: two lanes aligned, or one alone.
use super::spoken::{self, Said, Spoken, ThirdLane};
use super::{Block, Field, Paint, Section, Table, Topic, labels, tables};
use crate::case::Value;
use crate::compare::{self, AlignedStep, Comparison, Names, StepKind, rounded};
use crate::diagnose::Level;
use crate::prose::{Text, count, quoted};
use crate::report::{Report, words};
use crate::sides::Sides;
use crate::text;
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
    let mut third = ThirdLane::of(report, comparison)?;
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
        rows.extend(third.before(&comparison.steps[at]).iter().map(|said| lanes.spoken(said)));
        rows.push(lanes.row(&comparison.steps[at], report.shown.strict));
        at += 1;
    }
    if at == comparison.steps.len() {
        rows.extend(third.rest().iter().map(|said| lanes.spoken(said)));
        rows.extend(lanes.last());
    }
    let signs = |sign| rows.iter().any(|row| row.sign.text.to_string() == sign);
    let (quotes, heard) = (signs(words::LOG), signs(words::AIR));
    let mut section = Section::new(Topic::Timeline, "Timeline");
    let (left, right) = labels(report, comparison);
    let header: Vec<Field> = vec![
        "".into(),
        "step".into(),
        Field::right("frame"),
        Field::right(left.clone()),
        Field::right("frame"),
        Field::right(right.clone()),
        "note".into(),
    ];
    let beside: Vec<Field> = vec![
        "".into(),
        Field::right("frame"),
        Field::right("after"),
        left.clone().into(),
        Field::right("frame"),
        Field::right("after"),
        right.clone().into(),
    ];
    section.blocks.push(Block::Table(Table {
        header: Some(header),
        beside: Some((beside, rows.iter().map(Row::beside).collect())),
        rows: rows.into_iter().map(Row::one_below_another).collect(),
        remarks: true,
    }));
    if let Some(why) = another(report, comparison, b) {
        section.item("", why, Paint::Plain);
    }
    if at < comparison.steps.len() {
        section.item(
            "",
            text!("{} more steps (--full shows them)", comparison.steps.len() - at),
            Paint::Faint,
        );
    }
    elided(&mut section, a);
    elided(&mut section, b);
    let mut legend = words::legend(&left, &right);
    if quotes {
        legend = text!("{}   {} a log's words", legend, words::LOG);
    }
    if heard {
        legend = text!("{}   {} on the air", legend, words::AIR);
    }
    section.item("", legend, Paint::Faint);
    for (side, connection) in [(comparison.reference, a), (comparison.subject, b)] {
        order_only(&mut section, &spoken::about(report, side.capture, connection));
    }
    Some(section)
}

/// Why the timeline shows another attempt than the verdict speaks of, where it does.
fn another(report: &Report, comparison: &Comparison, shown: &Connection) -> Option<Text> {
    let verdict = report.findings.first().filter(|finding| finding.level != Level::Note)?;
    let first = *verdict.connections.first()?;
    if verdict.capture == comparison.subject.capture && verdict.connections.contains(&shown.number)
    {
        return None;
    }
    let capture = report.captures.get(verdict.capture)?;
    let spoken = capture.connection(first)?;
    Some(if verdict.capture != comparison.subject.capture {
        text!(
            "The verdict speaks of {} (attempt #{}); the timeline shows what was compared.",
            report.source(verdict.capture),
            first
        )
    } else if compare::same_peer(spoken, shown) {
        text!(
            "The verdict speaks of attempt #{}; the timeline shows #{}, the attempt that was compared.",
            first,
            shown.number
        )
    } else {
        text!(
            "The verdict speaks of another device, {} (attempt #{}); the timeline shows #{}, because only that device has an attempt to compare it with.",
            compare::describe(spoken),
            first,
            shown.number
        )
    })
}

/// Whether a step may vanish in a run of equal ones.
fn folds(report: &Report, step: &AlignedStep) -> bool {
    match step.kind {
        StepKind::Same => true,
        _ => step.normal && !report.shown.strict,
    }
}

/// What one side did.
#[derive(Clone)]
struct Told {
    frame: Text,
    after: Text,
    /// The step and what came of it.
    says: Text,
}

impl Told {
    /// Where a side did nothing.
    const NOTHING: Self = Self { frame: Text::fixed("·"), after: Text::EMPTY, says: Text::EMPTY };
}

/// A row of both timelines.
struct Row {
    sign: Field,
    /// The step, where both sides share a column.
    name: Field,
    sides: Sides<Option<Told>>,
    note: Text,
}

impl Row {
    /// The step once, and when either side took it.
    fn one_below_another(self) -> Vec<Field> {
        let mut row = vec![self.sign, self.name];
        for told in self.sides {
            let Told { frame, after, .. } = told.unwrap_or(Told::NOTHING);
            row.extend([Field::right(frame), Field::right(after)]);
        }
        row.push(Field::from(self.note));
        row
    }

    /// Each side in columns of its own; what is to be remarked stands under the step of the subject.
    fn beside(&self) -> Vec<Field> {
        let mut row = vec![self.sign.clone()];
        let last = if self.sides.subject.is_some() { 1 } else { 0 };
        for (at, told) in self.sides.iter().enumerate() {
            let Told { frame, after, mut says } = told.clone().unwrap_or(Told::NOTHING);
            if at == last && !self.note.is_empty() {
                says = text!("{}\n  {}", says, self.note);
            }
            let says = Field { text: says, paint: self.name.paint, right: false };
            row.extend([Field::right(frame), Field::right(after), says]);
        }
        row
    }
}

/// A step and what came of it, in one phrase.
fn says(connection: &Connection, names: &Names, step: &Step, value: Option<Text>) -> Text {
    if step.procedure == Procedure::Disconnect {
        return words::ending(connection);
    }
    let value = value.map(|value| text!(" = {}", value));
    let says = text!("{}{}", words::step(connection, names, step), value);
    let outcome = match step.failed() {
        true => Some(words::outcome(step)),
        false => words::said(connection, names, step),
    };
    match outcome {
        Some(outcome) => text!("{}: {}", says, outcome),
        None => says,
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

/// Where a timeline goes on behind what the capture has.
const GOES_ON: &str = "\u{2192}";

const STILL_UP: &str = "still up when the capture ends";

impl Lanes<'_> {
    /// A link that is still up lasts until the capture ends, however long ago its last step was.
    fn last(&self) -> Option<Row> {
        let told = |connection: &Connection| {
            let after = connection.after(connection.capture_end);
            let after = after.map(|after| text!("{}", rounded(after, self.resolution)));
            connection.open().then(|| Told {
                frame: GOES_ON.into(),
                after: after.unwrap_or_default(),
                says: STILL_UP.into(),
            })
        };
        let sides = Sides::new(told(self.a), told(self.b));
        if sides.iter().all(Option::is_none) {
            return None;
        }
        Some(Row {
            sign: Field::from(GOES_ON).paint(Paint::Faint),
            name: STILL_UP.into(),
            sides,
            note: Text::EMPTY,
        })
    }

    /// A line of a witness beside the steps of its side.
    fn spoken(&self, (line, is_reference): &Said<'_>) -> Row {
        let after = line.after.map(|after| text!("{}", rounded(after, self.resolution)));
        let words = text!("{}", quoted(&line.quote()));
        let told = Some(Told {
            frame: line.cites(),
            after: after.unwrap_or_default(),
            says: words.clone(),
        });
        let sides = if *is_reference { Sides::new(told, None) } else { Sides::new(None, told) };
        Row {
            sign: Field::from(line.sign()).paint(spoken_paint(line)),
            name: Field::from(words).paint(spoken_paint(line)),
            sides,
            note: quoted(&line.remark()).into(),
        }
    }

    fn row(&self, aligned: &AlignedStep, strict: bool) -> Row {
        let (x, y) = (
            aligned.reference.and_then(|i| self.a.steps.get(i)),
            aligned.subject.and_then(|i| self.b.steps.get(i)),
        );
        let name = match (x, y) {
            (Some(step), _) => words::step(self.a, self.ours, step),
            (None, Some(step)) => words::step(self.b, self.theirs, step),
            (None, None) => Text::EMPTY,
        };
        let value = |side: compare::Side, step: Option<&Step>| {
            let value = self.report.value(side.capture, step?)?;
            Some(Text::from(quoted(&value.to_string())))
        };
        let values = [value(self.comparison.reference, x), value(self.comparison.subject, y)];
        let own = values.clone();
        let (name, differ) = match values {
            [Some(one), Some(other)] if one != other => {
                (name, Some(text!("values {} against {}", one, other)))
            }
            [Some(value), _] | [None, Some(value)] => (text!("{} = {}", name, value), None),
            [None, None] => (name, None),
        };
        let notes = [Some(aligned.note.clone()).filter(|note| !note.is_empty()), differ];
        let mut note = Text::joined(notes.into_iter().flatten(), "; ");
        let said = note.to_string();
        if let Some(why) = aligned.why.filter(|why| strict && !said.contains(why)) {
            note = match note.is_empty() {
                true => text!("normal: {}", why),
                false => text!("{} (normal: {})", note, why),
            };
        } else if aligned.normal && aligned.kind != StepKind::Same {
            note.plain(if note.is_empty() { "normal" } else { " (normal)" });
        }
        let told = |connection: &Connection, names: &Names, step: Option<&Step>, value| {
            let step = step?;
            Some(self.told(connection, step, says(connection, names, step, value)))
        };
        let [ours, theirs] = own;
        Row {
            sign: Field::from(words::sign(aligned.kind)).paint(paint(aligned)),
            name: name.into(),
            sides: Sides::new(
                told(self.a, self.ours, x, ours),
                told(self.b, self.theirs, y, theirs),
            ),
            note,
        }
    }

    fn folded(&self, steps: &[AlignedStep]) -> Row {
        let normal = steps.iter().filter(|step| step.kind != StepKind::Same).count();
        let equal = |same| count(same, "equal step", "equal steps");
        let habits = |normal| count(normal, "normal difference", "normal differences");
        let what = match (steps.len() - normal, normal) {
            (same, 0) => equal(same),
            (0, normal) => habits(normal),
            (same, normal) => text!("{}, {}", equal(same), habits(normal)),
        };
        let sign = if normal == 0 { words::sign(StepKind::Same) } else { words::NORMAL };
        let told = |connection: &Connection, of: &mut dyn Iterator<Item = usize>| {
            let first = connection.steps.get(of.min()?)?;
            Some(self.told(connection, first, what.clone()))
        };
        let sides = Sides::new(
            told(self.a, &mut steps.iter().filter_map(|step| step.reference)),
            told(self.b, &mut steps.iter().filter_map(|step| step.subject)),
        );
        Row {
            sign: Field::from(sign).paint(Paint::Faint),
            name: Field::from(what).paint(Paint::Faint),
            sides,
            note: Text::EMPTY,
        }
    }

    fn told(&self, connection: &Connection, step: &Step, says: Text) -> Told {
        Told { frame: text!("{}", step.frame), after: self.after(connection, step), says }
    }

    fn after(&self, connection: &Connection, step: &Step) -> Text {
        let after = connection.after(step.at);
        after.map(|after| text!("{}", rounded(after, self.resolution))).unwrap_or_default()
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

/// What a log says wrongly stands out, and what did not come on the air.
fn spoken_paint(line: &Spoken<'_>) -> Paint {
    if line.is_wrong { Paint::Red } else { Paint::Blue }
}

/// Says of which witnesses the order alone is known.
fn order_only(section: &mut Section, lines: &[Spoken<'_>]) {
    let mut files: Vec<&str> =
        lines.iter().filter(|line| line.order_only()).map(|l| &*l.testimony.log.file).collect();
    files.dedup();
    for file in files {
        let says = text!(
            "{} is not aligned: its packets stand in their order, and their times are not known",
            quoted(file)
        );
        section.item("", says, Paint::Yellow);
    }
}

/// One timeline.
pub fn alone(report: &Report, index: usize, capture: &Capture, connection: &Connection) -> Section {
    let names = Names::of(capture, connection);
    let title = text!("Timeline of #{}, {}", connection.number, compare::describe(connection));
    let mut section = Section::new(Topic::Timeline, title);
    let most = if report.shown.full { usize::MAX } else { MOST };
    let lines = spoken::about(report, index, connection);
    let mut remark = Section::default();
    order_only(&mut remark, &lines);
    let mut lines = lines.into_iter().peekable();
    let mut rows: Vec<Vec<Field>> = Vec::new();
    for step in connection.steps.iter().take(most) {
        let until = connection.after(step.at);
        while let Some(line) =
            lines.next_if(|line| line.order.zip(until).is_some_and(|(at, until)| at < until))
        {
            rows.push(spoken_row(&line));
        }
        rows.push(row(connection, &names, step, report.value(index, step)));
    }
    rows.extend(lines.map(|line| spoken_row(&line)));
    let left = connection.steps.len().saturating_sub(most);
    if left == 0 && connection.open() {
        let after = connection.after(connection.capture_end);
        let after = after.map_or_else(String::new, |after| after.to_string());
        let row = [Field::right(GOES_ON), Field::right(after), "".into(), STILL_UP.into()];
        rows.push(row.into_iter().chain([Field::default()]).collect());
    }
    let header = vec![
        Field::right("frame"),
        Field::right("after"),
        "".into(),
        "step".into(),
        "outcome".into(),
    ];
    section.table(Some(header), rows);
    section.blocks.append(&mut remark.blocks);
    if left > 0 {
        section.item("", text!("{} more steps (--full shows them)", left), Paint::Faint);
    }
    elided(&mut section, connection);
    tables::open_requests(&mut section, capture, connection);
    section
}

/// A line of a witness between the steps.
fn spoken_row(line: &Spoken<'_>) -> Vec<Field> {
    let after = line.after.map_or_else(String::new, |after| after.to_string());
    vec![
        Field::right(line.cites()),
        Field::right(after),
        Field::from(line.sign()).paint(spoken_paint(line)),
        Field::from(text!("{}", quoted(&line.quote()))).paint(spoken_paint(line)),
        Field::from(text!("{}", quoted(&line.remark()))).paint(spoken_paint(line)),
    ]
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
            text!("{}, over {}", outcome, took)
        } else {
            text!("{}, {}", outcome, took)
        };
    }
    vec![
        Field::right(step.frame.to_string()),
        Field::right(connection.after(step.at).map_or_else(String::new, |after| after.to_string())),
        Field::from(direction),
        Field::from(match value {
            Some(value) => {
                let value = quoted(&value.to_string());
                text!("{} = {}", words::step(connection, names, step), value)
            }
            None => words::step(connection, names, step),
        }),
        Field::from(outcome).paint(if step.failed() { Paint::Red } else { Paint::Plain }),
    ]
}

fn elided(section: &mut Section, connection: &Connection) {
    if connection.elided_steps > 0 {
        let says = text!(
            "#{}: {} steps beyond the first {} are counted only",
            connection.number,
            connection.elided_steps,
            connection.steps.len()
        );
        section.item("", says, Paint::Yellow);
    }
}
