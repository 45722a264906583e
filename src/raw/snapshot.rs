//! What probes saw besides flows and CPU times: interrupts, exits, packets in guests, moments of standstill.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{OneCpu, RawGuest};

/// One interrupt line of a NIC: of a queue, or of the device as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Irq {
    /// The NIC as it was asked for: its name, its MAC, or its PCI address.
    pub nic: String,
    /// The interrupt's number on its machine.
    pub irq: u32,
    /// What the driver calls it: `virtio2-input.0`, `eth1-TxRx-3`. Several names if others share the line.
    pub name: String,
    /// How often it came since boot, on all CPUs.
    pub count: u64,
}

/// Who counted KVM's exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitSource {
    /// KVM's statistics through QEMU (`query-stats`, QEMU 7.1).
    QueryStats,
    /// KVM's statistics in debugfs.
    Debugfs,
    /// The kernel's tracepoint `kvm:kvm_exit`: every exit has a reason, and what KVM does not count bears the CPU's name.
    Tracepoint,
}

impl fmt::Display for ExitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExitSource::QueryStats => "query-stats",
            ExitSource::Debugfs => "debugfs",
            ExitSource::Tracepoint => "tracepoint",
        })
    }
}

/// A time in which the host stood still.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hiccup {
    /// When it was over, s.
    pub end_s: f64,
    /// How long it was, s.
    pub length_s: f64,
}

/// Cumulative counters of a NIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicPackets {
    /// Packets received.
    pub received: u64,
    /// Packets sent.
    pub sent: u64,
    /// Bytes received.
    #[serde(default)]
    pub received_bytes: u64,
    /// Bytes sent.
    #[serde(default)]
    pub sent_bytes: u64,
}

/// Passes of KSM whose ends a trial waits for. It merges no page before it has seen twice that it does not change, and the
/// first end may be that of a pass that was under way, or had nothing to go over.
pub const KSM_SCANS: u64 = 3;

/// How long a trial waited for KSM before it began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KsmWait {
    /// So long, s.
    pub waited_s: f64,
    /// It would have waited no longer than this, s.
    pub bound_s: f64,
    /// Passes of KSM that ended meanwhile.
    pub full_scans: u64,
}

impl KsmWait {
    /// Whether KSM had gone over all memory twice.
    pub fn is_complete(&self) -> bool {
        self.full_scans >= KSM_SCANS
    }
}

/// Pages that KSM has merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Pages that others stand for (`pages_shared`).
    pub shared: u64,
    /// Pages that are saved by that (`pages_sharing`).
    pub sharing: u64,
}

/// The machines at one moment; all counters since boot. What is read at every interval is in [`super::HostSample`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When, s.
    pub at_s: f64,
    /// Pages that the host read back from swap, and that it wrote there; `None` if its kernel does not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swapped: Option<(u64, u64)>,
    /// Pages that the host's KSM has merged; `None` if its kernel does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// Each CPU of the tester; empty where the tester is the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tester_cpus: Vec<OneCpu>,
    /// CPU time that each netperf of a measured flow has used, s, in the order of the flows; `None` where the kernel does not
    /// tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub netperfs_s: Vec<Option<f64>>,
    /// Interrupts of the host's NICs under test; a veth pair has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Irq>,
    /// How long each guest was kept from CPUs by its quotas, s summed over its threads' control groups and CPUs; empty where
    /// nobody has one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub throttled_guests_s: BTreeMap<u32, f64>,
    /// The same of groups that one control group holds, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub throttled_groups_s: BTreeMap<String, f64>,
}

impl RawGuest {
    /// A guest without any reading.
    pub fn new(guest: u32, domain: &str) -> RawGuest {
        RawGuest {
            qemu_pid: None,
            guest,
            domain: domain.to_owned(),
            inside: Vec::new(),
            nic: Vec::new(),
            interrupts: Vec::new(),
            exits: Vec::new(),
            exits_from: None,
        }
    }
}
