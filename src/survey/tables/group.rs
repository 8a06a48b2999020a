//! Rows become a row group of a Parquet file, without the file: any thread may do that, and several at a time.
use super::column::{Column, Kind, Rows, Table, Values};
use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use ::parquet::data_type::ByteArray;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use ::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use ::parquet::schema::types::{ColumnDescPtr, SchemaDescPtr, SchemaDescriptor, Type};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// How the rows of one table are encoded.
#[derive(Clone, Debug)]
pub struct Encoding {
    pub schema: SchemaDescPtr,
    pub properties: WriterPropertiesPtr,
}

impl Encoding {
    pub fn of(table: &Table) -> io::Result<Self> {
        let about = vec![
            KeyValue::new("hcidiff.schema".to_owned(), super::SCHEMA.to_owned()),
            KeyValue::new("hcidiff.table".to_owned(), table.name.to_owned()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("hcidiff ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(about))
            .build();
        let schema = SchemaDescriptor::new(Arc::new(schema(table).map_err(wrong)?));
        Ok(Self { schema: Arc::new(schema), properties: Arc::new(properties) })
    }
}

/// The place of a row group: its table, and which group of that table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub table: usize,
    pub nth: usize,
}

/// Rows that are enough for a row group, or the last ones of their table.
#[derive(Debug)]
pub struct Group {
    pub(super) place: Place,
    pub(super) rows: Rows,
    pub(super) encoding: Encoding,
}

impl Group {
    /// Encodes and compresses them. The same rows give the same bytes.
    pub fn encode(self) -> io::Result<Encoded> {
        let columns = self.rows.columns.into_iter().zip(self.encoding.schema.columns());
        let chunks = columns.map(|(column, declared)| {
            let properties = self.encoding.properties.clone();
            Chunk::encode(column, declared, properties).map_err(wrong)
        });
        Ok(Encoded { place: self.place, chunks: chunks.collect::<io::Result<_>>()? })
    }
}

/// A row group that only has to be put into its file.
#[derive(Debug)]
pub struct Encoded {
    pub(super) place: Place,
    pub(super) chunks: Vec<Chunk>,
}

/// One column of a row group.
#[derive(Debug)]
pub struct Chunk {
    pub bytes: Bytes,
    pub about: ColumnCloseResult,
}

impl Chunk {
    fn encode(
        column: Column,
        declared: &ColumnDescPtr,
        properties: WriterPropertiesPtr,
    ) -> Result<Self, ParquetError> {
        let mut to = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut to));
        let mut writer = get_column_writer(declared.clone(), properties, pages);
        let levels = (declared.max_def_level() > 0).then_some(column.levels.as_slice());
        match (&mut writer, column.values) {
            (ColumnWriter::BoolColumnWriter(to), Values::Truth(all)) => {
                to.write_batch(&all, levels, None)?;
            }
            (ColumnWriter::Int64ColumnWriter(to), Values::Whole(all)) => {
                to.write_batch(&all, levels, None)?;
            }
            (ColumnWriter::DoubleColumnWriter(to), Values::Number(all)) => {
                to.write_batch(&all, levels, None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(to), Values::Text(all, ends)) => {
                let whole = ByteArray::from(all);
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let texts: Vec<ByteArray> =
                    starts.zip(&ends).map(|(start, end)| whole.slice(start, end - start)).collect();
                to.write_batch(&texts, levels, None)?;
            }
            _ => return Err(ParquetError::General("a column is of another kind".to_owned())),
        }
        let about = writer.close()?;
        Ok(Self { bytes: to.into_inner()?.into(), about })
    }
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

pub fn wrong(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::other(other),
    }
}
