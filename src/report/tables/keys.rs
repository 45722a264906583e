//! The columns that every table begins with: the run, the configuration, the swept factors, and of a trial which one it is.

use crate::figures::TrialFigures;
use crate::profile::value::Value;
use crate::profile::{Configuration, Experiment, Factor};
use crate::raw::Accel;
use crate::report::Provenance;
use crate::table::{Cell, Column, ColumnType};

/// The key columns of one table.
pub(super) struct Keys<'m> {
    run: &'m str,
    /// With the type of their levels.
    factors: Vec<(Factor, ColumnType)>,
}

impl<'m> Keys<'m> {
    /// With the swept factors.
    pub fn new(experiment: &'m Experiment, provenance: &'m Provenance) -> Keys<'m> {
        Keys::with(experiment, provenance, &experiment.factors)
    }

    /// With every factor that has a level in some configuration.
    pub fn of_all_factors(experiment: &'m Experiment, provenance: &'m Provenance) -> Keys<'m> {
        let all = &experiment.configurations;
        let set = |factor: &Factor| all.iter().any(|one| !one.level(*factor).is_empty());
        let swept = |factor: &Factor| experiment.factors.contains(factor);
        let factors: Vec<Factor> = Factor::ALL.into_iter().filter(|f| swept(f) || set(f)).collect();
        Keys::with(experiment, provenance, &factors)
    }

    /// With the run and the configuration only.
    pub fn without_factors(experiment: &'m Experiment, provenance: &'m Provenance) -> Keys<'m> {
        Keys::with(experiment, provenance, &[])
    }

    fn with(experiment: &'m Experiment, provenance: &'m Provenance, factors: &[Factor]) -> Keys<'m> {
        let all = &experiment.configurations;
        let factors = factors.iter().map(|factor| (*factor, kind(*factor, all))).collect();
        Keys { run: &provenance.run, factors }
    }

    pub fn columns(&self) -> Vec<Column> {
        let factor = |(factor, kind): &(Factor, ColumnType)| Column {
            unit: unit(factor.column()),
            ..Column::plain(factor.column(), *kind, format!("level of `{}` in the profile", factor.home()))
        };
        let ids = [
            Column::plain("run", ColumnType::Text, "name of the run's directory"),
            Column::plain(
                "configuration",
                ColumnType::Text,
                "id of the configuration, the same in every run of its levels",
            ),
        ];
        ids.into_iter().chain(self.factors.iter().map(factor)).collect()
    }

    pub fn cells(&self, configuration: &Configuration) -> Vec<Cell> {
        let level = |(factor, kind): &(Factor, ColumnType)| level(configuration, *factor, *kind);
        let ids = [Cell::text(self.run), Cell::text(configuration.id())];
        ids.into_iter().chain(self.factors.iter().map(level)).collect()
    }

    pub fn columns_of_trial(&self) -> Vec<Column> {
        let ids = [
            Column::plain("trial", ColumnType::Integer, "number of the trial in the plan, from 1"),
            Column::plain(
                "repeat",
                ColumnType::Integer,
                "the block: which repeat of its configuration, from 1",
            ),
            Column::plain("accel", ColumnType::Text, "`kvm`, `xen`, or `tcg`: emulated guests"),
            Column::plain(
                "outcome",
                ColumnType::Text,
                "`measured`, `invalid` or `failed`; only the first counts",
            ),
        ];
        self.columns().into_iter().chain(ids).collect()
    }

    pub fn cells_of_trial(&self, trial: &TrialFigures) -> Vec<Cell> {
        let ids = [trial.trial, trial.repeat].map(Cell::count);
        let words = [accel(trial.accel), trial.outcome.word()].map(Cell::text);
        self.cells(&trial.configuration).into_iter().chain(ids).chain(words).collect()
    }
}

/// The word for what ran the guests' instructions.
pub(super) fn accel(accel: Accel) -> &'static str {
    match accel {
        Accel::Kvm => "kvm",
        Accel::Tcg => "tcg",
        Accel::Xen => "xen",
    }
}

/// The type of a factor's levels: text unless all that are set are numbers, or switches.
fn kind(factor: Factor, configurations: &[Configuration]) -> ColumnType {
    let set = || configurations.iter().map(|one| one.value(factor)).filter(|value| *value != Value::AsFound);
    match () {
        () if set().next().is_none() => ColumnType::Text,
        () if set().all(|value| matches!(value, Value::Number(_))) => ColumnType::Integer,
        () if set().all(|value| matches!(value, Value::Switch(_))) => ColumnType::Boolean,
        () => ColumnType::Text,
    }
}

fn level(configuration: &Configuration, factor: Factor, kind: ColumnType) -> Cell {
    let level = configuration.level(factor);
    match (kind, configuration.value(factor)) {
        _ if level.is_empty() => Cell::Empty,
        (ColumnType::Integer, Value::Number(number)) => Cell::Integer(number.into()),
        (ColumnType::Boolean, Value::Switch(on)) => Cell::Boolean(on),
        _ => Cell::text(level),
    }
}

/// The unit in a factor's column name.
fn unit(column: &str) -> &'static str {
    match column.rsplit('_').next() {
        Some("mib") => "MiB",
        Some("bytes") => "B",
        Some("ms") => "ms",
        Some("us") => "µs",
        Some("ns") => "ns",
        _ => "",
    }
}
