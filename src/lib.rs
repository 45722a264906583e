//! kvmfair measures how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
//!
//! A newcomer's map, in the order in which data flow.
//!
//! Pure modules (no files, processes, sockets or clock):
//!
//! - [`factor`]: what can be swept, values of levels, a configuration
//! - [`profile`]: the TOML file as written -> [`profile::Experiment`], validated
//! - [`plan`]: configurations -> ordered trials, the lab's move before each, an estimate
//! - [`backend`]: NIC backends as data: what they need, interfaces, host steps with their undo, proofs
//! - [`address`]: addresses and MACs of host, tester and guests
//! - [`raw`]: raw samples of one trial, as kept on disk
//! - [`window`]: the time in which every flow of a trial was running
//! - [`stats`]: intervals over repeats, fairness: arithmetic only
//! - [`figures`]: raw samples -> the figures of a trial, and of a configuration over its repeats
//! - [`answers`]: figures -> findings, comparisons and verdicts, with their sentences
//! - [`table`]: one tidy table value with typed columns, as CSV, JSON and Markdown; the data dictionary
//! - [`report`]: figures -> tables, Markdown and charts; renderers return text or bytes
//! - [`doctor`]: facts of a VM host -> verdicts; only [`doctor::look`] does IO
//!
//! Edges, with the pure parsers of what they read:
//!
//! - [`machine`]: the only door to a machine, local or remote (SSH): commands, files, processes
//! - [`preflight`]: whether the machines have what a profile needs
//! - [`lab`]: the machines, in namespaces or elsewhere; wire, switch; the journal and its undoing
//! - [`guest`]: the image, libvirt, guests that are ready
//! - [`clock`]: this machine's clocks
//! - [`load`]: netperf: command lines, aligned start, interim results
//! - [`host`]: facts of a machine, gathered once for `check`, `doctor` and the fingerprint kept with the results
//! - [`probe`]: samplers and snapshots: the counters of the host and of the guests
//! - [`results`]: the run directory: raw trials, tables, resume
//!
//! What puts them together:
//!
//! - [`run`]: the trial loop
//! - [`cli`]: one file for each subcommand

pub mod address;
pub mod answers;
pub mod backend;
pub mod cli;
pub mod clock;
pub mod doctor;
pub mod factor;
pub mod figures;
pub mod guest;
pub mod host;
pub mod lab;
pub mod load;
pub mod machine;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod profile;
pub mod raw;
pub mod report;
pub mod results;
pub mod run;
pub mod stats;
pub mod table;
pub mod window;
