//! The experiment: a profile after validation. Typed, units resolved, defaults filled in; nothing here can be impossible.
//!
//! No parsing and no messages: those are the neighbours' work. Everything that measures, plans or reports reads these types.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lab::{Machines, WireNics};
use crate::backend::Backend;

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
    /// Bounds after which kvmfair gives up rather than wait.
    pub limits: Limits,
    /// The configurations to measure: the cross product of the sweep, in the order written, without duplicates.
    pub configurations: Vec<Configuration>,
    /// Names of the swept factors, in the order written; they tell one configuration from another.
    pub factors: Vec<Factor>,
}

/// The VM host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// How to accelerate guests.
    pub accel: AccelChoice,
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

/// One combination of levels: a point on a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// NIC model, datapath and attachment.
    pub backend: Backend,
    /// Guests that carry load; 0 for bare metal.
    pub vms: u32,
    /// vCPUs of each guest.
    pub vcpus: u32,
    /// Memory of each guest, MiB.
    pub memory_mib: u32,
    /// Largest frame payload on the test network, bytes.
    pub mtu: u32,
    /// netperf test.
    pub test: Test,
    /// Connections over all guests; divided evenly.
    pub flows: u32,
    /// Request size, bytes.
    pub request_bytes: u32,
    /// Response size, bytes.
    pub response_bytes: u32,
}

impl Configuration {
    /// Machines that run netserver: the guests, or the host itself for bare metal.
    pub fn targets(&self) -> u32 {
        self.vms.max(1)
    }

    /// Connections to each target.
    pub fn flows_per_target(&self) -> u32 {
        self.flows / self.targets()
    }

    /// The level of one factor, as it stands in tables and file names.
    pub fn level(&self, factor: Factor) -> String {
        match factor {
            Factor::Backend => self.backend.to_string(),
            Factor::Vms => self.vms.to_string(),
            Factor::Vcpus => self.vcpus.to_string(),
            Factor::Memory => self.memory_mib.to_string(),
            Factor::Mtu => self.mtu.to_string(),
            Factor::Test => self.test.to_string(),
            Factor::Flows => self.flows.to_string(),
            Factor::Request => self.request_bytes.to_string(),
            Factor::Response => self.response_bytes.to_string(),
        }
    }

    /// Whether guests booted for `other` can serve this configuration too.
    pub fn same_boot(&self, other: &Configuration) -> bool {
        self.backend == other.backend
            && self.vcpus == other.vcpus
            && self.memory_mib == other.memory_mib
            && self.mtu == other.mtu
    }
}

/// Memory in MiB that a guest needs to serve so many connections at a time.
///
/// Measured with Debian's 6.1 kernel: of 96 MiB some 14 are free after the boot, 128 connections fit into 128 MiB, and in
/// 96 MiB the kernel begins to kill netservers at about 55.
pub fn memory_mib_for(connections: u32) -> u32 {
    96 + connections.saturating_sub(32).div_ceil(3)
}

/// netperf tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(non_camel_case_types, reason = "netperf's own names")]
pub enum Test {
    /// Request and response over one TCP connection.
    TCP_RR,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Test::TCP_RR => "TCP_RR",
        })
    }
}

/// What can be swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Factor {
    /// NIC backend.
    Backend,
    /// Number of guests.
    Vms,
    /// vCPUs of each guest.
    Vcpus,
    /// Memory of each guest.
    Memory,
    /// MTU of the test network.
    Mtu,
    /// netperf test.
    Test,
    /// Number of connections.
    Flows,
    /// Request size.
    Request,
    /// Response size.
    Response,
}

impl Factor {
    /// Every factor, in the order of the columns.
    pub const ALL: [Factor; 9] = [
        Factor::Backend,
        Factor::Vms,
        Factor::Vcpus,
        Factor::Memory,
        Factor::Mtu,
        Factor::Test,
        Factor::Flows,
        Factor::Request,
        Factor::Response,
    ];

    /// Column name in CSV files, with the unit where there is one.
    pub fn column(self) -> &'static str {
        match self {
            Factor::Backend => "backend",
            Factor::Vms => "vms",
            Factor::Vcpus => "vcpus",
            Factor::Memory => "memory_mib",
            Factor::Mtu => "mtu_bytes",
            Factor::Test => "test",
            Factor::Flows => "flows",
            Factor::Request => "request_bytes",
            Factor::Response => "response_bytes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_connections_fit_into_96_mib_and_128_into_128() {
        assert_eq!([0, 1, 32, 33, 128].map(memory_mib_for), [96, 96, 96, 97, 128]);
    }
}
