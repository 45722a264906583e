//! Settings of the host and inside the guests whose effect on fairness is worth measuring. `None`: left as found.

use serde::{Deserialize, Serialize};

use super::cpus::Cpus;
use super::names::Factor;
use super::value::Value;

/// What is set, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tuning {
    /// On the VM host.
    pub host: HostTuning,
    /// Inside every guest, of its NIC under test.
    pub guest: NicTuning,
}

/// Settings of a NIC and of how its machine takes its packets: the same at the host's end of the wire and inside the guests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NicTuning {
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
    /// How long it gathers received packets before it interrupts, µs.
    pub coalesce_rx_us: Option<u32>,
    /// The same of packets that were sent, µs.
    pub coalesce_tx_us: Option<u32>,
    /// Whether received packets of a flow are merged (generic receive offload).
    pub gro: Option<bool>,
    /// Whether packets are cut to the MTU as late as possible (generic segmentation offload).
    pub gso: Option<bool>,
    /// Whether the NIC, or whatever is behind it, cuts TCP segments to the MTU (TCP segmentation offload).
    pub tso: Option<bool>,
}

/// Settings of the VM host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostTuning {
    /// Of its end of the wire.
    pub nic: NicTuning,
    /// CPU frequency governor.
    pub governor: Option<String>,
    /// How readily the kernel swaps rather than drops files from memory: 0 to 200.
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

/// A setting of one factor.
enum Slot<'t> {
    Number(&'t mut Option<u32>),
    Switch(&'t mut Option<bool>),
    Word(&'t mut Option<String>),
    Cpus(&'t mut Option<Cpus>),
}

impl Tuning {
    /// The level of a factor; as found for what is set nowhere, or is no setting of these.
    pub fn value(&self, factor: Factor) -> Value {
        // Most configurations set nothing: then nothing has to be copied.
        if *self == Tuning::default() {
            return Value::AsFound;
        }
        let level = match self.clone().slot(factor) {
            Some(Slot::Number(number)) => number.map(Value::Number),
            Some(Slot::Switch(on)) => on.map(Value::Switch),
            Some(Slot::Word(word)) => word.take().map(Value::Word),
            Some(Slot::Cpus(cpus)) => cpus.take().map(Value::Cpus),
            None => None,
        };
        level.unwrap_or(Value::AsFound)
    }

    /// Changes the level of a factor; a value that it cannot have changes nothing.
    pub fn set(&mut self, factor: Factor, value: &Value) {
        match (self.slot(factor), value) {
            (Some(Slot::Number(slot)), Value::Number(number)) => *slot = Some(*number),
            (Some(Slot::Switch(slot)), Value::Switch(on)) => *slot = Some(*on),
            (Some(Slot::Word(slot)), Value::Word(word)) => *slot = Some(word.clone()),
            (Some(Slot::Cpus(slot)), Value::Cpus(cpus)) => *slot = Some(cpus.clone()),
            (Some(Slot::Number(slot)), Value::AsFound) => *slot = None,
            (Some(Slot::Switch(slot)), Value::AsFound) => *slot = None,
            (Some(Slot::Word(slot)), Value::AsFound) => *slot = None,
            (Some(Slot::Cpus(slot)), Value::AsFound) => *slot = None,
            _ => {}
        }
    }

    fn slot(&mut self, factor: Factor) -> Option<Slot<'_>> {
        let (host, guest) = (&mut self.host, &mut self.guest);
        Some(match factor {
            Factor::HostRps => Slot::Cpus(&mut host.nic.rps),
            Factor::HostRpsFlowCnt => Slot::Number(&mut host.nic.rps_flow_cnt),
            Factor::HostSockFlows => Slot::Number(&mut host.nic.rps_sock_flow_entries),
            Factor::HostXps => Slot::Cpus(&mut host.nic.xps),
            Factor::HostIrq => Slot::Cpus(&mut host.nic.irq_affinity),
            Factor::HostCoalesceRx => Slot::Number(&mut host.nic.coalesce_rx_us),
            Factor::HostCoalesceTx => Slot::Number(&mut host.nic.coalesce_tx_us),
            Factor::HostGro => Slot::Switch(&mut host.nic.gro),
            Factor::HostGso => Slot::Switch(&mut host.nic.gso),
            Factor::HostTso => Slot::Switch(&mut host.nic.tso),
            Factor::GuestRps => Slot::Cpus(&mut guest.rps),
            Factor::GuestRpsFlowCnt => Slot::Number(&mut guest.rps_flow_cnt),
            Factor::GuestSockFlows => Slot::Number(&mut guest.rps_sock_flow_entries),
            Factor::GuestXps => Slot::Cpus(&mut guest.xps),
            Factor::GuestIrq => Slot::Cpus(&mut guest.irq_affinity),
            Factor::GuestCoalesceRx => Slot::Number(&mut guest.coalesce_rx_us),
            Factor::GuestCoalesceTx => Slot::Number(&mut guest.coalesce_tx_us),
            Factor::GuestGro => Slot::Switch(&mut guest.gro),
            Factor::GuestGso => Slot::Switch(&mut guest.gso),
            Factor::GuestTso => Slot::Switch(&mut guest.tso),
            Factor::Governor => Slot::Word(&mut host.governor),
            Factor::Swappiness => Slot::Number(&mut host.swappiness),
            Factor::Ksm => Slot::Switch(&mut host.ksm),
            Factor::Thp => Slot::Word(&mut host.thp),
            Factor::HaltPoll => Slot::Number(&mut host.halt_poll_ns),
            Factor::BaseSlice => Slot::Number(&mut host.base_slice_ns),
            _ => return None,
        })
    }
}
