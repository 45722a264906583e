//! Settings of a NIC and of how its machine takes its packets: the same at the host's end of the wire and inside the guests.
//! Another one is a row here, and two names.

use std::time::Duration;

use super::cpus::Cpus;
use super::descriptor::{Change, Descriptor, Format, KernelSetting, Kind, Phrase, Scope, Store};
use super::fault::Fault;
use super::names::Factor;
use super::value::Value;
use crate::units::Time;

/// Most entries of the machine's flow table: the kernel refuses more. A queue's own table has no use for more either.
const MOST_ENTRIES: u32 = 1 << 29;

/// One descriptor for each side: key, unit of the column, words for people, kind, setting.
macro_rules! both_sides {
    ($($host:ident, $guest:ident: $key:literal, $unit:literal, $words:literal, $kind:expr, $setting:expr;)+) => {
        /// One descriptor for each, the host's before the guests'.
        pub(super) static FACTORS: [Descriptor; 2 * [$($key),+].len()] = [$(
            Descriptor {
                factor: Factor::$host,
                home: concat!("tuning.host.", $key),
                key: concat!("host_", $key),
                column: concat!("host_", $key, $unit),
                scope: Scope::Host,
                change: Change::Live,
                kind: $kind,
                phrase: Phrase::Named(concat!("host ", $words)),
                store: Store::Setting($setting),
            },
            Descriptor {
                factor: Factor::$guest,
                home: concat!("tuning.guest.", $key),
                key: concat!("guest_", $key),
                column: concat!("guest_", $key, $unit),
                scope: Scope::Guest,
                change: Change::Live,
                kind: $kind,
                phrase: Phrase::Named(concat!("guest ", $words)),
                store: Store::Setting($setting),
            },
        )+];
    };
}

both_sides! {
    HostRps, GuestRps: "rps", "", "RPS", Kind::Text(cpus),
        mask("RPS (rps_cpus)", "queues/rx-*/rps_cpus");
    HostRpsFlowCnt, GuestRpsFlowCnt: "rps_flow_cnt", "", "RFS entries", Kind::Number(entries),
        RFS;
    HostSockFlows, GuestSockFlows: "rps_sock_flow_entries", "", "flow table", Kind::Number(entries),
        FLOW_TABLE;
    HostXps, GuestXps: "xps", "", "XPS", Kind::Text(cpus),
        mask("XPS (xps_cpus)", "queues/tx-*/xps_cpus");
    HostIrq, GuestIrq: "irq_affinity", "", "interrupts on", Kind::Text(irq_affinity),
        mask("affinity of the NIC's interrupts", "interrupts");
    HostCoalesceRx, GuestCoalesceRx: "coalesce_rx", "_us", "rx-usecs", Kind::Time(coalescing),
        KernelSetting::new("coalescing of received packets (rx-usecs)", "rx-usecs");
    HostCoalesceTx, GuestCoalesceTx: "coalesce_tx", "_us", "tx-usecs", Kind::Time(coalescing),
        KernelSetting::new("coalescing of sent packets (tx-usecs)", "tx-usecs");
    HostGro, GuestGro: "gro", "", "GRO", Kind::Switch,
        offload("generic receive offload (gro)", "gro");
    HostGso, GuestGso: "gso", "", "GSO", Kind::Switch,
        offload("generic segmentation offload (gso)", "gso");
    HostTso, GuestTso: "tso", "", "TSO", Kind::Switch,
        offload("TCP segmentation offload (tso)", "tso");
}

/// Entries of a queue's flow table: 0 while RPS is off, else flows would be steered still.
const RFS: KernelSetting = KernelSetting {
    zero_without_rps: true,
    ..KernelSetting::new("RFS (rps_flow_cnt)", "queues/rx-*/rps_flow_cnt")
};

const FLOW_TABLE: KernelSetting = KernelSetting {
    missing: "leave `rps_sock_flow_entries` out, or use a kernel with CONFIG_RPS",
    ..KernelSetting::new("rps_sock_flow_entries", "/proc/sys/net/core/rps_sock_flow_entries")
};

const fn mask(what: &'static str, files: &'static str) -> KernelSetting {
    KernelSetting { format: Format::Mask, ..KernelSetting::new(what, files) }
}

/// ethtool remarks on what the driver fixed.
const fn offload(what: &'static str, word: &'static str) -> KernelSetting {
    KernelSetting { format: Format::Remark, ..KernelSetting::new(what, word) }
}

fn cpus(mask: &str) -> Result<Value, Fault> {
    let hint = "write \"all\", \"none\", a hex mask such as \"f\" or a CPU list such as \"0-3\"";
    mask.parse().map(Value::Cpus).map_err(|message: String| Fault::new(message, "", hint))
}

fn irq_affinity(mask: &str) -> Result<Value, Fault> {
    match cpus(mask)? {
        Value::Cpus(none) if none == Cpus::none() => {
            let hint = "name at least one CPU, or leave the key out";
            Err(Fault::new("interrupts need a CPU to go to", "", hint))
        }
        set => Ok(set),
    }
}

/// Entries of a flow table.
fn entries(entries: u32) -> Result<Value, Fault> {
    if entries > MOST_ENTRIES {
        let hint = format!("use a power of two up to {MOST_ENTRIES} (2^29); 32768 suits most machines");
        return Err(Fault::new(format!("no flow table has {entries} entries"), "too many", hint));
    }
    if entries != 0 && !entries.is_power_of_two() {
        let next = entries.next_power_of_two();
        let hint = format!("the kernel would take {next} in its place: write that");
        return Err(Fault::new(format!("{entries} is not a power of two"), "", hint));
    }
    Ok(Value::Number(entries))
}

/// A time of coalescing, µs: whole ones up to a tenth of a second. Which of them a driver takes is its own choice.
fn coalescing(time: Duration) -> Result<Value, Fault> {
    let us = u32::try_from(time.as_micros()).ok().filter(|us| *us <= 100_000);
    us.filter(|_| time.subsec_nanos().is_multiple_of(1_000)).map(Value::Number).ok_or_else(|| {
        let message = format!("no NIC gathers packets for {}", Time(time));
        Fault::new(message, "", "write whole microseconds, at most \"100 ms\"")
    })
}
