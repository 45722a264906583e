//! kvmfair measures how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
//!
//! A newcomer's map, from the ground up: each module imports from those above it only, and `tests/architecture.rs` holds this.
//! Pure modules (no files, processes, sockets or clock) are marked with a P; `run` and `cli` put all of them together.
//!
//! - [`stats`] (P): intervals over repeats, fairness: arithmetic only
//! - [`units`] (P): times, sizes and rates of data as people write them
//! - [`address`] (P): addresses and MACs of host, tester and guests
//! - [`foreign_text`] (P): text that guests and other machines wrote, made safe to show
//! - [`host_nic`] (P): a NIC of a machine as it was found, and its PCI address
//! - [`clock`]: this machine's clocks
//! - [`directory`]: files in directories that others may have written to: no links, regular files only, bounded
//! - [`machine`]: the only door to a machine, local or remote (SSH): commands, files, processes
//! - [`libvirt`]: the daemon that keeps guests: create, suspend, resume, destroy
//! - [`backend`] (P): NIC backends as data: what they need, interfaces, host steps with their undo, proofs
//! - [`factor`] (P): what can be swept, values of levels, a configuration
//! - [`profile`] (P): the TOML file as written -> [`profile::Experiment`], validated
//! - [`raw`] (P): raw samples of one trial, as kept on disk
//! - [`window`] (P): the time in which every flow of a trial was running
//! - [`figures`] (P): raw samples -> the figures of a trial, and of a configuration over its repeats
//! - [`answers`] (P): figures -> findings, comparisons and verdicts, with their sentences
//! - [`host`]: facts of a machine, gathered once for `check`, `doctor` and the fingerprint kept with the results
//! - [`load`]: netperf and ping: command lines, aligned start, interim results
//! - [`plan`] (P): configurations -> ordered trials, the set-up before each, an estimate
//! - [`probe`]: samplers and snapshots: the counters of the host and of the guests
//! - [`table`] (P): one tidy table value with typed columns, as CSV, JSON, Parquet, OpenMetrics, LaTeX, Markdown and HTML; the data
//!   dictionary
//! - [`report`] (P): figures -> tables, Markdown, HTML and charts; renderers return text or bytes
//! - [`results`]: the run directory: raw trials, kept figures, tables, resume, export
//! - [`lab`]: the machines, in namespaces, remote, or a dom0 of Xen; wire, switch; the journal and how it is undone
//! - [`guest`]: the image, the domain XML, guests that are ready
//! - [`preflight`]: whether the machines have what a profile needs
//! - [`doctor`] (P): facts of a VM host -> ratings; only [`doctor::inspect`] does IO
//! - [`run`]: the trial loop
//! - [`cli`]: one file for each subcommand

pub mod address;
pub mod answers;
pub mod backend;
pub mod cli;
pub mod clock;
pub mod directory;
pub mod doctor;
pub mod factor;
pub mod figures;
pub mod foreign_text;
pub mod guest;
pub mod host;
pub mod host_nic;
pub mod lab;
pub mod libvirt;
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
pub mod units;
pub mod window;
