//! What a run shows beside its answers: each finding with its evidence.

use serde::Serialize;

use super::{Metric, Replication};

/// One level of a series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesLevel {
    /// In words: `8 guests`.
    pub label: String,
    /// Short stable id of its configuration.
    pub configuration: String,
}

/// The last level of a series against the one up to which its total rises.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastLevel {
    /// The level.
    pub level: SeriesLevel,
    /// Its mean ÷ that of the other.
    pub ratio: f64,
    /// Ends of the 95 % interval of that.
    pub ends: (f64, f64),
    /// Whether it is shown to be lower, corrected as the rise is.
    pub falls: bool,
}

/// What a run shows, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum RunFinding {
    /// The total rises up to a level, and no level differs from it for the better.
    Rise(Rise),
    /// The rate bias beyond noise is above a bound from a level on.
    Spread {
        /// The series in words; empty where there is only one.
        series: String,
        /// The bound, points.
        bound: f64,
        /// The first of the levels.
        level: SeriesLevel,
        /// Mean there, points, with 95 % interval.
        mean: f64,
        /// Ends of the interval.
        interval: (f64, f64),
        /// Blocks and boots behind it.
        replication: Replication,
    },
    /// Trials ran against a bound that is not the guests'.
    Limit {
        /// The bound.
        limit: Limit,
        /// Where, in the order of the trials.
        configurations: Vec<LimitedConfiguration>,
    },
}

/// How far a total rises.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rise {
    /// The series in words; empty where there is only one.
    pub series: String,
    /// The metric.
    pub metric: Metric,
    /// The first level that is not shown below the best one.
    pub level: SeriesLevel,
    /// Whether that is the first of all: no rise is shown.
    pub is_first: bool,
    /// Mean there over boots, in the metric's unit: the one that the tables have.
    pub mean: f64,
    /// The same ÷ that of bare metal.
    pub share_of_bare_metal: Option<f64>,
    /// The last level against `level`, if that is not the last itself.
    pub last: Option<LastLevel>,
    /// Blocks and boots behind it.
    pub replication: Replication,
}

/// What was near its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPUs of the tester, or a netperf, by the rule of the warning `tester was saturated`.
    Tester,
    /// All CPUs of the host.
    HostCpus,
    /// One CPU of the host with soft interrupts.
    HostSoftirq,
    /// The rate is that of bare metal: wire, tester or the host's NIC.
    BareMetal,
}

/// A configuration and how near it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitedConfiguration {
    /// Short stable id.
    pub configuration: String,
    /// For people.
    pub label: String,
    /// Median of the trials: busy part of the CPUs, or part of bare metal's rate, %.
    pub percent: f64,
    /// Trials near the bound.
    pub trials: Vec<u32>,
    /// Valid trials.
    pub of: usize,
}

impl RunFinding {
    /// Id of the configuration whose trials are the evidence; of several, the first.
    pub fn configuration(&self) -> &str {
        match self {
            RunFinding::Rise(Rise { level, .. }) | RunFinding::Spread { level, .. } => &level.configuration,
            RunFinding::Limit { configurations, .. } => {
                configurations.first().map_or("", |own| &own.configuration)
            }
        }
    }

    /// What it is about, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            RunFinding::Rise(_) => "rise",
            RunFinding::Spread { .. } => "spread",
            RunFinding::Limit { .. } => "limit",
        }
    }
}
