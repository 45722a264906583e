//! A metric of every configuration: lines over the number of guests, or bars where there is only one number of guests.
//!
//! Where one picture would hold too many lines it is divided by a swept factor, with one scale for all parts, so that they can
//! be compared.

use super::axis::Axis;
use super::group::{self, GroupedRows, LOAD, Part, group_by, headings, load_first, varying, words};
use super::palette::{MAX_LINES, Pen};
use super::plot::{Bar, BarGroup, Bars, Body, Curves, Mark, Plot, Series, SeriesKind, Style, reach};
use crate::figures::{Metric, SummaryRow};
use crate::profile::{Configuration, Factor};
use crate::report::Model;
use crate::stats::Estimate;

/// Bars that one picture can hold.
pub(super) const MAX_BARS: usize = 24;
/// How much larger than every guest bare metal may be and still set the scale of lines.
pub(super) const BASELINE_REACH: f64 = 2.0;

/// What a picture is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChartSubject {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub label: &'static str,
    pub unit: &'static str,
    pub explanation: String,
    /// Whether nothing can be above 100.
    pub ends_at_100: bool,
}

impl ChartSubject {
    /// As it is of these rows.
    pub fn new<'r>(metric: Metric, rows: impl Iterator<Item = &'r SummaryRow>) -> ChartSubject {
        ChartSubject {
            name: metric.column(),
            label: metric.label(),
            unit: metric.unit(),
            explanation: metric.explanation_for(rows.map(|row| row.configuration.test)).into_owned(),
            ends_at_100: metric == Metric::HostCpu,
        }
    }
}

/// A figure of a configuration, and the noise floor below which it means nothing.
pub(super) struct Values<'v> {
    pub value: &'v dyn Fn(&SummaryRow) -> Option<Estimate>,
    pub floor: &'v dyn Fn(&SummaryRow) -> Option<f64>,
}

/// Every picture of one metric, over its noise floor where one is known; none if it has no value anywhere.
pub(super) fn plots(report: &Model, metric: Metric) -> Vec<Plot> {
    let rows: Vec<&SummaryRow> =
        report.rows.iter().filter(|row| metric.applies(row.configuration.test)).collect();
    let subject = ChartSubject::new(metric, rows.iter().copied());
    let value = |row: &SummaryRow| row.get(metric).copied();
    plots_of(report, rows, &subject, &Values { value: &value, floor: &|row| floor(row, metric) })
}

/// What noise alone would give, if that is known.
pub(super) fn floor(row: &SummaryRow, metric: Metric) -> Option<f64> {
    row.get(metric.noise_floor()?).map(|floor| floor.mean)
}

/// Every picture of the rate against that of bare metal; none without bare metal.
pub(super) fn to_bare_metal(report: &Model) -> Vec<Plot> {
    let subject = ChartSubject {
        name: "rate_to_bare_metal",
        label: "Rate ÷ bare metal",
        unit: "",
        explanation: "total rate ÷ that of bare metal under the same load in the same block".into(),
        ends_at_100: false,
    };
    let guests = report.rows.iter().filter(|row| row.to_bare_metal.is_some()).collect();
    let value = |row: &SummaryRow| row.to_bare_metal.map(Estimate::from);
    plots_of(report, guests, &subject, &Values { value: &value, floor: &|_| None })
}

fn plots_of(report: &Model, rows: Vec<&SummaryRow>, subject: &ChartSubject, values: &Values) -> Vec<Plot> {
    let (bare, guests): (Vec<&SummaryRow>, Vec<&SummaryRow>) =
        rows.into_iter().partition(|row| row.configuration.vms == 0);
    let levels = levels(&guests, Factor::Vms);
    let factors = varying(&guests, &report.experiment.factors, &[Factor::Vms]);
    let lines = levels.len() > 1;
    let factors = if lines { factors } else { load_first(factors) };
    let largest = largest(&guests, &bare, values, if lines { BASELINE_REACH } else { f64::INFINITY });
    let largest = if subject.ends_at_100 { largest.min(100.0) } else { largest };
    let axis = Axis::numbers("", subject.unit, largest);
    let limit = if lines { MAX_LINES } else { MAX_BARS };
    let plot = |part: Part| {
        let drawn = with_value(part.rows.iter().chain(&bare).copied(), values);
        let axis = axis.clone();
        let body = match lines {
            true => Body::Lines(as_lines(report, &part, &bare, &levels, (axis, values))?),
            false => Body::Bars(as_bars(report, &part, &bare, (axis, values))?),
        };
        let by = if lines { " by number of guests" } else { "" };
        let title = format!("{}{by}", subject.label);
        let explanation = subject.explanation.clone();
        let plot = Plot::new((subject.name, &title), &part.levels, explanation, body);
        Some(plot.of_configurations(drawn))
    };
    Part::whole(guests, factors).split(limit).into_iter().filter_map(plot).collect()
}

