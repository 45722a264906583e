//! Tables as CSV (RFC 4180): comma, quotes where needed, one header line.

use std::borrow::Cow;

use super::file::{Encoding, FileFormat, Purpose};
use super::{Cell, Table};

/// Spreadsheets compute a text that begins so; the apostrophe before it tells them that it is one.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// The format.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "csv",
    extension: "csv",
    about: "comma-separated values (RFC 4180) with a header line, as in the run's directory",
    purpose: Purpose::Analysis,
    encoding: Encoding::Text { head, rows: Table::to_csv_rows, end: "" },
};

impl Table {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// The header line and all rows.
    pub fn to_csv(&self) -> String {
        head(self) + &self.to_csv_rows()
    }

    /// All rows without the header line, to be appended to a file that has it.
    pub fn to_csv_rows(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            push_line(&mut text, row.iter().map(csv_text));
        }
        text
    }
}

fn head(table: &Table) -> String {
    let mut text = String::new();
    push_line(&mut text, table.columns.iter().map(|column| column.name.clone()));
    text
}

/// A cell as text; empty where there is no value.
fn csv_text(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Empty => "".into(),
        Cell::Text(text) if text.starts_with(FORMULA) => format!("'{text}").into(),
        Cell::Text(text) => text.into(),
        Cell::Integer(number) => number.to_string().into(),
        Cell::Real(number) => decimal(*number).into(),
        Cell::Boolean(true) => "true".into(),
        Cell::Boolean(false) => "false".into(),
        Cell::Estimate(_) | Cell::Trials { .. } => csv_text(&cell.plain()).into_owned().into(),
    }
}

/// Six decimals at most and at least one, so that a program that guesses types sees a real number.
fn decimal(number: f64) -> String {
    let mut text = format!("{number:.6}");
    text.truncate(text.trim_end_matches('0').len());
    if text.ends_with('.') {
        text.push('0');
    }
    text
}

fn push_line<'c>(text: &mut String, cells: impl Iterator<Item = Cow<'c, str>>) {
    for (index, cell) in cells.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let is_quoted = cell.contains([',', '"', '\n', '\r']);
        let cell = if is_quoted { format!("\"{}\"", cell.replace('"', "\"\"")).into() } else { cell };
        text.extend([comma, &cell]);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType};

    #[test]
    fn a_real_always_has_a_decimal_point_and_no_trailing_zeros() {
        let cells =
            [2000.0, 0.25, 1.0 / 3.0, 0.0, -1.5].map(|number| csv_text(&Cell::Real(number)).into_owned());
        assert_eq!(cells, ["2000.0", "0.25", "0.333333", "0.0", "-1.5"]);
    }

    #[test]
    fn cells_with_commas_and_quotes_come_back_as_they_were_and_line_ends_as_spaces() {
        let words = ["a,b", "say \"x\"", "two\nlines", "plain"];
        let table = Table {
            name: "words",
            columns: vec![
                Column::plain("word", ColumnType::Text, ""),
                Column::plain("n", ColumnType::Integer, ""),
            ],
            rows: words.iter().map(|word| vec![Cell::text(*word), Cell::Integer(1)]).collect(),
        };
        let text = table.to_csv();
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let read: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        assert_eq!(read, ["a,b", "say \"x\"", "two lines", "plain"]);
    }

    #[test]
    fn undefined_is_an_empty_cell_and_booleans_are_words() {
        let cells = [Cell::real(None), Cell::real(Some(f64::NAN)), Cell::Boolean(true), Cell::text("")];
        assert_eq!(cells.map(|cell| csv_text(&cell).into_owned()), ["", "", "true", ""]);
    }
}
