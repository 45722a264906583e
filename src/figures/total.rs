//! Figures of a whole trial: sums and spreads over its flows and guests.
//!
//! Percentiles of different flows are never averaged: their minimum, median and maximum stand side by side.

use super::final_result::result;
use super::settled::Settled;
use super::{FlowFigures, GuestFigures, HostFigures, TotalFigures, course, flow, guest, packet_check};
use crate::raw::RawTrial;
use crate::stats::{self, Fairness};
use crate::window;

impl TotalFigures {
    pub(super) fn compute(
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
        let unit = raw.configuration.test.unit();
        let rate_fairness = fairness(guests, |guest| Some(guest.rate)).filter(|_| unit.is_result());
        let rate = stats::total(flows.iter().map(|flow| flow.rate));
        let work = stats::total(flows.iter().map(|flow| flow.work));
        let moved = rate > 0.0;
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
            mean_latency_us: flow::mean_of(&raw.configuration, flows.iter()),
            min_p99_latency_us: p99.iter().copied().reduce(f64::min),
            median_p99_latency_us: stats::median(&p99),
            max_p99_latency_us: p99.iter().copied().reduce(f64::max),
            max_latency_us: guest::known(&all, |flow| flow.latency.max_us).into_iter().reduce(f64::max),
            cpu_per_work_us: host.filter(|_| moved).map(|host| 1e6 * host.busy_s / work),
            loss_percent: guest::loss_percent(raw, &all, |_| true),
            guests_cpu_percent: all_cpu.map(|cpu| cpu.iter().sum()),
            run_delay_percent: delay.as_ref().map(|delay| delay.iter().sum::<f64>() / delay.len() as f64),
            wait_ratio_percent: delay.as_ref().zip(ran).and_then(|(delay, ran)| wait_ratio(delay, &ran)),
            rate_fairness,
            jain_over_time: match unit.is_result() {
                true => course::jain_over_time(raw, &settled.window, interval_s, &course::alone(raw)),
                false => Vec::new(),
            },
            excess_cv_rate: excess(flows, guests).filter(|_| unit.is_result()),
            exits_per_transaction: exits(guests)
                .filter(|_| moved)
                .and_then(|exits| Some(exits / unit.transactions(rate)?)),
            settled_after_s: settled.after_s,
            steadiness: settled.steadiness,
            resolution_percent: settled.window.resolution(&raw.flows).map(|part| 100.0 * part),
            window_advanced_s: settled.advanced_s,
            latency_fairness: fairness(guests, |guest| guest.mean_latency_us),
            cpu_fairness: cpu.and_then(|cpu| Fairness::from_shares(&cpu)),
            packet_check_ratio: packet_check::ratio(raw),
            start_spread_s: window::start_spread(&raw.flows).unwrap_or(0.0),
            unsynchronised_ratio: naive_sum(raw).filter(|_| moved).map(|naive| naive / rate),
            longest_stall_s: flows.iter().map(|flow| flow.longest_stall_s).fold(0.0, f64::max),
            retransmissions: flow::retransmissions_of(flows.iter()),
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
    Fairness::from_shares(&each(guests, value)?)
}

/// Sum of netperf's final THROUGHPUT; `None` if one is missing.
fn naive_sum(raw: &RawTrial) -> Option<f64> {
    raw.flows.iter().map(|raw| result(raw, "THROUGHPUT")).sum()
}

/// Exits of all guests, 1/s; `None` if one of them has no counters.
fn exits(guests: &[GuestFigures]) -> Option<f64> {
    guests.iter().map(|guest| guest.exits_per_s.get("exits").copied()).sum()
}
