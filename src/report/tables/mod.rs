//! The tables of a run, for other programs: flows, guests, CPUs, interrupts, exits, groups, trials, proofs, configurations, the
//! summary, the course of each trial, and the data dictionary of all of them.
//!
//! The contract:
//! - every row has `run` and `configuration`; `configurations` has the levels of each configuration, and its id joins all others
//! - only swept factors are columns elsewhere, and only what the profile makes possible: the same profile, the same columns
//! - a column has one type; `true` and `false`; no dots in names; units are in the names
//!
//! Columns named `whole_flow_…` are netperf's own, over a flow from its start, warm-up included; so are the P99 and longest
//! transactions of trials and summaries. All other figures, and all of pings, are of the window. It begins where the warm-up ends, or
//! `window_advanced_s` later where the rate had not settled by then.
//!
//! With several transactions in flight, latencies are of each of them: `window_latency_us` by Little's law, and netperf's own
//! mean and percentiles agree with it (measured: mean within 0.1 % at eight in flight, TCP and UDP). UDP_RR puts no lost
//! transaction back in flight before all are lost: then Little's law is too high, and netperf's mean is the better one.
//! Streams have no latency: netperf would report how long send() and recv() took.
//!
//! Share errors (`…_share_error`) and indices by weight (`…jain_weighted_…`) are claims about weights. They are empty where
//! nobody contended, and where a group that takes part is limited by a quota, a cap on its NIC or the pace of its streams.
//!
//! What is undefined or unknown is an empty cell. A failed trial is a row of `trials` with its stage and cause and without
//! figures; it has no rows elsewhere but in `proofs`. Invalid trials keep theirs: filter by `outcome`.

mod flows;
mod groups;
mod keys;
mod parts;
mod slices;
mod summary;
mod trial;
mod window;

use super::{Model, Provenance};
use crate::figures::{Better, Metric, Numbers, Point, TrialFigures, boots};
use crate::profile::{Configuration, Experiment};
use crate::stats::Scale;
use crate::table::{Cell, Column, ColumnType, Display, Field, Rounding, Table, describe_values, dictionary};
use keys::Keys;
pub use summary::{metrics_of_configurations, summary};

/// The tables whose rows belong to single trials: a further trial adds rows at their ends.
pub fn per_trial(experiment: &Experiment, provenance: &Provenance, trials: &[TrialFigures]) -> Vec<Table> {
    let make = Maker { experiment, keys: Keys::new(experiment, provenance), trials };
    let guests = |n: &Numbers| n.guests.iter().flat_map(parts::ExitRow::all).collect();
    vec![
        make.of_numbers("flows", &flows::FLOW, |n| n.flows.clone()),
        make.of_numbers("guests", &parts::GUEST, |n| n.guests.clone()),
        make.of_numbers("cpus", &parts::CPU, |n| n.seen.cpus.clone()),
        make.of_numbers("interrupts", &parts::INTERRUPT, |n| n.seen.nics.clone()),
        make.of_numbers("exits", &parts::EXIT, guests),
        make.of_numbers("groups", &groups::GROUP, |n| n.sharing.groups.clone()),
        make.table("proofs", &parts::PROOF, |trial| trial.checks.clone()),
    ]
}

/// The tables that compare trials: each is made of all of them.
pub fn of_all_trials(model: &Model) -> Vec<Table> {
    vec![trials(model), configurations(model), summary(model)]
}

/// The columns of all tables, `timeline` included: the data dictionary.
pub fn columns(model: &Model) -> Table {
    let tables = per_trial(model.experiment, model.provenance, &[]).into_iter().chain([
        trials(model),
        configurations(model),
        summary(model),
        timeline(model.experiment, model.provenance, None),
    ]);
    let mut table = dictionary(&tables.collect::<Vec<_>>());
    describe_values(&mut table, "summary.metric", &summary::values(model));
    table
}

/// The column of a metric.
pub(super) fn metric_column(metric: Metric, experiment: &Experiment) -> Column {
    let tests = experiment.configurations.iter().map(|configuration| configuration.test);
    Column {
        label: metric.label().into(),
        unit: metric.unit(),
        better: metric.better(),
        rounding: match metric.scale() {
            Scale::Probability => Rounding::Probability,
            Scale::Linear if metric.better() == Better::Lower => Rounding::FromZero,
            _ => Rounding::Significant,
        },
        display: metric.rank().map_or(Display::ReportOnly, Display::Rank),
        ..Column::plain(metric.column(), ColumnType::Real, metric.explanation_for(tests))
    }
}

struct Maker<'m> {
    experiment: &'m Experiment,
    keys: Keys<'m>,
    trials: &'m [TrialFigures],
}

