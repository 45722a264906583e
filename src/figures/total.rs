//! Figures of a whole trial: sums and spreads over its flows and guests.
//!
//! Percentiles of different flows are never averaged: their minimum, median and maximum stand side by side.

use serde::Serialize;

use super::final_result::result;
use super::settled::Settled;
use super::{FlowFigures, GuestFigures, HostFigures, JainAt, course, flow, guest, packet_check};
use crate::profile::Unit;
use crate::raw::RawTrial;
use crate::stats::{self, Fairness};
use crate::window;

/// One trial as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TotalFigures {
    /// Sum of all flows' rates in the window, transactions/s or 10^6 bits/s.
    pub rate: f64,
    /// The same ÷ flows.
    pub rate_per_flow: f64,
    /// What the rates count.
    pub unit: Unit,
    /// Rate × window: transactions, or 10^6 bits.
    pub work: f64,
    /// Mean latency in the window, 10^6·(transactions in flight)/rate (N/X, Little's law), µs. Undefined at rate 0 and for
    /// streams.
    pub mean_latency_us: Option<f64>,
    /// Smallest P99 of a flow (netperf, whole flow), µs.
    pub min_p99_latency_us: Option<f64>,
    /// Median over the flows of each flow's P99 (netperf, whole flow), µs.
    pub median_p99_latency_us: Option<f64>,
    /// Largest P99 of a flow (netperf, whole flow), µs.
    pub max_p99_latency_us: Option<f64>,
    /// Longest transaction of all (netperf, whole flow), µs.
    pub max_latency_us: Option<f64>,
    /// Busy host CPU time ÷ work, µs for each transaction or each 10^6 bits.
    pub cpu_per_work_us: Option<f64>,
    /// Datagrams of UDP streams that did not arrive, over whole flows, %.
    pub loss_percent: Option<f64>,
    /// CPU that all guests took, % of one CPU; `None` on bare metal.
    pub guests_cpu_percent: Option<f64>,
    /// Mean over the guests of their vCPUs' run delay, % of the window.
    pub run_delay_percent: Option<f64>,
    /// The guests' vCPUs' run delay ÷ (CPU time + run delay), %; `None` on bare metal or if no vCPU wanted a CPU.
    pub wait_ratio_percent: Option<f64>,
    /// Fairness of the guests' rates; undefined for fewer than two guests.
    pub rate_fairness: Option<Fairness>,
    /// Fairness of the guests' rates over shorter times.
    pub jain_over_time: Vec<JainAt>,
    /// Coefficient of variation of the guests' rates, as of a sample, beyond what their own flows' variation explains; 0:
    /// noise.
    pub excess_cv_rate: Option<f64>,
    /// How often KVM left the guests for each transaction, all vCPUs; `None` if they are emulated.
    pub exits_per_transaction: Option<f64>,
    /// When the total rate was steady, s after the end of the warm-up (MSER-5, where it makes a difference); `None` for windows
    /// too short or too noisy to tell.
    pub settled_after_s: Option<f64>,
    /// How much later than that end the window begins for it, s; 0 where too little would be left, or it settled at once.
    pub window_advanced_s: f64,
    /// Fairness of the guests' mean latencies; undefined if one guest stood still.
    pub latency_fairness: Option<Fairness>,
    /// Fairness of the guests' CPU time.
    pub cpu_fairness: Option<Fairness>,
    /// What the host counted ÷ what netperf did: the packet check. See `figures/packet_check.rs`.
    pub packet_check_ratio: Option<f64>,
    /// From the first flow's start to the last one's, s.
    pub start_spread_s: f64,
    /// Sum of what each netperf says at its end ÷ total rate in the window: the error of adding those up.
    pub unsynchronised_ratio: Option<f64>,
    /// Longest stall of any flow, s.
    pub longest_stall_s: f64,
    /// TCP retransmissions of all flows over the whole flow; `None` if one is unknown.
    pub retransmissions: Option<u64>,
}

