//! The data dictionary: every column of every table, as a table.

use super::{Cell, Column, ColumnType, Table};

/// `columns`: one row for each column of `tables`, then one for each of the named `values` of a long table.
pub fn dictionary<'t>(tables: impl IntoIterator<Item = &'t Table>) -> Table {
    let rows =
        tables.into_iter().flat_map(|table| table.columns.iter().map(|column| row(table.name, column)));
    Table {
        name: "columns",
        columns: vec![
            Column::plain(
                "table",
                ColumnType::Text,
                "the file without `.csv`; `summary.metric`: a value of that column",
            ),
            Column::plain("name", ColumnType::Text, "the column, or the metric"),
            Column::plain("type", ColumnType::Text, "text, integer, real or boolean; any cell may be empty"),
            Column::plain("unit", ColumnType::Text, "empty for words, counts and ratios"),
            Column::plain("meaning", ColumnType::Text, "what it is"),
            Column::plain(
                "direction",
                ColumnType::Text,
                "whether higher or lower is better; empty where neither is",
            ),
        ],
        rows: rows.collect(),
    }
}

/// Adds rows for the names that stand in a column of a long table.
pub fn describe_values<'c>(dictionary: &mut Table, of: &str, values: impl IntoIterator<Item = &'c Column>) {
    dictionary.rows.extend(values.into_iter().map(|value| row(of, value)));
}

fn row(table: &str, column: &Column) -> Vec<Cell> {
    [table, &column.name, column.kind.word(), column.unit, &column.meaning, column.better.word()]
        .map(Cell::text)
        .to_vec()
}
