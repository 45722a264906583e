//! Settings of a NIC and of how its machine takes its packets: the same at the host's end of the wire and inside the guests.
//! Another one is a row here, and two names.

use std::time::Duration;

use super::cpus::Cpus;
use super::descriptor::{AppliedAt, Descriptor, KernelSetting, Phrase, Scope, Store};
use super::level_kind::LevelKind;
use super::names::Factor;
use super::tuning::KernelFormat;
use super::value::Value;

/// One descriptor for each side: names, key, unit of the column, words for people, kind, description, levels, setting.
macro_rules! both_sides {
    ($($host:ident, $guest:ident: $key:literal, $unit:literal, $words:literal, $kind:expr,
       $about:literal, $levels:expr, $setting:expr;)+) => {
        /// One descriptor for each, the host's before the guests'.
        pub(super) static FACTORS: &[Descriptor] = &[$(
            Descriptor {
                key: concat!("host_", $key),
                column: concat!("host_", $key, $unit),
                applied: AppliedAt::Live,
                kind: $kind,
                about: $about,
                levels: $levels,
                phrase: Phrase::Named(concat!("host ", $words)),
                ..Descriptor::new(Factor::$host, concat!("tuning.host.", $key), Scope::Host, Store::Setting($setting))
            },
            Descriptor {
                key: concat!("guest_", $key),
                column: concat!("guest_", $key, $unit),
                applied: AppliedAt::Live,
                kind: $kind,
                about: $about,
                levels: $levels,
                phrase: Phrase::Named(concat!("guest ", $words)),
                ..Descriptor::new(Factor::$guest, concat!("tuning.guest.", $key), Scope::Guest, Store::Setting($setting))
            },
        )+];
    };
}

both_sides! {
    HostRps, GuestRps: "rps", "", "RPS", CPUS,
        "CPUs for receive packet steering: \"all\", \"none\", a hex mask such as \"f\" or a list such as \"0-3\"",
        &["\"none\"", "\"all\""], mask("RPS (rps_cpus)", "queues/rx-*/rps_cpus");
    HostRpsFlowCnt, GuestRpsFlowCnt: "rps_flow_cnt", "", "RFS entries", ENTRIES,
        "flow table entries of each receive queue (rps_flow_cnt), a power of two; 0 while rps is \"none\"",
        &["0", "4096"], RFS;
    HostSockFlows, GuestSockFlows: "rps_sock_flow_entries", "", "flow table", ENTRIES,
        "flow table entries of the machine (rps_sock_flow_entries), a power of two",
        &["0", "32768"], FLOW_TABLE;
    HostXps, GuestXps: "xps", "", "XPS", CPUS,
        "CPUs for transmit packet steering: \"all\", \"none\", a hex mask or a list",
        &["\"none\"", "\"all\""], mask("XPS (xps_cpus)", "queues/tx-*/xps_cpus");
    HostIrq, GuestIrq: "irq_affinity", "", "interrupts on", SOME_CPU,
        "CPUs that take the NIC's interrupts: \"all\", a hex mask or a list",
        &["\"all\"", "\"1\""], mask("affinity of the NIC's interrupts", "interrupts");
    HostCoalesceRx, GuestCoalesceRx: "coalesce_rx", "_us", "rx-usecs", COALESCING,
        "how long the NIC gathers received packets before it interrupts (rx-usecs), whole µs; virtio, veth and e1000 have none",
        &["\"0 us\"", "\"50 us\""], KernelSetting::new("coalescing of received packets (rx-usecs)", "rx-usecs");
    HostCoalesceTx, GuestCoalesceTx: "coalesce_tx", "_us", "tx-usecs", COALESCING,
        "the same of packets that were sent (tx-usecs)",
        &["\"0 us\"", "\"50 us\""], KernelSetting::new("coalescing of sent packets (tx-usecs)", "tx-usecs");
    HostGro, GuestGro: "gro", "", "GRO", LevelKind::Switch,
        "whether received packets of a flow are merged on their way up (generic receive offload)",
        &["true", "false"], offload("generic receive offload (gro)", "gro");
    HostGso, GuestGso: "gso", "", "GSO", LevelKind::Switch,
        "whether packets are cut to the MTU as late as possible (generic segmentation offload)",
        &["true", "false"], offload("generic segmentation offload (gso)", "gso");
    HostTso, GuestTso: "tso", "", "TSO", LevelKind::Switch,
        "whether the NIC cuts TCP segments to the MTU, or leaves that to whatever is behind it",
        &["true", "false"], offload("TCP segmentation offload (tso)", "tso");
}

/// Entries of a flow table; the kernel refuses more.
const ENTRIES: LevelKind = LevelKind::PowerOfTwo { most: 1 << 29 };

/// Entries of a queue's flow table: 0 while RPS is off, else flows would be steered still.
const RFS: KernelSetting = KernelSetting {
    zero_without_rps: true,
    ..KernelSetting::new("RFS (rps_flow_cnt)", "queues/rx-*/rps_flow_cnt")
};

const FLOW_TABLE: KernelSetting = KernelSetting {
    missing: "leave `rps_sock_flow_entries` out, or use a kernel with CONFIG_RPS",
    ..KernelSetting::new("rps_sock_flow_entries", "/proc/sys/net/core/rps_sock_flow_entries")
};

const CPUS: LevelKind = LevelKind::Text {
    form: "\"all\", \"none\", a hex mask such as \"f\" or a CPU list such as \"0-3\"",
    pattern: "",
    level: |mask| mask.parse().ok().map(Value::Cpus),
};

/// Interrupts need a CPU to go to.
const SOME_CPU: LevelKind = LevelKind::Text {
    form: "\"all\", a hex mask such as \"f\" or a CPU list such as \"0-3\"; interrupts need a CPU to go to",
    pattern: "",
    level: |mask| mask.parse().ok().filter(|cpus: &Cpus| !cpus.is_none()).map(Value::Cpus),
};

/// Whole µs up to a tenth of a second. Which of them a driver takes is its own choice.
const COALESCING: LevelKind = LevelKind::Time {
    unit: Duration::from_micros(1),
    least: Duration::ZERO,
    most: Duration::from_millis(100),
};

const fn mask(what: &'static str, files: &'static str) -> KernelSetting {
    KernelSetting { format: KernelFormat::Mask, ..KernelSetting::new(what, files) }
}

/// ethtool remarks on what the driver fixed.
const fn offload(what: &'static str, word: &'static str) -> KernelSetting {
    KernelSetting { format: KernelFormat::Remark, ..KernelSetting::new(what, word) }
}
