//! Answers: what the figures show, decided by tests; each result has its sentence in one place.
//!
//! - [`Metric`], [`MeasuredValue`], [`Direction`], [`Measure`]: figures as they come in, one value a trial
//! - [`Verdict`], [`Worsening`], [`Analysis`], [`decide`]: better, same, worse or inconclusive, for a family of comparisons
//! - [`Power`]: the smallest change that a gate can see, before it runs
//! - [`Sizing`], [`size`], [`too_few`], [`coarse_window`]: how many repeats an answer needs, and how fine a window
//! - [`Comparison`], [`compare`]: two runs against each other
//! - [`Judgement`], [`GateOutcome`], [`judged_metrics`], [`visible_changes`]: a gate over several analyses, and its power
//! - [`Baseline`]: what a gate compares with, as lines of a file; [`Fingerprint`]: what figures depend on
//! - [`HistoryEntry`], [`MetricHistory`], [`courses`]: figures over the runs of months, with their changes
//! - [`Answer`], [`answer()`]: two levels of a factor against each other, inside one run; [`Replication`]: how often
//! - [`Finding`], [`Shares`], [`find_unfairness`]: who is worse off, beyond noise; [`BesideRate`], [`Companion`]: what goes with it
//! - [`RunFinding`], [`SeriesLevel`]: what a run shows beside its answers
//! - [`find_rise`], [`find_spread`]: how far a total rises with the number of guests, and where they drift apart
//! - [`Limit`], [`LimitedConfiguration`], [`find_limits`], [`find_bare_metal_limit`]: what limited the trials
//! - [`metrics`], [`values`], [`shares`]: which of a run's figures are compared
//!
//! Pure: numbers in, typed results and sentences out.

mod answer;
mod baseline;
mod blocks;
mod comparison;
mod figures;
mod finding;
mod fingerprint;
mod gate;
mod history;
#[cfg(test)]
mod history_fixture;
mod input;
mod limit;
mod power;
mod run_finding;
mod scaling;
mod sentence;
mod sizing;
mod verdict;

pub use answer::{Answer, LevelPair, answer};
pub use baseline::{Acceptance, Baseline, BaselineHeader, DamagedLine, Reference, ReferenceValues, rounded};
pub use blocks::Replication;
pub use comparison::{ComparedSide, Comparison, compare};
pub use figures::{metrics, shares, values, values_of_figures};
pub use finding::{BesideRate, Companion, Finding, Shares, find_unfairness};
pub use fingerprint::{FactDifference, Fingerprint};
pub use gate::{
    GateOutcome, JudgedMetric, Judgement, UnfitMetric, VisibleChange, judged_metrics, visible_changes,
};
pub use history::{
    HistoryEntry, HistoryFigures, LevelChange, MetricHistory, courses, metrics_of_history, read_history,
};
#[cfg(test)]
pub(crate) use history_fixture::history_of_levels;
pub use input::{Direction, Measure, MeasuredValue, Metric};
pub use limit::{find_bare_metal_limit, find_limits};
pub use power::Power;
pub use run_finding::{LastLevel, Limit, LimitedConfiguration, Rise, RunFinding, SeriesLevel};
pub use scaling::{find_rise, find_spread};
pub use sizing::{Sizing, coarse_window, size, smallest_difference, too_few};
pub use verdict::{Analysis, Verdict, Worsening, decide};