/// The configurations that have something to show.
fn with_value<'r>(rows: impl Iterator<Item = &'r SummaryRow>, values: &Values) -> Vec<Configuration> {
    rows.filter(|row| (values.value)(row).is_some()).map(|row| row.configuration.clone()).collect()
}

fn as_lines(
    report: &Model,
    part: &Part,
    bare: &[&SummaryRow],
    levels: &[String],
    (axis, values): (Axis, &Values),
) -> Option<Curves> {
    let points = |line: &GroupedRows, value: &dyn Fn(&SummaryRow) -> Option<Estimate>| {
        marks(&line.rows, (Factor::Vms, levels), value)
    };
    let measured = part.series(report, |line| points(line, values.value));
    let floors = part.series(report, |line| points(line, &|row| (values.floor)(row).map(Estimate::exact)));
    let floors = floors.into_iter().map(|series| Series { role: SeriesKind::Floor, ..series });
    let pen = measured.first()?.pen;
    let bars = bars(bare.iter().copied(), &varying(bare, &Factor::ALL, &[Factor::Vms]), values);
    let baselines = bars.into_iter().filter_map(|bar| baseline(bar, pen));
    let series = floors.chain(measured.iter().cloned()).chain(baselines).collect();
    let x = Axis { title: axis_title(Factor::Vms, levels), levels: levels.to_vec(), ..Axis::default() };
    Some(Curves { x, y: axis, style: Style::Joined, series })
}

/// A point for each level of a factor that has a value among these rows.
pub(super) fn marks(
    rows: &[&SummaryRow],
    (x, levels): (Factor, &[String]),
    value: &dyn Fn(&SummaryRow) -> Option<Estimate>,
) -> Vec<Mark> {
    let at = |(index, level): (usize, &String)| {
        let row = rows.iter().find(|row| row.configuration.level(x) == *level)?;
        Some(Mark::new(index as f64, value(row)?).of_trials(&row.trials))
    };
    levels.iter().enumerate().filter_map(at).collect()
}

/// Bare metal as a line across.
pub(super) fn baseline(bar: Bar, pen: Pen) -> Option<Series> {
    let points = vec![Mark::new(0.0, bar.values.first().copied().flatten()?)];
    Some(Series { label: bar.label, role: SeriesKind::Baseline, pen, points })
}

/// The factor of an axis of levels, and what their even spacing means.
pub(super) fn axis_title(x: Factor, levels: &[String]) -> String {
    let name = axis_name(x);
    let numbers: Vec<f64> = levels.iter().filter_map(|level| level.parse().ok()).collect();
    let doubling = numbers.windows(2).all(|pair| pair[1] == 2.0 * pair[0]);
    let even = numbers.windows(3).all(|three| three[2] - three[1] == three[1] - three[0]);
    match (doubling, even) {
        (_, true) => name.to_owned(),
        (true, _) => format!("{name} (log₂ scale)"),
        _ => format!("{name} (not to scale)"),
    }
}

/// A factor beside an axis and in a title.
pub(super) fn axis_name(x: Factor) -> &'static str {
    if x == Factor::Vms { "number of guests" } else { x.column() }
}

