//! The columns of flows, guests and trials: a name with its unit, and the value in a record.

use crate::figures::{
    CpuFigures, FlowFigures, GroupFigures, GuestFigures, JainAt, Numbers, SLICES_S, SummaryRow,
};
use crate::stats::Fairness;

/// A column: its name and its value in a record.
pub(super) type Column<T> = (&'static str, fn(&T) -> Option<f64>);

pub(super) const FLOW: [Column<FlowFigures>; 15] = [
    ("rate_tps", |flow| flow.unit.transactions(flow.rate)),
    ("throughput_mbps", |flow| flow.unit.megabits(flow.rate)),
    ("transactions", |flow| flow.unit.transactions(flow.work)),
    ("window_latency_us", |flow| flow.window_latency_us),
    ("whole_flow_min_latency_us", |flow| flow.latency.min_us),
    ("whole_flow_mean_latency_us", |flow| flow.latency.mean_us),
    ("whole_flow_p50_latency_us", |flow| flow.latency.p50_us),
    ("whole_flow_p90_latency_us", |flow| flow.latency.p90_us),
    ("whole_flow_p99_latency_us", |flow| flow.latency.p99_us),
    ("whole_flow_max_latency_us", |flow| flow.latency.max_us),
    ("whole_flow_sd_latency_us", |flow| flow.latency.sd_us),
    ("whole_flow_retransmissions", |flow| flow.retransmissions.map(|count| count as f64)),
    ("whole_flow_loss_percent", |flow| flow.loss_percent),
    ("longest_silence_s", |flow| Some(flow.longest_silence_s)),
    ("coverage_percent", |flow| Some(flow.coverage_percent)),
];

pub(super) const GUEST: [Column<GuestFigures>; 29] = [
    ("flows_of_guest", |guest| Some(f64::from(guest.flows))),
    ("rate_tps", |guest| guest.unit.transactions(guest.rate)),
    ("throughput_mbps", |guest| guest.unit.megabits(guest.rate)),
    ("transactions", |guest| guest.unit.transactions(guest.work)),
    ("mean_latency_us", |guest| guest.mean_latency_us),
    ("whole_flow_p99_latency_us", |guest| guest.p99_latency_us),
    ("whole_flow_max_latency_us", |guest| guest.max_latency_us),
    ("whole_flow_loss_percent", |guest| guest.loss_percent),
    ("vcpu_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vcpu_percent)),
    ("emulator_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.emulator_percent)),
    ("vhost_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vhost_percent)),
    ("total_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.total_percent)),
    ("run_delay_percent", |guest| guest.cpu.map(|cpu| cpu.run_delay_percent)),
    ("vcpu_wait_ratio", |guest| guest.cpu?.vcpu_wait_ratio),
    ("emulator_wait_ratio", |guest| guest.cpu?.emulator_wait_ratio),
    ("vhost_wait_ratio", |guest| guest.cpu?.vhost_wait_ratio),
    ("cgroup_pressure_percent", |guest| guest.pressure_percent),
    ("inside_busy_percent", |guest| guest.inside_busy_percent),
    ("inside_steal_percent", |guest| guest.inside_steal_percent),
    ("from_target_packets", |guest| guest.from_target_packets),
    ("to_target_packets", |guest| guest.to_target_packets),
    ("witness_from_ratio", |guest| guest.witness_from_ratio),
    ("witness_to_ratio", |guest| guest.witness_to_ratio),
    ("nic_interrupts_per_s", |guest| guest.nic_interrupts_per_s),
    ("exits_per_s", |guest| exits(guest, "exits")),
    ("io_exits_per_s", |guest| exits(guest, "io_exits")),
    ("mmio_exits_per_s", |guest| exits(guest, "mmio_exits")),
    ("halt_exits_per_s", |guest| exits(guest, "halt_exits")),
    ("irq_exits_per_s", |guest| exits(guest, "irq_exits")),
];

pub(super) const GROUP: [Column<GroupFigures>; 24] = [
    ("guests", |group| Some(f64::from(group.guests))),
    ("shares", |group| group.shares.map(f64::from)),
    ("rate_tps", |group| group.unit.transactions(group.rate)),
    ("throughput_mbps", |group| group.unit.megabits(group.rate)),
    ("rate_share_percent", |group| group.rate_share_percent),
    ("cpu_s", |group| group.cpu.map(|cpu| cpu.total_s())),
    ("vcpu_cpu_s", |group| group.cpu.map(|cpu| cpu.vcpu_s)),
    ("emulator_cpu_s", |group| group.cpu.map(|cpu| cpu.emulator_s)),
    ("vhost_cpu_s", |group| group.cpu.map(|cpu| cpu.vhost_s)),
    ("cpu_share_percent", |group| group.cpu_share_percent),
    ("expected_share_percent", |group| group.expected_share_percent),
    ("cpu_share_error", |group| group.cpu_share_error),
    ("rate_share_error", |group| group.rate_share_error),
    ("background_mbps", |group| group.background_mbps),
    ("quota_percent", |group| group.quota_percent),
    ("throttled_s", |group| group.throttled_s),
    ("bias_rate_percent", |group| group.rate_fairness.map(|f| f.bias_percent)),
    ("cv_rate_percent", |group| group.rate_fairness.map(|f| 100.0 * f.cv)),
    ("jain_rate", |group| group.rate_fairness.map(|f| f.jain)),
    ("gini_rate", |group| group.rate_fairness.map(|f| f.gini)),
    ("bias_cpu_percent", |group| group.cpu_fairness.map(|f| f.bias_percent)),
    ("cv_cpu_percent", |group| group.cpu_fairness.map(|f| 100.0 * f.cv)),
    ("jain_cpu", |group| group.cpu_fairness.map(|f| f.jain)),
    ("gini_cpu", |group| group.cpu_fairness.map(|f| f.gini)),
];

pub(super) const TRIAL: [Column<Numbers>; 76] = [
    ("window_s", |n| Some(n.window.length_s())),
    ("window_start_s", |n| Some(n.window.start_s)),
    ("start_spread_s", |n| Some(n.total.start_spread_s)),
    ("transactions", |n| n.total.unit.transactions(n.total.work)),
    ("retransmissions", |n| n.total.retransmissions.map(|count| count as f64)),
    ("min_p99_latency_us", |n| n.total.min_p99_latency_us),
    ("host_user_percent", |n| n.host.map(|host| host.modes.user_percent)),
    ("host_system_percent", |n| n.host.map(|host| host.modes.system_percent)),
    ("host_irq_percent", |n| n.host.map(|host| host.modes.irq_percent)),
    ("host_softirq_percent", |n| n.host.map(|host| host.modes.softirq_percent)),
    ("host_steal_percent", |n| n.host.map(|host| host.modes.steal_percent)),
    ("host_idle_percent", |n| n.host.map(|host| host.modes.idle_percent)),
    ("min_guest_rate_tps", |n| n.total.unit.transactions(rate(n, |f| f.min)?)),
    ("max_guest_rate_tps", |n| n.total.unit.transactions(rate(n, |f| f.max)?)),
    ("min_guest_throughput_mbps", |n| n.total.unit.megabits(rate(n, |f| f.min)?)),
    ("max_guest_throughput_mbps", |n| n.total.unit.megabits(rate(n, |f| f.max)?)),
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
    ("settled_after_s", |n| n.total.settled_after_s),
    ("window_advanced_s", |n| Some(n.total.window_advanced_s)),
    ("jain_rate_0.5s_median", |n| jain(n, 0, |at| at.median)),
    ("jain_rate_0.5s_p5", |n| jain(n, 0, |at| at.p5)),
    ("jain_rate_1s_median", |n| jain(n, 1, |at| at.median)),
    ("jain_rate_1s_p5", |n| jain(n, 1, |at| at.p5)),
    ("jain_rate_5s_median", |n| jain(n, 2, |at| at.median)),
    ("jain_rate_5s_p5", |n| jain(n, 2, |at| at.p5)),
    ("jain_rate_30s_median", |n| jain(n, 3, |at| at.median)),
    ("jain_rate_30s_p5", |n| jain(n, 3, |at| at.p5)),
    ("busiest_cpu_percent", |n| n.seen.busiest_cpu_percent()),
    ("most_softirq_cpu_percent", |n| n.seen.most_softirq_percent()),
    ("ksm_waited_s", |n| n.seen.merging.map(|merging| merging.waited_s)),
    ("ksm_pages_shared_before", |n| n.seen.merged.map(|[before, _]| before.shared as f64)),
    ("ksm_pages_shared_after", |n| n.seen.merged.map(|[_, after]| after.shared as f64)),
    ("ksm_pages_sharing_before", |n| n.seen.merged.map(|[before, _]| before.sharing as f64)),
    ("ksm_pages_sharing_after", |n| n.seen.merged.map(|[_, after]| after.sharing as f64)),
    ("context_switches_per_s", |n| n.seen.context_switches_per_s),
    ("interrupts_per_s", |n| n.seen.interrupts_per_s),
    ("tester_busy_percent", |n| n.seen.tester.busy_percent),
    ("tester_busiest_cpu_percent", |n| n.seen.tester.busiest_cpu_percent),
    ("busiest_netperf_percent", |n| n.seen.tester.busiest_netperf_percent),
    ("tester_saturated", |n| n.seen.tester.saturated().map(f64::from)),
    ("longest_hiccup_s", |n| n.seen.longest_hiccup_s),
    ("host_hiccup", |n| n.seen.host_hiccup().map(f64::from)),
    ("host_pressure_percent", |n| n.host.and_then(|host| host.pressure_percent)),
    ("contended", |n| n.sharing.contended.map(f64::from)),
    ("jain_weighted_cpu", |n| n.sharing.jain_weighted_cpu),
    ("jain_weighted_rate", |n| n.sharing.jain_weighted_rate),
    ("unused_cpu_percent", |n| n.sharing.unused_cpu_percent),
    ("groups_bias_rate_percent", |n| n.sharing.between.rate.map(|f| f.bias_percent)),
    ("groups_cv_rate_percent", |n| n.sharing.between.rate.map(|f| 100.0 * f.cv)),
    ("groups_excess_cv_rate_percent", |n| n.sharing.between.excess_cv_rate.map(|cv| 100.0 * cv)),
    ("groups_jain_rate", |n| n.sharing.between.rate.map(|f| f.jain)),
    ("groups_gini_rate", |n| n.sharing.between.rate.map(|f| f.gini)),
    ("groups_bias_cpu_percent", |n| n.sharing.between.cpu.map(|f| f.bias_percent)),
    ("groups_cv_cpu_percent", |n| n.sharing.between.cpu.map(|f| 100.0 * f.cv)),
    ("groups_jain_cpu", |n| n.sharing.between.cpu.map(|f| f.jain)),
    ("groups_gini_cpu", |n| n.sharing.between.cpu.map(|f| f.gini)),
    ("groups_jain_weighted_cpu", |n| n.sharing.between.jain_weighted_cpu),
    ("groups_jain_weighted_rate", |n| n.sharing.between.jain_weighted_rate),
    ("groups_jain_rate_0.5s_median", |n| groups_jain(n, 0, |at| at.median)),
    ("groups_jain_rate_0.5s_p5", |n| groups_jain(n, 0, |at| at.p5)),
    ("groups_jain_rate_1s_median", |n| groups_jain(n, 1, |at| at.median)),
    ("groups_jain_rate_1s_p5", |n| groups_jain(n, 1, |at| at.p5)),
    ("groups_jain_rate_5s_median", |n| groups_jain(n, 2, |at| at.median)),
    ("groups_jain_rate_5s_p5", |n| groups_jain(n, 2, |at| at.p5)),
    ("groups_jain_rate_30s_median", |n| groups_jain(n, 3, |at| at.median)),
    ("groups_jain_rate_30s_p5", |n| groups_jain(n, 3, |at| at.p5)),
];

/// One CPU of the host.
pub(super) const CPU: [Column<CpuFigures>; 3] = [
    ("busy_percent", |cpu| Some(cpu.busy_percent)),
    ("softirq_percent", |cpu| Some(cpu.softirq_percent)),
    ("irq_percent", |cpu| Some(cpu.irq_percent)),
];

fn exits(guest: &GuestFigures, reason: &str) -> Option<f64> {
    guest.exits_per_s.get(reason).copied()
}

/// What stands behind the metrics in a row of the summary.
pub(super) const SUMMARY: [Column<SummaryRow>; 29] = [
    ("kendall_w_rate", |row| row.kendall_w_rate),
    ("kendall_w_groups", |row| row.kendall_w_groups),
    ("jain_weighted_cpu", |row| row.weighted.cpu.map(|jain| jain.mean)),
    ("jain_weighted_cpu_half_width", |row| row.weighted.cpu.and_then(|jain| jain.half_width)),
    ("jain_weighted_rate", |row| row.weighted.rate.map(|jain| jain.mean)),
    ("jain_weighted_rate_half_width", |row| row.weighted.rate.and_then(|jain| jain.half_width)),
    ("groups_jain_weighted_cpu", |row| row.weighted.groups_cpu.map(|jain| jain.mean)),
    ("groups_jain_weighted_cpu_half_width", |row| row.weighted.groups_cpu.and_then(|jain| jain.half_width)),
    ("groups_jain_weighted_rate", |row| row.weighted.groups_rate.map(|jain| jain.mean)),
    ("groups_jain_weighted_rate_half_width", |row| row.weighted.groups_rate.and_then(|jain| jain.half_width)),
    ("jain_demand", |row| row.jain_demand.map(|jain| jain.mean)),
    ("jain_demand_half_width", |row| row.jain_demand.and_then(|jain| jain.half_width)),
    ("rate_to_bare_metal", |row| row.to_bare_metal.map(|ratio| ratio.ratio)),
    ("rate_to_bare_metal_low", |row| row.to_bare_metal.and_then(|ratio| ratio.low)),
    ("rate_to_bare_metal_high", |row| row.to_bare_metal.and_then(|ratio| ratio.high)),
    ("rate_lost_to_background", |row| row.interference.rate.map(|ratio| 1.0 - ratio.ratio)),
    ("rate_lost_to_background_low", |row| row.interference.rate.and_then(|r| Some(1.0 - r.high?))),
    ("rate_lost_to_background_high", |row| row.interference.rate.and_then(|r| Some(1.0 - r.low?))),
    ("mean_latency_to_solo", |row| row.interference.mean_latency.map(|ratio| ratio.ratio)),
    ("mean_latency_to_solo_low", |row| row.interference.mean_latency.and_then(|ratio| ratio.low)),
    ("mean_latency_to_solo_high", |row| row.interference.mean_latency.and_then(|ratio| ratio.high)),
    ("p99_latency_to_solo", |row| row.interference.p99_latency.map(|ratio| ratio.ratio)),
    ("p99_latency_to_solo_low", |row| row.interference.p99_latency.and_then(|ratio| ratio.low)),
    ("p99_latency_to_solo_high", |row| row.interference.p99_latency.and_then(|ratio| ratio.high)),
    ("max_latency_to_solo", |row| row.interference.max_latency.map(|ratio| ratio.ratio)),
    ("max_latency_to_solo_low", |row| row.interference.max_latency.and_then(|ratio| ratio.low)),
    ("max_latency_to_solo_high", |row| row.interference.max_latency.and_then(|ratio| ratio.high)),
    ("isolation_qos", |row| row.interference.isolation.map(|index| index.mean)),
    ("isolation_qos_half_width", |row| row.interference.isolation.and_then(|index| index.half_width)),
];

/// Fairness over slices of the n-th length.
fn jain(numbers: &Numbers, length: usize, of: fn(&JainAt) -> f64) -> Option<f64> {
    over(&numbers.total.jain_over_time, length, of)
}

/// The same between groups.
fn groups_jain(numbers: &Numbers, length: usize, of: fn(&JainAt) -> f64) -> Option<f64> {
    over(&numbers.sharing.between.jain_over_time, length, of)
}

fn over(all: &[JainAt], length: usize, of: fn(&JainAt) -> f64) -> Option<f64> {
    all.iter().find(|at| at.slice_s == SLICES_S[length]).map(of)
}

fn rate(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.rate_fairness.map(index)
}

fn latency(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.latency_fairness.map(index)
}

fn cpu(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.cpu_fairness.map(index)
}
