//! Arithmetic: summaries, intervals, fairness, counters. No units, no samples, no configurations: numbers in, numbers out.
//!
//! What is undefined (the mean of nothing, the fairness of one guest) is `None`, never 0 and never 1.

mod counters;
mod fairness;
mod interval;
mod load;
mod outlier;
mod rank;
mod ratio;
mod shares;
#[cfg(test)]
mod simulation;
mod stationarity;
mod summary;

pub use counters::{at, difference};
pub use fairness::Fairness;
pub use interval::Interval;
pub use load::{Zone, zones};
pub use outlier::{Outlier, outliers};
pub use rank::kendall_w;
pub use ratio::Ratio;
pub use shares::{demand_aware_jain, excess_cv, max_min, share_errors, weighted_jain};
pub use stationarity::{mser5, settled};
pub use summary::{Summary, median, total};
