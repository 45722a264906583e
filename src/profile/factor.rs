//! The factors: what can be swept, where each stands in a profile, and how its levels are told.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cpus::Cpus;
use super::groups::Background;
use super::test::Test;
use crate::backend::Backend;

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
    /// Queue pairs of the NIC.
    Queues,
    /// Descriptors of each receive queue.
    QueueSize,
    /// Checksums and segmentation left to the other end.
    Offloads,
    /// The QEMU that runs the guests.
    Emulator,
    /// Pinning of the vCPUs.
    Pin,
    /// CPUs of QEMU's other threads and of the vhost workers.
    PinEmulator,
    /// Scheduling policy of the vCPUs.
    Scheduler,
    /// Huge pages of the host's pool for the guests' memory.
    Hugepages,
    /// NUMA node of the guests' memory.
    NumaNode,
    /// netperf test.
    Test,
    /// Number of connections.
    Flows,
    /// Request size.
    Request,
    /// Response size.
    Response,
    /// Size of one send of a stream.
    Message,
    /// Transactions in flight beyond the first.
    Burst,
    /// Receive packet steering at the host's end of the wire.
    HostRps,
    /// Receive packet steering inside the guests.
    GuestRps,
    /// Merging of pages of equal content.
    Ksm,
    /// Transparent hugepages.
    Thp,
    /// How long KVM polls for a halted vCPU.
    HaltPoll,
    /// Slice of the host's scheduler.
    BaseSlice,
    /// What the guests do that are not measured.
    Background,
    /// CPU time of each vCPU in a period.
    Quota,
}

impl Factor {
    /// Every factor, in the order of the columns.
    pub const ALL: [Factor; 28] = [
        Factor::Backend,
        Factor::Vms,
        Factor::Vcpus,
        Factor::Memory,
        Factor::Mtu,
        Factor::Queues,
        Factor::QueueSize,
        Factor::Offloads,
        Factor::Emulator,
        Factor::Pin,
        Factor::PinEmulator,
        Factor::Scheduler,
        Factor::Hugepages,
        Factor::NumaNode,
        Factor::Test,
        Factor::Flows,
        Factor::Request,
        Factor::Response,
        Factor::Message,
        Factor::Burst,
        Factor::HostRps,
        Factor::GuestRps,
        Factor::Ksm,
        Factor::Thp,
        Factor::HaltPoll,
        Factor::BaseSlice,
        Factor::Background,
        Factor::Quota,
    ];

