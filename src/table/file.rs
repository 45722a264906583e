//! Files of tables in one of several formats, written piece by piece: a table of a large run does not fit into memory.

use std::fmt;
use std::io::{self, Write};

use super::Table;

/// A format of files.
pub struct FileFormat {
    /// Its name on the command line.
    pub name: &'static str,
    /// Ending of the files' names, without the dot.
    pub extension: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Which tables it is for.
    pub purpose: Purpose,
    pub(super) encoding: Encoding,
}

/// Which tables a format is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Other programs: every table with its values as they are.
    Analysis,
    /// People: tables of the report, numbers as precise as their interval.
    Reading,
    /// Monitoring: one row for each configuration, a column for each metric.
    Monitoring,
}

/// How a format is written.
pub(super) enum Encoding {
    /// Text: what stands before the rows, the rows of a piece, and what stands after them.
    Text { head: fn(&Table) -> String, rows: fn(&Table) -> String, end: &'static str },
    /// Bytes: the writer of a table with these columns.
    Bytes(fn(&Table, Sink) -> io::Result<Box<dyn TableWriter>>),
}

/// Where the bytes of a file go.
pub type Sink = Box<dyn Write + Send>;

/// A file that is being written.
pub trait TableWriter {
    /// Adds the rows of a piece of the table, which has the columns of the first.
    ///
    /// # Errors
    /// Those of the sink.
    fn add(&mut self, piece: &Table) -> io::Result<()>;

    /// Writes what stands at the end.
    ///
    /// # Errors
    /// Those of the sink.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl FileFormat {
    /// Begins a file; of `table` only the columns are used.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn begin(&self, table: &Table, mut sink: Sink) -> io::Result<Box<dyn TableWriter>> {
        match self.encoding {
            Encoding::Bytes(begin) => begin(table, sink),
            Encoding::Text { head, rows, end } => {
                sink.write_all(head(table).as_bytes())?;
                Ok(Box::new(TextWriter { sink, rows, end }))
            }
        }
    }
}

impl fmt::Debug for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

struct TextWriter {
    sink: Sink,
    rows: fn(&Table) -> String,
    end: &'static str,
}

impl TableWriter for TextWriter {
    fn add(&mut self, piece: &Table) -> io::Result<()> {
        self.sink.write_all((self.rows)(piece).as_bytes())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.sink.write_all(self.end.as_bytes())?;
        self.sink.flush()
    }
}

#[cfg(test)]
pub(super) mod fixture {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::stats::Estimate;
    use crate::table::{Cell, Column, ColumnType, Display};

    /// Two configurations with a figure over repeats, and words that somebody else chose.
    pub fn table(word: &str) -> Table {
        let latency = Column {
            label: "P99 latency".into(),
            unit: "µs",
            display: Display::Rank(1),
            ..Column::plain("p99_latency_us", ColumnType::Real, "netperf's P99 \\ warm-up")
        };
        let interval = Estimate { low_high: Some((80.0, 120.0)), min: 80.0, max: 120.0, ..exact(100.0) };
        Table {
            name: "metrics",
            columns: vec![
                Column::plain("backend", ColumnType::Text, "level of `backend`"),
                Column::plain("vms", ColumnType::Integer, "level of `vms`"),
                Column::plain("rps", ColumnType::Boolean, "level of `rps`"),
                latency,
            ],
            rows: vec![
                vec![
                    Cell::text(word),
                    Cell::Integer(2),
                    Cell::Boolean(true),
                    Cell::Estimate(Box::new(interval)),
                ],
                vec![Cell::Empty, Cell::Integer(4), Cell::Empty, Cell::Empty],
                vec![
                    Cell::text(word),
                    Cell::Integer(8),
                    Cell::Boolean(false),
                    Cell::estimate(Some(exact(0.5))),
                ],
            ],
        }
    }

    fn exact(mean: f64) -> Estimate {
        Estimate { trials: 5, boots: 5, ends: crate::stats::Ends::OverBoots, ..Estimate::exact(mean) }
    }

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The file of a table that is written in so many pieces.
    pub fn bytes(format: &FileFormat, table: &Table, pieces: usize) -> Vec<u8> {
        let shared = Shared::default();
        let mut writer = format.begin(table, Box::new(shared.clone())).unwrap();
        for rows in table.rows.chunks(table.rows.len().div_ceil(pieces).max(1)) {
            writer.add(&Table { rows: rows.to_vec(), ..table.clone() }).unwrap();
        }
        writer.finish().unwrap();
        std::mem::take(&mut *shared.0.lock().unwrap())
    }

    /// The same of a format that is text.
    pub fn text(format: &FileFormat, word: &str) -> String {
        String::from_utf8(bytes(format, &table(word), 1)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::FORMATS;

    #[test]
    fn a_table_in_pieces_is_the_same_file_in_every_format_that_does_not_group_by_column() {
        let table = fixture::table("virtio");
        for format in FORMATS.iter().filter(|format| format.purpose != Purpose::Monitoring) {
            let whole = fixture::bytes(format, &table, 1);
            assert_eq!(whole, fixture::bytes(format, &table, 3), "{}", format.name);
            assert!(!whole.is_empty());
        }
    }
}
