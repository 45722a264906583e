//! `summary.csv`, in long form: a row for each configuration and metric. `metrics`, in wide form: a row for each configuration.

use super::{Keys, keys, metric_column};
use crate::figures::{Metric, SummaryRow};
use crate::report::Model;
use crate::report::over_repeats::OVER_REPEATS;
use crate::stats::Estimate;
use crate::table::{Cell, Column, ColumnType, Field, Table};

/// The values of the column `metric`, for the data dictionary.
pub(super) fn values(model: &Model) -> Vec<Column> {
    let metrics = metrics(model).into_iter().map(|metric| metric_column(metric, model.experiment));
    metrics.chain(over_repeats(model).map(Field::column)).collect()
}

fn metrics(model: &Model) -> Vec<Metric> {
    Metric::ALL.into_iter().filter(|metric| model.can_have(*metric)).collect()
}

fn over_repeats<'m>(model: &'m Model) -> impl Iterator<Item = &'static Field<SummaryRow>> + 'm {
    OVER_REPEATS.iter().map(|figure| &figure.field).filter(|field| field.is_in(model.experiment))
}

/// The table. Every configuration has a row for each metric that its test can have, with or without a valid trial.
pub fn summary(model: &Model) -> Table {
    let keys = Keys::new(model.experiment, model.provenance);
    // Once: each of them looks at all configurations.
    let metrics: Vec<(Metric, Column)> =
        metrics(model).into_iter().map(|metric| (metric, metric_column(metric, model.experiment))).collect();
    let others: Vec<(&Field<SummaryRow>, Column)> =
        over_repeats(model).map(|field| (field, field.column())).collect();
    let rows = model.rows.iter().flat_map(|row| {
        let metrics = metrics.iter().filter(|(metric, _)| metric.applies(row.configuration.test));
        let metrics = metrics.map(|(metric, column)| (column, row.get(*metric).copied()));
        let others = others.iter().map(|(field, column)| (column, field.estimate(row)));
        let line = |(column, estimate): (&Column, Option<Estimate>)| {
            let keys = keys.cells(&row.configuration).into_iter();
            keys.chain(cells(column, row, estimate)).collect::<Vec<Cell>>()
        };
        metrics.chain(others).map(line).collect::<Vec<_>>()
    });
    let rows = rows.collect();
    Table { name: "summary", columns: keys.columns().into_iter().chain(columns()).collect(), rows }
}

/// `metrics`: the same with a column for each metric, and the interval in its cell.
pub fn metrics_of_configurations(model: &Model) -> Table {
    let names = Keys::new(model.experiment, model.provenance);
    let accel = Column::plain("accel", ColumnType::Text, "`kvm`, or `tcg`: emulated guests");
    let (metrics, others) = (metrics(model), over_repeats(model).collect::<Vec<_>>());
    let row = |row: &SummaryRow| {
        let metrics = metrics.iter().map(|metric| Cell::estimate(row.get(*metric).copied()));
        let others = others.iter().map(|field| field.cell(row));
        let names = names
            .cells(&row.configuration)
            .into_iter()
            .chain([Cell::text(keys::accel(model.provenance.accel))]);
        names.chain(metrics).chain(others).collect()
    };
    let rows = model.rows.iter().map(row).collect();
    let columns = names.columns().into_iter().chain([accel]).chain(values(model)).collect();
    Table { name: "metrics", columns, rows }
}

fn columns() -> Vec<Column> {
    let integer = |name, meaning| Column::plain(name, ColumnType::Integer, meaning);
    let real = |name, meaning| Column::plain(name, ColumnType::Real, meaning);
    let text = |name, meaning| Column::plain(name, ColumnType::Text, meaning);
    vec![
        text("metric", "the figure: a column of `trials.csv`, or one of all repeats together"),
        text("unit", "its unit"),
        integer("n", "valid trials behind it; of a ratio, blocks"),
        integer("boots", "boots of guests that these trials come from; 0 for bare metal"),
        real("mean", "mean over the boots; of ratios, the geometric mean over blocks"),
        real("low", "lower end; empty for a single trial, and for what all repeats give together"),
        real("high", "upper end"),
        text(
            "ends",
            "what low and high are: `95 % over boots`, `95 % within one boot` (another boot may lie outside), or `extremes`: the \
             smallest and largest trial of a skewed figure with fewer than 5 boots",
        ),
        real("min", "smallest trial"),
        real("max", "largest trial"),
    ]
}

/// The cells after the keys.
fn cells(column: &Column, row: &SummaryRow, estimate: Option<Estimate>) -> Vec<Cell> {
    let has_boots = row.configuration.vms > 0;
    let counts = [estimate.map_or(0, |e| e.trials), estimate.filter(|_| has_boots).map_or(0, |e| e.boots)];
    let interval = estimate.and_then(|estimate| Some((estimate.low_high?, estimate.ends)));
    let ends = interval.map_or("", |(_, ends)| ends.word());
    let low_high = [interval.map(|((low, _), _)| low), interval.map(|((_, high), _)| high)];
    let of_trials = estimate.filter(|estimate| estimate.trials == 1 || interval.is_some());
    let min_max = [of_trials.map(|estimate| estimate.min), of_trials.map(|estimate| estimate.max)];
    let names = [Cell::text(column.name.as_ref()), Cell::text(column.unit)];
    let figures = [estimate.map(|estimate| estimate.mean)].into_iter().chain(low_high).map(Cell::real);
    let names = names.into_iter().chain(counts.map(Cell::count)).chain(figures);
    names.chain([Cell::text(ends)]).chain(min_max.map(Cell::real)).collect()
}
