//! As written: `[tuning.host]` and `[tuning.guest]`, the settings whose effect on fairness is worth measuring, and
//! `[probe]`, what to observe of it.
//!
//! No version runs them yet; they are read so that a mistake in them is reported with the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::units::Time;

/// `[tuning]`: settings of the host and inside the guests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// settings of the VM host
    pub host: HostTuning,
    /// settings inside every guest
    pub guest: GuestTuning,
}

/// `[tuning.host]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HostTuning {
    /// CPUs for receive packet steering: "all", "none", a hex mask such as "f" or a list such as "0-3"
    pub rps: Option<String>,
    /// flow table entries of each receive queue (rps_flow_cnt)
    pub rps_flow_cnt: Option<u32>,
    /// flow table entries of the host (rps_sock_flow_entries)
    pub rps_sock_flow_entries: Option<u32>,
    /// CPUs for transmit packet steering: "all", "none", a hex mask or a list
    pub xps: Option<String>,
    /// CPUs that take the NIC's interrupts: "all", a hex mask or a list
    pub irq_affinity: Option<String>,
    /// interrupt coalescing of the NIC, for example "50 us"
    pub coalesce: Option<Time>,
    /// CPU frequency governor, for example "performance"
    pub governor: Option<String>,
    /// whether pages of equal content are merged
    pub ksm: Option<bool>,
    /// transparent hugepages: "always", "madvise" or "never"
    pub thp: Option<String>,
    /// how long KVM polls before it puts a halted vCPU to sleep, ns
    pub halt_poll_ns: Option<u64>,
    /// slice of the scheduler, ns
    pub base_slice_ns: Option<u64>,
    /// whether numad moves guests between nodes
    pub numad: Option<bool>,
}

/// `[tuning.guest]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GuestTuning {
    /// CPUs for receive packet steering: "all", "none", a hex mask such as "f" or a list such as "0-3"
    pub rps: Option<String>,
    /// flow table entries of each receive queue (rps_flow_cnt)
    pub rps_flow_cnt: Option<u32>,
    /// flow table entries of the guest (rps_sock_flow_entries)
    pub rps_sock_flow_entries: Option<u32>,
    /// CPUs for transmit packet steering: "all", "none", a hex mask or a list
    pub xps: Option<String>,
    /// CPUs that take the NIC's interrupts: "all", a hex mask or a list
    pub irq_affinity: Option<String>,
    /// interrupt coalescing of the NIC, for example "50 us"
    pub coalesce: Option<Time>,
}

/// `[probe]`: what is observed beside flows and CPU time.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// KVM exits: "none", "counts" or "reasons"
    pub exits: Option<String>,
    /// whether the time that vCPUs wait for a CPU is kept for every interval
    pub sched: Option<bool>,
    /// whether interrupts of the NIC are counted by CPU
    pub irq: Option<bool>,
}
