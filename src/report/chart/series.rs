//! Rows -> what is drawn: lines against the number of guests, or bars where there is only one number of guests.
//!
//! Pure data: no pixels. Where one picture would hold too many lines it is divided by a swept factor, with one scale for
//! all parts, so that they can be compared.

use super::scale::Scale;
use crate::figures::{Metric, SummaryRow};
use crate::profile::{Configuration, Factor};
use crate::report::{Model, model};
use crate::stats::Interval;

/// Lines that one picture can hold.
const MAX_LINES: usize = 7;
/// Bars that one picture can hold.
pub(super) const MAX_BARS: usize = 24;
/// How much larger than every guest bare metal may be and still set the scale of lines.
const BASELINE_REACH: f64 = 2.0;
/// How far an interval may stretch the scale beyond the largest mean.
const INTERVAL_REACH: f64 = 1.4;

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// What is shown.
    pub subject: Subject,
    /// The levels that all of it has in common, in words; empty if one picture holds everything.
    pub part: Vec<String>,
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

/// One line; a missing point is a gap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub label: String,
    pub points: Vec<Option<Interval>>,
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
    pub value: Interval,
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
        let cut = |value: &Interval| value.mean + value.half_width.unwrap_or(0.0) > 1.001 * top;
        match &self.kind {
            Kind::Lines(lines) => lines.series.iter().flat_map(|s| s.points.iter().flatten()).any(cut),
            Kind::Bars(groups) => groups.iter().flat_map(|group| &group.bars).any(|bar| cut(&bar.value)),
        }
    }

    /// File name without extension.
    pub fn name(&self) -> String {
        let parts = self.part.iter().map(|part| slug(part));
        std::iter::once(self.subject.name.to_string()).chain(parts).collect::<Vec<_>>().join("-")
    }

    /// Title of the picture.
    pub fn title(&self) -> String {
        let by = if matches!(self.kind, Kind::Lines(_)) { " by number of guests" } else { "" };
        let part = if self.part.is_empty() { String::new() } else { format!(": {}", self.part.join(", ")) };
        format!("{}{by}{part}", self.subject.label)
    }
}

/// Every picture of one metric; none if it has no value anywhere.
pub(super) fn plots(report: &Model, metric: Metric) -> Vec<Plot> {
    let rows: Vec<&SummaryRow> =
        report.rows.iter().filter(|row| metric.applies(row.configuration.test)).collect();
    let (bare, guests): (Vec<&SummaryRow>, Vec<&SummaryRow>) =
        rows.iter().copied().partition(|row| row.configuration.vms == 0);
    let levels = levels(&guests);
    let factors = varying(&guests, &report.experiment.factors);
    let lines = levels.len() > 1;
    let largest = largest(&guests, &bare, metric, if lines { BASELINE_REACH } else { f64::INFINITY });
    let limit = if lines { MAX_LINES } else { MAX_BARS };
    let parts = split(Part { levels: vec![], rows: guests, factors }, limit);
    let plot = |part: Part| {
        let kind =
            if lines { as_lines(&part, &bare, &levels, metric) } else { as_bars(&part, &bare, metric) };
        kind.map(|kind| Plot { subject: metric.into(), part: part.levels, largest, kind })
    };
    parts.into_iter().filter_map(plot).collect()
}

/// Rows for one picture.
struct Part<'a> {
    /// Levels in common, in words.
    levels: Vec<String>,
    rows: Vec<&'a SummaryRow>,
    /// Factors that tell its lines apart.
    factors: Vec<Factor>,
}

/// Divides by the first factor until no part has more than `limit` lines.
fn split(part: Part, limit: usize) -> Vec<Part> {
    if combinations(&part).len() <= limit || part.factors.len() < 2 {
        return vec![part];
    }
    let (first, rest) = (part.factors[0], part.factors[1..].to_vec());
    let words = distinct(part.rows.iter().map(|row| model::phrase(&row.configuration, first)));
    let sub = |word: String| Part {
        rows: part.rows.iter().copied().filter(|r| model::phrase(&r.configuration, first) == word).collect(),
        levels: part
            .levels
            .iter()
            .cloned()
            .chain([word].into_iter().filter(|word| !word.is_empty()))
            .collect(),
        factors: rest.clone(),
    };
    words.into_iter().flat_map(|word| split(sub(word), limit)).collect()
}

