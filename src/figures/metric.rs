//! The figures that are summarised over repeats, compared and drawn.
//!
//! Only names, units and where each value stands; how it is computed is the neighbours' matter.

use serde::Serialize;

use super::{Numbers, TrialFigures};

/// A figure of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Metric {
    /// Transactions/s of all flows.
    TotalRate,
    /// Transactions/s of one flow, on average.
    RatePerFlow,
    /// Megabits/s of payload of all streams.
    Throughput,
    /// Megabits/s of one stream, on average.
    ThroughputPerFlow,
    /// Datagrams of UDP streams that did not arrive.
    Loss,
    /// Mean latency, transactions in flight ÷ rate.
    MeanLatency,
    /// Median over the flows of each flow's P99.
    P99Latency,
    /// Largest P99 of a flow.
    WorstP99Latency,
    /// Longest transaction.
    MaxLatency,
    /// Busy part of all host CPUs.
    HostCpu,
    /// Busy host CPU time for one transaction.
    CpuPerTransaction,
    /// Busy host CPU time for 10^6 bits of payload.
    CpuPerMegabit,
    /// Soft interrupts, part of all host CPUs.
    SoftirqCpu,
    /// CPU of all guests' threads.
    GuestsCpu,
    /// kvmfair's own CPU.
    OrchestratorCpu,
    /// Spread of the guests' rates.
    BiasRate,
    /// Spread of the guests' mean latencies.
    BiasLatency,
    /// Spread of the guests' CPU times.
    BiasCpu,
    /// Coefficient of variation of the guests' rates.
    CvRate,
    /// The same beyond what the flows' own variation explains.
    ExcessCvRate,
    /// Jain's index of the guests' rates.
    JainRate,
    /// Time that vCPUs waited for a host CPU.
    RunDelay,
    /// The same ÷ the time that they wanted one.
    WaitRatio,
    /// How often KVM left the guests for one transaction.
    ExitsPerTransaction,
    /// Longest time that a flow made no progress.
    LongestSilence,
    /// What the host counted ÷ what netperf did.
    WitnessRatio,
    /// What adding up netperf's final results would have said ÷ the truth.
    InflationRatio,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Better {
    /// Larger values.
    Higher,
    /// Smaller values.
    Lower,
    /// Neither: it tells how far to trust the other figures.
    Neither,
}

impl Metric {
    /// Every metric, in the order of the columns.
    pub const ALL: [Metric; 27] = [
        Metric::TotalRate,
        Metric::RatePerFlow,
        Metric::Throughput,
        Metric::ThroughputPerFlow,
        Metric::Loss,
        Metric::MeanLatency,
        Metric::P99Latency,
        Metric::WorstP99Latency,
        Metric::MaxLatency,
        Metric::HostCpu,
        Metric::CpuPerTransaction,
        Metric::CpuPerMegabit,
        Metric::SoftirqCpu,
        Metric::GuestsCpu,
        Metric::OrchestratorCpu,
        Metric::BiasRate,
        Metric::BiasLatency,
        Metric::BiasCpu,
        Metric::CvRate,
        Metric::ExcessCvRate,
        Metric::JainRate,
        Metric::RunDelay,
        Metric::WaitRatio,
        Metric::ExitsPerTransaction,
        Metric::LongestSilence,
        Metric::WitnessRatio,
        Metric::InflationRatio,
    ];

