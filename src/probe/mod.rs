//! Samplers and snapshots of the machines during a trial: the counters of the host, and the guests' own.
//!
//! - [`proc`]: texts of `/proc` -> numbers (pure)
//! - [`target`], [`error`]: the guests that are sampled, and why there are no samples
//! - [`sampler`]: reads the counters of this machine during a trial; a start/stop pair
//! - [`remote`], [`transcript`]: reads those of another machine, by a script on it
//! - `files`: kernel files that stay open
//! - `threads`: the CPU time of QEMU's threads by class, never going backwards
//! - [`guest_counters`]: counters that a command reads in a guest (pure)
//! - [`interrupts`]: interrupts of NICs by queue (pure)
//! - [`exits`], [`exit_reasons`]: how often and why KVM left a guest (pure)
//! - `pressure`: the pressure files (PSI) of guests' control groups (pure)
//! - [`xen`]: CPU times on a Xen host
//! - [`hiccup`]: pauses of the whole host

pub mod error;
pub mod exit_reasons;
pub mod exits;
mod files;
pub mod guest_counters;
pub mod hiccup;
pub mod interrupts;
mod pressure;
pub mod proc;
pub mod remote;
pub mod sampler;
pub mod target;
mod threads;
pub mod transcript;
pub mod xen;

pub use error::ProbeError;
pub use sampler::Sampler;
pub use target::TargetWatch;
pub use xen::GuestTimesReader;

use std::time::Duration;

use crate::machine::Machine;
use crate::raw::HostSample;

/// A running sampler of the counters of the VM host, local or remote. Dropping it ends it.
#[derive(Debug)]
pub enum HostSampler {
    /// Of this machine.
    Local(Sampler),
    /// Of another machine.
    Remote(remote::RemoteSampler),
}

impl HostSampler {
    /// Takes a first sample, then one at every interval, until it is stopped.
    ///
    /// # Errors
    /// If a target has no process or interface of that name.
    pub async fn start(
        host: &Machine,
        targets: Vec<TargetWatch>,
        interval: Duration,
    ) -> Result<HostSampler, ProbeError> {
        match host {
            Machine::Local(_) => Sampler::start(targets, interval).map(HostSampler::Local),
            Machine::Remote(_) => {
                remote::RemoteSampler::start(host, targets, interval).await.map(HostSampler::Remote)
            }
        }
    }

    /// Takes a last sample and returns them all, stamped with the host's clock.
    ///
    /// # Errors
    /// If a counter could not be read at some time since the start, or a target is gone.
    pub async fn stop(self) -> Result<Vec<HostSample>, ProbeError> {
        match self {
            HostSampler::Local(sampler) => sampler.stop(),
            HostSampler::Remote(sampler) => sampler.stop().await,
        }
    }
}
