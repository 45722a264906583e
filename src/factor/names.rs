//! The factors: what can be swept, where each stands in a profile, and how its levels are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes the factors of one table: what each is, where its one level stands in a profile, its key in `[sweep]`, its column.
macro_rules! factors {
    ($($(#[$doc:meta])+ $factor:ident: $home:literal, $key:literal, $column:literal;)+) => {
        /// What can be swept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum Factor {
            $($(#[$doc])+ $factor,)+
        }

        impl Factor {
            /// Every factor, in the order of the columns.
            pub const ALL: [Factor; [$($key),+].len()] = [$(Factor::$factor),+];

            fn names(self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Factor::$factor => ($home, $key, $column),)+
                }
            }
        }
    };
}

factors! {
    /// NIC backend.
    Backend: "network.backend", "backend", "backend";
    /// Number of guests.
    Vms: "guest.vms", "vms", "vms";
    /// vCPUs of each guest.
    Vcpus: "guest.vcpus", "vcpus", "vcpus";
    /// Memory of each guest.
    Memory: "guest.memory", "memory", "memory_mib";
    /// MTU of the test network.
    Mtu: "network.mtu", "mtu", "mtu_bytes";
    /// Queue pairs of the NIC.
    Queues: "network.queues", "queues", "queues";
    /// Descriptors of each receive queue.
    QueueSize: "network.queue_size", "queue_size", "queue_size";
    /// Checksums and segmentation left to the other end.
    Offloads: "network.offloads", "offloads", "offloads";
    /// The QEMU that runs the guests.
    Emulator: "host.emulator", "emulator", "emulator";
    /// Pinning of the vCPUs.
    Pin: "guest.pin", "pin", "pin";
    /// CPUs of QEMU's other threads and of the vhost workers.
    PinEmulator: "guest.pin_emulator", "pin_emulator", "pin_emulator";
    /// Scheduling policy of the vCPUs.
    Scheduler: "guest.scheduler", "scheduler", "scheduler";
    /// Huge pages of the host's pool for the guests' memory.
    Hugepages: "guest.hugepages", "hugepages", "hugepages";
    /// NUMA node of the guests' memory.
    NumaNode: "guest.numa_node", "numa_node", "numa_node";
    /// netperf test.
    Test: "workload.test", "test", "test";
    /// Number of connections.
    Flows: "workload.flows", "flows", "flows";
    /// Request size.
    Request: "workload.request", "request", "request_bytes";
    /// Response size.
    Response: "workload.response", "response", "response_bytes";
    /// Size of one send of a stream.
    Message: "workload.message", "message", "message_bytes";
    /// Transactions in flight beyond the first.
    Burst: "workload.burst", "burst", "burst";
    /// Receive packet steering at the host's end of the wire.
    HostRps: "tuning.host.rps", "host_rps", "host_rps";
    /// Receive packet steering inside the guests.
    GuestRps: "tuning.guest.rps", "guest_rps", "guest_rps";
    /// Entries of each receive queue's flow table at the host's end of the wire.
    HostRpsFlowCnt: "tuning.host.rps_flow_cnt", "host_rps_flow_cnt", "host_rps_flow_cnt";
    /// Entries of the flow table of the host.
    HostSockFlows: "tuning.host.rps_sock_flow_entries", "host_rps_sock_flow_entries", "host_rps_sock_flow_entries";
    /// Transmit packet steering at the host's end of the wire.
    HostXps: "tuning.host.xps", "host_xps", "host_xps";
    /// CPUs that take the interrupts of the NIC at the host's end of the wire.
    HostIrq: "tuning.host.irq_affinity", "host_irq_affinity", "host_irq_affinity";
    /// How long the NIC at the host's end of the wire gathers received packets.
    HostCoalesceRx: "tuning.host.coalesce_rx", "host_coalesce_rx", "host_coalesce_rx_us";
    /// The same of packets that were sent.
    HostCoalesceTx: "tuning.host.coalesce_tx", "host_coalesce_tx", "host_coalesce_tx_us";
    /// Whether the host's end of the wire merges received packets.
    HostGro: "tuning.host.gro", "host_gro", "host_gro";
    /// Whether packets are cut late on their way to the host's end of the wire.
    HostGso: "tuning.host.gso", "host_gso", "host_gso";
    /// Whether the host's end of the wire cuts TCP segments.
    HostTso: "tuning.host.tso", "host_tso", "host_tso";
    /// Entries of each receive queue's flow table inside the guests.
    GuestRpsFlowCnt: "tuning.guest.rps_flow_cnt", "guest_rps_flow_cnt", "guest_rps_flow_cnt";
    /// Entries of the flow table of each guest.
    GuestSockFlows: "tuning.guest.rps_sock_flow_entries", "guest_rps_sock_flow_entries", "guest_rps_sock_flow_entries";
    /// Transmit packet steering inside the guests.
    GuestXps: "tuning.guest.xps", "guest_xps", "guest_xps";
    /// CPUs that take the interrupts of the NIC inside the guests.
    GuestIrq: "tuning.guest.irq_affinity", "guest_irq_affinity", "guest_irq_affinity";
    /// How long the NIC inside the guests gathers received packets.
    GuestCoalesceRx: "tuning.guest.coalesce_rx", "guest_coalesce_rx", "guest_coalesce_rx_us";
    /// The same of packets that were sent.
    GuestCoalesceTx: "tuning.guest.coalesce_tx", "guest_coalesce_tx", "guest_coalesce_tx_us";
    /// Whether the NIC inside the guests merges received packets.
    GuestGro: "tuning.guest.gro", "guest_gro", "guest_gro";
    /// Whether packets are cut late on their way to the NIC inside the guests.
    GuestGso: "tuning.guest.gso", "guest_gso", "guest_gso";
    /// Whether the NIC inside the guests cuts TCP segments.
    GuestTso: "tuning.guest.tso", "guest_tso", "guest_tso";
    /// CPU frequency governor.
    Governor: "tuning.host.governor", "governor", "governor";
    /// How readily the host swaps.
    Swappiness: "tuning.host.swappiness", "swappiness", "swappiness";
    /// Merging of pages of equal content.
    Ksm: "tuning.host.ksm", "ksm", "ksm";
    /// Transparent hugepages.
    Thp: "tuning.host.thp", "thp", "thp";
    /// How long KVM polls for a halted vCPU.
    HaltPoll: "tuning.host.halt_poll_ns", "halt_poll_ns", "halt_poll_ns";
    /// Slice of the host's scheduler.
    BaseSlice: "tuning.host.base_slice", "base_slice", "base_slice_ns";
    /// What the guests do that are not measured.
    Background: "group.role", "background", "background";
    /// Whether groups have the shares, quotas and caps that they are written with.
    GroupLimits: "group.limits", "group_limits", "group_limits";
    /// CPU time of each vCPU in a period.
    Quota: "guest.quota", "quota", "quota_us";
}

impl Factor {
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
        const OF_GUESTS: [Factor; 21] = [
            Factor::Vcpus,
            Factor::Memory,
            Factor::GuestRps,
            Factor::GuestRpsFlowCnt,
            Factor::GuestSockFlows,
            Factor::GuestXps,
            Factor::GuestIrq,
            Factor::GuestCoalesceRx,
            Factor::GuestCoalesceTx,
            Factor::GuestGro,
            Factor::GuestGso,
            Factor::GuestTso,
            Factor::Background,
            Factor::GroupLimits,
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
