//! One tidy table: typed columns with their meaning, and rows. Renderers return text and write nothing.
//!
//! - [`Table`], [`Column`], [`Cell`]: the value
//! - [`Field`]: a column as a row of a static list: how its cell is read from a record, and what an experiment needs for it
//! - `csv`, `json`, `markdown`: [`Table::to_csv`], [`Table::to_objects`], [`Table::to_markdown`]
//! - `dictionary`: the columns of other tables as a table, the data dictionary

mod csv;
mod dictionary;
mod field;
mod json;
mod markdown;

use std::borrow::Cow;

use crate::figures::Better;

pub use dictionary::{describe_values, dictionary};
pub use field::{Field, Reader, boolean, integer, real, text};
pub use json::Row;

/// The type of all cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A whole number.
    Integer,
    /// A number with a decimal point.
    Real,
    /// `true` or `false`.
    Boolean,
}

impl Kind {
    /// The word in the data dictionary.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Integer => "integer",
            Kind::Real => "real",
            Kind::Boolean => "boolean",
        }
    }
}

/// What all cells of a column are.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Lower case, words joined by `_`, with the unit where there is one.
    pub name: Cow<'static, str>,
    /// Their type.
    pub kind: Kind,
    /// Their unit; empty for words, counts and ratios.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What they are, in one line.
    pub meaning: Cow<'static, str>,
}

impl Column {
    /// A column that only names or orders rows: no unit, no direction.
    pub fn plain(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
        Column { name: name.into(), kind, unit: "", better: Better::Neither, meaning: meaning.into() }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Undefined, unknown, or not set.
    Empty,
    /// A word or a sentence.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number; written with six decimals at most and at least one.
    Real(f64),
    /// Whether something holds.
    Boolean(bool),
}

impl Cell {
    /// A text; empty for an empty one.
    pub fn text(text: impl Into<String>) -> Cell {
        let text = text.into();
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }

    /// A number; empty if there is none or it is not finite.
    pub fn real(value: Option<f64>) -> Cell {
        value.filter(|value| value.is_finite()).map_or(Cell::Empty, Cell::Real)
    }

    /// A count.
    pub fn count(count: impl TryInto<i64>) -> Cell {
        count.try_into().map_or(Cell::Empty, Cell::Integer)
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its file's name without `.csv`.
    pub name: &'static str,
    /// Its columns, from left to right.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}
