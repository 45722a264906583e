//! Tables as Markdown: words on the left, numbers on the right; a dash where there is no value.

use super::file::{Encoding, FileFormat, Purpose};
use super::{Cell, Column, Display, Table};

/// The format.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "markdown",
    extension: "md",
    about: "tables in GitHub's Markdown; by default the report's tables",
    purpose: Purpose::Reading,
    encoding: Encoding::Text { head, rows, end: "" },
};

impl Table {
    /// The table in GitHub's Markdown.
    pub fn to_markdown(&self) -> String {
        head(self) + &rows(self)
    }

    /// A list of what its figures are.
    pub fn to_legend(&self) -> String {
        self.legend().map(|[heading, meaning]| format!("- {heading}: {meaning}\n")).collect()
    }

    /// The heading of each figure, and what it is.
    pub fn legend(&self) -> impl Iterator<Item = [String; 2]> {
        let figures = self.columns.iter().filter(|column| column.display != Display::Always);
        figures.map(|column| [column.heading(), column.meaning.to_string()])
    }
}

fn head(table: &Table) -> String {
    let rules = table.columns.iter().map(|column| if column.is_number() { "---:" } else { "---" });
    markdown_line(table.columns.iter().map(titled)) + &markdown_line(rules)
}

fn rows(table: &Table) -> String {
    let text = |(cell, column)| markdown_text(&people_text(cell, column));
    table.rows.iter().map(|row| markdown_line(row.iter().zip(&table.columns).map(text))).collect()
}

/// A cell of a report, where there is room for the trials that do not count.
pub(super) fn people_text(cell: &Cell, column: &Column) -> String {
    match cell {
        Cell::Trials { valid, invalid, failed } => trials(*valid, *invalid, *failed),
        cell => cell.shown(column.rounding),
    }
}

/// `Total rate, transactions/s`.
pub(super) fn titled(column: &Column) -> String {
    if column.unit.is_empty() { column.heading() } else { format!("{}, {}", column.heading(), column.unit) }
}

/// `5`, or `3 (1 invalid, 1 failed)`.
fn trials(valid: u32, invalid: u32, failed: u32) -> String {
    let named = |count: u32, word: &str| (count > 0).then(|| format!("{count} {word}"));
    let others: Vec<String> =
        [named(invalid, "invalid"), named(failed, "failed")].into_iter().flatten().collect();
    if others.is_empty() { valid.to_string() } else { format!("{valid} ({})", others.join(", ")) }
}

/// A text that Markdown takes for neither a tag nor a link. Sentences keep their backticks.
pub(crate) fn markdown_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('<', Some(next)) if next.is_ascii_alphabetic() || "/!?".contains(*next) => safe.push_str("&lt;"),
            (']', Some('(')) => safe.push_str("]\\"),
            _ => safe.push(character),
        }
    }
    safe
}

/// One line of a table; `|` in a cell is escaped.
pub(crate) fn markdown_line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_in_a_cell_does_not_break_the_table() {
        assert_eq!(markdown_line(["a|b", "c"]), "| a\\|b | c |\n");
    }

    #[test]
    fn tags_and_links_stay_texts() {
        assert_eq!(markdown_text("<script>x</script> p < 0.001"), "&lt;script>x&lt;/script> p < 0.001");
        assert_eq!(markdown_text("![x](http://y) [plan]"), "![x]\\(http://y) [plan]");
    }

    #[test]
    fn trials_that_do_not_count_are_named() {
        assert_eq!([trials(5, 0, 0), trials(3, 1, 1)], ["5", "3 (1 invalid, 1 failed)"]);
    }
}
