//! Which way a figure is better, and in which section of the report it is.

use serde::Serialize;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Better {
    /// Larger values.
    Higher,
    /// Smaller values.
    Lower,
    /// Neither: it shows how far to trust the other figures.
    Neither,
}

impl Better {
    /// The word in the data dictionary; empty for neither.
    pub fn word(self) -> &'static str {
        match self {
            Better::Higher => "higher",
            Better::Lower => "lower",
            Better::Neither => "",
        }
    }
}

/// The table of the report that a metric is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Rates and latencies.
    Speed,
    /// CPU time.
    Cpu,
    /// Fairness between guests, and how far to trust the figures.
    Fairness,
    /// Fairness over repeats and over time.
    OverTime,
    /// Groups of guests and their weights.
    Groups,
    /// Guests beside background load.
    Interference,
}
