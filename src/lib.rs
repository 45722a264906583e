//! kvmfair measures how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
//!
//! A newcomer's map, in the order in which data flow. Pure modules (no files, processes, sockets or clock):
//!
//! - [`profile`]: the TOML file as written -> [`profile::Experiment`], validated
//! - [`backend`]: NIC backends as data
//! - [`sample`]: raw samples of one trial, as kept on disk
//! - [`stats`]: intervals over repeats, fairness: arithmetic only
//! - [`window`]: the time in which every flow of a trial was running
//! - [`figures`]: raw samples -> the figures of a trial, and of a configuration over its repeats
//! - [`report`]: figures -> tables, CSV, Markdown and charts; renderers return text or bytes
#![doc = ""]

pub mod backend;
pub mod figures;
pub mod profile;
pub mod report;
pub mod sample;
pub mod stats;
pub mod window;
