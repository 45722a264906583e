//! Arithmetic: summaries, intervals, fairness, counters. No units, no samples, no configurations: numbers in, numbers out.
//!
//! What is undefined (the mean of nothing, the fairness of one guest) is `None`, never 0 and never 1.

mod counters;
mod fairness;
mod interval;
mod summary;

pub use counters::{at, difference};
pub use fairness::Fairness;
pub use interval::Interval;
pub use summary::{Summary, median, total};
