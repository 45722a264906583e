//! The configurations of one picture by the factors that somebody chose: what is on the axis, in which series, and what is left over.

use super::chosen::{MetricChart, MetricChartError, is_of_guests};
use super::group::{GroupedRows, group_by, or_backend, pen_name, pens, varying, words};
use super::metrics::levels;
use super::palette::{Pen, Pens};
use crate::factor::fault::list;
use crate::figures::{Metric, SummaryRow};
use crate::profile::Factor;
use crate::report::Model;

/// A run with the name that its series have beside those of other runs.
#[derive(Clone, Debug)]
pub struct ChartedRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was measured.
    pub model: Model<'a>,
}

/// The metrics that have a value in any of these runs.
pub fn metrics_with_values(runs: &[ChartedRun]) -> Vec<Metric> {
    let has_value =
        |metric: &Metric| runs.iter().flat_map(|run| &run.model.rows).any(|row| row.get(*metric).is_some());
    Metric::ALL.into_iter().filter(has_value).collect()
}

/// Configurations of a run that make one series.
pub(super) struct ChosenSeries<'r> {
    /// Its place among the runs.
    pub run: usize,
    pub label: String,
    /// None for bare metal: grey.
    pub pen: Option<Pen>,
    pub rows: Vec<&'r SummaryRow>,
}

/// All that is drawn.
pub(super) struct Chosen<'r> {
    pub metric: Metric,
    pub x: Factor,
    /// The levels on the axis that have a value.
    pub levels: Vec<String>,
    pub series: Vec<ChosenSeries<'r>>,
    /// Whether series are told apart: by levels or by runs.
    pub has_series: bool,
    /// The pens of the levels on the axis, for bars that are told apart by nothing else.
    pub pens: Pens,
    /// Bare metal that the axis has no place for, with the names of their runs.
    pub references: Vec<(&'r str, Vec<&'r SummaryRow>)>,
}

impl<'r> Chosen<'r> {
    /// The configurations that are drawn, as series.
    pub fn new(runs: &'r [ChartedRun], request: &MetricChart) -> Result<Chosen<'r>, MetricChartError> {
        let rows = chosen_rows(runs, request)?;
        let all = rows.concat();
        let swept = swept(runs);
        let x = request.x.unwrap_or_else(|| usual_x(&all, &swept));
        let has_guests = all.iter().any(|row| row.configuration.vms > 0);
        let is_reference = |row: &&SummaryRow| row.configuration.vms == 0 && has_guests && is_of_guests(x);
        let parted = rows.into_iter().map(|rows| rows.into_iter().partition(is_reference));
        let (references, rows): (Vec<Vec<&SummaryRow>>, Vec<Vec<&SummaryRow>>) = parted.unzip();
        let all = rows.concat();
        let factors = request.series.clone().unwrap_or_else(|| usual_series(&all, &swept, x));
        let of_run = |(run, rows)| series_of_run((run, &runs[run].model), rows, &factors);
        let mut series: Vec<ChosenSeries> = rows.into_iter().enumerate().flat_map(of_run).collect();
        if runs.len() > 1 {
            name_runs(runs, &mut series);
        }
        let references = runs.iter().map(|run| run.name).zip(references);
        let chosen = Chosen {
            metric: request.metric,
            x,
            levels: levels(&all, x),
            series,
            has_series: !factors.is_empty() || runs.len() > 1,
            pens: pens(&runs[0].model, &[x]),
            references: references.filter(|(_, rows)| !rows.is_empty()).collect(),
        };
        chosen.check_points()?;
        Ok(chosen)
    }

    /// Everything that is drawn.
    pub fn rows(&self) -> impl Iterator<Item = &'r SummaryRow> {
        let references = self.references.iter().flat_map(|(_, rows)| rows);
        self.series.iter().flat_map(|series| &series.rows).chain(references).copied()
    }

    /// That no point has two values.
    fn check_points(&self) -> Result<(), MetricChartError> {
        for (series, level) in
            self.series.iter().flat_map(|one| self.levels.iter().map(move |level| (one, level)))
        {
            let rows: Vec<&SummaryRow> =
                series.rows.iter().copied().filter(|row| row.configuration.level(self.x) == *level).collect();
            if rows.len() > 1 {
                return Err(several(&rows));
            }
        }
        Ok(())
    }
}

/// The rows of each run that are drawn.
fn chosen_rows<'r>(
    runs: &'r [ChartedRun],
    request: &MetricChart,
) -> Result<Vec<Vec<&'r SummaryRow>>, MetricChartError> {
    let metric = request.metric;
    if !runs.iter().any(|run| run.model.can_have(metric)) {
        return Err(MetricChartError::Impossible(metric.column()));
    }
    let all = runs.iter().flat_map(|run| &run.model.rows);
    request.check_levels(&all.map(|row| &row.configuration).collect::<Vec<_>>())?;
    let of_run = |run: &'r ChartedRun| run.model.rows.iter().filter(|row| request.shows(row)).collect();
    let shown: Vec<Vec<&SummaryRow>> = runs.iter().map(of_run).collect();
    if !request.only.is_empty() && shown.iter().all(Vec::is_empty) {
        return Err(MetricChartError::NothingLeft);
    }
    let with_value =
        |rows: Vec<&'r SummaryRow>| rows.into_iter().filter(|row| row.get(metric).is_some()).collect();
    let rows: Vec<Vec<&SummaryRow>> = shown.into_iter().map(with_value).collect();
    if rows.iter().all(Vec::is_empty) {
        return Err(MetricChartError::NoValue(metric.column()));
    }
    Ok(rows)
}

