//! Answers: what the figures show, decided by tests; each result has its sentence in one place.
//!
//! - [`Metric`], [`Value`], [`Direction`], [`Measure`]: figures as they come in, one value a trial
//! - [`Verdict`], [`Worsening`], [`Look`], [`decide`]: better, same, worse or inconclusive, for a family of comparisons
//! - [`Power`]: the smallest change that a gate can see, before it runs
//! - [`Comparison`], [`compare`]: two runs against each other
//! - [`Answer`], [`answer()`]: two levels of a factor against each other, inside one run
//! - [`Finding`], [`Shares`], [`find_unfairness`]: who is worse off, beyond noise
//! - [`metrics`], [`values`], [`shares`]: which of a run's figures are compared
//!
//! Pure: numbers in, typed results and sentences out.

mod answer;
mod comparison;
mod figures;
mod finding;
mod input;
mod power;
mod sentence;
mod verdict;

pub use answer::{Answer, LevelPair, answer};
pub use comparison::{Comparison, Side, compare};
pub use figures::{metrics, shares, values};
pub use finding::{Finding, Shares, find_unfairness};
pub use input::{Direction, Measure, Metric, Value};
pub use power::Power;
pub use verdict::{Look, Verdict, Worsening, decide};
