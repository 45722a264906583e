//! As written: the load and how it is varied. `[workload]`, `[[group]]`, `[plan]`, `[sweep]`, `[limits]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tuning::Thp;
use crate::profile::policy::Policy;
use crate::profile::schema::backend_levels;
use crate::profile::{Order, Reprovision, Role, Test};
use crate::units::{Rate, Size, Time};

/// `[workload]`: what netperf does, for how long, how often.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Workload {
    /// netperf test: "TCP_RR" (the default), "UDP_RR", "TCP_CRR", "TCP_STREAM", "TCP_MAERTS" or "UDP_STREAM"
    #[schemars(with = "Option<Test>")]
    pub test: Option<String>,
    /// connections over all guests, divided evenly among them; required here or in [sweep]
    #[schemars(range(min = 1, max = 10000))]
    pub flows: Option<u32>,
    /// request size of TCP_RR, UDP_RR and TCP_CRR, for example "1 B" (the default)
    pub request: Option<Size>,
    /// response size of TCP_RR, UDP_RR and TCP_CRR, for example "1 B" (the default)
    pub response: Option<Size>,
    /// size of each send of TCP_STREAM and TCP_MAERTS (default "64 KiB") and of UDP_STREAM (default "1472 B", a frame of
    /// 1518 bytes; "18 B" is one of 64)
    pub message: Option<Size>,
    /// transactions in flight beyond the first on each connection of TCP_RR and UDP_RR (default 0)
    #[schemars(range(max = 1000))]
    pub burst: Option<Burst>,
    /// transactions/s to offer on each flow, for load-latency curves; as fast as possible if left out
    #[schemars(extend("x-planned" = "leave it out: this version runs every flow as fast as it goes"))]
    pub rate: Option<f64>,
    /// from the start of the last flow to the window, for example "5 s" (the default)
    pub warmup: Option<Time>,
    /// length of the window in which every flow is measured, for example "30 s" (the default)
    pub window: Option<Time>,
    /// from the end of the window to the end of the flows, for example "2 s" (the default)
    pub cooldown: Option<Time>,
    /// between two interim results of a flow, for example "500 ms" (the default)
    pub interval: Option<Time>,
    /// trials of each configuration (default 5)
    #[schemars(range(min = 1, max = 1000))]
    pub repeats: Option<u32>,
    /// repeat a configuration until the 95 % interval of its total rate is this narrow: half-width in per cent of the mean
    #[schemars(range(max = 100))]
    pub half_width_percent: Option<f64>,
    /// trials of one configuration after which it is given up (default 15); for `half_width_percent`
    #[schemars(range(min = 2, max = 1000))]
    pub max_repeats: Option<u32>,
}

/// Transactions in flight on one connection beyond the first.
pub type Burst = u32;

/// `[[group]]`: guests that differ from the others.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// name in tables and charts: lower-case letters, digits and hyphens; required
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]*$"), length(max = 32))]
    pub name: Option<String>,
    /// number of guests, or a part of all such as "50 %"; required
    pub guests: Option<Share>,
    /// CPU weight of each guest, as `virsh schedinfo` has it: 2 to 262144, on a host with cgroup v2 1 to 10000
    #[schemars(range(min = 1, max = 262144))]
    pub shares: Option<u32>,
    /// CPU time of each vCPU in each period, for example "50 ms"
    pub quota: Option<Time>,
    /// period of the quotas, for example "100 ms" (the default)
    pub period: Option<Time>,
    /// CPU time of QEMU's other threads in each period, for example "50 ms"
    pub emulator_quota: Option<Time>,
    /// what the guests do: "measured" (the default), "cpu-burner", "net-load", "paced" or "idle"
    pub role: Option<Role>,
    /// cap on each guest's NIC, in each direction, for example "24 Mbit"
    pub bandwidth: Option<Rate>,
    /// what each guest receives while it is "paced", for example "20 Mbit": frames and all, held by the tester
    pub rate: Option<Rate>,
    /// whether one control group holds the guests, so that shares and quota are of the group as a whole (default false)
    pub cgroup: bool,
}

/// A number of guests, or a part of all.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Share {
    /// So many guests.
    Guests(u32),
    /// A part of all, such as "50 %".
    Part(String),
}

