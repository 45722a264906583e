//! Tables as Markdown: words on the left, numbers on the right; a dash where there is no value.

use super::{Cell, Kind, Table};

impl Table {
    /// The table in GitHub's Markdown.
    pub fn to_markdown(&self) -> String {
        let rule = |kind: Kind| if matches!(kind, Kind::Integer | Kind::Real) { "---:" } else { "---" };
        let header = markdown_line(self.columns.iter().map(|column| column.name.as_ref()));
        let rules = markdown_line(self.columns.iter().map(|column| rule(column.kind)));
        let rows: String = self.rows.iter().map(|row| markdown_line(row.iter().map(shown))).collect();
        header + &rules + &rows
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "–".into(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Boolean(holds) => holds.to_string(),
    }
}

/// One line of a table; `|` in a cell is escaped.
fn markdown_line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
