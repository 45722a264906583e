//! Rows -> what is drawn: lines against the number of guests, or bars where there is only one number of guests.
//!
//! Pure data: no pixels. Where one picture would hold too many lines it is divided by a swept factor, with one scale for
//! all parts, so that they can be compared.

use super::estimate::{Estimate, reach};
use super::parts::{self, LOAD, Part, distinct, headings, load_first, varying, words};
use super::scale::Scale;
use crate::figures::{Metric, SummaryRow};
use crate::profile::{Configuration, Factor};
use crate::report::Model;

/// Lines that one picture can hold.
pub(super) const MAX_LINES: usize = 7;
/// Bars that one picture can hold.
pub(super) const MAX_BARS: usize = 24;
/// How much larger than every guest bare metal may be and still set the scale of lines.
const BASELINE_REACH: f64 = 2.0;
/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// What is shown.
    pub subject: Subject,
    /// The levels that all of it has in common, in words; empty if one picture holds everything.
    pub part: Vec<String>,
    /// Every configuration of which something is drawn.
    pub drawn: Vec<Configuration>,
    /// Upper end of what has to be visible.
    pub largest: f64,
    /// How it is shown.
    pub kind: Kind,
}

/// What a picture is about: a metric, or something of groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Subject {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub label: &'static str,
    pub unit: &'static str,
    pub explanation: &'static str,
    /// Whether nothing can be above 100.
    pub ends_at_100: bool,
}

impl From<Metric> for Subject {
    fn from(metric: Metric) -> Subject {
        Subject {
            name: metric.column(),
            label: metric.label(),
            unit: metric.unit(),
            explanation: metric.explanation(),
            ends_at_100: metric == Metric::HostCpu,
        }
    }
}

/// The two kinds of chart.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Lines(Lines),
    Bars(Vec<Group>),
}

/// Lines against the number of guests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lines {
    /// Numbers of guests, ascending.
    pub levels: Vec<u32>,
    pub series: Vec<Series>,
    /// Bare metal: one value for any number of guests.
    pub baselines: Vec<Bar>,
}

impl Lines {
    /// Whether their intervals are bands: two can be told from each other, more are mud.
    pub fn banded(&self) -> bool {
        self.series.len() <= 2
    }
}

/// One line; a missing point is a gap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub label: String,
    pub points: Vec<Option<Estimate>>,
}

/// Bars under one title; a single group has none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub title: String,
    pub bars: Vec<Bar>,
}

/// One value with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub label: String,
    pub value: Estimate,
    pub baseline: bool,
}

impl Plot {
    /// The scale of the values; that of a share of the host ends at 100 %.
    pub fn scale(&self) -> Scale {
        let largest = if self.subject.ends_at_100 { self.largest.min(100.0) } else { self.largest };
        Scale::new(largest, self.subject.unit)
    }

    /// Whether an interval reaches beyond the scale.
    pub fn is_cut(&self) -> bool {
        let top = self.scale().top;
        self.any(|value| value.high() > 1.001 * top)
    }

    /// Whether an interval says nothing.
    pub fn is_untold(&self) -> bool {
        self.any(|value| value.untold)
    }

    fn any(&self, is: impl Fn(&Estimate) -> bool) -> bool {
        match &self.kind {
            Kind::Lines(lines) => lines.series.iter().flat_map(|s| s.points.iter().flatten()).any(is),
            Kind::Bars(groups) => groups.iter().flat_map(|group| &group.bars).any(|bar| is(&bar.value)),
        }
    }

    /// Title of the picture.
    pub fn title(&self) -> String {
        let by = if matches!(self.kind, Kind::Lines(_)) { " by number of guests" } else { "" };
        parts::title(&format!("{}{by}", self.subject.label), &self.part)
    }
}

/// Something of a configuration.
type Value<'v> = dyn Fn(&SummaryRow) -> Option<Estimate> + 'v;

/// Every picture of one metric; none if it has no value anywhere.
pub(super) fn plots(report: &Model, metric: Metric) -> Vec<Plot> {
    let rows = report.rows.iter().filter(|row| metric.applies(row.configuration.test)).collect();
    of_rows(report, rows, metric.into(), &|row| row.get(metric).copied().map(Estimate::from))
}

/// Every picture of the rate against that of bare metal; none without bare metal.
pub(super) fn to_bare_metal(report: &Model) -> Vec<Plot> {
    const SUBJECT: Subject = Subject {
        name: "rate_to_bare_metal",
        label: "Rate ÷ bare metal",
        unit: "",
        explanation: "total rate ÷ that of bare metal under the same load in the same block",
        ends_at_100: false,
    };
    let guests = report.rows.iter().filter(|row| row.to_bare_metal.is_some());
    of_rows(report, guests.collect(), SUBJECT, &|row| row.to_bare_metal.map(Estimate::from))
}