fn as_lines(part: &Part, bare: &[&SummaryRow], levels: &[u32], metric: Metric) -> Option<Kind> {
    let series = combinations(part).into_iter().map(|label| {
        let of = |vms: &u32| {
            let row = part.rows.iter().find(|r| r.configuration.vms == *vms && name(part, r) == label)?;
            row.get(metric).copied()
        };
        Series { points: levels.iter().map(of).collect(), label }
    });
    let series: Vec<Series> = series.collect();
    let any = series.iter().any(|series| series.points.iter().any(Option::is_some));
    any.then(|| Kind::Lines(Lines { levels: levels.to_vec(), series, baselines: baselines(bare, metric) }))
}

fn as_bars(part: &Part, bare: &[&SummaryRow], metric: Metric) -> Option<Kind> {
    let first = part.factors.first().filter(|_| part.factors.len() > 1);
    let inner =
        Part { levels: vec![], rows: vec![], factors: part.factors[usize::from(first.is_some())..].to_vec() };
    let title = |row: &SummaryRow| first.map_or(String::new(), |f| model::phrase(&row.configuration, *f));
    let groups = distinct(part.rows.iter().map(|row| title(row))).into_iter().map(|group| {
        let own = part.rows.iter().filter(|row| title(row) == group);
        let bars = own.filter_map(|row| bar(name(&inner, row), row, metric, false)).collect();
        Group { title: group, bars }
    });
    let bare = Group { title: String::new(), bars: baselines(bare, metric) };
    let groups: Vec<Group> = groups.chain([bare]).filter(|group| !group.bars.is_empty()).collect();
    (!groups.is_empty()).then_some(Kind::Bars(groups))
}

/// Bare metal, with the levels that tell one from another if there are several.
fn baselines(bare: &[&SummaryRow], metric: Metric) -> Vec<Bar> {
    let factors = varying(bare, &Factor::ALL);
    let label = |row: &SummaryRow| {
        let levels = words_of(&row.configuration, &factors);
        let backend = row.configuration.level(Factor::Backend);
        if levels.is_empty() { backend } else { format!("{backend}, {levels}") }
    };
    bare.iter().filter_map(|row| bar(label(row), row, metric, true)).collect()
}

fn bar(label: String, row: &SummaryRow, metric: Metric, baseline: bool) -> Option<Bar> {
    Some(Bar { label, value: *row.get(metric)?, baseline })
}

/// Names of a part's lines, in the order of the rows.
fn combinations(part: &Part) -> Vec<String> {
    distinct(part.rows.iter().map(|row| name(part, row)))
}

/// The levels that tell a row's line from the others; its backend if there is only one line.
fn name(part: &Part, row: &SummaryRow) -> String {
    if part.factors.is_empty() {
        row.configuration.level(Factor::Backend)
    } else {
        words(&row.configuration, part)
    }
}

fn words(configuration: &Configuration, part: &Part) -> String {
    words_of(configuration, &part.factors)
}

/// Levels in words that a line break leaves whole: `16 vCPUs` keeps its no-break space.
fn words_of(configuration: &Configuration, factors: &[Factor]) -> String {
    let phrases = factors.iter().map(|factor| model::phrase(configuration, *factor).replace(' ', "\u{a0}"));
    phrases.filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Numbers of guests, ascending.
fn levels(guests: &[&SummaryRow]) -> Vec<u32> {
    let mut levels: Vec<u32> = guests.iter().map(|row| row.configuration.vms).collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// Factors other than the number of guests that have more than one level.
fn varying(rows: &[&SummaryRow], factors: &[Factor]) -> Vec<Factor> {
    let varies = |factor: &Factor| {
        // What means nothing to a test tells it from no other.
        let mut heeding = rows.iter().map(|row| &row.configuration).filter(|c| c.test.heeds(*factor));
        let first = heeding.next().map(|configuration| configuration.level(*factor));
        heeding.any(|configuration| Some(configuration.level(*factor)) != first)
    };
    factors.iter().copied().filter(|factor| *factor != Factor::Vms).filter(varies).collect()
}

/// What the scale has to reach: every mean, intervals within reason, bare metal if it is not far above the guests.
fn largest(guests: &[&SummaryRow], bare: &[&SummaryRow], metric: Metric, reach: f64) -> f64 {
    let most = |rows: &[&SummaryRow], of: fn(&Interval) -> f64| {
        rows.iter().filter_map(|row| row.get(metric)).map(of).fold(0.0, f64::max)
    };
    let mean = most(guests, |value| value.mean);
    let upper = most(guests, |value| value.mean + value.half_width.unwrap_or(0.0));
    let bare = most(bare, |value| value.mean);
    let reached = if mean == 0.0 || bare <= reach * mean { mean.max(bare) } else { mean };
    reached.max(upper.min(INTERVAL_REACH * mean))
}

fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

/// Lower-case letters, digits and hyphens, for a file name.
fn slug(words: &str) -> String {
    let dashed: String =
        words.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
