//! kvmfair measures how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
//!
//! A newcomer's map, in the order in which data flow. Pure modules (no files, processes, sockets or clock):
//!
//! - [`profile`]: the TOML file as written -> [`profile::Experiment`], validated
//! - [`backend`]: NIC backends as data
//! - [`sample`]: raw samples of one trial, as kept on disk
//! - [`stats`]: intervals over repeats, fairness: arithmetic only
//!
//! Edges, with the pure parsers of what they read:
//!
//! - [`load`]: netperf: command lines, aligned start, interim results
//! - [`probe`]: the host's counters, what guests say of themselves, the environment's fingerprint
#![doc = ""]

pub mod backend;
pub mod load;
pub mod probe;
pub mod profile;
pub mod sample;
pub mod stats;