fn of_rows(report: &Model, rows: Vec<&SummaryRow>, subject: Subject, value: &Value) -> Vec<Plot> {
    let (bare, guests): (Vec<&SummaryRow>, Vec<&SummaryRow>) =
        rows.into_iter().partition(|row| row.configuration.vms == 0);
    let levels = levels(&guests);
    let factors = varying(&guests, &report.experiment.factors, &[Factor::Vms]);
    let lines = levels.len() > 1;
    let factors = if lines { factors } else { load_first(factors) };
    let largest = largest(&guests, &bare, value, if lines { BASELINE_REACH } else { f64::INFINITY });
    let limit = if lines { MAX_LINES } else { MAX_BARS };
    let plot = |part: Part| {
        let kind = if lines { as_lines(&part, &bare, &levels, value) } else { as_bars(&part, &bare, value) };
        let drawn = with_value(part.rows.iter().chain(&bare).copied(), value);
        kind.map(|kind| Plot { subject, part: part.levels, drawn, largest, kind })
    };
    Part::whole(guests, factors).split(limit).into_iter().filter_map(plot).collect()
}

/// The configurations that have something to show.
fn with_value<'r>(rows: impl Iterator<Item = &'r SummaryRow>, value: &Value) -> Vec<Configuration> {
    rows.filter(|row| value(row).is_some()).map(|row| row.configuration.clone()).collect()
}

fn as_lines(part: &Part, bare: &[&SummaryRow], levels: &[u32], value: &Value) -> Option<Kind> {
    let series = part.names().into_iter().map(|label| {
        let of = |vms: &u32| {
            let row = part.rows.iter().find(|r| r.configuration.vms == *vms && part.name(r) == label)?;
            value(row)
        };
        Series { points: levels.iter().map(of).collect(), label }
    });
    let series: Vec<Series> = series.collect();
    let any = series.iter().any(|series| series.points.iter().any(Option::is_some));
    let baselines = bars(bare.iter().copied(), &varying(bare, &Factor::ALL, &[Factor::Vms]), value);
    any.then(|| Kind::Lines(Lines { levels: levels.to_vec(), series, baselines }))
}

/// Bare metal stands beside the guests of the same load, or in the end where it is the same for all.
fn as_bars(part: &Part, bare: &[&SummaryRow], value: &Value) -> Option<Kind> {
    let (outer, inner) = headings(&part.factors);
    let inside = Part::whole(Vec::new(), inner);
    let title = |row: &SummaryRow| words(&row.configuration, &outer);
    let titles = distinct(part.rows.iter().map(|row| title(row)));
    let beside: Vec<Factor> = outer.iter().copied().filter(|factor| LOAD.contains(factor)).collect();
    let differing = |factors: &[Factor]| varying(bare, &Factor::ALL, factors);
    let group = |own: &String| {
        let bar =
            |row: &SummaryRow| Some(Bar { label: inside.name(row), value: value(row)?, baseline: false });
        let guests = part.rows.iter().filter(|row| title(row) == *own).filter_map(|row| bar(row));
        let hosts = bare.iter().copied().filter(|row| !beside.is_empty() && title(row) == *own);
        Group { title: own.clone(), bars: guests.chain(bars(hosts, &differing(&beside), value)).collect() }
    };
    let apart = bare.iter().copied().filter(|row| beside.is_empty() || !titles.contains(&title(row)));
    let apart = Group { title: String::new(), bars: bars(apart, &differing(&[]), value) };
    let groups: Vec<Group> =
        titles.iter().map(group).chain([apart]).filter(|group| !group.bars.is_empty()).collect();
    (!groups.is_empty()).then_some(Kind::Bars(groups))
}

/// Bare metal, with the levels that tell one from another if there are several.
fn bars<'r>(bare: impl Iterator<Item = &'r SummaryRow>, factors: &[Factor], value: &Value) -> Vec<Bar> {
    let label = |row: &SummaryRow| {
        let levels = words(&row.configuration, factors);
        let backend = row.configuration.level(Factor::Backend);
        if levels.is_empty() { backend } else { format!("{backend}, {levels}") }
    };
    bare.filter_map(|row| Some(Bar { label: label(row), value: value(row)?, baseline: true })).collect()
}

/// Numbers of guests, ascending.
fn levels(guests: &[&SummaryRow]) -> Vec<u32> {
    let mut levels: Vec<u32> = guests.iter().map(|row| row.configuration.vms).collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// What the scale has to reach: every mean, intervals within reason, bare metal if it is not far above the guests.
fn largest(guests: &[&SummaryRow], bare: &[&SummaryRow], value: &Value, far: f64) -> f64 {
    let values: Vec<Estimate> = guests.iter().filter_map(|row| value(row)).collect();
    let mean = values.iter().map(|value| value.mean).fold(0.0, f64::max);
    let bare = bare.iter().filter_map(|row| value(row)).map(|value| value.mean).fold(0.0, f64::max);
    let within = mean == 0.0 || bare <= far * mean;
    reach(&values).max(if within { bare } else { 0.0 })
}
