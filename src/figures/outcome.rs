//! Whether the numbers of a trial count, and why they do not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::profile::Test;
use crate::raw::{Check, Stage};

/// Smallest part of the window that a flow's interim results must cover, %.
pub(super) const MIN_COVERAGE_PERCENT: f64 = 95.0;

/// Whether the numbers of a trial count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// They do.
    Measured,
    /// It ran, but not as it should have.
    Invalid(Vec<Reason>),
    /// It did not run to its end.
    Failed {
        /// The step of the trial loop.
        stage: Stage,
        /// The error with its causes.
        cause: String,
    },
}

impl Outcome {
    /// The word in tables.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Measured => "measured",
            Outcome::Invalid(_) => "invalid",
            Outcome::Failed { .. } => "failed",
        }
    }
}

/// Why the numbers of a trial that ran do not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer or more netperfs than the configuration says.
    FlowCount {
        /// As configured.
        expected: u32,
        /// As found.
        found: u32,
    },
    /// There is no time in which all flows were running.
    NoWindow,
    /// The common window is too short.
    ShortWindow {
        /// Its length, s.
        length_s: f64,
        /// Requested length, s.
        requested_s: f64,
        /// The flow that ended first.
        first_to_end: Option<u32>,
    },
    /// Interim results of these flows do not cover the window.
    Uncovered {
        /// Numbers of the flows.
        flows: Vec<u32>,
        /// The worst coverage among them, %.
        worst_percent: f64,
    },
    /// These netperfs printed no final result.
    NoResult {
        /// Numbers of the flows.
        flows: Vec<u32>,
    },
    /// These netperfs or pings ended with an error, or had to be killed.
    ExitCode {
        /// What they did.
        test: Test,
        /// Numbers of the flows.
        flows: Vec<u32>,
        /// What the first of them wrote.
        message: String,
    },
    /// Something was not what it should have been.
    Check(Check),
    /// What the host counted and what netperf says disagree.
    PacketCheck {
        /// The guest that it is about; `None`: all together.
        guest: Option<u32>,
        /// The host's count ÷ netperf's.
        ratio: f64,
        /// What the ratio is of, for example "packets per transaction and direction".
        of: String,
        /// What it would have to be.
        expected: String,
    },
    /// The background load was not what the profile says.
    Background {
        /// The guest that had it.
        guest: u32,
        /// What was wrong with it.
        what: String,
    },
    /// Host counters do not cover the window, or ran backwards in it.
    HostCounters,
    /// No flow moved anything in the window.
    NothingMoved,
    /// The raw data cannot be true: what is wrong with them.
    Impossible(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::FlowCount { expected, found } => write!(f, "{found} flows ran in place of {expected}"),
            Reason::NoWindow => f.write_str("there is no time in which all flows were running"),
            Reason::ShortWindow { length_s, requested_s, first_to_end } => {
                write!(f, "window of {length_s:.1} s in place of {requested_s:.1} s")?;
                first_to_end.map_or(Ok(()), |flow| write!(f, " (flow {flow} ended first)"))
            }
            Reason::Uncovered { flows, worst_percent } => {
                write!(
                    f,
                    "{} did not report in the whole window (covered: {worst_percent:.0} %)",
                    Flows(flows)
                )
            }
            Reason::NoResult { flows } => write!(f, "no final result of {}", Flows(flows)),
            Reason::ExitCode { test, flows, message } => {
                write!(f, "{} ended with an error: {}", test.program(), Flows(flows))?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            Reason::Check(check) => check.fmt(f),
            Reason::PacketCheck { guest, ratio, of, expected } => {
                guest.map_or(Ok(()), |guest| write!(f, "guest {guest}: "))?;
                write!(f, "the host counted {ratio:.2} {of} in place of {expected}")
            }
            Reason::Background { guest, what } => write!(f, "background of guest {guest}: {what}"),
            Reason::NothingMoved => f.write_str("no flow moved anything in the window"),
            Reason::Impossible(what) => write!(f, "raw data that cannot be true: {what}"),
            Reason::HostCounters => f.write_str("the host's counters do not cover the window"),
        }
    }
}

/// `flow 3` or `flows 1–4, 9`.
struct Flows<'a>(&'a [u32]);

impl fmt::Display for Flows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "flow " } else { "flows " })?;
        let runs = self.0.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
            [only] => only.to_string(),
            [first, .., last] => format!("{first}–{last}"),
            [] => String::new(),
        });
        f.write_str(&runs.collect::<Vec<_>>().join(", "))
    }
}
