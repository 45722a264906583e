//! As written: `[tuning.host]` and `[tuning.guest]`, the settings whose effect on fairness is worth measuring, and
//! `[probe]`, what to observe of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Time;

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
    /// flow table entries of each receive queue (rps_flow_cnt), a power of two; 0 while rps is "none"
    pub rps_flow_cnt: Option<u32>,
    /// flow table entries of the host (rps_sock_flow_entries), a power of two
    pub rps_sock_flow_entries: Option<u32>,
    /// CPUs for transmit packet steering: "all", "none", a hex mask or a list
    pub xps: Option<String>,
    /// CPUs that take the NIC's interrupts: "all", a hex mask or a list
    pub irq_affinity: Option<String>,
    /// how long the NIC gathers received packets before it interrupts (rx-usecs), whole µs, for example "50 us"
    pub coalesce_rx: Option<Time>,
    /// the same of packets that were sent (tx-usecs)
    pub coalesce_tx: Option<Time>,
    /// whether received packets of a flow are merged on their way up (generic receive offload)
    pub gro: Option<bool>,
    /// whether packets are cut to the MTU as late as possible (generic segmentation offload)
    pub gso: Option<bool>,
    /// whether the NIC cuts TCP segments to the MTU, or leaves that to whatever is behind it
    pub tso: Option<bool>,
    /// CPU frequency governor, for example "performance"
    pub governor: Option<String>,
    /// how readily the kernel swaps guests' memory (vm.swappiness): 0, as late as possible, to 200
    #[schemars(range(max = 200))]
    pub swappiness: Option<u32>,
    /// whether pages of equal content are merged
    pub ksm: Option<bool>,
    /// transparent hugepages: "always", "madvise" or "never"
    #[schemars(with = "Option<Thp>")]
    pub thp: Option<String>,
    /// how long KVM polls before it puts a halted vCPU to sleep, ns
    #[schemars(range(max = 10000000))]
    pub halt_poll_ns: Option<u32>,
    /// slice of the scheduler, for example "3 ms"
    pub base_slice: Option<Time>,
    /// whether numad moves guests between nodes
    #[schemars(extend("x-planned" = "leave it out: this version starts and stops no service"))]
    pub numad: Option<bool>,
}

/// What transparent hugepages can be.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) enum Thp {
    Always,
    Madvise,
    Never,
}

/// `[tuning.guest]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GuestTuning {
    /// CPUs for receive packet steering: "all", "none", a hex mask such as "f" or a list such as "0-3"
    pub rps: Option<String>,
    /// flow table entries of each receive queue (rps_flow_cnt), a power of two; 0 while rps is "none"
    pub rps_flow_cnt: Option<u32>,
    /// flow table entries of the guest (rps_sock_flow_entries), a power of two
    pub rps_sock_flow_entries: Option<u32>,
    /// CPUs for transmit packet steering: "all", "none", a hex mask or a list
    pub xps: Option<String>,
    /// CPUs that take the NIC's interrupts: "all", a hex mask or a list
    pub irq_affinity: Option<String>,
    /// how long the NIC gathers received packets before it interrupts (rx-usecs), whole µs, for example "50 us"; not virtio, not e1000
    pub coalesce_rx: Option<Time>,
    /// the same of packets that were sent (tx-usecs)
    pub coalesce_tx: Option<Time>,
    /// whether received packets of a flow are merged on their way up (generic receive offload)
    pub gro: Option<bool>,
    /// whether packets are cut to the MTU as late as possible (generic segmentation offload)
    pub gso: Option<bool>,
    /// whether the NIC cuts TCP segments to the MTU, or leaves that to whatever is behind it
    pub tso: Option<bool>,
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
