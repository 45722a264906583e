//! The figures that are summarised over repeats, compared and drawn: one static table, a row for each. A new metric is a new
//! row; tables, JSON, the report, the terminal and the data dictionary follow.

use serde::Serialize;

use super::{Need, Numbers, TrialFigures};
use crate::profile::Test;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Better {
    /// Larger values.
    Higher,
    /// Smaller values.
    Lower,
    /// Neither: it shows how far to trust the other figures.
    Neither,
}

impl Better {
    /// The word in the data dictionary; empty for neither.
    pub fn word(self) -> &'static str {
        match self {
            Better::Higher => "higher",
            Better::Lower => "lower",
            Better::Neither => "",
        }
    }
}

/// The table of the report that a metric is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Rates and latencies.
    Speed,
    /// CPU time.
    Cpu,
    /// Fairness between guests, and how far to trust the figures.
    Fairness,
}

/// One row of the table of metrics.
struct MetricDescriptor {
    column: &'static str,
    label: &'static str,
    unit: &'static str,
    better: Better,
    section: Section,
    rank: u8,
    needs: &'static [Need],
    explanation: &'static str,
    value: fn(&Numbers) -> Option<f64>,
}

/// Makes the metrics of one table. A row: name, column, label, unit, direction, section of the report, rank in a terminal (1:
/// the last to be left out; 0: not shown there), what an experiment needs to have it, one line of explanation, its value.
macro_rules! metrics {
    ($($(#[$doc:meta])+ $metric:ident: $column:literal, $label:literal, $unit:literal, $better:ident, $section:ident,
        $rank:literal, [$($need:expr),*], $explanation:literal, $value:expr;)+) => {
        /// A figure of a trial.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub enum Metric {
            $($(#[$doc])+ $metric,)+
        }

        impl Metric {
            /// Every metric, in the order of the columns.
            pub const ALL: [Metric; [$($column),+].len()] = [$(Metric::$metric),+];

            const TABLE: [MetricDescriptor; Metric::ALL.len()] = [$(MetricDescriptor {
                column: $column,
                label: $label,
                unit: $unit,
                better: Better::$better,
                section: Section::$section,
                rank: $rank,
                needs: &[$($need),*],
                explanation: $explanation,
                value: $value,
            }),+];
        }
    };
}

metrics! {
    /// Total rate.
    TotalRate: "total_rate_tps", "Total rate", "transactions/s", Higher, Speed, 1, [Need::Requests],
        "sum over all flows in the common window",
        |n| n.total.unit.transactions(n.total.rate);
    /// Rate per flow.
    RatePerFlow: "rate_per_flow_tps", "Rate per flow", "transactions/s", Higher, Speed, 12, [Need::Requests],
        "mean over all flows in the common window",
        |n| n.total.unit.transactions(n.total.rate_per_flow);
    /// Total throughput.
    Throughput: "total_throughput_mbps", "Total throughput", "Mbit/s", Higher, Speed, 2, [Need::Streams],
        "payload that arrived, sum over all flows in the common window",
        |n| n.total.unit.megabits(n.total.rate);
    /// Throughput per flow.
    ThroughputPerFlow: "throughput_per_flow_mbps", "Throughput per flow", "Mbit/s", Higher, Speed, 13, [Need::Streams],
        "payload that arrived, mean over all flows in the common window",
        |n| n.total.unit.megabits(n.total.rate_per_flow);
    /// Datagrams lost.
    Loss: "loss_percent", "Datagrams lost", "%", Lower, Speed, 5, [Need::UdpStreams],
        "datagrams that did not arrive ÷ datagrams sent, warm-up included",
        |n| n.total.loss_percent;
    /// Mean latency.
    MeanLatency: "mean_latency_us", "Mean latency", "µs", Lower, Speed, 3, [Need::Requests],
        "transactions in flight ÷ rate in the common window (Little's law)",
        |n| n.total.mean_latency_us;
    /// P99 latency.
    P99Latency: "p99_latency_us", "P99 latency", "µs", Lower, Speed, 7, [Need::Requests],
        "median over the flows of each flow's P99, warm-up included",
        |n| n.total.median_p99_latency_us;
    /// Worst P99 latency.
    WorstP99Latency: "worst_p99_latency_us", "Worst P99 latency", "µs", Lower, Speed, 0, [Need::Requests],
        "largest P99 of a flow, warm-up included",
        |n| n.total.max_p99_latency_us;
    /// Longest transaction.
    MaxLatency: "max_latency_us", "Longest transaction", "µs", Lower, Speed, 0, [Need::Requests],
        "longest transaction of any flow, warm-up included",
        |n| n.total.max_latency_us;
    /// Host CPU.
    HostCpu: "host_cpu_percent", "Host CPU", "%", Lower, Cpu, 6, [],
        "busy share of all host CPUs in the window",
        |n| n.host.map(|host| host.busy_percent);
    /// Soft interrupts.
    SoftirqCpu: "softirq_cpu_percent", "Soft interrupts", "%", Lower, Cpu, 0, [],
        "share of all host CPUs in the window",
        |n| n.host.map(|host| host.modes.softirq_percent);
    /// CPU of the guests.
    GuestsCpu: "guests_cpu_percent", "CPU of the guests", "%", Lower, Cpu, 0, [Need::Guests],
        "vCPU, emulator and vhost threads of all guests, 100 = one CPU",
        |n| n.total.guests_cpu_percent;
    /// CPU per transaction.
    CpuPerTransaction: "cpu_per_transaction_us", "CPU per transaction", "µs", Lower, Cpu, 8, [Need::Requests],
        "busy host CPU time ÷ transactions in the window",
        |n| n.total.cpu_per_work_us.and_then(|us| n.total.unit.transactions(us));
    /// CPU per Mbit.
    CpuPerMegabit: "cpu_per_mbit_us", "CPU per Mbit", "µs", Lower, Cpu, 9, [Need::Streams],
        "busy host CPU time ÷ 10^6 bits of payload in the window",
        |n| n.total.cpu_per_work_us.and_then(|us| n.total.unit.megabits(us));
    /// Run delay.
    RunDelay: "run_delay_percent", "Run delay", "%", Lower, Cpu, 14, [Need::Guests],
        "time that vCPUs waited for a host CPU, mean over the guests",
        |n| n.total.run_delay_percent;
    /// Wait ratio.
    WaitRatio: "wait_ratio_percent", "Wait ratio", "%", Lower, Cpu, 0, [Need::Guests],
        "time that vCPUs waited for a host CPU ÷ the time that they ran or waited",
        |n| n.total.wait_ratio_percent;
    /// Exits per transaction.
    ExitsPerTransaction: "exits_per_transaction", "Exits per transaction", "", Lower, Cpu, 0, [Need::Requests, Need::Guests, Need::Kvm],
        "KVM exits per transaction, all vCPUs",
        |n| n.total.exits_per_transaction;
    /// CPU of kvmfair itself.
    OrchestratorCpu: "orchestrator_cpu_percent", "CPU of kvmfair itself", "%", Lower, Cpu, 0, [],
        "100 = one CPU",
        |n| n.host.and_then(|host| host.orchestrator_percent);
    /// Rate bias.
    BiasRate: "bias_rate_percent", "Rate bias", "%", Lower, Fairness, 4, [Need::SeveralGuests],
        "100·(max − min)/mean of the guests' rates; 0 is fair",
        |n| n.total.rate_fairness.map(|fairness| fairness.bias_percent);
    /// Rate bias of fair guests.
    FloorBiasRate: "floor_bias_rate_percent", "Rate bias of fair guests", "%", Neither, Fairness, 0, [Need::SeveralGuests],
        "the rate bias that noise alone gives so many equal guests: d₂(n) × standard error of a guest's mean, from batch means",
        |n| n.spread.map(|spread| spread.floor_bias_percent);
    /// Rate bias beyond noise.
    ExcessBiasRate: "excess_bias_rate_points", "Rate bias beyond noise", "points", Lower, Fairness, 0, [Need::SeveralGuests],
        "rate bias − rate bias of fair guests; about half of all fair trials are below 0",
        |n| n.spread.map(|spread| spread.excess_bias_points());
    /// p of equal rates.
    EqualRatesP: "equal_rates_p", "p of equal rates", "", Neither, Fairness, 0, [Need::SeveralGuests],
        "probability of such a spread, or a larger one, if all guests have equal shares: F test of guest against guest × batch",
        |n| n.spread.map(|spread| spread.p);
    /// Latency bias.
    BiasLatency: "bias_latency_percent", "Latency bias", "%", Lower, Fairness, 10, [Need::Requests, Need::SeveralGuests],
        "100·(max − min)/mean of the guests' mean latencies; 0 is fair",
        |n| n.total.latency_fairness.map(|fairness| fairness.bias_percent);
    /// CPU bias.
    BiasCpu: "bias_cpu_percent", "CPU bias", "%", Lower, Fairness, 11, [Need::SeveralGuests],
        "100·(max − min)/mean of the guests' CPU times; 0 is fair",
        |n| n.total.cpu_fairness.map(|fairness| fairness.bias_percent);
    /// Variation of rate.
    CvRate: "cv_rate_percent", "Variation of rate", "%", Lower, Fairness, 0, [Need::SeveralGuests],
        "standard deviation ÷ mean of the guests' rates; 0 is fair",
        |n| n.total.rate_fairness.map(|fairness| 100.0 * fairness.cv);
    /// Variation beyond noise.
    ExcessCvRate: "excess_cv_rate_percent", "Variation beyond noise", "%", Lower, Fairness, 0, [Need::SeveralGuests],
        "the same as of a sample (n − 1) beyond what the variation of the flows within a guest explains; 0 is noise",
        |n| n.total.excess_cv_rate.map(|cv| 100.0 * cv);
    /// Jain's index of rate.
    JainRate: "jain_rate", "Jain's index of rate", "", Higher, Fairness, 0, [Need::SeveralGuests],
        "(Σx)²/(n·Σx²) of the guests' rates; 1 is fair",
        |n| n.total.rate_fairness.map(|fairness| fairness.jain);
    /// Longest stall.
    LongestStall: "longest_stall_s", "Longest stall", "s", Lower, Fairness, 0, [],
        "longest time that a flow made no progress",
        |n| Some(n.total.longest_stall_s);
    /// Packet check.
    PacketCheck: "packet_check_ratio", "Packet check", "", Neither, Fairness, 0, [],
        "host packets per netperf transaction and direction; of streams, host bytes per byte of payload",
        |n| n.total.packet_check_ratio;
    /// Unsynchronised total ÷ window total.
    Unsynchronised: "unsynchronised_ratio", "Unsynchronised total ÷ window total", "", Neither, Fairness, 0, [],
        "sum of netperf's final results ÷ rate in the window",
        |n| n.total.unsynchronised_ratio;
}

impl Metric {
    fn row(self) -> &'static MetricDescriptor {
        &Metric::TABLE[self as usize]
    }

    /// Column name in CSV files and JSON, with the unit.
    pub fn column(self) -> &'static str {
        self.row().column
    }

    /// Name in headings of charts and tables.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// Unit as written beside an axis; empty for a ratio.
    pub fn unit(self) -> &'static str {
        self.row().unit
    }

    /// One line that says what exactly is shown.
    pub fn explanation(self) -> &'static str {
        self.row().explanation
    }

    /// Which way is better.
    pub fn better(self) -> Better {
        self.row().better
    }

    /// The table of the report that it is in.
    pub fn section(self) -> Section {
        self.row().section
    }

    /// What an experiment needs to have it.
    pub fn needs(self) -> &'static [Need] {
        self.row().needs
    }

    /// The metrics of a terminal, from the one that must be seen to the one that may be left out first.
    pub fn by_importance() -> Vec<Metric> {
        let mut shown: Vec<Metric> = Metric::ALL.into_iter().filter(|metric| metric.row().rank > 0).collect();
        shown.sort_by_key(|metric| metric.row().rank);
        shown
    }

    /// The value in one trial, valid or not; `None` if undefined, unknown or the trial failed.
    pub fn value(self, trial: &TrialFigures) -> Option<f64> {
        (self.row().value)(trial.numbers.as_ref()?)
    }

    /// Whether it can have a value in a trial of this test.
    pub fn applies(self, test: Test) -> bool {
        self.needs().iter().all(|need| need.is_met_by_test(test))
    }

    /// What all flows of a test do together: transactions/s or Mbit/s.
    pub fn total(test: Test) -> Metric {
        if test.is_stream() { Metric::Throughput } else { Metric::TotalRate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_metric_has_a_column_of_its_own_that_says_the_unit() {
        let columns: BTreeSet<&str> = Metric::ALL.iter().map(|metric| metric.column()).collect();
        assert_eq!(columns.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            let suffix = match metric.unit() {
                "transactions/s" => "_tps",
                "Mbit/s" => "_mbps",
                "µs" => "_us",
                "%" => "_percent",
                "s" => "_s",
                "points" => "_points",
                _ => "",
            };
            assert!(metric.column().ends_with(suffix), "{}", metric.column());
        }
    }

    #[test]
    fn the_total_of_a_test_has_a_value_in_its_trials() {
        for test in Test::ALL {
            let applies = [Metric::TotalRate, Metric::Throughput].map(|metric| metric.applies(test));
            assert!(Metric::total(test).applies(test) && applies[0] != applies[1], "{test}");
        }
    }
}
