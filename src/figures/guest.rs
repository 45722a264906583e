//! Figures of one guest, or of the host itself on bare metal (guest 0, which has no CPU figures).
//!
//! CPU percentages are of one CPU: a guest with four busy vCPUs shows 400.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::machines::{exits_per_s, inside_cpu};
use super::span::Span;
use super::{FlowFigures, PingCounts, flow, interrupts, udp_received};
use crate::profile::groups::of_guest;
use crate::profile::{Role, Unit};
use crate::raw::{ExitSource, RawFlow, RawTrial, TargetCounters};
use crate::stats;
use crate::window::Window;

/// Part of the window from which on a starved guest, or a stalled flow, is marked.
pub(super) const STARVED_PART: f64 = 0.1;

/// One guest of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuestFigures {
    /// Number of the guest, from 1; 0 for bare metal.
    pub guest: u32,
    /// Libvirt's name of the domain.
    pub domain: Option<String>,
    /// The group that it is in; `None` where all guests are alike.
    pub group: Option<String>,
    /// What it did.
    pub role: Role,
    /// Its flows.
    pub flows: u32,
    /// Sum of its flows' rates in the window, transactions/s, answered pings/s or 10^6 bits/s.
    pub rate: f64,
    /// What the rate counts.
    pub unit: Unit,
    /// Rate × window, all flows: transactions, or 10^6 bits.
    pub work: f64,
    /// Mean latency in the window, µs: of pings that of the samples, else 10^6·(transactions in flight)/rate (Little's law).
    /// Undefined at rate 0 and for streams.
    pub mean_latency_us: Option<f64>,
    /// Median over its flows of netperf's P99 (whole flow), or of that of pings (window), µs.
    pub p99_latency_us: Option<f64>,
    /// Largest over its flows of netperf's maximum (whole flow), or of that of pings (window), µs.
    pub max_latency_us: Option<f64>,
    /// How long it was starved in the window, s: it moved next to nothing while the others of its group did, or nothing at
    /// all; see `figures/starved.rs`.
    pub starved_s: f64,
    /// CPU that it took from the host; `None` on bare metal or if the counters do not cover the window.
    pub cpu: Option<GuestCpu>,
    /// Busy part of its own CPUs as it sees them, % of the time between the snapshots before and after the window.
    pub inside_busy_percent: Option<f64>,
    /// Stolen part of them, %.
    pub inside_steal_percent: Option<f64>,
    /// Packets that the host counted from it, in the window.
    pub from_target_packets: Option<f64>,
    /// Packets that the host counted to it, in the window.
    pub to_target_packets: Option<f64>,
    /// Datagrams of its UDP streams that did not arrive, over whole flows, or pings of the window that were not answered, %.
    pub loss_percent: Option<f64>,
    /// `from_target_packets` ÷ transactions or pings: 1 if netperf tells the truth and each response is one packet. Not for streams.
    pub packet_check_from_ratio: Option<f64>,
    /// `to_target_packets` ÷ transactions. Not for streams.
    pub packet_check_to_ratio: Option<f64>,
    /// Interrupts of its NIC under test that it took, all queues, 1/s between the snapshots before and after the window.
    pub nic_interrupts_per_s: Option<f64>,
    /// Time in which something of its control group waited for a CPU (PSI, `some`), % of the window.
    pub pressure_percent: Option<f64>,
    /// Who counted its exits.
    pub exits_from: Option<ExitSource>,
    /// How often KVM left it, by reason (`exits`: all of them), 1/s; empty if it is emulated.
    pub exits_per_s: BTreeMap<String, f64>,
}

/// CPU that one guest took from the host, % of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuestCpu {
    /// vCPU threads.
    pub vcpu_percent: f64,
    /// QEMU's other threads.
    pub emulator_percent: f64,
    /// vhost workers.
    pub vhost_percent: f64,
    /// All three.
    pub total_percent: f64,
    /// Time that vCPU threads were runnable but waited for a CPU, % of the window (100 per vCPU that always waits).
    pub run_delay_percent: f64,
    /// Part of the time in which they could run that vCPU threads waited, wait/(run + wait), 0 to 1; `None` if they did
    /// neither.
    pub vcpu_wait_ratio: Option<f64>,
    /// The same of QEMU's other threads.
    pub emulator_wait_ratio: Option<f64>,
    /// The same of the vhost workers.
    pub vhost_wait_ratio: Option<f64>,
    /// The same of all three together.
    pub wait_ratio: Option<f64>,
}

impl GuestFigures {
    /// Whether it carried measured flows.
    pub fn is_measured(&self) -> bool {
        self.role == Role::Measured
    }

    /// Figures of every guest of a trial, measured or not, in the order of their numbers.
    pub(super) fn all(raw: &RawTrial, flows: &[FlowFigures], window: &Window) -> Vec<GuestFigures> {
        let first = u32::from(raw.configuration.vms > 0);
        (0..raw.configuration.vms.max(1))
            .map(|index| GuestFigures::compute(raw, flows, window, first + index, index as usize))
            .collect()
    }

    /// Whether it was starved for a part of the window that a reader must know of, a tenth.
    pub fn is_starved(&self, window: &Window) -> bool {
        self.starved_s >= STARVED_PART * window.length_s()
    }

