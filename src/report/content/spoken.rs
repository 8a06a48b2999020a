//! What witnesses say of one connection, as a lane beside its steps: lines of logs, and packets on the air.
use super::heard;
use crate::compare::{AlignedStep, Comparison, Side};
use crate::prose::Text;
use crate::report::{Report, words};
use crate::sides::Sides;
use crate::text;
use crate::time::Span;
use crate::timeline::Connection;
use crate::witness::{Relation, RelationKind, Testimony};
use std::borrow::Cow;
use std::iter::Peekable;
use std::vec::IntoIter;

/// Most lines of logs beside one connection.
const MOST: usize = 40;

/// What a witness says, at its place on the connection's time.
pub struct Spoken<'a> {
    pub testimony: &'a Testimony,
    /// The line of a log, the frame of an air capture.
    pub place: u32,
    /// The line's words without keys, or what was on the air.
    pub words: Cow<'a, str>,
    /// How a line of a log is related to the packets, in words that a reader of timelines understands.
    pub relation: Option<&'static str>,
    /// What it has to do with the packets, or what became of it on the air.
    pub says: String,
    /// A log says it wrongly, or something on the air did not come.
    pub is_wrong: bool,
    /// It names a code, or is a turning point of the link.
    pub is_telling: bool,
    /// From the connection's zero. Unknown where the witness has no time of the capture.
    pub after: Option<Span>,
    /// Where it stands among the steps: `after`, or, where the order alone is known, a place in that order.
    pub order: Option<Span>,
}

impl Spoken<'_> {
    pub fn on_air(&self) -> bool {
        self.testimony.air.is_some()
    }

    /// The order of what it tells is known, and the times are not.
    pub fn order_only(&self) -> bool {
        self.on_air() && self.after.is_none()
    }

    /// What the line has to do with the packets: `follows: the link ended with …`.
    pub fn remark(&self) -> String {
        match self.relation {
            Some(relation) => format!("{relation}: {}", self.says),
            None => self.says.clone(),
        }
    }

    /// A log's words as a quotation; a packet by its name.
    pub fn quote(&self) -> String {
        match self.on_air() {
            true => self.words.to_string(),
            false => format!("\u{201c}{}\u{201d}", self.words),
        }
    }

    /// Where it stands in its witness: `line 12`, `air 40`.
    pub fn cites(&self) -> Text {
        match self.on_air() {
            true => text!("air {}", self.place),
            false => text!("line {}", self.place),
        }
    }

    /// The sign of its row.
    pub fn sign(&self) -> &'static str {
        if self.on_air() { words::AIR } else { words::LOG }
    }
}

fn relation_word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Cause => "leads to it",
        RelationKind::Echo => "follows from it",
        RelationKind::Contradiction => "says otherwise",
        RelationKind::Elsewhere => "elsewhere",
        RelationKind::Context => "beside it",
    }
}

/// What all witnesses say of a connection, in the order of time. Of a log with too much to say, contradictions and
/// lines that name a code stay.
pub fn about<'a>(report: &'a Report, capture: usize, connection: &Connection) -> Vec<Spoken<'a>> {
    let mut lines = of_logs(report, capture, connection);
    let air = report.testimonies.iter().filter(|of| of.capture == capture);
    lines.extend(air.flat_map(|testimony| heard::about(testimony, connection)));
    lines.sort_by_key(|line| (line.order.is_none(), line.order, line.testimony.index, line.place));
    lines
}

fn of_logs<'a>(report: &'a Report, capture: usize, connection: &Connection) -> Vec<Spoken<'a>> {
    let logs = report.testimonies.iter().filter(|of| of.capture == capture && !of.alone);
    let mut lines: Vec<(&Relation, Spoken<'a>)> = logs
        .flat_map(|testimony| testimony.relations.iter().map(move |of| (testimony, of)))
        .filter(|(_, relation)| {
            relation.connection == Some(connection.number) && relation.kind != RelationKind::Context
        })
        .filter_map(|(testimony, relation)| {
            let zero = connection.zero().time();
            let after = testimony.at(relation.claim).zip(zero).map(|(at, zero)| at - zero);
            let spoken = Spoken {
                testimony,
                place: relation.line,
                words: Cow::Borrowed(&testimony.claim(relation)?.text),
                relation: Some(relation_word(relation.kind)),
                says: relation.says.to_string(),
                is_wrong: relation.kind == RelationKind::Contradiction,
                is_telling: relation.detail.is_some(),
                after,
                order: after,
            };
            Some((relation, spoken))
        })
        .collect();
    if lines.len() > MOST {
        lines.sort_by_key(|(relation, line)| match relation.kind {
            RelationKind::Contradiction => 0,
            _ if line.is_telling => 1,
            RelationKind::Cause => 2,
            _ => 3,
        });
        lines.truncate(MOST);
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The third lane: what witnesses say of two compared connections, each line before the first step that came after it.
pub struct ThirdLane<'a> {
    connections: Sides<&'a Connection>,
    lines: Sides<Peekable<IntoIter<Spoken<'a>>>>,
}

/// A line of it, and whether it is about the reference.
pub type Said<'a> = (Spoken<'a>, bool);

impl<'a> ThirdLane<'a> {
    /// None where a side has no connection.
    pub fn of(report: &'a Report, comparison: &Comparison) -> Option<Self> {
        let side = |side: Side| report.captures.get(side.capture)?.connection(side.connection);
        let (reference, subject) = (comparison.reference, comparison.subject);
        let connections = Sides::new(side(reference)?, side(subject)?);
        let lines = |side: Side, of| about(report, side.capture, of).into_iter().peekable();
        let ours = lines(reference, connections.reference);
        let theirs = lines(subject, connections.subject);
        Some(Self { connections, lines: Sides::new(ours, theirs) })
    }

    /// The lines that came before this step of their own side.
    pub fn before(&mut self, step: &AlignedStep) -> Vec<Said<'a>> {
        let places = Sides::new(step.reference, step.subject);
        let until = self
            .connections
            .zip(places)
            .map(|(connection, place)| connection.after(connection.steps.get(place?)?.at));
        let mut said = Vec::new();
        let Sides { reference, subject } = &mut self.lines;
        for ((lines, until), is_reference) in
            [reference, subject].into_iter().zip(until).zip([true, false])
        {
            let Some(until) = until else { continue };
            while let Some(line) = lines.next_if(|line| line.order.is_some_and(|at| at < until)) {
                said.push((line, is_reference));
            }
        }
        said
    }

    /// The lines behind all steps, and those without a place.
    pub fn rest(self) -> Vec<Said<'a>> {
        let Sides { reference, subject } = self.lines;
        let first = reference.map(|line| (line, true));
        first.chain(subject.map(|line| (line, false))).collect()
    }
}