/// Bare metal stands beside the guests of the same load, or in the end where it is the same for all.
fn as_bars(
    report: &Model,
    part: &Part,
    bare: &[&SummaryRow],
    (axis, values): (Axis, &Values),
) -> Option<Bars> {
    let (outer, inner) = headings(&part.factors);
    let groups = group_by(part.rows.iter().copied(), &outer);
    let beside: Vec<Factor> = outer.iter().copied().filter(|factor| LOAD.contains(factor)).collect();
    let differing = |factors: &[Factor]| varying(bare, &Factor::ALL, factors);
    let is_beside = |row: &SummaryRow, group: &GroupedRows| {
        !beside.is_empty() && group::key(&row.configuration, &outer) == group.key
    };
    let bar_group = |group: &GroupedRows| {
        let guests = guest_bars(report, &Part::whole(group.rows.clone(), inner.clone()), values);
        let hosts = bare.iter().copied().filter(|row| is_beside(row, group));
        let bars = guests.into_iter().chain(bars(hosts, &differing(&beside), values)).collect();
        BarGroup { title: group.words.clone(), bars }
    };
    let apart = bare.iter().copied().filter(|row| !groups.iter().any(|group| is_beside(row, group)));
    let apart = BarGroup { title: String::new(), bars: bars(apart, &differing(&[]), values) };
    let groups: Vec<BarGroup> =
        groups.iter().map(bar_group).chain([apart]).filter(|group| !group.bars.is_empty()).collect();
    (!groups.is_empty()).then_some(Bars { panels: vec![axis], segments: Vec::new(), groups })
}

/// A bar for each configuration that has a value.
fn guest_bars(report: &Model, part: &Part, values: &Values) -> Vec<Bar> {
    let bar = |words: &str, pen: Pen, row: &SummaryRow| {
        let bar = one(words.to_owned(), Some(pen), (values.value)(row)?, (values.floor)(row));
        Some(Bar { trials: row.trials.clone(), ..bar })
    };
    let lines = part.pens(report);
    let bars =
        lines.iter().flat_map(|(line, pen)| line.rows.iter().filter_map(|row| bar(&line.words, *pen, row)));
    bars.collect()
}

/// Bare metal, with the levels that tell one from another if there are several.
pub(super) fn bars<'r>(
    bare: impl Iterator<Item = &'r SummaryRow>,
    factors: &[Factor],
    values: &Values,
) -> Vec<Bar> {
    let label = |row: &SummaryRow| {
        let levels = words(&row.configuration, factors);
        let backend = row.configuration.level(Factor::Backend);
        if levels.is_empty() { backend } else { format!("{backend}, {levels}") }
    };
    let bar = |row: &SummaryRow| {
        let bar = one(label(row), None, (values.value)(row)?, None);
        Some(Bar { trials: row.trials.clone(), ..bar })
    };
    bare.filter_map(bar).collect()
}

/// A bar of one piece with one value.
pub(super) fn one(label: String, pen: Option<Pen>, value: Estimate, floor: Option<f64>) -> Bar {
    Bar { label, pen, values: vec![Some(value)], segments: Vec::new(), floor, trials: Vec::new() }
}

/// The levels of a factor among these rows: numbers ascending, words in the order of the profile.
pub(super) fn levels(rows: &[&SummaryRow], x: Factor) -> Vec<String> {
    let mut levels: Vec<String> = Vec::new();
    for level in rows.iter().map(|row| row.configuration.level(x)) {
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    // Stable: words are all alike.
    levels.sort_by_key(|level| level.parse::<u64>().unwrap_or(0));
    levels
}

/// What the scale has to reach: every mean and floor, intervals within reason, bare metal if it is not far above the guests.
pub(super) fn largest(guests: &[&SummaryRow], bare: &[&SummaryRow], values: &Values, far: f64) -> f64 {
    let highest = |rows: &[&SummaryRow]| {
        rows.iter().filter_map(|row| (values.value)(row)).map(|value| value.mean).fold(0.0, f64::max)
    };
    let (mean, bare) = (highest(guests), highest(bare));
    let within = mean == 0.0 || bare <= far * mean;
    let floor = guests.iter().filter_map(|row| (values.floor)(row)).fold(0.0, f64::max);
    let estimates: Vec<Estimate> = guests.iter().filter_map(|row| (values.value)(row)).collect();
    reach(&estimates).max(floor).max(if within { bare } else { 0.0 })
}
