//! What logs say of one connection, as a lane beside its steps.
use crate::report::Report;
use crate::time::Span;
use crate::timeline::Connection;
use crate::witness::{Relation, RelationKind, Testimony};

/// Most lines of logs beside one connection.
const MOST: usize = 40;

/// A line of a log, at its place on the connection's time.
pub struct Spoken<'a> {
    pub testimony: &'a Testimony,
    pub relation: &'a Relation,
    /// The line's words, without keys.
    pub words: &'a str,
    /// From the connection's zero. Unknown where the log has no time of the capture.
    pub after: Option<Span>,
}

impl Spoken<'_> {
    /// What the line has to do with the packets: `follows: the link ended with …`.
    pub fn says(&self) -> String {
        format!("{}: {}", self.word(), self.relation.says)
    }

    /// The relation in a word that a reader of timelines understands.
    pub fn word(&self) -> &'static str {
        match self.relation.kind {
            RelationKind::Cause => "leads to it",
            RelationKind::Echo => "follows from it",
            RelationKind::Contradiction => "says otherwise",
            RelationKind::Elsewhere => "elsewhere",
            RelationKind::Context => "beside it",
        }
    }
}

/// The lines of all logs about a connection, in the order of their times. Where there are too many, contradictions
/// and lines that name a code stay.
pub fn about<'a>(report: &'a Report, capture: usize, connection: &Connection) -> Vec<Spoken<'a>> {
    let logs = report.testimonies.iter().filter(|of| of.capture == capture && !of.alone);
    let mut lines: Vec<Spoken<'a>> = logs
        .flat_map(|testimony| testimony.relations.iter().map(move |of| (testimony, of)))
        .filter(|(_, relation)| {
            relation.connection == Some(connection.number) && relation.kind != RelationKind::Context
        })
        .filter_map(|(testimony, relation)| {
            let zero = connection.zero().time();
            let after = testimony.at(relation.claim).zip(zero).map(|(at, zero)| at - zero);
            let words = &testimony.claim(relation)?.text;
            Some(Spoken { testimony, relation, words, after })
        })
        .collect();
    if lines.len() > MOST {
        lines.sort_by_key(|line| match (line.relation.kind, line.relation.detail) {
            (RelationKind::Contradiction, _) => 0,
            (_, Some(_)) => 1,
            (RelationKind::Cause, None) => 2,
            _ => 3,
        });
        lines.truncate(MOST);
    }
    lines.sort_by_key(|line| (line.after, line.testimony.index, line.relation.line));
    lines
}
