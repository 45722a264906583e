//! Calibration by simulation: planted truths, and how often they are found or a false alarm is raised.
//!
//! Each table is computed with few cases in `cargo test`, against wide bounds, and with many by `make simulate`, against the
//! goals; that prints the tables.

mod boots;
mod fairness;
mod gate;
mod history;
mod intervals;
mod planted;
mod random;
