//! Tables for a terminal. Width and colour are arguments. Figures that do not fit are left out and named below the table; words
//! are never broken.

use comfy_table::{
    Attribute, Cell as Text, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle,
    Table as Drawing, TableStyle, Width,
};

use super::{Cell, Column, Display, Table};

/// What the renderer may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Characters in a line.
    pub width: u16,
    /// Whether colours may be used.
    pub colour: bool,
}

/// Lines above, below and under the heading; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Spaces before each cell; one more stands between columns.
const PADDING: u16 = 1;

impl Table {
    /// Text no wider than the terminal, unless a single word is. Columns for the report only are left out.
    pub fn to_terminal(&self, terminal: Terminal) -> String {
        let columns = self.fitting(terminal);
        let drawn = self.draw(&columns, terminal).trim_fmt();
        format!("{drawn}\n{}", self.too_narrow(&columns))
    }

    /// The columns that name rows, and as many of the most important others as the width allows; at least one.
    fn fitting(&self, terminal: Terminal) -> Vec<usize> {
        let unbounded = Terminal { width: u16::MAX, colour: false };
        let always = |place: &usize| self.columns[*place].display == Display::Always;
        let mut shown: Vec<usize> = (0..self.columns.len()).filter(always).collect();
        for (index, (_, place)) in self.ranked().into_iter().enumerate() {
            let mut wider = shown.clone();
            wider.push(place);
            wider.sort_unstable();
            if index == 0 || natural_width(&self.draw(&wider, unbounded)) <= usize::from(terminal.width) {
                shown = wider;
            }
        }
        shown
    }

    /// The places of the columns that may be left out, the most important first.
    fn ranked(&self) -> Vec<(u8, usize)> {
        let rank = |(place, column): (usize, &Column)| match column.display {
            Display::Rank(rank) => Some((rank, place)),
            Display::Always | Display::ReportOnly => None,
        };
        let mut ranked: Vec<(u8, usize)> = self.columns.iter().enumerate().filter_map(rank).collect();
        ranked.sort_unstable();
        ranked
    }

    fn draw(&self, columns: &[usize], terminal: Terminal) -> Drawing {
        let mut drawing = Drawing::new();
        let own = || columns.iter().map(|place| &self.columns[*place]);
        drawing
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(terminal.width)
            .set_header(own().map(heading))
            .add_rows(self.rows.iter().map(|row| {
                let cells = columns.iter().map(|place| cell(&row[*place], &self.columns[*place]));
                cells.collect::<Vec<Text>>()
            }));
        let longest = columns.iter().map(|place| self.longest_word(*place));
        drawing.set_constraints(
            longest.map(|word| ColumnConstraint::LowerBoundary(Width::Fixed(word + PADDING))),
        );
        drawing.column_iter_mut().for_each(|column| {
            column.set_padding((PADDING, 0));
        });
        if terminal.colour {
            drawing.enforce_styling();
        } else {
            drawing.force_no_tty();
        }
        drawing
    }

    /// Characters of the longest word in a column, its heading included.
    fn longest_word(&self, place: usize) -> u16 {
        let column = &self.columns[place];
        let cells = self.rows.iter().map(|row| row[place].shown(column.rounding));
        let texts: Vec<String> = cells.chain([column.heading(), unit(column).to_owned()]).collect();
        let words = texts.iter().flat_map(|text| text.split(' '));
        words.map(|word| word.chars().count()).max().unwrap_or(0).try_into().unwrap_or(u16::MAX)
    }

    /// What stands below a table that lacks columns; empty if it lacks none.
    fn too_narrow(&self, shown: &[usize]) -> String {
        let left_out = self.ranked().into_iter().filter(|(_, place)| !shown.contains(place));
        let labels: Vec<String> = left_out.map(|(_, place)| self.columns[place].heading()).collect();
        if labels.is_empty() {
            return String::new();
        }
        format!("too narrow for: {} (see {})\n", labels.join(", "), self.file_name())
    }
}

/// Width of a table of which no cell is wrapped.
fn natural_width(table: &Drawing) -> usize {
    table.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or(0)
}

/// Of a figure: two lines and the unit.
fn heading(column: &Column) -> Text {
    let heading = match column.display {
        Display::Always => Text::new(column.heading()),
        _ => Text::new(format!("{}\n{}", two_lines(&column.heading()), unit(column))),
    };
    let alignment = if column.is_number() { CellAlignment::Right } else { CellAlignment::Left };
    heading.set_alignment(alignment).add_attribute(Attribute::Bold)
}

/// The unit, short: `trans/s`, nearly as netperf writes it.
fn unit(column: &Column) -> &'static str {
    if column.unit == "transactions/s" { "trans/s" } else { column.unit }
}

/// Numbers on the right; yellow where trials are not valid, red where some failed.
fn cell(cell: &Cell, column: &Column) -> Text {
    let alignment = if column.is_number() { CellAlignment::Right } else { CellAlignment::Left };
    let text = Text::new(cell.shown(column.rounding)).set_alignment(alignment);
    match cell {
        Cell::Trials { failed: 1.., .. } => text.fg(Color::Red),
        Cell::Trials { invalid: 1.., .. } => text.fg(Color::Yellow),
        _ => text,
    }
}

/// Broken at the space that leaves the narrowest lines.
fn two_lines(label: &str) -> String {
    let widest = |space: &usize| (*space).max(label.len() - space);
    let space = label.match_indices(' ').map(|(space, _)| space).min_by_key(widest);
    space.map_or(label.into(), |space| format!("{}\n{}", &label[..space], &label[space + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ColumnType;

    #[test]
    fn no_word_is_broken_however_narrow_the_terminal_is() {
        let column = |name, display| Column { display, ..Column::plain(name, ColumnType::Text, "a column") };
        let table = Table {
            name: "words",
            columns: vec![
                column("configuration", Display::Always),
                column("first", Display::Rank(1)),
                column("second", Display::Rank(2)),
            ],
            rows: vec![
                vec!["macvtap-bridge, 16 guests", "12345.6 ± 7.8", "word"]
                    .into_iter()
                    .map(Cell::text)
                    .collect(),
            ],
        };
        let text = table.to_terminal(Terminal { width: 24, colour: false });
        for word in ["configuration", "macvtap-bridge,", "guests", "12345.6"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.ends_with("too narrow for: second (see words.csv)\n"), "{text}");
    }
}
