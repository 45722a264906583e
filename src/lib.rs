//! kvmfair measures how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
//!
//! A newcomer's map, in the order in which data flow. Pure modules (no files, processes, sockets or clock):
//!
//! - [`profile`]: the TOML file as written -> [`profile::Experiment`], validated
//! - [`backend`]: NIC backends as data
//! - [`sample`]: raw samples of one trial, as kept on disk
//! - [`stats`]: intervals over repeats, fairness: arithmetic only
//!
//! Edges, which do files and processes:
//!
//! - [`guest`]: what the guests boot, and their keys
#![doc = ""]

pub mod backend;
pub mod guest;
pub mod profile;
pub mod sample;
pub mod stats;
