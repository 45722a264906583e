//! The profile: as written (serde) -> experiment (validated). Errors carry file, line, column and a hint.

pub mod experiment;

pub use experiment::{
    AccelChoice, Configuration, Experiment, Factor, Host, Idle, Image, Limits, Order, Test, Timing,
};
