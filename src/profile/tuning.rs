//! Settings of the host and inside the guests whose effect on fairness is worth measuring. `None`: left as found.

use serde::{Deserialize, Serialize};

use super::cpus::Cpus;

/// What is set, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tuning {
    /// On the VM host.
    pub host: HostTuning,
    /// Inside every guest.
    pub guest: GuestTuning,
}

/// Who takes the packets of a NIC: the same settings on the host and inside the guests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Steering {
    /// CPUs for receive packet steering.
    pub rps: Option<Cpus>,
    /// Entries of each receive queue's flow table; written as 0 while `rps` is none, else flows would be steered still.
    pub rps_flow_cnt: Option<u32>,
    /// Entries of the machine's flow table.
    pub rps_sock_flow_entries: Option<u32>,
    /// CPUs for transmit packet steering.
    pub xps: Option<Cpus>,
    /// CPUs that take the NIC's interrupts.
    pub irq_affinity: Option<Cpus>,
}

/// Settings inside a guest, of its NIC under test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GuestTuning {
    /// Who takes its packets.
    #[serde(flatten)]
    pub steering: Steering,
    /// How long it gathers received packets before it interrupts, µs.
    #[serde(default)]
    pub coalesce_rx_us: Option<u32>,
    /// The same of packets that were sent, µs.
    #[serde(default)]
    pub coalesce_tx_us: Option<u32>,
}

/// Settings of the VM host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostTuning {
    /// Of its end of the wire.
    pub steering: Steering,
    /// How long its NIC gathers received packets before it interrupts, µs.
    pub coalesce_rx_us: Option<u32>,
    /// The same of packets that were sent, µs.
    pub coalesce_tx_us: Option<u32>,
    /// CPU frequency governor.
    pub governor: Option<String>,
    /// How readily the kernel swaps rather than drops files from memory: 0 to 200.
    #[serde(default)]
    pub swappiness: Option<u32>,
    /// Whether pages of equal content are merged.
    pub ksm: Option<bool>,
    /// Transparent hugepages.
    pub thp: Option<String>,
    /// How long KVM polls before it puts a halted vCPU to sleep, ns.
    pub halt_poll_ns: Option<u32>,
    /// Slice of the scheduler, ns.
    pub base_slice_ns: Option<u32>,
}

/// What transparent hugepages can be.
pub const THP: [&str; 3] = ["always", "madvise", "never"];
