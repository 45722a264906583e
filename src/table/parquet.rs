//! Tables as Parquet: typed columns, compressed by zstd. Every column is optional, because any cell may be empty. Units and meanings are
//! key-value metadata of the file: `p99_latency_us.unit`, `p99_latency_us.meaning`, `p99_latency_us.direction`.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::file::{Encoding, FileFormat, Purpose, Sink, TableWriter};
use super::{Cell, Column, ColumnType, Table};

/// The format.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "parquet",
    extension: "parquet",
    about: "typed columns with their units and meanings, compressed",
    purpose: Purpose::Analysis,
    encoding: Encoding::Bytes(|table, sink| Ok(Box::new(ParquetWriter::new(table, sink)?))),
};

/// Rows that are in memory before they are written.
const ROWS_OF_GROUP: usize = 50_000;

struct ParquetWriter {
    file: SerializedFileWriter<Sink>,
    columns: Vec<ColumnChunk>,
    rows: usize,
}

impl ParquetWriter {
    fn new(table: &Table, sink: Sink) -> Result<ParquetWriter> {
        let fields = table.columns.iter().map(field).collect::<Result<Vec<TypePtr>>>()?;
        let schema = Type::group_type_builder(table.name).with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("kvmfair version {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(table.columns.iter().flat_map(descriptions).collect()));
        Ok(ParquetWriter {
            file: SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties.build()))?,
            columns: table.columns.iter().map(|column| ColumnChunk::new(column.kind)).collect(),
            rows: 0,
        })
    }

    /// Writes the rows that are in memory.
    fn flush(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            let writer = group.next_column()?;
            column.write(writer.ok_or_else(|| ParquetError::General("a column is missing".into()))?)?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl TableWriter for ParquetWriter {
    fn add(&mut self, piece: &Table) -> io::Result<()> {
        for row in &piece.rows {
            self.columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell.plain()));
            self.rows += 1;
            if self.rows == ROWS_OF_GROUP {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.file.finish()?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<TypePtr> {
    let (physical, logical) = match column.kind {
        ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Real => (Physical::DOUBLE, None),
        ColumnType::Boolean => (Physical::BOOLEAN, None),
    };
    let builder = Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
    Ok(Arc::new(builder.with_logical_type(logical).build()?))
}

/// What is known of a column beside its name and type.
fn descriptions(column: &Column) -> Vec<KeyValue> {
    let facts = [("unit", column.unit), ("meaning", &*column.meaning), ("direction", column.better.word())];
    let described = facts.into_iter().filter(|(_, text)| !text.is_empty());
    described.map(|(what, text)| KeyValue::new(format!("{}.{what}", column.name), text.to_owned())).collect()
}

/// Some rows of one column.
struct ColumnChunk {
    values: ChunkValues,
    /// For each row 1, or 0 where the cell is empty.
    levels: Vec<i16>,
}

enum ChunkValues {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Real(Vec<f64>),
    Boolean(Vec<bool>),
}

impl ColumnChunk {
    fn new(kind: ColumnType) -> ColumnChunk {
        let values = match kind {
            ColumnType::Text => ChunkValues::Text(Vec::new()),
            ColumnType::Integer => ChunkValues::Integer(Vec::new()),
            ColumnType::Real => ChunkValues::Real(Vec::new()),
            ColumnType::Boolean => ChunkValues::Boolean(Vec::new()),
        };
        ColumnChunk { values, levels: Vec::new() }
    }

    fn push(&mut self, cell: Cell) {
        match (&mut self.values, cell) {
            (ChunkValues::Text(values), Cell::Text(text)) => values.push(text.into_bytes().into()),
            // A count in a table for people.
            (ChunkValues::Text(values), Cell::Integer(number)) => {
                values.push(number.to_string().into_bytes().into());
            }
            (ChunkValues::Integer(values), Cell::Integer(number)) => values.push(number),
            (ChunkValues::Real(values), Cell::Real(number)) => values.push(number),
            (ChunkValues::Boolean(values), Cell::Boolean(holds)) => values.push(holds),
            _ => return self.levels.push(0),
        }
        self.levels.push(1);
    }

    /// Writes the rows and forgets them.
    fn write(&mut self, mut writer: SerializedColumnWriter) -> Result<()> {
        match &mut self.values {
            ChunkValues::Text(values) => write::<ByteArrayType>(&mut writer, values, &self.levels)?,
            ChunkValues::Integer(values) => write::<Int64Type>(&mut writer, values, &self.levels)?,
            ChunkValues::Real(values) => write::<DoubleType>(&mut writer, values, &self.levels)?,
            ChunkValues::Boolean(values) => write::<BoolType>(&mut writer, values, &self.levels)?,
        }
        self.levels.clear();
        writer.close()
    }
}

fn write<T: DataType>(
    writer: &mut SerializedColumnWriter,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<()> {
    writer.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use super::*;
    use crate::table::file::fixture;

    /// The reader of a file.
    fn reader(bytes: Vec<u8>) -> SerializedFileReader<std::fs::File> {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &bytes).unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    #[test]
    fn cells_come_back_with_their_types_and_empty_ones_as_nothing() {
        let file = reader(fixture::bytes(&FORMAT, &fixture::table("virtio"), 1));
        let rows: Vec<Vec<Field>> = file
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().into_columns().into_iter().map(|(_, field)| field).collect())
            .collect();
        let text = || Field::Str("virtio".into());
        assert_eq!(rows[0], [text(), Field::Long(2), Field::Bool(true), Field::Double(100.0)]);
        assert_eq!(rows[1], [Field::Null, Field::Long(4), Field::Null, Field::Null]);
        assert_eq!(rows[2], [text(), Field::Long(8), Field::Bool(false), Field::Double(0.5)]);
    }

    #[test]
    fn units_and_meanings_are_metadata_of_the_file() {
        let file = reader(fixture::bytes(&FORMAT, &fixture::table("virtio"), 1));
        let metadata = file.metadata().file_metadata().key_value_metadata().unwrap();
        let value = |key: &str| metadata.iter().find(|pair| pair.key == key)?.value.as_deref();
        assert_eq!(value("p99_latency_us.unit"), Some("µs"));
        assert_eq!(value("vms.meaning"), Some("level of `vms`"));
        assert_eq!((value("vms.unit"), value("vms.direction")), (None, None));
    }

    #[test]
    fn a_long_table_has_several_groups_of_rows_and_one_without_rows_is_a_file_too() {
        let mut table = fixture::table("virtio");
        table.rows = vec![table.rows[0].clone(); ROWS_OF_GROUP + 1];
        let metadata = |table: &Table| reader(fixture::bytes(&FORMAT, table, 2)).metadata().clone();
        let long = metadata(&table);
        assert_eq!((long.num_row_groups(), long.row_group(1).num_rows()), (2, 1));
        table.rows.clear();
        assert_eq!(metadata(&table).file_metadata().num_rows(), 0);
    }
}