    /// Where its one level stands in a profile: section and key.
    pub fn home(self) -> &'static str {
        self.names().0
    }

    /// Its key in `[sweep]`.
    pub fn key(self) -> &'static str {
        self.names().1
    }

    /// Column name in CSV files, with the unit where there is one.
    pub fn column(self) -> &'static str {
        self.names().2
    }

    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Factor::Backend => ("network.backend", "backend", "backend"),
            Factor::Vms => ("guest.vms", "vms", "vms"),
            Factor::Vcpus => ("guest.vcpus", "vcpus", "vcpus"),
            Factor::Memory => ("guest.memory", "memory", "memory_mib"),
            Factor::Mtu => ("network.mtu", "mtu", "mtu_bytes"),
            Factor::Queues => ("network.queues", "queues", "queues"),
            Factor::QueueSize => ("network.queue_size", "queue_size", "queue_size"),
            Factor::Offloads => ("network.offloads", "offloads", "offloads"),
            Factor::Emulator => ("host.emulator", "emulator", "emulator"),
            Factor::Pin => ("guest.pin", "pin", "pin"),
            Factor::PinEmulator => ("guest.pin_emulator", "pin_emulator", "pin_emulator"),
            Factor::Scheduler => ("guest.scheduler", "scheduler", "scheduler"),
            Factor::Hugepages => ("guest.hugepages", "hugepages", "hugepages"),
            Factor::NumaNode => ("guest.numa_node", "numa_node", "numa_node"),
            Factor::Test => ("workload.test", "test", "test"),
            Factor::Flows => ("workload.flows", "flows", "flows"),
            Factor::Request => ("workload.request", "request", "request_bytes"),
            Factor::Response => ("workload.response", "response", "response_bytes"),
            Factor::Message => ("workload.message", "message", "message_bytes"),
            Factor::Burst => ("workload.burst", "burst", "burst"),
            Factor::HostRps => ("tuning.host.rps", "host_rps", "host_rps"),
            Factor::GuestRps => ("tuning.guest.rps", "guest_rps", "guest_rps"),
            Factor::Ksm => ("tuning.host.ksm", "ksm", "ksm"),
            Factor::Thp => ("tuning.host.thp", "thp", "thp"),
            Factor::HaltPoll => ("tuning.host.halt_poll_ns", "halt_poll_ns", "halt_poll_ns"),
            Factor::BaseSlice => ("tuning.host.base_slice", "base_slice", "base_slice_ns"),
            Factor::Background => ("group.role", "background", "background"),
            Factor::Quota => ("guest.quota", "quota", "quota_us"),
        }
    }

    /// Whether another level needs other guests; all else is changed while they run.
    pub fn needs_boot(self) -> bool {
        let of_machine =
            matches!(self, Factor::Backend | Factor::Vcpus | Factor::Memory | Factor::Mtu | Factor::Emulator);
        // A page is huge or not from the moment in which a guest first touches it, and KVM asks how long to poll when it
        // makes a machine.
        let of_start = matches!(self, Factor::Hugepages | Factor::NumaNode | Factor::Thp | Factor::HaltPoll);
        of_machine || of_start || self.is_of_nic()
    }

    /// Whether it is of the load, which is new in every trial.
    pub fn is_of_load(self) -> bool {
        matches!(
            self,
            Factor::Test
                | Factor::Flows
                | Factor::Request
                | Factor::Response
                | Factor::Message
                | Factor::Burst
                | Factor::Background
        )
    }

    /// Whether another level is written into machines that run.
    pub fn is_set_live(self) -> bool {
        !self.needs_boot() && !self.is_of_load() && self != Factor::Vms
    }

    /// Whether it says something of the guests, so that bare metal is the same for all its levels.
    pub fn is_of_guests(self) -> bool {
        const OF_GUESTS: [Factor; 11] = [
            Factor::Vcpus,
            Factor::Memory,
            Factor::GuestRps,
            Factor::Background,
            Factor::Quota,
            Factor::Emulator,
            Factor::Pin,
            Factor::PinEmulator,
            Factor::Scheduler,
            Factor::Hugepages,
            Factor::NumaNode,
        ];
        OF_GUESTS.contains(&self) || self.is_of_nic()
    }

    /// Whether it is a setting of the guests' NIC under test.
    pub fn is_of_nic(self) -> bool {
        matches!(self, Factor::Queues | Factor::QueueSize | Factor::Offloads)
    }
}

/// One level of a factor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Of the backend.
    Backend(Backend),
    /// Of the netperf test.
    Test(Test),
    /// Of what is counted or measured, in the unit of the factor's column.
    Number(u32),
    /// Of what is on or off.
    Switch(bool),
    /// Of what has names.
    Word(String),
    /// Of what CPUs are chosen for.
    Cpus(Cpus),
    /// Of what the unmeasured guests do.
    Background(Background),
    /// Of a setting that is left as it is found.
    AsFound,
}

impl Value {
    /// The number; 0 for what is not one.
    pub fn as_number(&self) -> u32 {
        if let Value::Number(number) = self { *number } else { 0 }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Backend(backend) => backend.fmt(f),
            Value::Test(test) => test.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
            Value::Word(word) => f.write_str(word),
            Value::Cpus(cpus) => cpus.fmt(f),
            Value::Background(background) => background.fmt(f),
            Value::AsFound => Ok(()),
        }
    }
}
