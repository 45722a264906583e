//! The program without guests: what it accepts, refuses, prints and undoes, and its load between two namespaces.
//!
//! `make check` runs these. They measure nothing, so they run side by side.

#[path = "../support/mod.rs"]
mod support;

mod broken_profiles;
mod chart;
mod ci_examples;
mod clean;
mod commands;
mod damaged_runs;
mod docs;
mod export;
mod gate;
mod json;
mod load;
mod profile_properties;
mod profile_schema;
mod shipped_profiles;
mod untrusted_runs;
mod wrong_input;
