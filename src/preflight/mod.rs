//! Preflight: whether the machines have everything that a profile needs, before anything is made. Nothing is installed and nothing
//! is changed: a kind of interface is tried in a network namespace that ends with the attempt. The check does not stop at the first
//! failure.
//!
//! - `lab`: the machines one after another
//! - `shell`: the login shell of another machine
//! - `vm_host`, `tester`: what each of them needs; `machine`: what both need
//! - `image`: what the guests boot, on this machine
//! - `needs`: what the backends need; `open_vswitch`: their switches; `vdpa`: NICs that can have vDPA devices
//! - `wire`: the NICs that the profile names
//! - `settings`: the settings of the VM host, and of its end of the wire, that the profile changes
//! - `groups`: what groups of guests need
//! - `cpus`, `memory`, `real_time`: CPUs, huge pages, NUMA nodes and scheduling policies that the profile names
//! - `emulator`: the QEMUs that it names
//! - `exits`: how the guests' exits are counted
//! - `xen`: a Xen dom0 and the CPUs of its guests' pool
//! - `room`: space for a cloud image
//! - `others`: runs in progress, and stale runs

mod cpus;
mod emulator;
mod exits;
mod groups;
mod image;
mod lab;
mod machine;
mod memory;
mod needs;
mod open_vswitch;
mod others;
mod real_time;
mod room;
mod settings;
mod shell;
mod tester;
mod vdpa;
mod vm_host;
mod wire;
mod xen;

pub use others::stale;
use schemars::JsonSchema;
use serde::Serialize;

use crate::backend::wire::Wire;
use crate::host::facts::Facts;
use crate::machine::blocking;
use crate::profile::Experiment;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckResult {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good enough; `None` if it is.
    pub fix: Option<String>,
    /// Whether a run prints it as a warning although it is good enough.
    pub warning: bool,
}

impl CheckResult {
    /// One that is good enough.
    pub fn good(what: &str, found: impl Into<String>) -> CheckResult {
        CheckResult { what: what.into(), found: found.into(), fix: None, warning: false }
    }

    /// One that is not good enough.
    pub fn bad(what: &str, found: impl Into<String>, fix: impl Into<String>) -> CheckResult {
        CheckResult { what: what.into(), found: found.into(), fix: Some(fix.into()), warning: false }
    }
}

/// What was found on the machines of a lab.
#[derive(Debug, Default)]
pub struct Examination {
    /// All findings.
    pub findings: Vec<CheckResult>,
    /// The wire, unless something is wrong with a NIC of it.
    pub wire: Option<Wire>,
    /// The facts of the VM host.
    pub host: Facts,
    /// The facts of the tester, if it is another machine.
    pub tester: Option<Facts>,
    /// The VM host's Open vSwitch, where a configuration uses it.
    pub open_vswitch: Option<String>,
}

impl Examination {
    /// Whether every finding is good.
    pub fn passed(&self) -> bool {
        passed(&self.findings)
    }

    /// Adds findings, with the machine's name before each where there are several machines. A fact that two of the machine's roles
    /// need is listed once.
    fn add(&mut self, machine: Option<&str>, findings: impl IntoIterator<Item = CheckResult>) {
        for finding in findings {
            let what = machine.map(|machine| format!("{machine}: {}", finding.what));
            let finding = CheckResult { what: what.unwrap_or(finding.what), ..finding };
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}

/// Checks everything that the experiment needs. No thread is left behind.
pub fn examine(experiment: &Experiment) -> Examination {
    blocking::wait(lab::examine(experiment)).unwrap_or_else(|error| {
        let finding = CheckResult::bad("this machine", error.to_string(), "close other programs");
        Examination { findings: vec![finding], ..Examination::default() }
    })
}

/// Whether every finding is good.
pub fn passed(findings: &[CheckResult]) -> bool {
    findings.iter().all(|finding| finding.fix.is_none())
}
