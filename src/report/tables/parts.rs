//! The columns of tables with several rows for each trial: guests, CPUs, interrupts, exits, proofs.

use crate::figures::{Better, CpuFigures, GuestFigures, IrqFigures, Need};
use crate::raw::{Check, ExitSource};
use crate::table::{Field, boolean, integer, real, text};

const REQUESTS: &[Need] = &[Need::Requests];
const LATENCIES: &[Need] = &[Need::Latencies];
const PINGS: &[Need] = &[Need::Pings];
const STREAMS: &[Need] = &[Need::Streams];
const GUESTS: &[Need] = &[Need::Guests];
const KVM: &[Need] = &[Need::Guests, Need::Kvm];
const LINUX: &[Need] = &[Need::Guests, Need::LinuxHost];

pub(super) static GUEST: [Field<GuestFigures>; 37] = [
    integer("guest", "number of the guest, from 1; 0 for bare metal", |g| Some(g.guest.into())),
    text("domain", "libvirt's name of the guest", |g: &GuestFigures| g.domain.clone()).needs(GUESTS),
    text("group", "the group that it is in", |g: &GuestFigures| g.group.clone()).needs(&[Need::Groups]),
    text("role", "what it does", |g| Some(g.role.to_string())),
    integer("flows_of_guest", "its measured flows", |g| Some(g.flows.into())),
    real("rate_tps", "transactions/s", "sum of its flows' rates in the window", |g: &GuestFigures| {
        g.unit.transactions(g.rate)
    })
    .needs(REQUESTS)
    .better(Better::Higher),
    real(
        "throughput_mbps",
        "Mbit/s",
        "payload of its flows that arrived in the window",
        |g: &GuestFigures| g.unit.megabits(g.rate),
    )
    .needs(STREAMS)
    .better(Better::Higher),
    real("transactions", "transactions", "rate × window", |g: &GuestFigures| g.unit.transactions(g.work))
        .needs(REQUESTS),
    real("mean_latency_us", "µs", "mean latency in the window", |g: &GuestFigures| g.mean_latency_us)
        .needs(LATENCIES)
        .better(Better::Lower),
    real(
        "starved_s",
        "s",
        "time in the window in which it moved less than a tenth of its group's mean guest, or nothing",
        |g: &GuestFigures| Some(g.starved_s),
    )
    .better(Better::Lower),
    real(
        "whole_flow_p99_latency_us",
        "µs",
        "median over its flows of netperf's P99, warm-up included",
        |g: &GuestFigures| whole_flow(g, g.p99_latency_us),
    )
    .needs(REQUESTS)
    .better(Better::Lower),
    real(
        "whole_flow_max_latency_us",
        "µs",
        "its longest transaction, warm-up included",
        |g: &GuestFigures| whole_flow(g, g.max_latency_us),
    )
    .needs(REQUESTS)
    .better(Better::Lower),
    real(
        "window_p99_latency_us",
        "µs",
        "median over its flows of the P99 of the window's pings",
        |g: &GuestFigures| of_pings(g, g.p99_latency_us),
    )
    .needs(PINGS)
    .better(Better::Lower),
    real(
        "window_max_latency_us",
        "µs",
        "the longest round trip of the window's pings",
        |g: &GuestFigures| of_pings(g, g.max_latency_us),
    )
    .needs(PINGS)
    .better(Better::Lower),
    real("window_loss_percent", "%", "pings of the window that were not answered", |g: &GuestFigures| {
        of_pings(g, g.loss_percent)
    })
    .needs(PINGS)
    .better(Better::Lower),
    real(
        "whole_flow_loss_percent",
        "%",
        "datagrams that did not arrive, warm-up included",
        |g: &GuestFigures| whole_flow(g, g.loss_percent),
    )
    .needs(&[Need::UdpStreams])
    .better(Better::Lower),
    cpu("vcpu_cpu_percent", "CPU time of its vCPU threads, 100 = one CPU", |g| Some(g.cpu?.vcpu_percent)),
    cpu("emulator_cpu_percent", "CPU time of QEMU's other threads, 100 = one CPU", |g| {
        Some(g.cpu?.emulator_percent)
    })
    .needs(LINUX),
    cpu("vhost_cpu_percent", "CPU time of its vhost workers, 100 = one CPU", |g| Some(g.cpu?.vhost_percent))
        .needs(LINUX),
    cpu("total_cpu_percent", "CPU time of all three, 100 = one CPU", |g| Some(g.cpu?.total_percent)),
    cpu("run_delay_percent", "time that its vCPUs waited for a host CPU", |g| Some(g.cpu?.run_delay_percent)),
    wait("vcpu_wait_ratio", "wait ÷ (run + wait) of its vCPU threads, 0 to 1", |g| g.cpu?.vcpu_wait_ratio),
    wait("emulator_wait_ratio", "the same of QEMU's other threads", |g| g.cpu?.emulator_wait_ratio)
        .needs(LINUX),
    wait("vhost_wait_ratio", "the same of its vhost workers", |g| g.cpu?.vhost_wait_ratio).needs(LINUX),
    cpu("cgroup_pressure_percent", "time in which its control group waited for a CPU (PSI)", |g| {
        g.pressure_percent
    })
    .needs(LINUX),
    cpu("inside_busy_percent", "busy share of its CPUs as it sees them", |g| g.inside_busy_percent),
    cpu("inside_steal_percent", "stolen share of them", |g| g.inside_steal_percent),
    real("from_target_packets", "packets", "packets that the host counted from it", |g| {
        g.from_target_packets
    }),
    real("to_target_packets", "packets", "packets that the host counted to it", |g| g.to_target_packets),
    real("packet_check_from_ratio", "", "host packets from it ÷ transactions", |g: &GuestFigures| {
        g.packet_check_from_ratio
    })
    .needs(LATENCIES),
    real("packet_check_to_ratio", "", "host packets to it ÷ transactions", |g: &GuestFigures| {
        g.packet_check_to_ratio
    })
    .needs(LATENCIES),
    real(
        "nic_interrupts_per_s",
        "1/s",
        "interrupts of its NIC under test, all queues",
        |g: &GuestFigures| g.nic_interrupts_per_s,
    )
    .needs(LINUX),
    exit("exits_per_s", "KVM exits of all its vCPUs", |g| exits(g, "exits")),
    exit("io_exits_per_s", "exits for port I/O", |g| exits(g, "io_exits")),
    exit("mmio_exits_per_s", "exits for memory-mapped I/O", |g| exits(g, "mmio_exits")),
    exit("halt_exits_per_s", "exits of halted vCPUs", |g| exits(g, "halt_exits")),
    exit("irq_exits_per_s", "exits for interrupts", |g| exits(g, "irq_exits")),
];

