//! The figures that are summarised over repeats, compared and drawn: one static table, a row for each. A new metric is a new
//! row; tables, JSON, the report, the terminal and the data dictionary follow.

use serde::Serialize;

use super::course::worst_slices;
use super::metric_descriptor::{MetricDescriptor, metrics};
use super::{Better, Need, Section, TrialFigures};
use crate::profile::{Test, Unit};
use crate::stats::Scale;

metrics! {
    /// Total rate.
    TotalRate: "total_rate_tps", "Total rate", "transactions/s", Higher, Log, Speed, 4, [Need::Requests],
        "sum over all flows in the common window",
        |n| n.total.unit.transactions(n.total.rate);
    /// Rate per flow.
    RatePerFlow: "rate_per_flow_tps", "Rate per flow", "transactions/s", Higher, Log, Speed, 13, [Need::Requests],
        "mean over all flows in the common window",
        |n| n.total.unit.transactions(n.total.rate_per_flow);
    /// Total throughput.
    Throughput: "total_throughput_mbps", "Total throughput", "Mbit/s", Higher, Log, Speed, 5, [Need::Streams],
        "payload that arrived, sum over all flows in the common window",
        |n| n.total.unit.megabits(n.total.rate);
    /// Throughput per flow.
    ThroughputPerFlow: "throughput_per_flow_mbps", "Throughput per flow", "Mbit/s", Higher, Log, Speed, 14, [Need::Streams],
        "payload that arrived, mean over all flows in the common window",
        |n| n.total.unit.megabits(n.total.rate_per_flow);
    /// Datagrams lost.
    Loss: "loss_percent", "Datagrams lost", "%", Lower, Percent, Speed, 8, [Need::Losses],
        "datagrams that did not arrive ÷ datagrams sent, warm-up included",
        |n| n.total.loss_percent;
    /// Mean latency.
    MeanLatency: "mean_latency_us", "Mean latency", "µs", Lower, Log, Speed, 6, [Need::Latencies],
        "transactions in flight ÷ rate in the common window (Little's law)",
        |n| n.total.mean_latency_us;
    /// P99 latency.
    P99Latency: "p99_latency_us", "P99 latency", "µs", Lower, Log, Speed, 10, [Need::Latencies],
        "median over the flows of each flow's P99: whole flow with its warm-up, closed loop",
        |n| n.total.median_p99_latency_us;
    /// Worst P99 latency.
    WorstP99Latency: "worst_p99_latency_us", "Worst P99 latency", "µs", Lower, Skewed, Speed, 0, [Need::Latencies],
        "largest P99 of a flow: whole flow with its warm-up, closed loop",
        |n| n.total.max_p99_latency_us;
    /// Longest transaction.
    MaxLatency: "max_latency_us", "Longest transaction", "µs", Lower, Skewed, Speed, 0, [Need::Latencies],
        "longest transaction of any flow, warm-up included",
        |n| n.total.max_latency_us;
    /// Host CPU.
    HostCpu: "host_cpu_percent", "Host CPU", "%", Lower, Percent, Cpu, 9, [],
        "busy share of all host CPUs in the window",
        |n| n.host.map(|host| host.busy_percent);
    /// Idle CPU.
    IdleCpu: "host_idle_percent", "Idle CPU", "%", Neither, Percent, Cpu, 0, [],
        "idle, waiting for a disk included; share of all host CPUs",
        |n| n.host.map(|host| host.modes.idle_percent);
    /// Soft interrupts.
    SoftirqCpu: "softirq_cpu_percent", "Soft interrupts", "%", Lower, Percent, Cpu, 0, [],
        "share of all host CPUs in the window",
        |n| n.host.map(|host| host.modes.softirq_percent);
    /// CPU of the guests.
    GuestsCpu: "guests_cpu_percent", "CPU of the guests", "%", Lower, Log, Cpu, 0, [Need::Guests],
        "vCPU, emulator and vhost threads of all guests, 100 = one CPU",
        |n| n.total.guests_cpu_percent;
    /// CPU per transaction.
    CpuPerTransaction: "cpu_per_transaction_us", "CPU per transaction", "µs", Lower, Log, Cpu, 11, [Need::Requests],
        "busy host CPU time ÷ transactions in the window",
        |n| n.total.cpu_per_work_us.and_then(|us| n.total.unit.transactions(us));
    /// CPU per Mbit.
    CpuPerMegabit: "cpu_per_mbit_us", "CPU per Mbit", "µs", Lower, Log, Cpu, 12, [Need::Streams],
        "busy host CPU time ÷ 10^6 bits of payload in the window",
        |n| n.total.cpu_per_work_us.and_then(|us| n.total.unit.megabits(us));
    /// Run delay.
    RunDelay: "run_delay_percent", "Run delay", "%", Lower, Log, Cpu, 15, [Need::Guests],
        "time that vCPUs waited for a host CPU, mean over the guests",
        |n| n.total.run_delay_percent;
    /// Wait ratio.
    WaitRatio: "wait_ratio_percent", "Wait ratio", "%", Lower, Percent, Cpu, 0, [Need::Guests],
        "time that vCPUs waited for a host CPU ÷ the time that they ran or waited",
        |n| n.total.wait_ratio_percent;
    /// Exits per transaction.
    ExitsPerTransaction: "exits_per_transaction", "Exits per transaction", "", Lower, Log, Cpu, 0, [Need::Requests, Need::Guests, Need::Kvm],
        "KVM exits per transaction, all vCPUs",
        |n| n.total.exits_per_transaction;
    /// CPU of kvmfair itself.
    OrchestratorCpu: "orchestrator_cpu_percent", "CPU of kvmfair itself", "%", Lower, Log, Cpu, 0, [],
        "100 = one CPU",
        |n| n.host.and_then(|host| host.orchestrator_percent);
    /// Rate bias.
    BiasRate: "bias_rate_percent", "Rate bias", "%", Lower, Skewed, Fairness, 1, [Need::Rates, Need::SeveralGuests],
        "100·(max − min)/mean of the guests' rates; 0 is fair",
        |n| n.total.rate_fairness.map(|fairness| fairness.bias_percent);
    /// Bias that noise alone gives.
    FloorBiasRate: "floor_bias_rate_percent", "Noise alone", "%", Neither, Skewed, Fairness, 2, [Need::Rates, Need::SeveralGuests],
        "the rate bias that noise alone gives so many equal guests: d₂(n) × standard error of a guest's mean, from batch means",
        |n| n.spread.map(|spread| spread.floor_bias_percent);
    /// Rate bias beyond noise.
    ExcessBiasRate: "excess_bias_rate_points", "Bias beyond noise", "points", Lower, Linear, Fairness, 0, [Need::Rates, Need::SeveralGuests],
        "rate bias − what noise alone gives; about half of all fair trials are below 0, which people are shown as 0",
        |n| n.spread.map(|spread| spread.excess_bias_points());
    /// Probability of the spread if all guests are equal.
    EqualRatesP: "equal_rates_p", "p if equal", "", Neither, Probability, Fairness, 3, [Need::Rates, Need::SeveralGuests],
        "probability of such a spread, or a larger one, if all guests have equal shares: F test of guest against guest × batch, all repeats together",
        |n| n.spread.map(|spread| spread.p);
    /// Latency bias.
    BiasLatency: "bias_latency_percent", "Latency bias", "%", Lower, Skewed, Fairness, 0, [Need::Latencies, Need::SeveralGuests],
        "100·(max − min)/mean of the guests' mean latencies; 0 is fair",
        |n| n.total.latency_fairness.map(|fairness| fairness.bias_percent);
    /// Bias of latency that noise alone gives.
    FloorBiasLatency: "floor_bias_latency_percent", "Noise alone in latency", "%", Neither, Skewed, Fairness, 0,
        [Need::Latencies, Need::SeveralGuests],
        "the latency bias that noise alone gives so many equal guests; that of the rate, as rate and latency of a closed loop are one fact",
        |n| n.latency_spread.or(n.spread).map(|spread| spread.floor_bias_percent);
    /// CPU bias.
    BiasCpu: "bias_cpu_percent", "CPU bias", "%", Lower, Skewed, Fairness, 16, [Need::SeveralGuests],
        "100·(max − min)/mean of the guests' CPU times; 0 is fair",
        |n| n.total.cpu_fairness.map(|fairness| fairness.bias_percent);
    /// Bias of CPU time that noise alone gives.
    FloorBiasCpu: "floor_bias_cpu_percent", "Noise alone in CPU", "%", Neither, Skewed, Fairness, 17, [Need::SeveralGuests],
        "the CPU bias that noise alone gives so many equal guests, from the host's samples in the window",
        |n| n.cpu_spread.map(|spread| spread.floor_bias_percent);
    /// Variation of rate.
    CvRate: "cv_rate_percent", "Variation of rate", "%", Lower, Skewed, Fairness, 0, [Need::Rates, Need::SeveralGuests],
        "standard deviation ÷ mean of the guests' rates; 0 is fair",
        |n| n.total.rate_fairness.map(|fairness| 100.0 * fairness.cv);
    /// Variation beyond noise.
    ExcessCvRate: "excess_cv_rate_percent", "Variation beyond noise", "%", Lower, Skewed, Fairness, 0, [Need::Rates, Need::SeveralGuests],
        "the same as of a sample (n − 1) beyond what the variation of the flows within a guest explains; 0 is noise",
        |n| n.total.excess_cv_rate.map(|cv| 100.0 * cv);
    /// Jain's index of rate.
    JainRate: "jain_rate", "Jain's index of rate", "", Higher, Index, Fairness, 0, [Need::Rates, Need::SeveralGuests],
        "(Σx)²/(n·Σx²) of the guests' rates; 1 is fair",
        |n| n.total.rate_fairness.map(|fairness| fairness.jain);
    /// Jain's index in the worst 0.5 s slices.
    JainWorst500ms: "jain_rate_500ms_p5", "Jain's index in the worst 5 % of 0.5 s slices", "", Higher, Index, OverTime, 0,
        [Need::Rates, Need::SeveralGuests, Need::Slices(0)], "5th percentile over slices of the window; below the index of the window: guests take turns",
        |n| worst_slices(&n.total.jain_over_time, 0);
    /// The same of 1 s slices.
    JainWorst1s: "jain_rate_1s_p5", "Jain's index in the worst 5 % of 1 s slices", "", Higher, Index, OverTime, 7,
        [Need::Rates, Need::SeveralGuests, Need::Slices(1)], "the same of slices of 1 s",
        |n| worst_slices(&n.total.jain_over_time, 1);
    /// The same of 5 s slices.
    JainWorst5s: "jain_rate_5s_p5", "Jain's index in the worst 5 % of 5 s slices", "", Higher, Index, OverTime, 0,
        [Need::Rates, Need::SeveralGuests, Need::Slices(2)], "the same of slices of 5 s",
        |n| worst_slices(&n.total.jain_over_time, 2);
    /// The same of 30 s slices.
    JainWorst30s: "jain_rate_30s_p5", "Jain's index in the worst 5 % of 30 s slices", "", Higher, Index, OverTime, 0,
        [Need::Rates, Need::SeveralGuests, Need::Slices(3)], "the same of slices of 30 s",
        |n| worst_slices(&n.total.jain_over_time, 3);
    /// Longest stall.
    LongestStall: "longest_stall_s", "Longest stall", "s", Lower, Skewed, Fairness, 0, [],
        "longest time that a flow made no progress",
        |n| Some(n.total.longest_stall_s);
    /// Packet check.
    PacketCheck: "packet_check_ratio", "Packet check", "", Neither, Log, Fairness, 0, [],
        "host packets per netperf transaction and direction; of streams, host bytes per byte of payload",
        |n| n.total.packet_check_ratio;
    /// Unsynchronised total ÷ window total.
    Unsynchronised: "unsynchronised_ratio", "Unsynchronised total ÷ window total", "", Neither, Log, Fairness, 0, [Need::Rates],
        "sum of netperf's final results ÷ rate in the window",
        |n| n.total.unsynchronised_ratio;
    /// Guests by weight, CPU time.
    JainWeightedCpu: "jain_weighted_cpu", "Guests by weight: Jain's index of CPU time", "", Higher, Index, Groups, 0, [Need::Groups],
        "Jain's index of the guests' CPU times ÷ weights; 1: as the shares say",
        |n| n.sharing.jain_weighted_cpu;
    /// Guests by weight, rate.
    JainWeightedRate: "jain_weighted_rate", "Guests by weight: Jain's index of rate", "", Higher, Index, Groups, 0, [Need::Rates, Need::Groups],
        "the same of the measured guests' rates",
        |n| n.sharing.jain_weighted_rate;
    /// Groups by weight, CPU time.
    GroupsJainWeightedCpu: "groups_jain_weighted_cpu", "Groups by weight: Jain's index of CPU time", "", Higher, Index, Groups, 0,
        [Need::SeveralGroups], "Jain's index of the groups' CPU times ÷ weights",
        |n| n.sharing.between.jain_weighted_cpu;
    /// Groups by weight, rate.
    GroupsJainWeightedRate: "groups_jain_weighted_rate", "Groups by weight: Jain's index of rate", "", Higher, Index, Groups, 0,
        [Need::Rates, Need::SeveralGroups], "the same of the measured groups' rates",
        |n| n.sharing.between.jain_weighted_rate;
    /// Bias between groups.
    GroupsBiasRate: "groups_bias_rate_percent", "Rate bias between groups", "%", Lower, Skewed, Groups, 0, [Need::Rates, Need::SeveralGroups],
        "100·(max − min)/mean of the groups' rates per guest",
        |n| n.sharing.between.rate.map(|fairness| fairness.bias_percent);
    /// Bias between groups that noise alone gives.
    GroupsFloorBiasRate: "groups_floor_bias_rate_percent", "Noise alone between groups", "%", Neither, Skewed, Groups, 0, [Need::Rates, Need::SeveralGroups],
        "the rate bias that noise alone gives so many equal groups, from batch means of their rates per guest",
        |n| n.sharing.between.spread.map(|spread| spread.floor_bias_percent);
    /// Jain's index of the groups.
    GroupsJainRate: "groups_jain_rate", "Jain's index between groups", "", Higher, Index, Groups, 0, [Need::Rates, Need::SeveralGroups],
        "Jain's index of the groups' rates per guest; 1 is fair",
        |n| n.sharing.between.rate.map(|fairness| fairness.jain);
    /// CPU time that quotas leave unused.
    UnusedCpu: "unused_cpu_percent", "Unused CPU", "%", Lower, Percent, Groups, 0, [Need::Quota, Need::LinuxHost],
        "host CPU time that was idle while a quota kept somebody from it, at most",
        |n| n.sharing.unused_cpu_percent;
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

    /// What kind of number it is, which decides its intervals over repeats.
    pub fn scale(self) -> Scale {
        self.row().scale
    }

    /// The table of the report that it is in.
    pub fn section(self) -> Section {
        self.row().section
    }

    /// What an experiment needs to have it.
    pub fn needs(self) -> &'static [Need] {
        self.row().needs
    }

    /// The metric that is what it would be for equal guests with this noise.
    pub fn noise_floor(self) -> Option<Metric> {
        match self {
            Metric::BiasRate => Some(Metric::FloorBiasRate),
            Metric::BiasLatency => Some(Metric::FloorBiasLatency),
            Metric::BiasCpu => Some(Metric::FloorBiasCpu),
            Metric::GroupsBiasRate => Some(Metric::GroupsFloorBiasRate),
            _ => None,
        }
    }

    /// Its place among the metrics of a terminal: 1 is left out last; `None` if it is not shown there.
    pub fn rank(self) -> Option<u8> {
        Some(self.row().rank).filter(|rank| *rank > 0)
    }

    /// The value in one trial, valid or not; `None` if undefined, unknown or the trial failed.
    pub fn value(self, trial: &TrialFigures) -> Option<f64> {
        (self.row().value)(trial.numbers.as_ref()?)
    }

    /// Whether it can have a value in a trial of this test.
    pub fn applies(self, test: Test) -> bool {
        self.needs().iter().all(|need| need.is_met_by_test(test))
    }

    /// What all flows of a test do together, transactions/s or Mbit/s; of pings, how long they take.
    pub fn total(test: Test) -> Metric {
        match test.unit() {
            Unit::Transactions => Metric::TotalRate,
            Unit::Megabits => Metric::Throughput,
            Unit::RoundTrips => Metric::MeanLatency,
        }
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
            let rates =
                [Metric::TotalRate, Metric::Throughput].into_iter().filter(|metric| metric.applies(test));
            assert!(
                Metric::total(test).applies(test) && rates.count() == usize::from(!test.is_ping()),
                "{test}"
            );
        }
    }
}