/// The swept factors of all runs.
fn swept(runs: &[ChartedRun]) -> Vec<Factor> {
    let of_runs = |factor: &Factor| runs.iter().any(|run| run.model.experiment.factors.contains(factor));
    let first = runs.first().map(|run| run.model.experiment.factors.as_slice()).unwrap_or_default();
    let others = Factor::ALL.into_iter().filter(|factor| !first.contains(factor)).filter(of_runs);
    first.iter().copied().chain(others).collect()
}

/// The number of guests, or the first factor with several levels.
fn usual_x(rows: &[&SummaryRow], swept: &[Factor]) -> Factor {
    let guests: Vec<&SummaryRow> = rows.iter().copied().filter(|row| row.configuration.vms > 0).collect();
    let varying = if guests.is_empty() { varying(rows, swept, &[]) } else { varying(&guests, swept, &[]) };
    let is_vms = varying.contains(&Factor::Vms);
    if is_vms { Factor::Vms } else { varying.first().copied().unwrap_or(Factor::Vms) }
}

/// All other factors with several levels; those of guests among guests.
fn usual_series(rows: &[&SummaryRow], swept: &[Factor], x: Factor) -> Vec<Factor> {
    let guests: Vec<&SummaryRow> = rows.iter().copied().filter(|row| row.configuration.vms > 0).collect();
    let varies = |factor: &Factor| {
        let among = if is_of_guests(*factor) { &guests } else { rows };
        !varying(among, &[*factor], &[x]).is_empty()
    };
    swept.iter().copied().filter(varies).collect()
}

/// The series of one run. Bare metal has no levels of guests; what has no level is named by its backend.
fn series_of_run<'r>(
    (run, model): (usize, &Model),
    rows: Vec<&'r SummaryRow>,
    factors: &[Factor],
) -> Vec<ChosenSeries<'r>> {
    let pens = pens(model, factors);
    let (bare, guests): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.configuration.vms == 0);
    let of_host: Vec<Factor> = factors.iter().copied().filter(|factor| !is_of_guests(*factor)).collect();
    let series = |(group, by, is_bare): (GroupedRows<'r>, &[Factor], bool)| {
        let configuration = &group.rows.first()?.configuration;
        let label = words(configuration, or_backend(by));
        let pen = (!is_bare).then(|| pens.get(&pen_name(configuration, by)));
        Some(ChosenSeries { run, label, pen, rows: group.rows })
    };
    let guests = group_by(guests, factors).into_iter().map(|group| (group, factors, false));
    let bare = group_by(bare, &of_host).into_iter().map(|group| (group, of_host.as_slice(), true));
    guests.chain(bare).filter_map(series).collect()
}

/// Gives the series of several runs their runs' names, with their levels where a run has several, and pens of their own.
fn name_runs(runs: &[ChartedRun], series: &mut [ChosenSeries]) {
    let owners: Vec<usize> = series.iter().map(|one| one.run).collect();
    for one in series.iter_mut() {
        let is_alone = owners.iter().filter(|owner| **owner == one.run).count() == 1;
        one.label = with_run(runs[one.run].name, if is_alone { "" } else { &one.label });
    }
    let pens = Pens::assign(series.iter().map(|one| one.label.clone()));
    series.iter_mut().for_each(|one| one.pen = one.pen.map(|_| pens.get(&one.label)));
}

/// A label with the name of its run.
pub(super) fn with_run(run: &str, label: &str) -> String {
    if label.is_empty() { run.to_owned() } else { format!("{run}, {label}") }
}

/// What is wrong where these rows fall on one point.
fn several(rows: &[&SummaryRow]) -> MetricChartError {
    let left = varying(rows, &Factor::ALL, &[]);
    let names: Vec<&str> = left.iter().map(|factor| factor.key()).collect();
    MetricChartError::SeveralOnOnePoint {
        count: rows.len(),
        factors: list(&names),
        hint: narrower(rows, &left),
    }
}

/// How fewer configurations are chosen: `--where vcpus=2`.
pub(super) fn narrower(rows: &[&SummaryRow], left: &[Factor]) -> String {
    let condition = |factor: &Factor| {
        let level = rows.last().map(|row| row.configuration.level(*factor)).unwrap_or_default();
        format!("{}={level}", factor.key())
    };
    format!("--where {}, or --series", left.iter().map(condition).collect::<Vec<_>>().join(","))
}