    /// Column name in CSV files, with the unit.
    pub fn column(self) -> &'static str {
        match self {
            Metric::TotalRate => "total_rate_tps",
            Metric::RatePerFlow => "rate_per_flow_tps",
            Metric::Throughput => "total_throughput_mbps",
            Metric::ThroughputPerFlow => "throughput_per_flow_mbps",
            Metric::Loss => "loss_percent",
            Metric::MeanLatency => "mean_latency_us",
            Metric::P99Latency => "p99_latency_us",
            Metric::WorstP99Latency => "worst_p99_latency_us",
            Metric::MaxLatency => "max_latency_us",
            Metric::HostCpu => "host_cpu_percent",
            Metric::CpuPerTransaction => "cpu_per_transaction_us",
            Metric::CpuPerMegabit => "cpu_per_mbit_us",
            Metric::SoftirqCpu => "softirq_cpu_percent",
            Metric::GuestsCpu => "guests_cpu_percent",
            Metric::OrchestratorCpu => "orchestrator_cpu_percent",
            Metric::BiasRate => "bias_rate_percent",
            Metric::BiasLatency => "bias_latency_percent",
            Metric::BiasCpu => "bias_cpu_percent",
            Metric::CvRate => "cv_rate_percent",
            Metric::ExcessCvRate => "excess_cv_rate_percent",
            Metric::JainRate => "jain_rate",
            Metric::RunDelay => "run_delay_percent",
            Metric::WaitRatio => "wait_ratio_percent",
            Metric::ExitsPerTransaction => "exits_per_transaction",
            Metric::LongestSilence => "longest_silence_s",
            Metric::WitnessRatio => "witness_ratio",
            Metric::InflationRatio => "inflation_ratio",
        }
    }

    /// Name in headings of charts and tables.
    pub fn label(self) -> &'static str {
        match self {
            Metric::TotalRate => "Total rate",
            Metric::RatePerFlow => "Rate per flow",
            Metric::Throughput => "Total throughput",
            Metric::ThroughputPerFlow => "Throughput per flow",
            Metric::Loss => "Datagrams lost",
            Metric::MeanLatency => "Mean latency",
            Metric::P99Latency => "P99 latency",
            Metric::WorstP99Latency => "Worst P99 latency",
            Metric::MaxLatency => "Longest transaction",
            Metric::HostCpu => "Host CPU",
            Metric::CpuPerTransaction => "CPU per transaction",
            Metric::CpuPerMegabit => "CPU per Mbit",
            Metric::SoftirqCpu => "Soft interrupts",
            Metric::GuestsCpu => "CPU of the guests",
            Metric::OrchestratorCpu => "CPU of kvmfair itself",
            Metric::BiasRate => "Rate bias",
            Metric::BiasLatency => "Latency bias",
            Metric::BiasCpu => "CPU bias",
            Metric::CvRate => "Variation of rate",
            Metric::ExcessCvRate => "Variation beyond noise",
            Metric::JainRate => "Jain's index of rate",
            Metric::RunDelay => "Run delay",
            Metric::WaitRatio => "Wait ratio",
            Metric::ExitsPerTransaction => "Exits per transaction",
            Metric::LongestSilence => "Longest silence",
            Metric::WitnessRatio => "Witness ratio",
            Metric::InflationRatio => "Naive sum ÷ window",
        }
    }

    /// Unit as written beside an axis; empty for a ratio.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::TotalRate | Metric::RatePerFlow => "transactions/s",
            Metric::Throughput | Metric::ThroughputPerFlow => "Mbit/s",
            Metric::MeanLatency
            | Metric::P99Latency
            | Metric::WorstP99Latency
            | Metric::MaxLatency
            | Metric::CpuPerTransaction
            | Metric::CpuPerMegabit => "µs",
            Metric::LongestSilence => "s",
            Metric::ExitsPerTransaction
            | Metric::JainRate
            | Metric::WitnessRatio
            | Metric::InflationRatio => "",
            _ => "%",
        }
    }

    /// One line that says what exactly is shown.
    pub fn explanation(self) -> &'static str {
        match self {
            Metric::TotalRate => "sum over all flows in the common window",
            Metric::RatePerFlow => "mean over all flows in the common window",
            Metric::Throughput => "payload that arrived, sum over all flows in the common window",
            Metric::ThroughputPerFlow => "payload that arrived, mean over all flows in the common window",
            Metric::Loss => "datagrams that did not arrive ÷ datagrams sent, warm-up included",
            Metric::MeanLatency => "transactions in flight ÷ rate in the common window (Little's law)",
            Metric::P99Latency => "median over the flows of each flow's P99, warm-up included",
            Metric::WorstP99Latency => "largest P99 of a flow, warm-up included",
            Metric::MaxLatency => "longest transaction of any flow, warm-up included",
            Metric::HostCpu => "busy part of all host CPUs in the window",
            Metric::CpuPerTransaction => "busy host CPU time ÷ transactions in the window",
            Metric::CpuPerMegabit => "busy host CPU time ÷ 10^6 bits of payload in the window",
            Metric::SoftirqCpu => "part of all host CPUs in the window",
            Metric::GuestsCpu => "vCPU, emulator and vhost threads of all guests, 100 = one CPU",
            Metric::OrchestratorCpu => "100 = one CPU",
            Metric::BiasRate => "100·(max − min)/mean of the guests' rates; 0 is fair",
            Metric::BiasLatency => "100·(max − min)/mean of the guests' mean latencies; 0 is fair",
            Metric::BiasCpu => "100·(max − min)/mean of the guests' CPU times; 0 is fair",
            Metric::CvRate => "standard deviation ÷ mean of the guests' rates; 0 is fair",
            Metric::ExcessCvRate => {
                "the same as of a sample (n − 1) beyond what the variation of the flows within a guest explains; 0 is noise"
            }
            Metric::JainRate => "(Σx)²/(n·Σx²) of the guests' rates; 1 is fair",
            Metric::RunDelay => "time that vCPUs waited for a host CPU, mean over the guests",
            Metric::WaitRatio => "time that vCPUs waited for a host CPU ÷ the time that they ran or waited",
            Metric::ExitsPerTransaction => "how often KVM left a guest for each transaction, all vCPUs",
            Metric::LongestSilence => "longest time that a flow made no progress",
            Metric::WitnessRatio => {
                "packets that the host counted per transaction and direction; of streams, bytes per byte of payload"
            }
            Metric::InflationRatio => "sum of netperf's final results ÷ rate in the window",
        }
    }

    /// Which way is better.
    pub fn better(self) -> Better {
        match self {
            Metric::TotalRate
            | Metric::RatePerFlow
            | Metric::Throughput
            | Metric::ThroughputPerFlow
            | Metric::JainRate => Better::Higher,
            Metric::WitnessRatio | Metric::InflationRatio => Better::Neither,
            _ => Better::Lower,
        }
    }

    /// The value in one trial, valid or not; `None` if undefined, unknown or the trial failed.
    pub fn value(self, trial: &TrialFigures) -> Option<f64> {
        self.of(trial.numbers.as_ref()?)
    }

    fn of(self, Numbers { total, host, .. }: &Numbers) -> Option<f64> {
        match self {
            Metric::TotalRate => total.unit.transactions(total.rate),
            Metric::RatePerFlow => total.unit.transactions(total.rate_per_flow),
            Metric::Throughput => total.unit.megabits(total.rate),
            Metric::ThroughputPerFlow => total.unit.megabits(total.rate_per_flow),
            Metric::Loss => total.loss_percent,
            Metric::MeanLatency => total.mean_latency_us,
            Metric::P99Latency => total.median_p99_latency_us,
            Metric::WorstP99Latency => total.max_p99_latency_us,
            Metric::MaxLatency => total.max_latency_us,
            Metric::HostCpu => host.map(|host| host.busy_percent),
            Metric::CpuPerTransaction => total.cpu_per_work_us.and_then(|us| total.unit.transactions(us)),
            Metric::CpuPerMegabit => total.cpu_per_work_us.and_then(|us| total.unit.megabits(us)),
            Metric::SoftirqCpu => host.map(|host| host.modes.softirq_percent),
            Metric::GuestsCpu => total.guests_cpu_percent,
            Metric::OrchestratorCpu => host.and_then(|host| host.orchestrator_percent),
            Metric::BiasRate => total.rate_fairness.map(|fairness| fairness.bias_percent),
            Metric::BiasLatency => total.latency_fairness.map(|fairness| fairness.bias_percent),
            Metric::BiasCpu => total.cpu_fairness.map(|fairness| fairness.bias_percent),
            Metric::CvRate => total.rate_fairness.map(|fairness| 100.0 * fairness.cv),
            Metric::ExcessCvRate => total.excess_cv_rate.map(|cv| 100.0 * cv),
            Metric::JainRate => total.rate_fairness.map(|fairness| fairness.jain),
            Metric::RunDelay => total.run_delay_percent,
            Metric::WaitRatio => total.wait_ratio_percent,
            Metric::ExitsPerTransaction => total.exits_per_transaction,
            Metric::LongestSilence => Some(total.longest_silence_s),
            Metric::WitnessRatio => total.witness_ratio,
            Metric::InflationRatio => total.inflation_ratio,
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
                _ => "",
            };
            assert!(metric.column().ends_with(suffix), "{}", metric.column());
        }
    }
}
