//! The columns of `groups.csv`.

use crate::figures::{Better, GroupFigures, Need};
use crate::table::{Field, integer, real, text};

const RATES: &[Need] = &[Need::Rates];
const LINUX: &[Need] = &[Need::LinuxHost];

pub(super) static GROUP: [Field<GroupFigures>; 26] = [
    text("group", "name of the group", |g| Some(g.name.clone())),
    text("role", "what its guests do", |g| Some(g.role.to_string())),
    integer("guests", "how many guests it has", |g| Some(g.guests.into())),
    integer("shares", "weight as written", |g| g.shares.map(i64::from)),
    real("rate_tps", "transactions/s", "sum of its guests' rates", |g: &GroupFigures| {
        g.unit.transactions(g.rate)
    })
    .needs(&[Need::Requests])
    .better(Better::Higher),
    real("throughput_mbps", "Mbit/s", "sum of its guests' throughputs", |g: &GroupFigures| {
        g.unit.megabits(g.rate)
    })
    .needs(&[Need::Streams])
    .better(Better::Higher),
    real("rate_share_percent", "%", "its share of all measured rate", |g: &GroupFigures| {
        g.rate_share_percent
    })
    .needs(RATES),
    real("cpu_s", "s", "CPU time that it took from the host in the window", |g| {
        g.cpu.map(|cpu| cpu.total_s())
    }),
    real("vcpu_cpu_s", "s", "of these, vCPU threads", |g| g.cpu.map(|cpu| cpu.vcpu_s)),
    real("emulator_cpu_s", "s", "of these, LINUX's other threads", |g: &GroupFigures| {
        g.cpu.map(|cpu| cpu.emulator_s)
    })
    .needs(LINUX),
    real("vhost_cpu_s", "s", "of these, vhost workers", |g: &GroupFigures| g.cpu.map(|cpu| cpu.vhost_s))
        .needs(LINUX),
    real("cpu_share_percent", "%", "its share of all guests' CPU time", |g| g.cpu_share_percent),
    real("expected_share_percent", "%", "the share that its weight would give it", |g| {
        g.expected_share_percent
    }),
    real(
        "cpu_share_error",
        "",
        "share of CPU time ÷ expected share − 1; empty where weights decide nothing",
        |g| g.cpu_share_error,
    ),
    real("rate_share_error", "", "the same of its share of the measured rate", |g: &GroupFigures| {
        g.rate_share_error
    })
    .needs(RATES),
    real("background_mbps", "Mbit/s", "what its background streams moved", |g| g.background_mbps),
    real("quota_percent", "%", "CPU time that its quota allows, 100 = one CPU", |g: &GroupFigures| {
        g.quota_percent
    })
    .needs(&[Need::Quota]),
    real(
        "throttled_s",
        "s",
        "how long quotas kept it from CPUs, over all threads' control groups and CPUs",
        |g: &GroupFigures| g.throttled_s,
    )
    .needs(&[Need::Quota, Need::LinuxHost]),
    rates("bias_rate_percent", "%", "100·(max − min)/mean of its guests' rates", |g| {
        g.rate_fairness.map(|f| f.bias_percent)
    }),
    rates("cv_rate_percent", "%", "standard deviation ÷ mean of its guests' rates", |g| {
        g.rate_fairness.map(|f| 100.0 * f.cv)
    }),
    rates("jain_rate", "", "Jain's index of its guests' rates", |g| g.rate_fairness.map(|f| f.jain)),
    rates("gini_rate", "", "Gini coefficient of its guests' rates", |g| g.rate_fairness.map(|f| f.gini)),
    real("bias_cpu_percent", "%", "100·(max − min)/mean of its guests' CPU times", |g| {
        g.cpu_fairness.map(|f| f.bias_percent)
    }),
    real("cv_cpu_percent", "%", "standard deviation ÷ mean of its guests' CPU times", |g| {
        g.cpu_fairness.map(|f| 100.0 * f.cv)
    }),
    real("jain_cpu", "", "Jain's index of its guests' CPU times", |g| g.cpu_fairness.map(|f| f.jain)),
    real("gini_cpu", "", "Gini coefficient of its guests' CPU times", |g| g.cpu_fairness.map(|f| f.gini)),
];

const fn rates(
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
    read: fn(&GroupFigures) -> Option<f64>,
) -> Field<GroupFigures> {
    real(column, unit, meaning, read).needs(RATES)
}