fn whole_flow(guest: &GuestFigures, value: Option<f64>) -> Option<f64> {
    value.filter(|_| guest.unit.is_result())
}

fn of_pings(guest: &GuestFigures, value: Option<f64>) -> Option<f64> {
    value.filter(|_| !guest.unit.is_result())
}

type Read<T> = fn(&T) -> Option<f64>;

const fn cpu(column: &'static str, meaning: &'static str, read: Read<GuestFigures>) -> Field<GuestFigures> {
    real(column, "%", meaning, read).needs(GUESTS).better(Better::Lower)
}

const fn wait(column: &'static str, meaning: &'static str, read: Read<GuestFigures>) -> Field<GuestFigures> {
    real(column, "", meaning, read).needs(GUESTS).better(Better::Lower)
}

const fn exit(column: &'static str, meaning: &'static str, read: Read<GuestFigures>) -> Field<GuestFigures> {
    real(column, "1/s", meaning, read).needs(KVM).better(Better::Lower)
}

fn exits(guest: &GuestFigures, reason: &str) -> Option<f64> {
    guest.exits_per_s.get(reason).copied()
}

pub(super) static CPU: [Field<CpuFigures>; 4] = [
    integer("cpu", "number of the host's CPU, from 0", |c| Some(c.cpu.into())),
    real("busy_percent", "%", "busy time in the window", |c| Some(c.busy_percent)),
    real("softirq_percent", "%", "soft interrupts", |c| Some(c.softirq_percent)),
    real("irq_percent", "%", "interrupt handlers", |c| Some(c.irq_percent)),
];

pub(super) static INTERRUPT: [Field<IrqFigures>; 5] = [
    text("where", "`host`, or `guest N`", |i| {
        Some(if i.guest == 0 { "host".into() } else { format!("guest {}", i.guest) })
    }),
    text("nic", "the NIC under test: its name, MAC or PCI address", |i| Some(i.nic.clone())),
    integer("irq", "number of the interrupt on that machine", |i| Some(i.irq.into())),
    text("name", "the driver's name for it", |i| Some(i.name.clone())),
    real("interrupts_per_s", "1/s", "how often it came, on all CPUs", |i| Some(i.per_s)),
];

/// How often KVM left a guest for one reason.
pub(super) struct ExitRow {
    /// Number of the guest, from 1.
    pub guest: u32,
    /// Who counted.
    pub source: Option<ExitSource>,
    /// Why; `exits`: all reasons.
    pub reason: String,
    /// How often, 1/s.
    pub per_s: f64,
    /// How often for each of the guest's transactions.
    pub per_transaction: Option<f64>,
}

impl ExitRow {
    /// All reasons of a guest.
    pub fn all(guest: &GuestFigures) -> Vec<ExitRow> {
        let rate = guest.unit.transactions(guest.rate).filter(|rate| *rate > 0.0);
        let exit = |(reason, per_s): (&String, &f64)| ExitRow {
            guest: guest.guest,
            source: guest.exits_from,
            reason: reason.clone(),
            per_s: *per_s,
            per_transaction: rate.map(|rate| per_s / rate),
        };
        guest.exits_per_s.iter().map(exit).collect()
    }
}

pub(super) static EXIT: [Field<ExitRow>; 5] = [
    integer("guest", "number of the guest, from 1", |e| Some(e.guest.into())),
    text("source", "who counted", |e| e.source.map(|source| source.to_string())),
    text("reason", "why KVM left the guest; `exits`: all reasons", |e| Some(e.reason.clone())),
    real("exits_per_s", "1/s", "how often, all vCPUs", |e: &ExitRow| Some(e.per_s)).better(Better::Lower),
    real("exits_per_transaction", "", "the same for each transaction of the guest", |e: &ExitRow| {
        e.per_transaction
    })
    .needs(REQUESTS)
    .better(Better::Lower),
];

pub(super) static PROOF: [Field<Check>; 4] = [
    text("what", "the fact that was checked", |c| Some(c.what.clone())),
    text("expected", "what it had to be", |c| Some(c.expected.clone())),
    text("found", "what it was", |c| Some(c.found.clone())),
    boolean("holds", "whether both are the same", |c| Some(c.holds())),
];
