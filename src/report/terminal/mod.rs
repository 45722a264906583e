//! The summary as a table that fits the terminal, and a second one of groups of guests.
//!
//! Width and colour are given, not asked for. Columns that do not fit are left out, and named below the table.

mod groups;
mod table;

use comfy_table::{Cell, Color, Table};

use super::{Model, answers, fairness, model, warnings};
use crate::figures::{Metric, SummaryRow};
use crate::raw::Accel;

/// Reasons shown below the table; the report has all.
const PROBLEMS: usize = 10;

/// What the renderer may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Characters in a line.
    pub width: u16,
    /// Whether colours may be used.
    pub colour: bool,
}

/// The summary of a run with its caption, the trials that do not count, and a final newline.
pub fn summary(model: &Model, terminal: Terminal) -> String {
    let mut defined = Metric::by_importance();
    defined.retain(|metric| model.rows.iter().any(|row| row.get(*metric).is_some()));
    let draw = |metrics: &[Metric], terminal| summary_table(model, metrics, terminal);
    let shown = table::fitting(&defined, terminal, draw);
    let left_out: Vec<&str> = defined.iter().filter(|m| !shown.contains(m)).map(|m| m.label()).collect();
    let drawn = draw(&shown, terminal).trim_fmt();
    let mut text = format!("{}{}{drawn}\n", answers::opening(model), caption(model));
    text.push_str(&table::too_narrow(&left_out, "summary.csv"));
    text.push_str(&groups::groups(model, terminal));
    text.push_str(&fairness::trust(model));
    text.push_str(&problems(model));
    warnings(model).iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    text
}

/// A table of words that is wrapped to the terminal's width.
pub(super) fn wrapped<const N: usize>(
    header: &[&str; N],
    rows: Vec<[String; N]>,
    terminal: Terminal,
) -> String {
    let mut table = table::empty(header.iter().map(|name| table::heading(name)).collect(), terminal);
    table.add_rows(rows);
    table.trim_fmt()
}

/// The warning about emulation, if any, then what was the same everywhere and what `±` means.
fn caption(model: &Model) -> String {
    let accel = model.provenance.accel;
    let warning = if accel == Accel::Tcg { format!("{}\n", accel.label()) } else { String::new() };
    let window = model.experiment.timing.window.as_secs_f64();
    let meaning = if model.has_intervals() { "; mean ± 95 % interval" } else { "" };
    format!("{warning}{}; {}, window {window} s{meaning}\n", model.constants(), model.repeats())
}

fn problems(model: &Model) -> String {
    let problems = model::problems(model);
    let more = problems.len().saturating_sub(PROBLEMS);
    let mut text: String = problems.iter().take(PROBLEMS).map(|problem| format!("{problem}\n")).collect();
    if more > 0 {
        text.push_str(&format!("and {more} more (see trials.csv)\n"));
    }
    text
}

fn summary_table(model: &Model, metrics: &[Metric], terminal: Terminal) -> Table {
    let factors = &model.experiment.factors;
    let mut table = table::empty(header(model, metrics), terminal);
    table.add_rows(model.rows.iter().map(|row| {
        let levels = factors.iter().map(|factor| Cell::new(row.configuration.level(*factor)));
        let values = metrics.iter().map(|metric| table::value(row.get(*metric)));
        levels.chain([counts(row)]).chain(values).collect::<Vec<Cell>>()
    }));
    table
}

fn header(model: &Model, metrics: &[Metric]) -> Vec<Cell> {
    let factors = model.experiment.factors.iter().map(|factor| factor.column().replace('_', " "));
    let levels = factors.chain(["repeats".into()]).map(|name| table::heading(&name));
    let metrics = metrics.iter().map(|metric| table::heading_of_numbers(metric.label(), unit(*metric)));
    levels.chain(metrics).collect()
}

/// The unit, short: `trans/s`, nearly as netperf writes it.
fn unit(metric: Metric) -> &'static str {
    if metric.unit() == "transactions/s" { "trans/s" } else { metric.unit() }
}

/// `3`, or `1 of 3` where some do not count: yellow, and red where some failed.
fn counts(row: &SummaryRow) -> Cell {
    let all = row.measured + row.invalid + row.failed;
    let text = if all == row.measured { all.to_string() } else { format!("{} of {all}", row.measured) };
    let cell = Cell::new(text);
    match (row.failed, row.invalid) {
        (0, 0) => cell,
        (0, _) => cell.fg(Color::Yellow),
        _ => cell.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn render(width: u16, colour: bool) -> String {
        let (experiment, provenance, trials) = fixture::run();
        summary(&Model::new(&experiment, &provenance, &trials), Terminal { width, colour })
    }

    #[test]
    fn the_table_for_a_wide_terminal() {
        insta::assert_snapshot!(render(200, false));
    }

    #[test]
    fn the_table_for_a_narrow_terminal_names_what_it_leaves_out() {
        insta::assert_snapshot!(render(80, false));
    }

    #[test]
    fn no_line_of_the_table_is_wider_than_the_terminal() {
        for width in [60, 80, 100, 132, 200] {
            let text = render(width, false);
            let table = text.lines().filter(|line| line.contains("  ") || line.contains('─'));
            for line in table {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_appear_only_when_asked_for() {
        assert!(!render(120, false).contains('\u{1b}'));
        assert!(render(120, true).contains('\u{1b}'));
    }

    #[test]
    fn the_first_line_of_an_emulated_run_says_so() {
        assert_eq!(
            render(120, false).lines().next(),
            Some("no KVM: emulated guests (TCG); compare shapes, do not quote absolute numbers")
        );
    }
}
