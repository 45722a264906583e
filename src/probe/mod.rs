//! What is seen besides the flows: the host's counters, what guests say of themselves, and what machine this is.
//!
//! - [`proc`]: texts of `/proc` -> numbers (pure)
//! - [`sampler`]: reads the host's counters during a trial; a start/stop pair
//! - [`remote`], [`transcript`]: the same of another machine, by a script there
//! - `files`: files of the kernel's that stay open
//! - `threads`: the CPU time of QEMU's threads by class, never going backwards
//! - [`inside`]: what one command run in a guest says (pure)
//! - [`interrupts`]: interrupts of NICs by queue (pure)
//! - [`exits`], [`exit_reasons`]: how often and why KVM left a guest (pure)
//! - [`memory`]: swap, merged pages and huge pages of the machine (pure)
//! - [`settings`]: what the kernel of the machine is set to (pure)
//! - `pressure`: where the kernel says how long guests' control groups waited for a CPU (pure)
//! - [`hiccup`]: moments in which the host stood still
//! - [`environment`]: the fingerprint of the machine, kept beside the results

pub mod environment;
pub mod error;
pub mod exit_reasons;
pub mod exits;
mod files;
pub mod hiccup;
pub mod inside;
pub mod interrupts;
pub mod memory;
mod pressure;
pub mod proc;
pub mod remote;
pub mod sampler;
pub mod settings;
pub mod target;
mod threads;
pub mod transcript;

pub use environment::Environment;
pub use error::ProbeError;
pub use sampler::Sampler;
pub use target::TargetWatch;

use std::time::Duration;

use crate::machine::Machine;
use crate::raw::HostSample;

/// A running sampler of the VM host's counters, wherever that is. Dropping it ends it.
#[derive(Debug)]
pub enum HostSampler {
    /// This machine's.
    Local(Sampler),
    /// Another's.
    Remote(remote::RemoteSampler),
}

impl HostSampler {
    /// Takes a first sample, then one at every interval, until it is stopped.
    ///
    /// # Errors
    /// If a target's process or interface is not there.
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
