//! The summary for people: one row for each configuration, a column for each figure. Terminal and report show parts of it.

use super::model::Model;
use super::over_repeats::{OVER_REPEATS, OverRepeats};
use super::tables;
use crate::figures::{Metric, Section, SummaryRow};
use crate::profile::Configuration;
use crate::table::{Cell, Column, ColumnType, Table};

/// The figures of some sections, in their order, for people: columns without any figure are left out, and rows without one in sections
/// that not every configuration can have.
pub(super) fn overview(model: &Model, sections: &[Section]) -> Table {
    let of_section = |section: &Section| {
        let section = *section;
        Metric::ALL.into_iter().filter(move |metric| metric.section() == section)
    };
    let metrics: Vec<Metric> =
        sections.iter().flat_map(of_section).filter(|metric| model.can_have(*metric)).collect();
    let others: Vec<&OverRepeats> = OVER_REPEATS
        .iter()
        .filter(|figure| sections.contains(&figure.section) && figure.field.is_in(model.experiment))
        .collect();
    let names = names(model);
    let figures = metrics.iter().map(|metric| tables::metric_column(*metric, model.experiment));
    let figures = figures.chain(others.iter().map(|figure| figure.field.column()));
    let row = |row: &SummaryRow| {
        let metrics = metrics.iter().map(|metric| Cell::estimate(row.get(*metric).copied()));
        let figures: Vec<Cell> = metrics.chain(others.iter().map(|figure| figure.field.cell(row))).collect();
        let is_known = sections.contains(&Section::Speed) || figures.iter().any(|cell| *cell != Cell::Empty);
        is_known.then(|| [cells_of_names(model, row), figures].concat())
    };
    let rows = model.rows.iter().filter_map(row).collect();
    let columns = names.into_iter().chain(figures).collect();
    Table { name: "summary", columns, rows }.without_empty_columns()
}

fn names(model: &Model) -> Vec<Column> {
    let counts = [
        Column::plain("n", ColumnType::Text, "valid trials"),
        Column::plain("boots", ColumnType::Text, "boots of guests that these trials come from"),
    ];
    levels(model).into_iter().chain(counts).collect()
}

fn cells_of_names(model: &Model, row: &SummaryRow) -> Vec<Cell> {
    let SummaryRow { measured: valid, invalid, failed, .. } = *row;
    let boots = if row.configuration.vms == 0 { Cell::Empty } else { Cell::text(row.boots.to_string()) };
    let counts = [Cell::Trials { valid, invalid, failed }, boots];
    cells_of_levels(model, &row.configuration).into_iter().chain(counts).collect()
}

/// A column for each swept factor.
pub(super) fn levels(model: &Model) -> Vec<Column> {
    let column =
        |factor: &crate::profile::Factor| Column::plain(factor.column(), ColumnType::Text, "its level");
    model.experiment.factors.iter().map(column).collect()
}

/// The levels of a configuration.
pub(super) fn cells_of_levels(model: &Model, configuration: &Configuration) -> Vec<Cell> {
    model.experiment.factors.iter().map(|factor| Cell::text(configuration.level(*factor))).collect()
}
