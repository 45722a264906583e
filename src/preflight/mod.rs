//! Preflight: everything that a profile needs, checked before anything is made. Never stops at the first failure.
//!
//! - `machine`: what every profile needs
//! - `groups`: what its groups of guests need
//! - [`hardware`]: the machines of a hardware lab
//! - `image`: what the guests boot
//! - `cpus`: the CPUs that it names, which may be offline
//! - `emulator`: the QEMUs that it names
//! - `exits`: who can count the guests' exits
//! - `needs`: what its backends need
//! - `memory`: huge pages and NUMA nodes for the guests' memory
//! - `programs`: whether programs are installed
//! - `real_time`: what real-time vCPUs need of the kernel
//! - `others`: other runs, which change the machine or did so and were killed
//! - `room`: the VM host's disk, if a cloud image has to come there
//! - `settings`: the settings of the VM host, and of its end of the wire, that it changes
//! - `wire`: the NICs that it names

mod cpus;
mod emulator;
mod exits;
mod groups;
pub mod hardware;
mod image;
mod machine;
mod memory;
mod needs;
mod others;
mod programs;
mod real_time;
mod room;
mod settings;
mod wire;

pub use others::stale;
use schemars::JsonSchema;
use serde::Serialize;

use crate::backend::wire::Wire;
use crate::host;
use crate::machine::{Machine, blocking};
use crate::profile::Experiment;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good enough; `None` if it is.
    pub fix: Option<String>,
    /// Whether a run prints it as a warning although it is good enough.
    pub warning: bool,
}

impl Finding {
    fn good(what: &str, found: impl Into<String>) -> Finding {
        Finding { what: what.into(), found: found.into(), fix: None, warning: false }
    }

    fn bad(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { what: what.into(), found: found.into(), fix: Some(fix.into()), warning: false }
    }
}

/// Checks everything that the experiment needs. Changes nothing.
pub fn look(experiment: &Experiment) -> Vec<Finding> {
    if let Some(machines) = &experiment.machines {
        return hardware::look(experiment, machines).findings;
    }
    blocking::wait(embedded(experiment)).unwrap_or_else(|error| vec![no_runtime(&error)])
}

fn no_runtime(error: &std::io::Error) -> Finding {
    Finding::bad("this machine", error.to_string(), "close other programs")
}

async fn embedded(experiment: &Experiment) -> Vec<Finding> {
    let host = &Machine::local();
    let facts = host::gather(host).await.unwrap_or_default();
    let (wire, of_wire) = wire::look(host, experiment).await;
    let mut findings = others::stale(experiment);
    findings.extend(machine::look(host, experiment, &facts).await);
    findings.extend(image::look(host, experiment).await);
    findings.extend(exits::look(host, experiment, facts.kvm_usable()).await);
    findings.extend(of_wire);
    findings.extend(look_at_settings(host, experiment, wire.as_ref()).await);
    findings.extend(groups::look(host, experiment).await);
    findings
}

/// What an experiment needs of a VM host, in either lab, as soon as the wire is known.
async fn look_at_settings(host: &Machine, experiment: &Experiment, wire: Option<&Wire>) -> Vec<Finding> {
    let mut findings = Vec::from_iter(others::look(host, experiment).await);
    findings.extend(emulator::look(host, experiment).await);
    findings.extend(needs::look(host, experiment, wire).await);
    findings.extend(memory::look(host, experiment).await);
    findings.extend(cpus::look(host, experiment).await);
    findings.extend(settings::look(host, experiment, wire).await);
    findings.extend(real_time::look(host, experiment).await);
    findings
}

/// Whether every finding is good.
pub fn passed(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.fix.is_none())
}
