//! The names of the factors. What each is stands in its [`super::descriptor::Descriptor`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes the list of all factors of the one that names them.
macro_rules! factors {
    ($($(#[$doc:meta])+ $factor:ident,)+) => {
        /// What can be swept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Factor {
            $($(#[$doc])+ $factor,)+
        }

        impl Factor {
            /// Every factor, in the order of the columns.
            pub const ALL: [Factor; [$(stringify!($factor)),+].len()] = [$(Factor::$factor),+];
        }
    };
}

factors! {
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
    /// CPUs of QEMU's other threads.
    PinEmulator,
    /// CPUs of the vhost workers.
    PinVhost,
    /// Scheduling policy of the vCPUs.
    Scheduler,
    /// Huge pages of the host's pool for the guests' memory.
    Hugepages,
    /// NUMA node of the guests' memory.
    NumaNode,
    /// Kind of load: a netperf test, or ping.
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
    /// Time from one ping to the next.
    PingInterval,
    /// Payload of a ping.
    PingPayload,
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
    /// Whether the host's end of the wire merges received packets.
    HostGro,
    /// Whether packets are cut late on their way to the host's end of the wire.
    HostGso,
    /// Whether the host's end of the wire cuts TCP segments.
    HostTso,
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
    /// Whether the NIC inside the guests merges received packets.
    GuestGro,
    /// Whether packets are cut late on their way to the NIC inside the guests.
    GuestGso,
    /// Whether the NIC inside the guests cuts TCP segments.
    GuestTso,
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
    /// Whether groups have the shares, quotas and caps that they are written with.
    GroupLimits,
    /// CPU time of each vCPU in a period.
    Quota,
    /// Xen's scheduler of the guests.
    XenScheduler,
    /// Slice of Xen's credit scheduler.
    XenSlice,
    /// The least time that Xen lets a vCPU run.
    XenRatelimit,
}