impl Maker<'_> {
    /// A row for each record of each trial that has numbers.
    fn of_numbers<T>(
        &self,
        name: &'static str,
        fields: &[Field<T>],
        records: impl Fn(&Numbers) -> Vec<T>,
    ) -> Table {
        self.table(name, fields, |trial| trial.numbers.as_ref().map(&records).unwrap_or_default())
    }

    /// A row for each record of each trial.
    fn table<T>(
        &self,
        name: &'static str,
        fields: &[Field<T>],
        records: impl Fn(&TrialFigures) -> Vec<T>,
    ) -> Table {
        let fields: Vec<&Field<T>> = fields.iter().filter(|field| field.is_in(self.experiment)).collect();
        let columns =
            self.keys.columns_of_trial().into_iter().chain(fields.iter().map(|field| field.column()));
        let rows = self.trials.iter().flat_map(|trial| {
            let keys = self.keys.cells_of_trial(trial);
            let line = |record: T| {
                let cells = fields.iter().map(|field| field.cell(&record));
                keys.iter().cloned().chain(cells).collect()
            };
            records(trial).into_iter().map(line).collect::<Vec<Vec<Cell>>>()
        });
        Table { name, rows: rows.collect(), columns: columns.collect() }
    }
}

/// `trials`: one row for each trial.
pub fn trials(model: &Model) -> Table {
    let keys = Keys::new(model.experiment, model.provenance);
    let (boots, experiment) = (boots(model.trials), model.experiment);
    let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(|metric| model.can_have(*metric)).collect();
    let numbers: Vec<&Field<Numbers>> = trial::NUMBERS
        .iter()
        .chain(&window::WINDOW)
        .chain(&slices::SLICES)
        .filter(|field| field.is_in(experiment))
        .collect();
    let own = [
        Column::plain(
            "boot",
            ColumnType::Integer,
            "the boot of guests that it ran on, from 1; empty for bare metal",
        ),
        Column::plain(
            "outlier_percent",
            ColumnType::Real,
            "how far the total rate is from the other repeats, where chance does not explain it; nothing is left out",
        ),
    ];
    let columns = keys.columns_of_trial().into_iter().chain(own);
    let columns = columns.chain(trial::COURSE.iter().map(Field::column));
    let columns = columns.chain(metrics.iter().copied().map(|metric| metric_column(metric, experiment)));
    let columns = columns.chain(numbers.iter().map(|field| field.column())).collect();
    let rows = model.trials.iter().map(|trial| {
        let boot = boots.get(&trial.trial).map_or(Cell::Empty, |boot| Cell::count(*boot));
        let cells = keys.cells_of_trial(trial).into_iter().chain([boot, outlier(model, trial)]);
        let cells = cells.chain(trial::COURSE.iter().map(|field| field.cell(trial)));
        let cells = cells.chain(metrics.iter().map(|metric| Cell::real(metric.value(trial))));
        let number = |field: &&Field<Numbers>| trial.numbers.as_ref().map_or(Cell::Empty, |n| field.cell(n));
        cells.chain(numbers.iter().map(number)).collect()
    });
    Table { name: "trials", columns, rows: rows.collect() }
}

fn outlier(model: &Model, trial: &TrialFigures) -> Cell {
    Cell::real(model.outliers.get(&trial.trial).map(|outlier| 100.0 * outlier.deviation))
}

/// `configurations`: one row for each, with all levels that are set, and how its trials went.
pub fn configurations(model: &Model) -> Table {
    let keys = Keys::of_all_factors(model.experiment, model.provenance);
    let count = |name, meaning| Column::plain(name, ColumnType::Integer, meaning);
    let own = [
        Column::plain("accel", ColumnType::Text, "`kvm`, or `tcg`: emulated guests"),
        count("measured", "valid trials"),
        count("invalid", "trials that ran but are not valid"),
        count("failed", "trials that failed"),
    ];
    let rows = model.rows.iter().map(|row| {
        let counts = [row.measured, row.invalid, row.failed].map(Cell::count);
        let accel = Cell::text(keys::accel(model.provenance.accel));
        keys.cells(&row.configuration).into_iter().chain([accel]).chain(counts).collect()
    });
    let columns = keys.columns().into_iter().chain(own).collect();
    Table { name: "configurations", columns, rows: rows.collect() }
}

/// `timeline`: one row for each point of a trial's course; of no trial, the columns.
pub fn timeline(
    experiment: &Experiment,
    provenance: &Provenance,
    trial: Option<(u32, &Configuration, Vec<Point>)>,
) -> Table {
    let keys = Keys::without_factors(experiment, provenance);
    let columns = [
        Column::plain("trial", ColumnType::Integer, "number of the trial, from 1"),
        Column {
            unit: "s",
            ..Column::plain("at_s", ColumnType::Real, "since the window's begin; negative in the warm-up")
        },
        Column::plain("source", ColumnType::Text, "flow, background, guest, host, cpu, irq or tester"),
        Column::plain("name", ColumnType::Text, "which one, such as `guest 2`; empty if there is one only"),
        Column::plain("metric", ColumnType::Text, "what was measured, with its unit"),
        Column::plain("value", ColumnType::Real, "how much"),
    ];
    let rows = trial.into_iter().flat_map(|(trial, configuration, points)| {
        let keys = keys.cells(configuration);
        points.into_iter().map(move |point| {
            let name = named(point.source, &point.name);
            let names = [point.source.to_owned(), name, point.metric].map(Cell::text);
            let at = [Cell::count(trial), Cell::Real(point.at_s)];
            keys.iter().cloned().chain(at).chain(names).chain([Cell::Real(point.value)]).collect()
        })
    });
    let rows = rows.collect();
    Table { name: "timeline", columns: keys.columns().into_iter().chain(columns).collect(), rows }
}

/// A number alone would make the column one of numbers where all names are numbers.
fn named(source: &str, name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
        format!("{source} {name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests;
