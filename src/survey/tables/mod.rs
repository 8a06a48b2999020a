//! A survey as tables, one Parquet file each, for tools that count over millions of rows.
//!
//! [`pieces`] makes the rows of one file, in pieces that are small however much the file holds. [`Tables`] writes
//! them as a stream: what it holds does not grow with the number of files. The same pieces in the same order give
//! the same bytes.
mod captures;
mod claims;
mod column;
mod connections;
mod findings;
mod page;
mod parquet;
mod steps;

#[cfg(test)]
mod tests;

pub use column::{Declared, Kind, Table};
pub use page::page;

use super::Row;
use crate::case::Analysis;
use crate::compare::Names;
use crate::time::{Clock, Moment, Span, Timestamp};
use column::Rows;
use std::io::{self, Write};

/// Name and version of the tables: a change that breaks readers gets another. New columns do not.
pub const SCHEMA: &str = "hcidiff.tables/1";

/// All tables, in the order of [`Piece`].
pub const TABLES: [&Table; 5] =
    [&captures::TABLE, &connections::TABLE, &steps::TABLE, &findings::TABLE, &claims::TABLE];

/// How much one piece holds at most, about.
const PIECE: usize = 512 << 10;

/// One file of a survey.
struct One<'a> {
    number: u64,
    row: &'a Row,
    analysis: Option<&'a Analysis>,
}

/// Some rows of each table.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece([Rows; 5]);

impl Piece {
    fn new() -> Self {
        Self(TABLES.map(Rows::of))
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|rows| rows.bytes).sum()
    }
}

/// Rows that are given away once there are enough of them.
struct Pieces<G> {
    held: Piece,
    give: G,
}

impl<G: FnMut(Piece) -> io::Result<()>> Pieces<G> {
    fn rows(&mut self, table: usize) -> io::Result<&mut Rows> {
        if self.held.bytes() >= PIECE {
            (self.give)(std::mem::replace(&mut self.held, Piece::new()))?;
        }
        Ok(&mut self.held.0[table])
    }
}

/// The rows of one file, by its number from 1: what was read of it, or the row that says why nothing was.
pub fn pieces(
    number: u64,
    row: &Row,
    analysis: Option<&Analysis>,
    give: impl FnMut(Piece) -> io::Result<()>,
) -> io::Result<()> {
    let mut to = Pieces { held: Piece::new(), give };
    captures::push(to.rows(0)?, &One { number, row, analysis });
    if let Some(analysis) = analysis {
        connections(number, analysis, &mut to)?;
        for (at, it) in analysis.findings.iter().enumerate() {
            findings::push(to.rows(3)?, &findings::One { capture: number, number: at + 1, it });
        }
        claims(number, analysis, &mut to)?;
    }
    (to.give)(to.held)
}

fn connections(
    number: u64,
    analysis: &Analysis,
    to: &mut Pieces<impl FnMut(Piece) -> io::Result<()>>,
) -> io::Result<()> {
    let Some(capture) = analysis.captures.first() else { return Ok(()) };
    let began = Moment::from(capture.first_time);
    for connection in &capture.connections {
        connections::push(
            to.rows(1)?,
            &connections::One { capture: number, began, it: connection },
        );
        if connection.steps.is_empty() {
            continue;
        }
        let names = Names::of(capture, connection);
        for (at, step) in connection.steps.iter().enumerate() {
            let one = steps::One {
                capture: number,
                connection,
                names: &names,
                number: at + 1,
                it: step,
                attribute: names.attribute(connection, step),
            };
            steps::push(to.rows(2)?, &one);
        }
    }
    Ok(())
}

fn claims(
    number: u64,
    analysis: &Analysis,
    to: &mut Pieces<impl FnMut(Piece) -> io::Result<()>>,
) -> io::Result<()> {
    for testimony in &analysis.testimonies {
        let mut related = vec![None; testimony.log.claims.len()];
        for relation in &testimony.relations {
            if let Some(place) = related.get_mut(relation.claim) {
                *place = Some(relation);
            }
        }
        for ((at, it), relation) in testimony.log.claims.iter().enumerate().zip(related) {
            let one = claims::One { capture: number, testimony, at, it, relation };
            claims::push(to.rows(4)?, &one);
        }
    }
    Ok(())
}

/// All five files.
pub struct Tables<W: Write + Send>([parquet::File<W>; 5]);

impl<W: Write + Send> Tables<W> {
    /// Begins them. `open` is asked for each in the order of [`TABLES`].
    pub fn new(mut open: impl FnMut(&Table) -> io::Result<W>) -> io::Result<Self> {
        let mut files = Vec::new();
        for table in TABLES {
            files.push(parquet::File::new(table, open(table)?)?);
        }
        match files.try_into() {
            Ok(files) => Ok(Self(files)),
            Err(_) => Err(io::Error::other("a table is missing")),
        }
    }

    /// Adds rows. Pieces come in the order of the files.
    pub fn add(&mut self, piece: &Piece) -> io::Result<()> {
        self.0.iter_mut().zip(&piece.0).try_for_each(|(file, rows)| file.add(rows))
    }

    /// Ends all files.
    pub fn finish(self) -> io::Result<Vec<W>> {
        self.0.into_iter().map(parquet::File::finish).collect()
    }
}

/// Microseconds of a calendar, where a clock has one.
fn time(clock: Clock, time: Option<Timestamp>) -> Option<i64> {
    matches!(clock, Clock::Utc | Clock::Local).then_some(time?.0)
}

/// Milliseconds to the microsecond.
fn ms(span: Span) -> f64 {
    span.as_ms()
}
