//! Figures -> tables, CSV, Markdown and charts. Renderers return text or bytes and write nothing.
//!
//! - [`Model`]: what every renderer reads: the experiment, its trials, one row per configuration, the provenance
//! - [`Provenance`]: what has to be known beside every figure
//! - [`tables`]: flows, guests, trials, the summary … for other programs, with their data dictionary
//! - [`exported`]: which tables `kvmfair export` has, those of the report among them
//! - [`terminal`]: the summary, and what groups of guests got, as tables that fit the terminal
//! - `overview`, `groups`: these tables, which the report shows too; `over_repeats`: their figures that no single trial has
//! - `caption`: what has to be known to read them
//! - [`Document`]: the report, whose renderings are [`markdown`] and [`html`]
//! - `answers`: what the swept factors do, in sentences
//! - [`comparison`]: two runs against each other; [`baseline`], [`gate`], [`junit`]: a baseline, and what a gate decided
//! - [`history`], [`history_chart`]: figures over the runs of months
//! - `findings`: what the numbers of guests show, in sentences
//! - [`Warning`]: what to know before trusting figures that count
//! - [`chart`]: pictures, SVG and PNG

mod answers;
pub mod baseline;
mod caption;
pub mod chart;
pub mod comparison;
mod document;
pub mod exported;
mod findings;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod foreign_tests;
pub mod gate;
#[cfg(test)]
mod gate_fixture;
mod groups;
pub mod history;
pub mod history_chart;
pub mod html;
pub mod junit;
pub mod markdown;
mod model;
mod over_repeats;
mod overview;
mod provenance;
pub mod tables;
pub mod terminal;
mod warning;

pub use answers::answers;
pub use document::Document;
pub use findings::findings;
pub use model::{Model, describe};
pub use provenance::Provenance;
pub use warning::{Warning, warnings};
