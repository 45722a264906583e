//! Which metrics the trials of a test can have.

use super::Metric;
use crate::profile::{Test, Unit};

impl Metric {
    /// Whether it can have a value in a trial of this test.
    pub fn applies(self, test: Test) -> bool {
        match self {
            Metric::TotalRate
            | Metric::RatePerFlow
            | Metric::MeanLatency
            | Metric::P99Latency
            | Metric::WorstP99Latency
            | Metric::MaxLatency
            | Metric::CpuPerTransaction
            | Metric::ExitsPerTransaction
            | Metric::BiasLatency => test.unit() == Unit::Transactions,
            Metric::Throughput | Metric::ThroughputPerFlow | Metric::CpuPerMegabit => test.is_stream(),
            Metric::Loss => test == Test::UDP_STREAM,
            _ => true,
        }
    }

    /// What all flows of a test do together: transactions/s or Mbit/s.
    pub fn total(test: Test) -> Metric {
        if test.is_stream() { Metric::Throughput } else { Metric::TotalRate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_test_has_a_value_in_its_trials() {
        for test in Test::ALL {
            let of = [Metric::TotalRate, Metric::Throughput].map(|metric| metric.applies(test));
            assert!(Metric::total(test).applies(test) && of[0] != of[1], "{test}");
        }
    }
}
