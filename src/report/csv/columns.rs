//! The columns of flows, guests and trials: a name with its unit, and the value in a record.

use crate::figures::{FlowFigures, GuestFigures, Numbers};
use crate::stats::Fairness;

/// A column: its name and its value in a record.
pub(super) type Column<T> = (&'static str, fn(&T) -> Option<f64>);

pub(super) const FLOW: [Column<FlowFigures>; 13] = [
    ("rate_tps", |flow| Some(flow.rate_tps)),
    ("transactions", |flow| Some(flow.transactions)),
    ("window_latency_us", |flow| flow.window_latency_us),
    ("whole_flow_min_latency_us", |flow| flow.latency.min_us),
    ("whole_flow_mean_latency_us", |flow| flow.latency.mean_us),
    ("whole_flow_p50_latency_us", |flow| flow.latency.p50_us),
    ("whole_flow_p90_latency_us", |flow| flow.latency.p90_us),
    ("whole_flow_p99_latency_us", |flow| flow.latency.p99_us),
    ("whole_flow_max_latency_us", |flow| flow.latency.max_us),
    ("whole_flow_sd_latency_us", |flow| flow.latency.sd_us),
    ("whole_flow_retransmissions", |flow| flow.retransmissions.map(|count| count as f64)),
    ("longest_silence_s", |flow| Some(flow.longest_silence_s)),
    ("coverage_percent", |flow| Some(flow.coverage_percent)),
];

pub(super) const GUEST: [Column<GuestFigures>; 17] = [
    ("flows_of_guest", |guest| Some(f64::from(guest.flows))),
    ("rate_tps", |guest| Some(guest.rate_tps)),
    ("transactions", |guest| Some(guest.transactions)),
    ("mean_latency_us", |guest| guest.mean_latency_us),
    ("whole_flow_p99_latency_us", |guest| guest.p99_latency_us),
    ("whole_flow_max_latency_us", |guest| guest.max_latency_us),
    ("vcpu_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vcpu_percent)),
    ("emulator_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.emulator_percent)),
    ("vhost_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vhost_percent)),
    ("total_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.total_percent)),
    ("run_delay_percent", |guest| guest.cpu.map(|cpu| cpu.run_delay_percent)),
    ("inside_busy_percent", |guest| guest.inside_busy_percent),
    ("inside_steal_percent", |guest| guest.inside_steal_percent),
    ("from_target_packets", |guest| guest.from_target_packets),
    ("to_target_packets", |guest| guest.to_target_packets),
    ("witness_from_ratio", |guest| guest.witness_from_ratio),
    ("witness_to_ratio", |guest| guest.witness_to_ratio),
];

pub(super) const TRIAL: [Column<Numbers>; 25] = [
    ("window_s", |n| Some(n.window.length_s())),
    ("window_start_s", |n| Some(n.window.start_s)),
    ("start_spread_s", |n| Some(n.total.start_spread_s)),
    ("transactions", |n| Some(n.total.transactions)),
    ("retransmissions", |n| n.total.retransmissions.map(|count| count as f64)),
    ("min_p99_latency_us", |n| n.total.min_p99_latency_us),
    ("host_user_percent", |n| n.host.map(|host| host.modes.user_percent)),
    ("host_system_percent", |n| n.host.map(|host| host.modes.system_percent)),
    ("host_irq_percent", |n| n.host.map(|host| host.modes.irq_percent)),
    ("host_softirq_percent", |n| n.host.map(|host| host.modes.softirq_percent)),
    ("host_steal_percent", |n| n.host.map(|host| host.modes.steal_percent)),
    ("host_idle_percent", |n| n.host.map(|host| host.modes.idle_percent)),
    ("min_guest_rate_tps", |n| rate(n, |f| f.min)),
    ("max_guest_rate_tps", |n| rate(n, |f| f.max)),
    ("gini_rate", |n| rate(n, |f| f.gini)),
    ("cv_latency_percent", |n| latency(n, |f| 100.0 * f.cv)),
    ("jain_latency", |n| latency(n, |f| f.jain)),
    ("min_guest_latency_us", |n| latency(n, |f| f.min)),
    ("max_guest_latency_us", |n| latency(n, |f| f.max)),
    ("gini_latency", |n| latency(n, |f| f.gini)),
    ("cv_cpu_percent", |n| cpu(n, |f| 100.0 * f.cv)),
    ("jain_cpu", |n| cpu(n, |f| f.jain)),
    ("min_guest_cpu_percent", |n| cpu(n, |f| f.min)),
    ("max_guest_cpu_percent", |n| cpu(n, |f| f.max)),
    ("gini_cpu", |n| cpu(n, |f| f.gini)),
];

fn rate(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.rate_fairness.map(index)
}

fn latency(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.latency_fairness.map(index)
}

fn cpu(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.cpu_fairness.map(index)
}
