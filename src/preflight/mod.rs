//! Preflight: everything that a profile needs of this machine, looked at before anything is made. Never stops at the
//! first failure.
//!
//! - `machine`: what every profile needs
//! - `groups`: what its groups of guests need
//! - [`hardware`]: the machines of a hardware lab, looked at over SSH
//! - `image`: what the guests boot
//! - `cpus`: the CPUs that it names, which may be offline
//! - `emulator`: the QEMUs that it names
//! - `exits`: who can count the guests' exits
//! - `needs`: what its backends need
//! - `far_needs`: the same of another machine
//! - `memory`: huge pages and NUMA nodes for the guests' memory
//! - `real_time`: what real-time vCPUs need of the kernel
//! - `others`: other runs, which change the machine or did so and were killed
//! - `room`: the VM host's disk, if a cloud image has to come there
//! - `settings`: the settings of the VM host, and of its end of the wire, that it changes
//! - `wire`: the NICs that it names

mod cpus;
mod emulator;
mod exits;
mod far_needs;
mod groups;
pub mod hardware;
mod image;
mod machine;
mod memory;
mod needs;
mod others;
mod real_time;
mod room;
mod settings;
mod wire;

pub use others::stale;
use schemars::JsonSchema;
use serde::Serialize;

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

/// Looks at everything that the experiment needs. Changes nothing.
pub fn look(experiment: &Experiment) -> Vec<Finding> {
    if let Some(machines) = &experiment.machines {
        return hardware::look(experiment, machines).findings;
    }
    let (wire, of_wire) = wire::look(experiment);
    let of_backends = needs::look(experiment, wire.as_ref());
    let of_machine =
        [machine::look(experiment), image::look(experiment), emulator::look(experiment)].concat();
    let of_machine = of_machine.into_iter().chain(exits::look(experiment)).collect::<Vec<_>>();
    let (of_settings, of_groups) = (settings::look(experiment, wire.as_ref()), groups::look(experiment));
    let of_kernel = Vec::from_iter(real_time::look(experiment));
    let of_memory = [memory::look(experiment), cpus::look(experiment)].concat();
    let of_others = others::look(experiment);
    [of_others, of_machine, of_wire, of_backends, of_memory, of_settings, of_groups, of_kernel].concat()
}

/// Whether every finding is good.
pub fn passed(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.fix.is_none())
}
