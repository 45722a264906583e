//! Arithmetic: summaries, intervals, fairness, counters. No units, no samples, no configurations: numbers in, numbers out.
//!
//! What is undefined (the mean of nothing, the fairness of one guest) is `None`, never 0 and never 1.

mod blocks;
mod changes;
mod components;
mod counters;
mod difference;
mod distribution;
mod estimate;
mod fairness;
mod family;
mod interval;
mod layout;
mod load;
mod outlier;
mod persistence;
mod rank;
mod ratio;
mod shares;
#[cfg(test)]
mod simulation;
mod spread;
mod stationarity;
mod summary;
mod turns;

pub use blocks::{Block, BlockDifference};
pub use changes::{ChangePoint, Segmentation};
pub use components::{Components, Repeats, smallest_visible};
pub use counters::{at, difference};
pub use difference::Difference;
pub use distribution::chance_of_as_many;
pub use estimate::{Ends, Estimate, Observation, Scale, means_of_boots};
pub use fairness::Fairness;
pub use family::holm;
pub use interval::Interval;
pub use load::{Zone, zones};
pub use outlier::{Outlier, outliers};
pub use persistence::Persistence;
pub use rank::{RankCorrelation, kendall_p, kendall_w};
pub use ratio::Ratio;
pub use shares::{demand_aware_jain, excess_cv, max_min, share_errors, weighted_jain};
pub use spread::{Spread, expected_range};
pub use stationarity::{mser5, settled};
pub use summary::{Summary, median, total};
pub use turns::Turns;
