//! A survey as tables, one Parquet file each, for tools that count over millions of rows.
//!
//! [`rows`] makes the rows of one file, in pieces that are small however much the file holds. [`Tables`] writes
//! them as a stream: what it holds does not grow with the number of files. The same pieces in the same order give
//! the same bytes, whoever encodes them.
mod captures;
mod claims;
mod column;
mod connections;
mod findings;
mod group;
mod page;
mod parquet;
mod steps;

#[cfg(test)]
mod tests;

pub use column::{Declared, Kind, Table};
pub use group::{Encoded, Group};
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

/// Some rows of each table. An empty one keeps its room for the next file.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece([Rows; 5]);

impl Default for Piece {
    fn default() -> Self {
        Self(TABLES.map(Rows::of))
    }
}

impl Piece {
    /// About how much memory its rows take.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|rows| rows.bytes).sum()
    }

    /// Forgets its rows.
    pub fn clear(&mut self) {
        self.0.iter_mut().for_each(Rows::clear);
    }
}

/// Rows that are given away once there are enough of them.
struct Pieces<'a, G> {
    held: &'a mut Piece,
    full: G,
}

impl<G: FnMut(&mut Piece) -> io::Result<()>> Pieces<'_, G> {
    fn rows(&mut self, table: usize) -> io::Result<&mut Rows> {
        if self.held.bytes() >= PIECE {
            (self.full)(self.held)?;
            self.held.clear();
        }
        Ok(&mut self.held.0[table])
    }
}

/// The rows of one file, by its number from 1: what was read of it, or the row that says why nothing was. They are put
/// into `piece`; whenever it is full, `full` takes what it holds.
pub fn rows(
    number: u64,
    row: &Row,
    analysis: Option<&Analysis>,
    piece: &mut Piece,
    full: impl FnMut(&mut Piece) -> io::Result<()>,
) -> io::Result<()> {
    let mut to = Pieces { held: piece, full };
    captures::push(to.rows(0)?, &One { number, row, analysis });
    if let Some(analysis) = analysis {
        connections(number, analysis, &mut to)?;
        for (at, it) in analysis.findings.iter().enumerate() {
            findings::push(to.rows(3)?, &findings::One { capture: number, number: at + 1, it });
        }
        claims(number, analysis, &mut to)?;
    }
    Ok(())
}

fn connections(
    number: u64,
    analysis: &Analysis,
    to: &mut Pieces<'_, impl FnMut(&mut Piece) -> io::Result<()>>,
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
    to: &mut Pieces<'_, impl FnMut(&mut Piece) -> io::Result<()>>,
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
pub struct Tables<W: Write + Send> {
    files: [parquet::File<W>; 5],
    spare: Piece,
}

impl<W: Write + Send> Tables<W> {
    /// Begins them. `open` is asked for each in the order of [`TABLES`].
    pub fn new(mut open: impl FnMut(&Table) -> io::Result<W>) -> io::Result<Self> {
        let mut files = Vec::new();
        for table in TABLES {
            files.push(parquet::File::new(table, open(table)?)?);
        }
        match files.try_into() {
            Ok(files) => Ok(Self { files, spare: Piece::default() }),
            Err(_) => Err(io::Error::other("a table is missing")),
        }
    }

    /// Adds rows, and gives away those that are enough for a row group. Pieces come in the order of the files.
    #[must_use = "row groups are encoded, and appended"]
    pub fn add(&mut self, piece: &Piece) -> Vec<Group> {
        let files = self.files.iter_mut().zip(&piece.0).enumerate();
        files.filter_map(|(at, (file, rows))| file.add(at, rows)).collect()
    }

    /// The rows that are left when all pieces were added.
    #[must_use = "row groups are encoded, and appended"]
    pub fn rest(&mut self) -> Vec<Group> {
        self.files.iter_mut().enumerate().filter_map(|(at, file)| file.rest(at)).collect()
    }

    /// Whether a row group is the next one of its table.
    pub fn is_next(&self, group: &Encoded) -> bool {
        self.files.get(group.place.table).is_some_and(|file| file.written == group.place.nth)
    }

    /// Writes a row group. Those of one table come in their order.
    pub fn append(&mut self, group: Encoded) -> io::Result<()> {
        let file = self.files.get_mut(group.place.table);
        file.ok_or_else(|| io::Error::other("a table is missing"))?.append(group)
    }

    /// Writes the rows of one file, without the help of other threads. Files come in the order of their numbers.
    pub fn write(&mut self, number: u64, row: &Row, analysis: Option<&Analysis>) -> io::Result<()> {
        let mut piece = std::mem::take(&mut self.spare);
        rows(number, row, analysis, &mut piece, |piece| self.write_piece(piece))?;
        self.write_piece(&piece)?;
        piece.clear();
        self.spare = piece;
        Ok(())
    }

    fn write_piece(&mut self, piece: &Piece) -> io::Result<()> {
        self.add(piece).into_iter().try_for_each(|group| self.append(group.encode()?))
    }

    /// Writes what is left, and the end of all files.
    pub fn finish(mut self) -> io::Result<Vec<W>> {
        self.rest().into_iter().try_for_each(|group| self.append(group.encode()?))?;
        self.files.into_iter().map(parquet::File::finish).collect()
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
