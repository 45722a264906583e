//! One tidy table: typed columns with their meaning, and rows. Renderers return text and write nothing.
//!
//! - [`Table`], [`Column`], [`Cell`]: the value
//! - [`Field`]: a column as a row of a static list: how its cell is read from a record, and what an experiment needs for it
//! - `csv`, `json`, `markdown`, `html`, `terminal`: [`Table::to_csv`], [`Table::to_objects`], [`Table::to_markdown`],
//!   [`Table::to_html`], [`Table::to_terminal`]
//! - [`FORMATS`], [`FileFormat`], [`TableWriter`]: exported files, written piece by piece; `parquet`, `openmetrics`, `latex`: formats
//!   of these alone
//! - `number`: numbers and their intervals for people
//! - `dictionary`: the columns of other tables as a table, the data dictionary

mod column;
mod csv;
mod dictionary;
mod field;
mod file;
mod html;
mod json;
mod latex;
mod markdown;
mod number;
mod openmetrics;
mod parquet;
mod terminal;

use crate::foreign_text::visible;
use crate::stats::Estimate;

pub use column::{Column, ColumnType, Display, Rounding};
pub use dictionary::{describe_values, dictionary};
pub use field::{Field, Reader, boolean, estimate, integer, real, text};
pub use file::{FileFormat, Purpose, Sink, TableWriter};
pub use html::{HtmlTable, escape};
pub use json::Row;
pub(crate) use markdown::{markdown_line, markdown_text};
pub use number::{plain, with_interval};
pub use terminal::Terminal;

/// The formats that a run can be exported in; a further one is a file and its line here.
pub static FORMATS: &[FileFormat] =
    &[csv::FORMAT, json::FORMAT, parquet::FORMAT, openmetrics::FORMAT, latex::FORMAT, markdown::FORMAT];

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Undefined, unknown, or not set.
    Empty,
    /// A word or a sentence.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number; in files with six decimals at most and at least one.
    Real(f64),
    /// Whether something holds.
    Boolean(bool),
    /// A figure over repeats with its interval, for people; in files its mean. In a box: few cells are one, and large tables have millions.
    Estimate(Box<Estimate>),
    /// How many trials are valid, and how many are not; in files the valid ones.
    Trials {
        /// Valid ones.
        valid: u32,
        /// Those that ran and are not valid.
        invalid: u32,
        /// Those that failed.
        failed: u32,
    },
}

impl Cell {
    /// A text, on one line and safe to show; empty for an empty one.
    pub fn text(text: impl Into<String>) -> Cell {
        let text = text.into();
        if text.is_empty() { Cell::Empty } else { Cell::Text(visible(&text).into_owned()) }
    }

    /// A number; empty if there is none or it is not finite.
    pub fn real(value: Option<f64>) -> Cell {
        value.filter(|value| value.is_finite()).map_or(Cell::Empty, Cell::Real)
    }

    /// A count.
    pub fn count(count: impl TryInto<i64>) -> Cell {
        count.try_into().map_or(Cell::Empty, Cell::Integer)
    }

    /// A figure over repeats; empty if there is none.
    pub fn estimate(estimate: Option<Estimate>) -> Cell {
        estimate.map_or(Cell::Empty, |estimate| Cell::Estimate(Box::new(estimate)))
    }

    /// For files: what figures over repeats and counts of trials are reduced to.
    fn plain(&self) -> Cell {
        match self {
            Cell::Estimate(estimate) => Cell::real(Some(estimate.mean)),
            Cell::Trials { valid, .. } => Cell::count(*valid),
            other => other.clone(),
        }
    }

    /// For people: numbers as precise as their column is; a dash where there is no value.
    fn shown(&self, rounding: Rounding) -> String {
        match self {
            Cell::Empty => "–".into(),
            Cell::Text(text) => text.clone(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number::rounded(*number, rounding),
            Cell::Boolean(holds) => holds.to_string(),
            Cell::Estimate(estimate) => number::estimate(estimate, rounding),
            Cell::Trials { valid, invalid: 0, failed: 0 } => valid.to_string(),
            Cell::Trials { valid, invalid, failed } => format!("{valid} of {}", valid + invalid + failed),
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its file's name without its ending.
    pub name: &'static str,
    /// Its columns, from left to right.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of words alone.
    pub fn from_words<const N: usize>(
        name: &'static str,
        columns: &[&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Table {
        let columns = columns.map(|column| Column::plain(column, ColumnType::Text, "")).to_vec();
        Table { name, columns, rows: rows.into_iter().map(|row| row.map(Cell::text).to_vec()).collect() }
    }

    /// Whether it has rows and columns of figures for people.
    pub fn has_figures(&self) -> bool {
        !self.rows.is_empty() && self.legend().next().is_some()
    }

    /// Without the columns that hold figures and have none in any row.
    pub fn without_empty_columns(mut self) -> Table {
        let filled = |place: usize| self.rows.iter().any(|row| row[place] != Cell::Empty);
        let kept: Vec<bool> =
            self.columns.iter().enumerate().map(|(i, c)| c.display == Display::Always || filled(i)).collect();
        let mut keep = kept.iter();
        self.columns.retain(|_| *keep.next().unwrap_or(&true));
        for row in &mut self.rows {
            let mut keep = kept.iter();
            row.retain(|_| *keep.next().unwrap_or(&true));
        }
        self
    }
}
