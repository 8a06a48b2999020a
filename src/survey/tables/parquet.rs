//! One table as a Parquet file, written row group by row group.
use super::column::{Rows, Table};
use super::group::{Encoded, Encoding, Group, Place, wrong};
use ::parquet::file::writer::SerializedFileWriter;
use std::io::{self, Write};

/// What is held before a row group is made of it: so many rows …
const MOST_ROWS: usize = 100_000;
/// … or so many bytes, whichever comes first. Five tables hold five times as much.
const MOST_BYTES: usize = 8 << 20;

/// A Parquet file that grows.
pub struct File<W: Write + Send> {
    table: &'static Table,
    encoding: Encoding,
    writer: SerializedFileWriter<W>,
    held: Rows,
    /// Row groups that were begun.
    begun: usize,
    /// Row groups that stand in the file.
    pub written: usize,
}

impl<W: Write + Send> File<W> {
    /// Writes the file's beginning.
    pub fn new(table: &'static Table, to: W) -> io::Result<Self> {
        let encoding = Encoding::of(table)?;
        let schema = encoding.schema.root_schema_ptr();
        let writer = SerializedFileWriter::new(to, schema, encoding.properties.clone());
        let writer = writer.map_err(wrong)?;
        Ok(Self { table, encoding, writer, held: Rows::of(table), begun: 0, written: 0 })
    }

    /// Adds rows, and gives away what is held where that is enough for a row group.
    pub fn add(&mut self, place: usize, rows: &Rows) -> Option<Group> {
        self.held.append(rows);
        let enough = self.held.count >= MOST_ROWS || self.held.bytes >= MOST_BYTES;
        if enough { self.rest(place) } else { None }
    }

    /// What is held, if there is anything.
    pub fn rest(&mut self, table: usize) -> Option<Group> {
        if self.held.count == 0 {
            return None;
        }
        let rows = std::mem::replace(&mut self.held, Rows::of(self.table));
        let place = Place { table, nth: self.begun };
        self.begun += 1;
        Some(Group { place, rows, encoding: self.encoding.clone() })
    }

    /// Writes a row group: the next one.
    pub fn append(&mut self, group: Encoded) -> io::Result<()> {
        if group.place.nth != self.written {
            return Err(io::Error::other("a row group comes out of its order"));
        }
        let mut to = self.writer.next_row_group().map_err(wrong)?;
        for chunk in group.chunks {
            to.append_column(&chunk.bytes, chunk.about).map_err(wrong)?;
        }
        self.written += 1;
        to.close().map(drop).map_err(wrong)
    }

    /// Writes the file's end.
    pub fn finish(self) -> io::Result<W> {
        if self.written != self.begun || self.held.count > 0 {
            return Err(io::Error::other("rows of a table were not written"));
        }
        self.writer.into_inner().map_err(wrong)
    }
}