/// `[plan]`: order of the trials.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// "random" (the default): shuffled by the seed; "sequential": as written
    pub order: Order,
    /// seed of the order (default 1); the same seed gives the same plan
    pub seed: Option<u64>,
    /// when guests are made anew although those that are there would do: "never" (the default); "block", before each repeat, so
    /// that the interval knows how guests differ from boot to boot; "trial", before every trial
    pub reprovision: Reprovision,
}

/// `[sweep]`: factors with more than one level. Each is a key of another section, with a list in place of the value.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sweep {
    /// NIC backends, for example ["virtio", "e1000"]
    #[schemars(schema_with = "backend_levels")]
    pub backend: Option<Vec<String>>,
    /// numbers of guests, for example [1, 2, 4]
    #[schemars(inner(range(min = 1, max = 1000)), length(min = 1), extend("uniqueItems" = true))]
    pub vms: Option<Vec<u32>>,
    /// numbers of vCPUs, for example [1, 2, 4]
    #[schemars(inner(range(min = 1, max = 255)), length(min = 1), extend("uniqueItems" = true))]
    pub vcpus: Option<Vec<u32>>,
    /// memory sizes, for example ["96 MiB", "128 MiB"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub memory: Option<Vec<Size>>,
    /// MTUs, for example [1500, 9000]
    #[schemars(inner(range(min = 68, max = 65535)), length(min = 1), extend("uniqueItems" = true))]
    pub mtu: Option<Vec<u32>>,
    /// netperf tests, for example ["TCP_RR", "TCP_STREAM"]
    #[schemars(with = "Option<Vec<Test>>", length(min = 1), extend("uniqueItems" = true))]
    pub test: Option<Vec<String>>,
    /// numbers of connections, for example [16, 64, 128]
    #[schemars(inner(range(min = 1, max = 10000)), length(min = 1), extend("uniqueItems" = true))]
    pub flows: Option<Vec<u32>>,
    /// request sizes, for example ["1 B", "1 KiB"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub request: Option<Vec<Size>>,
    /// response sizes, for example ["1 B", "1 KiB"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub response: Option<Vec<Size>>,
    /// sizes of the sends of streams, for example ["64 B", "1472 B"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub message: Option<Vec<Size>>,
    /// transactions in flight beyond the first, for example [0, 1, 3, 7, 15]
    #[schemars(inner(range(max = 1000)), length(min = 1), extend("uniqueItems" = true))]
    pub burst: Option<Vec<Burst>>,
    /// transactions/s to offer on each flow
    #[schemars(extend("x-planned" = "leave it out: this version runs every flow as fast as it goes"))]
    pub rate: Option<Vec<f64>>,
    /// queue pairs of a virtio NIC, for example [1, 2, 4]
    #[schemars(inner(range(min = 1, max = 256)), length(min = 1), extend("uniqueItems" = true))]
    pub queues: Option<Vec<u32>>,
    /// descriptors of each receive queue, for example [256, 1024]
    #[schemars(length(min = 1), extend("items" = { "type": "integer", "enum": [256, 512, 1024] }, "uniqueItems" = true))]
    pub queue_size: Option<Vec<u32>>,
    /// with and without offloads
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub offloads: Option<Vec<bool>>,
    /// absolute paths of QEMU
    #[schemars(inner(regex(pattern = "^/")), length(min = 1), extend("uniqueItems" = true))]
    pub emulator: Option<Vec<String>>,
    /// RPS masks of the host's end of the wire: "all", "none", a hex mask or a list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_rps: Option<Vec<String>>,
    /// RPS masks inside the guests
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_rps: Option<Vec<String>>,
    /// flow table entries of each receive queue at the host's end of the wire, for example [0, 4096]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_rps_flow_cnt: Option<Vec<u32>>,
    /// flow table entries of the host, for example [0, 32768]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_rps_sock_flow_entries: Option<Vec<u32>>,
    /// XPS masks at the host's end of the wire: "all", "none", a hex mask or a list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_xps: Option<Vec<String>>,
    /// CPUs that take the interrupts of the NIC at the host's end of the wire: "all", a hex mask or a list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_irq_affinity: Option<Vec<String>>,
    /// how long the NIC at the host's end of the wire gathers received packets, for example ["0 us", "50 us"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_coalesce_rx: Option<Vec<Time>>,
    /// the same of packets that were sent
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_coalesce_tx: Option<Vec<Time>>,
    /// with and without generic receive offload at the host's end of the wire
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_gro: Option<Vec<bool>>,
    /// with and without generic segmentation offload at the host's end of the wire
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_gso: Option<Vec<bool>>,
    /// with and without TCP segmentation offload at the host's end of the wire
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub host_tso: Option<Vec<bool>>,
    /// flow table entries of each receive queue inside the guests, for example [0, 4096]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_rps_flow_cnt: Option<Vec<u32>>,
    /// flow table entries of each guest, for example [0, 32768]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_rps_sock_flow_entries: Option<Vec<u32>>,
    /// XPS masks inside the guests: "all", "none", a hex mask or a list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_xps: Option<Vec<String>>,
    /// CPUs that take the interrupts of the NIC inside the guests: "all", a hex mask or a list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_irq_affinity: Option<Vec<String>>,
    /// how long the NIC inside the guests gathers received packets, for example ["0 us", "50 us"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_coalesce_rx: Option<Vec<Time>>,
    /// the same of packets that were sent
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_coalesce_tx: Option<Vec<Time>>,
    /// with and without generic receive offload inside the guests
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_gro: Option<Vec<bool>>,
    /// with and without generic segmentation offload inside the guests
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_gso: Option<Vec<bool>>,
    /// with and without TCP segmentation offload inside the guests
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub guest_tso: Option<Vec<bool>>,
    /// CPU frequency governors, for example ["powersave", "performance"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub governor: Option<Vec<String>>,
    /// how readily the host swaps, for example [0, 60]
    #[schemars(inner(range(max = 200)), length(min = 1), extend("uniqueItems" = true))]
    pub swappiness: Option<Vec<u32>>,
    /// scheduler slices, for example ["3 ms", "30 ms"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub base_slice: Option<Vec<Time>>,
    /// pinnings of the vCPUs: "none", "spread", "compact" or a CPU list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub pin: Option<Vec<String>>,
    /// CPUs of QEMU's other threads and of the vhost workers: "none" or a CPU list
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub pin_emulator: Option<Vec<String>>,
    /// scheduling policies of the vCPUs, for example ["other", "rr"]
    #[schemars(with = "Option<Vec<Policy>>", length(min = 1), extend("uniqueItems" = true))]
    pub scheduler: Option<Vec<String>>,
    /// with and without hugepages
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub hugepages: Option<Vec<bool>>,
    /// NUMA nodes of the guests' memory, for example [0, 1]
    #[schemars(inner(range(max = 1023)), length(min = 1), extend("uniqueItems" = true))]
    pub numa_node: Option<Vec<u32>>,
    /// with and without merging of pages of equal content
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub ksm: Option<Vec<bool>>,
    /// transparent hugepages, for example ["always", "never"]
    #[schemars(with = "Option<Vec<Thp>>", length(min = 1), extend("uniqueItems" = true))]
    pub thp: Option<Vec<String>>,
    /// polling times for halted vCPUs, for example [0, 200000]
    #[schemars(inner(range(max = 10000000)), length(min = 1), extend("uniqueItems" = true))]
    pub halt_poll_ns: Option<Vec<u32>>,
    /// without and with the shares, quotas and caps of the groups, for example [false, true]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub group_limits: Option<Vec<bool>>,
    /// CPU time of every vCPU in each 100 ms, for example ["100 ms", "50 ms"]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub quota: Option<Vec<Time>>,
    /// what the guests of the groups that are not measured do: "none", "cpu-burner", "net-load", "paced"
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub background: Option<Vec<String>>,
}

/// `[limits]`: bounds on waiting.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// from the creation of a guest until it answers, for example "120 s" (the default)
    pub boot: Option<Time>,
    /// boots of one guest before its configuration fails (default 3)
    #[schemars(range(min = 1, max = 100))]
    pub boot_attempts: Option<u32>,
    /// attempts at one trial until it is measured; the failed and invalid ones are kept in raw/attempts (default 1)
    #[schemars(range(min = 1, max = 100))]
    pub trial_attempts: Option<u32>,
    /// the whole run, for example "2 h"; unbounded if left out
    pub total: Option<Time>,
}
