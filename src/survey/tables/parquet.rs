//! One table as a Parquet file, written row group by row group.
use super::column::{Column, Kind, Rows, Table, Values};
use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::Type;
use std::io::{self, Write};
use std::sync::Arc;

/// What is held before a row group is written: so many rows …
const MOST_ROWS: usize = 100_000;
/// … or so many bytes, whichever comes first. Five tables hold five times as much.
const MOST_BYTES: usize = 8 << 20;

/// A Parquet file that grows.
pub struct File<W: Write + Send> {
    table: &'static Table,
    writer: SerializedFileWriter<W>,
    held: Rows,
}

impl<W: Write + Send> File<W> {
    /// Writes the file's beginning.
    pub fn new(table: &'static Table, to: W) -> io::Result<Self> {
        let about = vec![
            KeyValue::new("hcidiff.schema".to_owned(), super::SCHEMA.to_owned()),
            KeyValue::new("hcidiff.table".to_owned(), table.name.to_owned()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("hcidiff ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(about))
            .build();
        let schema = schema(table).map_err(wrong)?;
        let writer = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties));
        Ok(Self { table, writer: writer.map_err(wrong)?, held: Rows::of(table) })
    }

    /// Adds rows, and writes what is held where that is enough.
    pub fn add(&mut self, rows: &Rows) -> io::Result<()> {
        self.held.append(rows);
        if self.held.count >= MOST_ROWS || self.held.bytes >= MOST_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes the rest and the file's end.
    pub fn finish(mut self) -> io::Result<W> {
        if self.held.count > 0 {
            self.flush()?;
        }
        self.writer.into_inner().map_err(wrong)
    }

    fn flush(&mut self) -> io::Result<()> {
        let held = std::mem::replace(&mut self.held, Rows::of(self.table));
        let mut group = self.writer.next_row_group().map_err(wrong)?;
        for (column, declared) in held.columns.into_iter().zip(self.table.columns) {
            let Some(mut to) = group.next_column().map_err(wrong)? else { break };
            write(&mut to, column, declared.always).map_err(wrong)?;
            to.close().map_err(wrong)?;
        }
        group.close().map(drop).map_err(wrong)
    }
}

fn write(
    to: &mut SerializedColumnWriter<'_>,
    column: Column,
    always: bool,
) -> Result<(), ParquetError> {
    let levels = (!always).then_some(column.levels.as_slice());
    match column.values {
        Values::Truth(all) => to.typed::<BoolType>().write_batch(&all, levels, None),
        Values::Whole(all) => to.typed::<Int64Type>().write_batch(&all, levels, None),
        Values::Number(all) => to.typed::<DoubleType>().write_batch(&all, levels, None),
        Values::Text(all, ends) => {
            let whole = ByteArray::from(all);
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let texts: Vec<ByteArray> =
                starts.zip(&ends).map(|(start, end)| whole.slice(start, end - start)).collect();
            to.typed::<ByteArrayType>().write_batch(&texts, levels, None)
        }
    }
    .map(drop)
}

fn schema(table: &Table) -> Result<Type, ParquetError> {
    let mut fields = Vec::new();
    for column in table.columns {
        let (physical, logical) = match column.kind {
            Kind::Truth => (Physical::BOOLEAN, None),
            Kind::Whole => (Physical::INT64, None),
            Kind::Number => (Physical::DOUBLE, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            // Some captures have the time of a place that they do not name.
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS))),
        };
        let repetition = if column.always { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        fields.push(Arc::new(field));
    }
    Type::group_type_builder(table.name).with_fields(fields).build()
}

fn wrong(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::other(other),
    }
}
