//! What exactly a metric shows: of netperf as its row says, of pings in words of their own where that is another thing.

use std::borrow::Cow;

use super::Metric;
use crate::profile::Test;

impl Metric {
    /// The same of pings, where that is another.
    fn explanation_of_pings(self) -> Option<&'static str> {
        Some(match self {
            Metric::Loss => {
                "pings of the window that were not answered until the end of their flow ÷ pings sent"
            }
            Metric::MeanLatency => "mean round trip of the pings that were sent in the window, open loop",
            Metric::P99Latency => {
                "median over the flows of each flow's P99 of the pings sent in the window, open loop"
            }
            Metric::WorstP99Latency => "largest P99 of a flow, of the pings sent in the window, open loop",
            Metric::MaxLatency => "longest round trip of a ping that was sent in the window",
            Metric::FloorBiasLatency => {
                "the latency bias that noise alone gives so many equal guests, from batch means of the pings' round trips"
            }
            Metric::PacketCheck => "host packets per answered ping and direction",
            _ => return None,
        })
    }

    /// One line that says what exactly is shown of these tests.
    pub fn explanation_for(self, tests: impl Iterator<Item = Test>) -> Cow<'static, str> {
        let (pings, others): (Vec<Test>, Vec<Test>) =
            tests.filter(|test| self.applies(*test)).partition(|test| test.is_ping());
        match self.explanation_of_pings().filter(|_| !pings.is_empty()) {
            Some(own) if others.is_empty() => own.into(),
            Some(own) => format!("{}; of pings: {own}", self.explanation()).into(),
            None => self.explanation().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_pings_is_said_only_where_there_are_some() {
        let of = |tests: &[Test]| Metric::MaxLatency.explanation_for(tests.iter().copied()).into_owned();
        assert_eq!(of(&[Test::TCP_RR, Test::TCP_STREAM]), Metric::MaxLatency.explanation());
        let pings = of(&[Test::PING, Test::TCP_STREAM]);
        assert_eq!(pings, "longest round trip of a ping that was sent in the window");
        assert!(of(&[Test::PING, Test::UDP_RR]).ends_with(&pings));
    }
}