impl TotalFigures {
    pub(super) fn of(
        raw: &RawTrial,
        flows: &[FlowFigures],
        guests: &[GuestFigures],
        host: Option<&HostFigures>,
        settled: &Settled,
        interval_s: f64,
    ) -> TotalFigures {
        let all_cpu = each(guests, |guest| Some(guest.cpu?.total_percent));
        let measured: Vec<GuestFigures> =
            guests.iter().filter(|guest| guest.is_measured()).cloned().collect();
        let guests = measured.as_slice(); // the others are in no figure but the CPU of all
        let rate_fairness = fairness(guests, |guest| Some(guest.rate));
        let rate = stats::total(flows.iter().map(|flow| flow.rate));
        let work = stats::total(flows.iter().map(|flow| flow.work));
        let moved = rate > 0.0;
        let unit = raw.configuration.test.unit();
        let in_flight = f64::from(raw.configuration.in_flight()) * flows.len() as f64;
        let all: Vec<&FlowFigures> = flows.iter().collect();
        let p99 = guest::known(&all, |flow| flow.latency.p99_us);
        let cpu = each(guests, |guest| Some(guest.cpu?.total_percent));
        let delay = each(guests, |guest| Some(guest.cpu?.run_delay_percent));
        let ran = each(guests, |guest| Some(guest.cpu?.vcpu_percent));
        TotalFigures {
            rate,
            rate_per_flow: rate / flows.len().max(1) as f64,
            unit,
            work,
            mean_latency_us: flow::mean_latency_us(in_flight, rate, unit),
            min_p99_latency_us: p99.iter().copied().reduce(f64::min),
            median_p99_latency_us: stats::median(&p99),
            max_p99_latency_us: p99.iter().copied().reduce(f64::max),
            max_latency_us: guest::known(&all, |flow| flow.latency.max_us).into_iter().reduce(f64::max),
            cpu_per_work_us: host.filter(|_| moved).map(|host| 1e6 * host.busy_s / work),
            loss_percent: guest::loss_percent(raw, |_| true),
            guests_cpu_percent: all_cpu.map(|cpu| cpu.iter().sum()),
            run_delay_percent: delay.as_ref().map(|delay| delay.iter().sum::<f64>() / delay.len() as f64),
            wait_ratio_percent: delay.as_ref().zip(ran).and_then(|(delay, ran)| wait_ratio(delay, &ran)),
            rate_fairness,
            jain_over_time: course::jain_over_time(raw, &settled.window, interval_s, &course::alone(raw)),
            excess_cv_rate: excess(flows, guests),
            exits_per_transaction: exits(guests)
                .filter(|_| moved)
                .and_then(|exits| Some(exits / unit.transactions(rate)?)),
            settled_after_s: settled.after_s,
            window_advanced_s: settled.advanced_s,
            latency_fairness: fairness(guests, |guest| guest.mean_latency_us),
            cpu_fairness: cpu.and_then(|cpu| Fairness::of(&cpu)),
            packet_check_ratio: packet_check::ratio(raw),
            start_spread_s: window::start_spread(&raw.flows).unwrap_or(0.0),
            unsynchronised_ratio: naive_sum(raw).filter(|_| moved).map(|naive| naive / rate),
            longest_stall_s: flows.iter().map(|flow| flow.longest_stall_s).fold(0.0, f64::max),
            retransmissions: flows.iter().map(|flow| flow.retransmissions).sum(),
        }
    }
}

/// Of what wanted a CPU, the part that had to wait for one, %.
fn wait_ratio(delay: &[f64], ran: &[f64]) -> Option<f64> {
    let (waited, ran): (f64, f64) = (delay.iter().sum(), ran.iter().sum());
    (waited + ran > 0.0).then(|| 100.0 * waited / (waited + ran))
}

/// One value of every guest; `None` if there are no guests or one value is unknown.
fn each(guests: &[GuestFigures], value: fn(&GuestFigures) -> Option<f64>) -> Option<Vec<f64>> {
    guests.iter().map(value).collect::<Option<Vec<f64>>>().filter(|values| !values.is_empty())
}

/// Guests of k flows each differ by chance as far as the flows of one guest differ: that much is taken off.
fn excess(flows: &[FlowFigures], guests: &[GuestFigures]) -> Option<f64> {
    let own = |guest: &GuestFigures| {
        flows.iter().filter(|flow| flow.guest == guest.guest).map(|f| f.rate).collect()
    };
    stats::excess_cv(&guests.iter().map(own).collect::<Vec<Vec<f64>>>())
}

fn fairness(guests: &[GuestFigures], value: fn(&GuestFigures) -> Option<f64>) -> Option<Fairness> {
    Fairness::of(&each(guests, value)?)
}

/// Sum of netperf's final THROUGHPUT; `None` if one is missing.
fn naive_sum(raw: &RawTrial) -> Option<f64> {
    raw.flows.iter().map(|raw| result(raw, "THROUGHPUT")).sum()
}

/// Exits of all guests, 1/s; `None` if one of them has no counters.
fn exits(guests: &[GuestFigures]) -> Option<f64> {
    guests.iter().map(|guest| guest.exits_per_s.get("exits").copied()).sum()
}
