//! A history: one line for each run, appended; where a figure's level moved over the runs, and what changed in the environment there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::baseline::read_lines;
use super::{DamagedLine, Direction, FactDifference, Fingerprint, Measure, Metric};
use crate::stats::{Segmentation, Summary};

/// Version of the format.
const FORMAT: u32 = 1;
/// Fewest runs on each of two bands.
const FEWEST_IN_BAND: usize = 3;
/// Two bands are apart if the gap between them is this many times the larger spread within one.
const GAP: f64 = 3.0;

/// One run of a history, a line of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Version of the format.
    pub schema: u32,
    /// Name of the run.
    pub run: String,
    /// When it was measured, UTC, ISO 8601.
    pub date: String,
    /// What its figures depend on.
    pub environment: Fingerprint,
    /// Its configurations, in the order of the profile.
    pub configurations: Vec<HistoryFigures>,
}

/// The figures of one configuration in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryFigures {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// For people: `virtio, 8 guests`.
    pub label: String,
    /// By column: mean of the boots, geometric for ratios.
    pub metrics: BTreeMap<String, f64>,
}

impl HistoryEntry {
    /// A run in today's format.
    pub fn new(
        run: String,
        date: String,
        environment: Fingerprint,
        configurations: Vec<HistoryFigures>,
    ) -> HistoryEntry {
        HistoryEntry { schema: FORMAT, run, date, environment, configurations }
    }

    /// Its line in the file.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).map(|line| line + "\n").unwrap_or_default()
    }
}

/// The runs of a file, in the order in which they were added.
///
/// # Errors
/// [`DamagedLine`] with the first line that cannot be read.
pub fn read_history(text: &str) -> Result<Vec<HistoryEntry>, DamagedLine> {
    let entry = |line: Result<(usize, HistoryEntry), DamagedLine>| {
        let (line, entry) = line?;
        if entry.schema == FORMAT {
            return Ok(entry);
        }
        let message = format!("format {} is unknown to this version, which has {FORMAT}", entry.schema);
        Err(DamagedLine { line, column: 1, message })
    };
    read_lines(text).map(entry).collect()
}

/// One metric of one configuration over the runs that have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricHistory {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// For people, from the newest run.
    pub label: String,
    /// The metric.
    pub metric: Metric,
    /// Places of the runs in the history.
    pub runs: Vec<usize>,
    /// Value in each.
    pub values: Vec<f64>,
    /// Level of each run's segment; empty for fewer runs than are judged.
    pub levels: Vec<f64>,
    /// Where the level moved.
    pub changes: Vec<LevelChange>,
    /// Places in `runs` of runs that are odd in their segment.
    pub odd: Vec<usize>,
    /// Two levels between which the runs of the last segment jump, if they do.
    pub bands: Option<(f64, f64)>,
}

/// A level that moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelChange {
    /// Place in [`MetricHistory::runs`] of the first run of the new level.
    pub at: usize,
    /// Level before, in the metric's unit.
    pub before: f64,
    /// Level after.
    pub after: f64,
    /// Whether the next runs may take the new level back: it has too few of them, or one of so many figures shows as much by chance.
    pub is_provisional: bool,
    /// Whether the new level is worse.
    pub is_worse: bool,
    /// What differs between the environments of the last run before and the first run after.
    pub environment: Vec<FactDifference>,
}

/// The course of every metric of every configuration of the newest run that has it.
pub fn courses(history: &[HistoryEntry], metrics: &[Metric]) -> Vec<MetricHistory> {
    let mut known: Vec<(&str, &str)> = Vec::new();
    for entry in history.iter().rev() {
        for own in &entry.configurations {
            if known.iter().all(|(id, _)| *id != own.configuration) {
                known.push((&own.configuration, &own.label));
            }
        }
    }
    let each = || known.iter().flat_map(|own| metrics.iter().map(move |metric| (*own, metric)));
    let has = |((id, _), metric): &((&str, &str), &Metric)| {
        history
            .iter()
            .flat_map(|run| &run.configurations)
            .any(|own| own.configuration == *id && own.metrics.contains_key(&metric.key))
    };
    let judged = each().filter(has).count();
    each().filter_map(|(own, metric)| course(history, own, metric, judged)).collect()
}

/// The course of one of so many that are judged.
fn course(
    history: &[HistoryEntry],
    (id, label): (&str, &str),
    metric: &Metric,
    judged: usize,
) -> Option<MetricHistory> {
    let value = |(run, entry): (usize, &HistoryEntry)| {
        let own = entry.configurations.iter().find(|own| own.configuration == id)?;
        let value = *own.metrics.get(&metric.key)?;
        metric.on_scale(value).map(|on_scale| (run, value, on_scale))
    };
    let found: Vec<(usize, f64, f64)> = history.iter().enumerate().filter_map(value).collect();
    let runs: Vec<usize> = found.iter().map(|(run, ..)| *run).collect();
    let on_scale: Vec<f64> = found.iter().map(|(_, _, on_scale)| *on_scale).collect();
    let segments = Segmentation::from_history(&on_scale);
    let last = segments.as_ref().and_then(|segments| segments.changes.last()).map_or(0, |change| change.at);
    let changes = segments.iter().flat_map(|segments| &segments.changes).map(|change| LevelChange {
        at: change.at,
        before: metric.off_scale(change.before),
        after: metric.off_scale(change.after),
        is_provisional: !change.is_confirmed_among(judged),
        is_worse: (change.after > change.before) == metric.rises_when_worse(),
        environment: (history[runs[change.at - 1]].environment)
            .differences(&history[runs[change.at]].environment),
    });
    let changes = changes.collect();
    (!found.is_empty()).then(|| MetricHistory {
        configuration: id.to_owned(),
        label: label.to_owned(),
        metric: metric.clone(),
        values: found.iter().map(|(_, value, _)| *value).collect(),
        levels: segments.iter().flat_map(|own| &own.levels).map(|level| metric.off_scale(*level)).collect(),
        odd: segments.iter().flat_map(|own| own.odd.clone()).collect(),
        bands: bands(&on_scale[last..]).map(|(low, high)| (metric.off_scale(low), metric.off_scale(high))),
        runs,
        changes,
    })
}

