//! The factors: what can be swept, where each stands in a profile, and how its levels are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Entries of each receive queue's flow table at the host's end of the wire.
    HostRpsFlowCnt,
    /// Entries of the flow table of the host.
    HostSockFlows,
    /// Transmit packet steering at the host's end of the wire.
    HostXps,
    /// CPUs that take the interrupts of the NIC at the host's end of the wire.
    HostIrq,
    /// How long the NIC at the host's end of the wire gathers received packets.
    HostCoalesceRx,
    /// The same of packets that were sent.
    HostCoalesceTx,
    /// Entries of each receive queue's flow table inside the guests.
    GuestRpsFlowCnt,
    /// Entries of the flow table of each guest.
    GuestSockFlows,
    /// Transmit packet steering inside the guests.
    GuestXps,
    /// CPUs that take the interrupts of the NIC inside the guests.
    GuestIrq,
    /// How long the NIC inside the guests gathers received packets.
    GuestCoalesceRx,
    /// The same of packets that were sent.
    GuestCoalesceTx,
    /// CPU frequency governor.
    Governor,
    /// How readily the host swaps.
    Swappiness,
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
    pub const ALL: [Factor; 42] = [
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
        Factor::HostRpsFlowCnt,
        Factor::HostSockFlows,
        Factor::HostXps,
        Factor::HostIrq,
        Factor::HostCoalesceRx,
        Factor::HostCoalesceTx,
        Factor::GuestRpsFlowCnt,
        Factor::GuestSockFlows,
        Factor::GuestXps,
        Factor::GuestIrq,
        Factor::GuestCoalesceRx,
        Factor::GuestCoalesceTx,
        Factor::Governor,
        Factor::Swappiness,
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
            Factor::HostRpsFlowCnt => ("tuning.host.rps_flow_cnt", "host_rps_flow_cnt", "host_rps_flow_cnt"),
            Factor::HostSockFlows => (
                "tuning.host.rps_sock_flow_entries",
                "host_rps_sock_flow_entries",
                "host_rps_sock_flow_entries",
            ),
            Factor::HostXps => ("tuning.host.xps", "host_xps", "host_xps"),
            Factor::HostIrq => ("tuning.host.irq_affinity", "host_irq_affinity", "host_irq_affinity"),
            Factor::HostCoalesceRx => ("tuning.host.coalesce_rx", "host_coalesce_rx", "host_coalesce_rx_us"),
            Factor::HostCoalesceTx => ("tuning.host.coalesce_tx", "host_coalesce_tx", "host_coalesce_tx_us"),
            Factor::GuestRpsFlowCnt => {
                ("tuning.guest.rps_flow_cnt", "guest_rps_flow_cnt", "guest_rps_flow_cnt")
            }
            Factor::GuestSockFlows => (
                "tuning.guest.rps_sock_flow_entries",
                "guest_rps_sock_flow_entries",
                "guest_rps_sock_flow_entries",
            ),
            Factor::GuestXps => ("tuning.guest.xps", "guest_xps", "guest_xps"),
            Factor::GuestIrq => ("tuning.guest.irq_affinity", "guest_irq_affinity", "guest_irq_affinity"),
            Factor::GuestCoalesceRx => {
                ("tuning.guest.coalesce_rx", "guest_coalesce_rx", "guest_coalesce_rx_us")
            }
            Factor::GuestCoalesceTx => {
                ("tuning.guest.coalesce_tx", "guest_coalesce_tx", "guest_coalesce_tx_us")
            }
            Factor::Governor => ("tuning.host.governor", "governor", "governor"),
            Factor::Swappiness => ("tuning.host.swappiness", "swappiness", "swappiness"),
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
        const OF_GUESTS: [Factor; 17] = [
            Factor::Vcpus,
            Factor::Memory,
            Factor::GuestRps,
            Factor::GuestRpsFlowCnt,
            Factor::GuestSockFlows,
            Factor::GuestXps,
            Factor::GuestIrq,
            Factor::GuestCoalesceRx,
            Factor::GuestCoalesceTx,
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

    /// Whether it is a setting of `[tuning]`.
    pub fn is_of_tuning(self) -> bool {
        self.home().starts_with("tuning.")
    }

    /// Whether it is a setting of the guests' NIC under test.
    pub fn is_of_nic(self) -> bool {
        matches!(self, Factor::Queues | Factor::QueueSize | Factor::Offloads)
    }
}