    fn compute(
        raw: &RawTrial,
        flows: &[FlowFigures],
        window: &Window,
        guest: u32,
        index: usize,
    ) -> GuestFigures {
        let own: Vec<&FlowFigures> = flows.iter().filter(|flow| flow.guest == guest).collect();
        let unit = raw.configuration.test.unit();
        let rate = stats::total(own.iter().map(|flow| flow.rate));
        let work = stats::total(own.iter().map(|flow| flow.work));
        let gained = |counter: fn(&TargetCounters) -> f64| gained(raw, window, index, counter);
        let inside = raw.guests.iter().find(|raw| raw.guest == guest);
        let seen_by_host = inside.is_none_or(|guest| guest.nic.is_empty());
        let packets = |counter| gained(counter).filter(|_| seen_by_host);
        let from_target_packets = packets(|target| target.from_target_packets as f64);
        let to_target_packets = packets(|target| target.to_target_packets as f64);
        let transactions = unit.exchanges(work).filter(|transactions| *transactions > 0.0);
        let per_transaction = |packets: f64| transactions.map(|transactions| packets / transactions);
        let span = Span::between(&raw.host, window.start_s, window.end_s);
        let inside_cpu = inside.and_then(|guest| inside_cpu(guest, window));
        let group = of_guest(&raw.groups, guest);
        GuestFigures {
            guest,
            domain: inside.map(|guest| guest.domain.clone()),
            group: group.map(|group| group.name.clone()),
            role: group.map_or(Role::Measured, |group| group.role),
            flows: own.len() as u32,
            rate,
            unit,
            work,
            mean_latency_us: flow::mean_of(&raw.configuration, own.iter().copied()),
            p99_latency_us: stats::median(&known(&own, |flow| flow.latency.p99_us)),
            max_latency_us: known(&own, |flow| flow.latency.max_us).into_iter().reduce(f64::max),
            starved_s: 0.0, // compared with the others below
            cpu: (guest > 0).then(|| GuestCpu::compute(window, gained)).flatten(),
            inside_busy_percent: inside_cpu.map(|(busy, _)| busy),
            inside_steal_percent: inside_cpu.map(|(_, steal)| steal),
            from_target_packets,
            to_target_packets,
            loss_percent: loss_percent(raw, &own, |flow| flow.guest == guest),
            packet_check_from_ratio: from_target_packets.and_then(per_transaction),
            packet_check_to_ratio: to_target_packets.and_then(per_transaction),
            nic_interrupts_per_s: inside.and_then(|guest| interrupts::of_guest(guest, window)),
            pressure_percent: span.and_then(|span| span.pressure_percent(index)),
            exits_from: inside.and_then(|guest| guest.exits_from),
            exits_per_s: inside.map(|guest| exits_per_s(guest, window)).unwrap_or_default(),
        }
    }
}

impl GuestCpu {
    fn compute(
        window: &Window,
        gained: impl Fn(fn(&TargetCounters) -> f64) -> Option<f64>,
    ) -> Option<GuestCpu> {
        let percent = |counter| Some(100.0 * gained(counter)? / window.length_s());
        let vcpu_percent = percent(|target: &TargetCounters| target.vcpu_s)?;
        let emulator_percent = percent(|target| target.emulator_s)?;
        let vhost_percent = percent(|target| target.vhost_s)?;
        let run_delay_percent = percent(|target| target.vcpu_delay_s)?;
        let ratio = |run: f64, wait: Option<f64>| {
            wait.map(|wait| wait / (run + wait)).filter(|ratio| ratio.is_finite())
        };
        let total_percent = vcpu_percent + emulator_percent + vhost_percent;
        let delay =
            |target: &TargetCounters| target.vcpu_delay_s + target.emulator_delay_s + target.vhost_delay_s;
        Some(GuestCpu {
            vcpu_percent,
            emulator_percent,
            vhost_percent,
            total_percent,
            run_delay_percent,
            vcpu_wait_ratio: ratio(vcpu_percent, Some(run_delay_percent)),
            emulator_wait_ratio: ratio(emulator_percent, percent(|target| target.emulator_delay_s)),
            vhost_wait_ratio: ratio(vhost_percent, percent(|target| target.vhost_delay_s)),
            wait_ratio: ratio(total_percent, percent(delay)),
        })
    }
}

/// Datagrams or pings that some flows lost together, %; `None` unless it is known of each.
pub(super) fn loss_percent(
    raw: &RawTrial,
    figures: &[&FlowFigures],
    of: impl Fn(&RawFlow) -> bool,
) -> Option<f64> {
    if raw.configuration.test.is_ping() {
        return PingCounts::loss_percent(figures.iter().map(|flow| flow.pings));
    }
    let datagrams = raw.flows.iter().filter(|flow| of(flow));
    let mut datagrams = datagrams.map(|flow| udp_received::datagrams(&raw.configuration, flow));
    flow::loss_percent(datagrams.try_fold((0.0, 0.0), |sum, flow| Some((sum.0 + flow?.0, sum.1 + flow?.1))))
}

/// The values that are known.
pub(super) fn known(flows: &[&FlowFigures], value: fn(&FlowFigures) -> Option<f64>) -> Vec<f64> {
    flows.iter().copied().filter_map(value).collect()
}

/// What a counter of the target at `index` gained in the window.
fn gained(raw: &RawTrial, window: &Window, index: usize, counter: fn(&TargetCounters) -> f64) -> Option<f64> {
    let samples = raw.host.iter().filter_map(|s| Some((s.at_s, counter(s.targets.get(index)?))));
    stats::difference(samples, window.start_s, window.end_s)
}