/// Means of two groups that the values fall into, if they do: each of several runs, in no order, with a gap between them that is
/// large against the spread within them.
fn bands(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let places = FEWEST_IN_BAND..(sorted.len() + 1).saturating_sub(FEWEST_IN_BAND);
    let at = places.max_by(|a, b| (sorted[*a] - sorted[a - 1]).total_cmp(&(sorted[*b] - sorted[b - 1])))?;
    let (low, high) = sorted.split_at(at);
    let spread = |band: &[f64]| band[band.len() - 1] - band[0];
    let gap = high[0] - low[low.len() - 1];
    let is_apart = gap > GAP * spread(low).max(spread(high)) && gap > 0.0;
    let mean = |band: &[f64]| Summary::from_values(band).map(|summary| summary.mean);
    is_apart.then_some(())?;
    Some((mean(low)?, mean(high)?))
}

/// The metrics of a history: those that runs are compared by, where its runs have them.
pub fn metrics_of_history(history: &[HistoryEntry]) -> Vec<Metric> {
    let has = |metric: &Metric| {
        history.iter().flat_map(|run| &run.configurations).any(|own| own.metrics.contains_key(&metric.key))
    };
    super::metrics().into_iter().filter(has).collect()
}

impl MetricHistory {
    /// Confirmed changes for the worse.
    pub fn worse(&self) -> impl Iterator<Item = &LevelChange> {
        self.changes.iter().filter(|change| change.is_worse && !change.is_provisional)
    }

    /// New ÷ old level, or the difference, in words: `0.90 times`, `+3.2 points`.
    pub fn change_in_words(&self, change: &LevelChange) -> String {
        match self.metric.measure {
            Measure::Ratio => format!("{:.2} times", change.after / change.before),
            Measure::Points => format!("{:+.1} points", change.after - change.before),
        }
    }

    /// Whether larger values are better.
    pub fn is_higher_better(&self) -> bool {
        self.metric.direction == Direction::Higher
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::history_fixture::{history, rates};

    fn only_course(history: &[HistoryEntry]) -> MetricHistory {
        courses(history, &metrics_of_history(history)).remove(0)
    }

    #[test]
    fn a_change_is_named_with_what_changed_in_the_environment_there() {
        let found = only_course(&history(&rates(&[(12, 1000.0), (6, 900.0)]), 12));
        assert_eq!(found.changes.len(), 1);
        let change = &found.changes[0];
        assert!(change.at == 12 && change.is_worse && !change.is_provisional);
        assert_eq!(change.environment[0].to_string(), "kernel was \"6.1\" and is \"6.12\"");
        assert_eq!(found.change_in_words(change), "0.90 times");
        assert_eq!(found.worse().count(), 1);
    }

    #[test]
    fn a_change_of_the_newest_runs_is_provisional_and_never_counts_as_worse() {
        let found = only_course(&history(&rates(&[(12, 1000.0), (2, 900.0)]), 99));
        assert!(found.changes[0].is_provisional && found.worse().count() == 0);
        let found = only_course(&history(&rates(&[(12, 1000.0), (3, 900.0)]), 99));
        assert!(!found.changes[0].is_provisional && found.worse().count() == 1);
    }

    #[test]
    fn an_odd_run_is_kept_apart_and_an_improvement_is_not_worse() {
        let mut values = rates(&[(12, 1000.0), (8, 1200.0)]);
        values[5] = 500.0;
        let found = only_course(&history(&values, 99));
        assert_eq!((found.odd.clone(), found.changes.len(), found.worse().count()), (vec![5], 1, 0));
    }

    #[test]
    fn runs_that_jump_between_two_levels_are_two_bands() {
        let noise = rates(&[(16, 1.0)]);
        let jumping = [1.0, 1.3, 1.0, 1.0, 1.3, 1.3, 1.0, 1.3, 1.0, 1.3, 1.3, 1.0, 1.0, 1.3, 1.0, 1.3];
        let values: Vec<f64> =
            jumping.iter().zip(&noise).map(|(level, noise)| 1000.0 * level * noise).collect();
        let found = only_course(&history(&values, 99));
        let (low, high) = found.bands.unwrap();
        assert!((low / 1000.0 - 1.0).abs() < 0.01 && (high / 1300.0 - 1.0).abs() < 0.01, "{low} {high}");
        assert_eq!(only_course(&history(&rates(&[(16, 1000.0)]), 99)).bands, None);
    }

    #[test]
    fn a_history_survives_its_file_and_damaged_lines_are_named() {
        let all = history(&[1.0, 2.0], 1);
        let text: String = all.iter().map(HistoryEntry::to_line).collect();
        assert_eq!(read_history(&text).unwrap(), all);
        assert_eq!(read_history(&format!("{text}{{\"schema\":1")).unwrap_err().line, 3);
    }

    #[test]
    fn a_short_history_has_values_and_no_levels() {
        let found = only_course(&history(&[1000.0, 900.0], 99));
        assert_eq!((found.values.len(), found.levels.len(), found.changes.len()), (2, 0, 0));
    }
}
