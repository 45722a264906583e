//! The experiment: a profile after validation. Typed, units resolved, defaults filled in; nothing here can be impossible.
//!
//! No parsing and no messages: those are the neighbours' work. Everything that measures, plans or reports reads these types.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Factor;
use super::configuration::Configuration;
use super::gate::Gate;
use super::groups::Group;
use super::lab::{Machines, WireNics};
use super::policy::SchedulingPolicy;
use crate::factor::kernel;

/// A validated profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Short name, `[a-z0-9-]+`: it becomes a part of file names.
    pub name: String,
    /// One sentence for the report's header.
    pub description: String,
    /// Publication or person that the experiment reproduces.
    pub source: Option<String>,
    /// Where the guests run, and under what.
    pub host: Host,
    /// The machines of a hardware lab; `None` for the embedded lab.
    #[serde(default)]
    pub machines: Option<Machines>,
    /// The NICs of a real wire; `None` for one that the run makes.
    #[serde(default)]
    pub wire: Option<WireNics>,
    /// What the guests boot.
    pub image: Image,
    /// Times of a trial and the number of repeats.
    pub timing: Timing,
    /// Order of the trials within a block.
    pub order: Order,
    /// Seed of the order; the same seed gives the same plan.
    pub seed: u64,
    /// What becomes of the guests that a smaller configuration does not need.
    pub idle: Idle,
    /// When guests are made anew although those that are there would do.
    #[serde(default)]
    pub reprovision: Reprovision,
    /// Bounds after which kvmfair gives up rather than wait.
    pub limits: Limits,
    /// Groups of guests that differ, in the order in which they take guests.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The configurations to measure: the cross product of the sweep, in the order written, without duplicates.
    pub configurations: Vec<Configuration>,
    /// Names of the swept factors, in the order written; they tell one configuration from another.
    pub factors: Vec<Factor>,
    /// What `kvmfair gate` judges.
    #[serde(default)]
    pub gate: Gate,
}

impl Experiment {
    /// Whether any configuration has guests.
    pub fn has_guests(&self) -> bool {
        self.configurations.iter().any(|configuration| configuration.vms > 0)
    }

    /// Whether the lab is this machine alone, in namespaces that end with the run.
    pub fn is_embedded(&self) -> bool {
        self.machines.is_none() && self.host.xen.is_none()
    }

    /// Whether vCPUs are real-time threads in any configuration.
    pub fn has_real_time(&self) -> bool {
        self.configurations
            .iter()
            .any(|c| c.vms > 0 && c.scheduler.is_some_and(SchedulingPolicy::is_real_time))
    }

    /// Whether a run of this changes settings of the VM host as a whole, or may have to.
    pub fn changes_machine(&self) -> bool {
        self.configurations.iter().any(kernel::changes_machine)
    }

    /// Whether guests have parts of the CPU time: quotas or groups.
    pub fn divides_cpu_time(&self) -> bool {
        !self.groups.is_empty() || self.configurations.iter().any(|configuration| configuration.quota_us > 0)
    }
}

/// The VM host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// How to accelerate guests.
    pub accel: AccelChoice,
    /// Who counts the guests' exits under KVM.
    #[serde(default)]
    pub exits: ExitChoice,
    /// Xen in place of KVM; `None` for KVM and QEMU's emulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xen: Option<XenHost>,
}

/// This machine as a Xen dom0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct XenHost {
    /// CPUs of a cpupool that the run makes for its guests; `None`: they run in Pool-0 beside dom0.
    pub cpupool: Option<BTreeSet<u32>>,
}

/// What the profile asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccelChoice {
    /// KVM if the CPU can, else TCG.
    #[default]
    Auto,
    /// KVM or refuse.
    Kvm,
    /// QEMU's emulation even where KVM works.
    Tcg,
}

/// Who is to count the guests' exits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitChoice {
    /// The first of the others that answers.
    #[default]
    Auto,
    /// KVM's statistics through QEMU.
    QueryStats,
    /// KVM's statistics in debugfs.
    Debugfs,
    /// The kernel's tracepoint, by the CPU's own reasons.
    Tracepoint,
}

/// What the guests boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Image {
    /// The kernel and initramfs that kvmfair builds; `kernel_deb` and so on are decided by `guest::appliance`.
    Appliance {
        /// A kernel to use in place of the one found: path of the image, with its modules in `/lib/modules`.
        kernel: Option<PathBuf>,
    },
    /// A distribution's own disk image with cloud-init in it.
    Cloud {
        /// The qcow2 file; only read.
        path: PathBuf,
        /// Whether a guest may install netperf by the image's own package manager, if the image has none.
        install_netperf: bool,
    },
}

/// Times of one trial, and how often it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the moment the last flow starts to the window.
    pub warmup: Duration,
    /// Requested length of the window.
    pub window: Duration,
    /// From the end of the window to the signal that ends the flows.
    pub cooldown: Duration,
    /// Between two interim results of a flow, and between two samples of the host.
    pub interval: Duration,
    /// Trials of each configuration.
    pub repeats: u32,
    /// Whether further trials follow where these are not precise enough.
    #[serde(default)]
    pub precision: Option<Precision>,
}

/// When to end repeating a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Half-width of the 95 % interval of the total rate, % of its mean.
    pub half_width_percent: f64,
    /// Trials of a configuration after which it is given up.
    pub max_repeats: u32,
}

/// Order of the trials within a block (one block = every configuration once).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Shuffled by the seed, guests that need the same boot kept together.
    #[default]
    Random,
    /// As written.
    Sequential,
}

/// What becomes of guests that the next configuration does not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Idle {
    /// They are suspended, and resumed when needed again.
    #[default]
    Pause,
    /// They are destroyed.
    Destroy,
}

/// When guests are made anew although those that are there would do: guests of the same settings differ from boot to boot,
/// and an interval over repeats with the same guests does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reprovision {
    /// Never.
    #[default]
    Never,
    /// Before the first trial of each block: each repeat has guests of its own.
    Block,
    /// Before every trial.
    Trial,
}

/// Bounds on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// From the creation of a guest until it answers.
    pub boot: Duration,
    /// Boots of one guest before the configuration fails.
    pub boot_attempts: u32,
    /// Attempts at one trial until it is measured.
    #[serde(default = "once")]
    pub trial_attempts: u32,
    /// The whole run; later trials are failed as "out of time".
    pub total: Option<Duration>,
}

fn once() -> u32 {
    1
}
