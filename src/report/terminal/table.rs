//! Tables no wider than the terminal: their style, their headings, and which columns fit.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::Terminal;
use crate::report::number;
use crate::stats::Interval;

/// Lines above, below and under the heading; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A table without rows.
pub(super) fn empty(header: Vec<Cell>, terminal: Terminal) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal.width)
        .set_header(header);
    if terminal.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// As many of the most important columns as the width allows, at least one, in their order in the table.
pub(super) fn fitting<C: Copy + Ord>(
    by_importance: &[C],
    terminal: Terminal,
    table: impl Fn(&[C], Terminal) -> Table,
) -> Vec<C> {
    let unbounded = Terminal { width: u16::MAX, colour: false };
    let mut shown = Vec::new();
    for column in by_importance {
        let mut wider = shown.clone();
        wider.push(*column);
        wider.sort();
        if shown.is_empty() || natural_width(&table(&wider, unbounded)) <= usize::from(terminal.width) {
            shown = wider;
        }
    }
    shown
}

/// Width of a table of which no cell is wrapped.
fn natural_width(table: &Table) -> usize {
    table.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or(0)
}

/// What stands below a table that lacks columns; empty if it lacks none.
pub(super) fn too_narrow(left_out: &[&str], file: &str) -> String {
    match left_out {
        [] => String::new(),
        labels => format!("too narrow for: {} (see {file})\n", labels.join(", ")),
    }
}

/// The heading of a column of words.
pub(super) fn heading(name: &str) -> Cell {
    Cell::new(name).add_attribute(Attribute::Bold)
}

/// The heading of a column of numbers: two lines and the unit.
pub(super) fn heading_of_numbers(label: &str, unit: &str) -> Cell {
    heading(&format!("{}\n{unit}", two_lines(label))).set_alignment(CellAlignment::Right)
}

/// Broken at the space that leaves the narrowest lines.
fn two_lines(label: &str) -> String {
    let widest = |space: &usize| (*space).max(label.len() - space);
    let space = label.match_indices(' ').map(|(space, _)| space).min_by_key(widest);
    space.map_or(label.into(), |space| format!("{}\n{}", &label[..space], &label[space + 1..]))
}

/// A mean with its half width; a dash if undefined.
pub(super) fn value(interval: Option<&Interval>) -> Cell {
    Cell::new(interval.map_or("–".into(), number::with_interval)).set_alignment(CellAlignment::Right)
}
