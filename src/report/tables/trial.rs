//! The columns of `trials.csv` beside the metrics.

use crate::figures::{Better, Need, Numbers, Outcome, Reason, TrialFigures};
use crate::report::model;
use crate::stats::Fairness;
use crate::table::{Field, boolean, integer, real, text};

/// How a trial went, with or without numbers.
pub(super) static COURSE: [Field<TrialFigures>; 5] = [
    integer("attempts", "attempts at the trial, in all runs of this directory", |t| Some(t.attempt.into())),
    text("stage", "the step at which a failed trial failed", stage),
    text("cause", "why it failed, or is not valid", cause),
    real("started_s", "s", "begin of the trial's transition, since the epoch", |t| Some(t.started_s)),
    real("ended_s", "s", "end of the trial, since the epoch", |t| Some(t.ended_s)),
];

fn stage(trial: &TrialFigures) -> Option<String> {
    match trial.outcome {
        Outcome::Failed { stage, .. } => Some(model::stage(stage).into()),
        _ => None,
    }
}

fn cause(trial: &TrialFigures) -> Option<String> {
    match &trial.outcome {
        Outcome::Measured => None,
        Outcome::Invalid(reasons) => {
            Some(reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; "))
        }
        Outcome::Failed { cause, .. } => Some(cause.clone()),
    }
}

const LINUX: &[Need] = &[Need::LinuxHost];
const TWO: &[Need] = &[Need::SeveralGuests];
const GROUPS: &[Need] = &[Need::Groups];
const TWO_GROUPS: &[Need] = &[Need::SeveralGroups];
const fn two<T>(field: Field<T>) -> Field<T> {
    field.needs(TWO)
}
const fn between_rates<T>(field: Field<T>) -> Field<T> {
    field.needs(&[Need::SeveralGroups, Need::Rates])
}
const fn between<T>(field: Field<T>) -> Field<T> {
    field.needs(TWO_GROUPS)
}

/// Numbers of a trial that are no metrics: parts of them, fairness by other indices, what to trust them by.
pub(super) static NUMBERS: [Field<Numbers>; 52] = [
    real("window_s", "s", "length of the common window", |n| Some(n.window.length_s())),
    real("window_start_s", "s", "begin of the window, since the epoch", |n| Some(n.window.start_s)),
    real("start_spread_s", "s", "from the first flow's start to the last one's", |n| {
        Some(n.total.start_spread_s)
    }),
    real("transactions", "transactions", "rate × window, all flows", |n: &Numbers| {
        n.total.unit.transactions(n.total.work)
    })
    .needs(&[Need::Requests]),
    integer("retransmissions", "TCP retransmissions of all flows, warm-up included", |n: &Numbers| {
        n.total.retransmissions.map(|count| count as i64)
    })
    .needs(&[Need::Tcp]),
    real("min_p99_latency_us", "µs", "smallest P99 of a flow", |n: &Numbers| n.total.min_p99_latency_us)
        .needs(&[Need::Latencies]),
    real("host_user_percent", "%", "user mode, guests included; share of all host CPUs", |n| {
        n.host.map(|host| host.modes.user_percent)
    }),
    real("host_system_percent", "%", "kernel mode; share of all host CPUs", |n| {
        n.host.map(|host| host.modes.system_percent)
    }),
    real("host_irq_percent", "%", "interrupt handlers; share of all host CPUs", |n| {
        n.host.map(|host| host.modes.irq_percent)
    }),
    real("host_softirq_percent", "%", "soft interrupts; share of all host CPUs", |n| {
        n.host.map(|host| host.modes.softirq_percent)
    }),
    real("host_steal_percent", "%", "taken by a hypervisor below the host; share of all host CPUs", |n| {
        n.host.map(|host| host.modes.steal_percent)
    }),
    real("min_guest_rate_tps", "transactions/s", "rate of the slowest guest", |n: &Numbers| {
        n.total.unit.transactions(rate(n, |f| f.min)?)
    })
    .needs(&[Need::SeveralGuests, Need::Requests]),
    real("max_guest_rate_tps", "transactions/s", "rate of the fastest guest", |n: &Numbers| {
        n.total.unit.transactions(rate(n, |f| f.max)?)
    })
    .needs(&[Need::SeveralGuests, Need::Requests]),
    real("min_guest_throughput_mbps", "Mbit/s", "throughput of the slowest guest", |n: &Numbers| {
        n.total.unit.megabits(rate(n, |f| f.min)?)
    })
    .needs(&[Need::SeveralGuests, Need::Streams]),
    real("max_guest_throughput_mbps", "Mbit/s", "throughput of the fastest guest", |n: &Numbers| {
        n.total.unit.megabits(rate(n, |f| f.max)?)
    })
    .needs(&[Need::SeveralGuests, Need::Streams]),
    real("gini_rate", "", "Gini coefficient of the guests' rates; 0 is fair", |n: &Numbers| {
        rate(n, |f| f.gini)
    })
    .needs(&[Need::SeveralGuests, Need::Rates]),
    latency("cv_latency_percent", "%", "standard deviation ÷ mean of the guests' mean latencies", |n| {
        latencies(n, |f| 100.0 * f.cv)
    }),
    latency("jain_latency", "", "Jain's index of the guests' mean latencies; 1 is fair", |n| {
        latencies(n, |f| f.jain)
    }),
    latency("min_guest_latency_us", "µs", "mean latency of the guest with the lowest", |n| {
        latencies(n, |f| f.min)
    }),
    latency("max_guest_latency_us", "µs", "mean latency of the guest with the highest", |n| {
        latencies(n, |f| f.max)
    }),
    latency("gini_latency", "", "Gini coefficient of the guests' mean latencies; 0 is fair", |n| {
        latencies(n, |f| f.gini)
    }),
    two(real("cv_cpu_percent", "%", "standard deviation ÷ mean of the guests' CPU times", |n| {
        cpu(n, |f| 100.0 * f.cv)
    })),
    two(real("jain_cpu", "", "Jain's index of the guests' CPU times; 1 is fair", |n| cpu(n, |f| f.jain))),
    two(real("min_guest_cpu_percent", "%", "CPU of the guest with the least, 100 = one CPU", |n| {
        cpu(n, |f| f.min)
    })),
    two(real("max_guest_cpu_percent", "%", "CPU of the guest with the most, 100 = one CPU", |n| {
        cpu(n, |f| f.max)
    })),
    two(real("gini_cpu", "", "Gini coefficient of the guests' CPU times; 0 is fair", |n| cpu(n, |f| f.gini))),
    real("settled_after_s", "s", "when the total rate was steady, after the warm-up (MSER-5)", |n| {
        n.total.settled_after_s
    }),
    real(
        "window_advanced_s",
        "s",
        "how much later the window begins because the rate had not settled",
        |n| Some(n.total.window_advanced_s),
    ),
    real("busiest_cpu_percent", "%", "busy share of the busiest host CPU", |n: &Numbers| {
        n.seen.busiest_cpu_percent()
    })
    .needs(LINUX),
    real(
        "most_softirq_cpu_percent",
        "%",
        "share of soft interrupts of the host CPU with the most",
        |n: &Numbers| n.seen.most_softirq_percent(),
    )
    .needs(LINUX),
    real("ksm_waited_s", "s", "how long the trial waited for KSM", |n: &Numbers| {
        n.seen.merging.map(|merging| merging.waited_s)
    })
    .needs(&[Need::Guests, Need::LinuxHost]),
    integer("ksm_pages_shared_before", "KSM's pages in use before the window", |n: &Numbers| {
        n.seen.merged.map(|[before, _]| before.shared as i64)
    })
    .needs(LINUX),
    integer("ksm_pages_shared_after", "the same after the window", |n: &Numbers| {
        n.seen.merged.map(|[_, after]| after.shared as i64)
    })
    .needs(LINUX),
    integer("ksm_pages_sharing_before", "pages that KSM saves, before the window", |n: &Numbers| {
        n.seen.merged.map(|[before, _]| before.sharing as i64)
    })
    .needs(LINUX),
    integer("ksm_pages_sharing_after", "the same after the window", |n: &Numbers| {
        n.seen.merged.map(|[_, after]| after.sharing as i64)
    })
    .needs(LINUX),
    real("context_switches_per_s", "1/s", "of the host", |n: &Numbers| n.seen.context_switches_per_s)
        .needs(LINUX),
    real("interrupts_per_s", "1/s", "of the host", |n: &Numbers| n.seen.interrupts_per_s).needs(LINUX),
    real("tester_busy_percent", "%", "busy share of all CPUs of the tester", |n| n.seen.tester.busy_percent),
    real("tester_busiest_cpu_percent", "%", "busy share of its busiest CPU", |n| {
        n.seen.tester.busiest_cpu_percent
    }),
    real("busiest_netperf_percent", "%", "CPU time of its busiest netperf, 100 = one CPU", |n| {
        n.seen.tester.busiest_netperf_percent
    }),
    boolean("tester_saturated", "whether the tester may be what was measured", |n| n.seen.tester.saturated()),
    real(
        "longest_hiccup_s",
        "s",
        "longest time in the window in which the host stood still",
        |n: &Numbers| n.seen.longest_hiccup_s,
    )
    .better(Better::Lower),
    boolean("host_hiccup", "whether the host stood still in the window", |n| n.seen.host_hiccup()),
    real(
        "host_pressure_percent",
        "%",
        "time in which something waited for a CPU (PSI, `some`)",
        |n: &Numbers| n.host.and_then(|host| host.pressure_percent),
    )
    .better(Better::Lower),
    boolean("contended", "whether groups waited on a busy host, so that shares decide", |n: &Numbers| {
        n.sharing.contended
    })
    .needs(GROUPS),
    between_rates(real(
        "groups_cv_rate_percent",
        "%",
        "standard deviation ÷ mean of the groups' rates per guest",
        |n| n.sharing.between.rate.map(|f| 100.0 * f.cv),
    )),
    between_rates(real(
        "groups_excess_cv_rate_percent",
        "%",
        "the same beyond the variation within the groups",
        |n| n.sharing.between.excess_cv_rate.map(|cv| 100.0 * cv),
    )),
    between_rates(real(
        "groups_gini_rate",
        "",
        "Gini coefficient of the groups' rates per guest; 0 is fair",
        |n| n.sharing.between.rate.map(|f| f.gini),
    )),
    between(real(
        "groups_bias_cpu_percent",
        "%",
        "100·(max − min)/mean of the groups' CPU times per guest",
        |n| n.sharing.between.cpu.map(|f| f.bias_percent),
    )),
    between(real(
        "groups_cv_cpu_percent",
        "%",
        "standard deviation ÷ mean of the groups' CPU times per guest",
        |n| n.sharing.between.cpu.map(|f| 100.0 * f.cv),
    )),
    between(real("groups_jain_cpu", "", "Jain's index of the groups' CPU times per guest; 1 is fair", |n| {
        n.sharing.between.cpu.map(|f| f.jain)
    })),
    between(real(
        "groups_gini_cpu",
        "",
        "Gini coefficient of the groups' CPU times per guest; 0 is fair",
        |n| n.sharing.between.cpu.map(|f| f.gini),
    )),
];

const fn latency(
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
    read: fn(&Numbers) -> Option<f64>,
) -> Field<Numbers> {
    real(column, unit, meaning, read).needs(&[Need::SeveralGuests, Need::Latencies])
}

fn rate(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.rate_fairness.map(index)
}

fn latencies(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.latency_fairness.map(index)
}

fn cpu(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.cpu_fairness.map(index)
}
