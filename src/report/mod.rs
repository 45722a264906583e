//! Figures -> tables, CSV, Markdown and charts. Renderers return text or bytes and write nothing.
//!
//! - [`Model`]: what every renderer reads: the experiment, its trials, one row per configuration, the provenance
//! - [`Provenance`]: what has to be known beside every figure
//! - [`tables`]: flows, guests, trials, the summary … for other programs, with their data dictionary
//! - [`terminal`]: the summary, and what groups of guests got, as tables that fit the terminal
//! - [`markdown`]: the report
//! - `answers`: what the swept factors do, in sentences
//! - [`comparison`]: two runs against each other; [`baseline`], [`gate`], [`junit`]: a baseline, and what a gate decided
//! - [`history`], [`history_chart`]: figures over the runs of months
//! - `findings`: what the numbers of guests show, in sentences
//! - [`Warning`]: what to know before trusting figures that count
//! - `groups`, `demand`, `fairness`: its sections about groups of guests and background load, about guests that want less, and
//!   about fairness over time
//! - [`chart`]: pictures, SVG and PNG

mod answers;
pub mod baseline;
pub mod chart;
pub mod comparison;
mod demand;
mod fairness;
mod findings;
#[cfg(test)]
pub(crate) mod fixture;
pub mod gate;
#[cfg(test)]
mod gate_fixture;
mod groups;
pub mod history;
pub mod history_chart;
pub mod junit;
pub mod markdown;
mod model;
mod number;
mod provenance;
mod table_line;
pub mod tables;
pub mod terminal;
mod warning;

pub use answers::answers;
pub use findings::findings;
pub use model::{Model, describe};
pub use provenance::Provenance;
pub use warning::{Warning, warnings};
