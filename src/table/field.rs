//! A column as one row of a static list: its name, its meaning, what an experiment needs to have it, and how its cell is read
//! from a record. Adding a column is adding such a row.

use super::{Cell, Column, ColumnType, Display, Rounding};
use crate::figures::{Better, Need};
use crate::profile::Experiment;
use crate::stats::Estimate;

/// One column of tables whose rows are of `T`.
pub struct Field<T> {
    /// Name in CSV and JSON.
    pub column: &'static str,
    /// Heading for people; empty: the name with spaces.
    pub label: &'static str,
    /// Unit; empty for words, counts and ratios.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What an experiment needs to have it; all of them.
    pub needs: &'static [Need],
    /// What it is, in one line.
    pub meaning: &'static str,
    /// How precisely people are shown it.
    pub rounding: Rounding,
    /// Where people are shown it.
    pub display: Display,
    /// Its cell.
    pub reader: Reader<T>,
}

/// How the cell of a record is read.
pub enum Reader<T> {
    /// A word; `None` or an empty one is an empty cell.
    Text(fn(&T) -> Option<String>),
    /// A whole number.
    Integer(fn(&T) -> Option<i64>),
    /// A number.
    Real(fn(&T) -> Option<f64>),
    /// Whether something holds.
    Boolean(fn(&T) -> Option<bool>),
    /// A figure over repeats.
    Estimate(fn(&T) -> Option<Estimate>),
}

impl<T> Field<T> {
    /// Which way is better.
    pub const fn better(mut self, better: Better) -> Field<T> {
        self.better = better;
        self
    }

    /// Its heading for people.
    pub const fn label(mut self, label: &'static str) -> Field<T> {
        self.label = label;
        self
    }

    /// How precisely people are shown it.
    pub const fn rounding(mut self, rounding: Rounding) -> Field<T> {
        self.rounding = rounding;
        self
    }

    /// Where people are shown it.
    pub const fn display(mut self, display: Display) -> Field<T> {
        self.display = display;
        self
    }

    /// What an experiment needs to have it.
    pub const fn needs(mut self, needs: &'static [Need]) -> Field<T> {
        self.needs = needs;
        self
    }

    /// Whether a run of this experiment has the column: decided by the profile alone, never by what was measured.
    pub fn is_in(&self, experiment: &Experiment) -> bool {
        self.needs.iter().all(|need| need.is_met(experiment))
    }

    /// The column.
    pub fn column(&self) -> Column {
        let kind = match self.reader {
            Reader::Text(_) => ColumnType::Text,
            Reader::Integer(_) => ColumnType::Integer,
            Reader::Real(_) | Reader::Estimate(_) => ColumnType::Real,
            Reader::Boolean(_) => ColumnType::Boolean,
        };
        Column {
            label: self.label.into(),
            unit: self.unit,
            better: self.better,
            rounding: self.rounding,
            display: self.display,
            ..Column::plain(self.column, kind, self.meaning)
        }
    }

    /// The figure over repeats of one record; `None` of other types.
    pub fn estimate(&self, record: &T) -> Option<Estimate> {
        if let Reader::Estimate(read) = self.reader { read(record) } else { None }
    }

    /// The cell of one record.
    pub fn cell(&self, record: &T) -> Cell {
        match self.reader {
            Reader::Text(read) => read(record).map_or(Cell::Empty, Cell::text),
            Reader::Integer(read) => read(record).map_or(Cell::Empty, Cell::Integer),
            Reader::Real(read) => Cell::real(read(record)),
            Reader::Boolean(read) => read(record).map_or(Cell::Empty, Cell::Boolean),
            Reader::Estimate(read) => Cell::estimate(read(record)),
        }
    }
}

/// A column of words.
pub const fn text<T>(
    column: &'static str,
    meaning: &'static str,
    read: fn(&T) -> Option<String>,
) -> Field<T> {
    field(column, "", meaning, Reader::Text(read))
}

/// A column of whole numbers.
pub const fn integer<T>(
    column: &'static str,
    meaning: &'static str,
    read: fn(&T) -> Option<i64>,
) -> Field<T> {
    field(column, "", meaning, Reader::Integer(read))
}

/// A column of real numbers.
pub const fn real<T>(
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
    read: fn(&T) -> Option<f64>,
) -> Field<T> {
    field(column, unit, meaning, Reader::Real(read))
}

/// A column of `true` and `false`.
pub const fn boolean<T>(
    column: &'static str,
    meaning: &'static str,
    read: fn(&T) -> Option<bool>,
) -> Field<T> {
    field(column, "", meaning, Reader::Boolean(read))
}

/// A column of figures over repeats.
pub const fn estimate<T>(
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
    read: fn(&T) -> Option<Estimate>,
) -> Field<T> {
    field(column, unit, meaning, Reader::Estimate(read))
}

const fn field<T>(
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
    reader: Reader<T>,
) -> Field<T> {
    let (rounding, display) = (Rounding::Significant, Display::ReportOnly);
    let (label, better) = ("", Better::Neither);
    Field { column, label, unit, better, needs: &[], meaning, rounding, display, reader }
}
