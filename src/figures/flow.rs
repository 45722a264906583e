//! Figures of one netperf connection, or of one ping.
//!
//! Two kinds stand side by side and must not be mixed: rates are of the window; netperf's own latencies are of the whole
//! flow, warm-up included, because netperf 2.7 cannot say them for a part of it. Those of pings are of the window too.

use serde::{Deserialize, Serialize};

use super::final_result::result;
use super::latencies::Latencies;
use super::pings::{self, PingCounts};
use super::udp_received;
use crate::profile::{Configuration, Unit};
use crate::raw::RawFlow;
use crate::stats;
use crate::window::Window;

/// One flow of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowFigures {
    /// Number of the flow, from 1.
    pub flow: u32,
    /// Number of the guest that served it, from 1; 0 for bare metal.
    pub guest: u32,
    /// Mean rate in the window, transactions/s, answered pings/s or 10^6 bits/s of payload that arrived; a stall counts as zero.
    pub rate: f64,
    /// What the rate counts.
    pub unit: Unit,
    /// Rate × window: transactions, answered pings, or 10^6 bits.
    pub work: f64,
    /// Mean latency in the window, µs: of pings that of the samples, else 10^6·(transactions in flight)/rate (Little's law).
    /// Undefined at rate 0 and for streams.
    pub window_latency_us: Option<f64>,
    /// What netperf measured over the whole flow; nothing for streams, where it times its own send() and recv(). Of pings, those
    /// that were sent in the window.
    pub latency: Latencies,
    /// How many pings were sent in the window, and lost; `None` of netperf.
    pub pings: Option<PingCounts>,
    /// Datagrams of a UDP stream that did not arrive, over the whole flow, %.
    pub loss_percent: Option<f64>,
    /// TCP retransmissions of both ends over the whole flow; `None` if unknown.
    pub retransmissions: Option<u64>,
    /// Longest time without a completed transaction that overlaps the window, s: an upper bound from the interim results and
    /// netperf's longest transaction.
    pub longest_stall_s: f64,
    /// How long it completed nothing in the window, s, in stalls of a second or more: a lower bound. Its connection lived.
    pub stalled_s: f64,
    /// Part of the window that interim results cover, %.
    pub coverage_percent: f64,
}

impl FlowFigures {
    /// The figures of `flow` in `window`, with interim results every `interval_s`.
    pub(super) fn compute(
        flow: &RawFlow,
        configuration: &Configuration,
        window: &Window,
        interval_s: f64,
    ) -> FlowFigures {
        let (rate, unit) = (window.rate(flow), configuration.test.unit());
        let latency = match unit {
            Unit::Transactions => Latencies::of_netperf(flow),
            Unit::RoundTrips => pings::latencies(flow, window),
            Unit::Megabits => Latencies::default(),
        };
        FlowFigures {
            flow: flow.flow,
            guest: flow.guest,
            rate,
            unit,
            work: window.work(flow),
            window_latency_us: match unit {
                Unit::RoundTrips => latency.mean_us,
                _ => mean_latency_us(f64::from(configuration.in_flight()), rate, unit),
            },
            latency,
            pings: PingCounts::compute(flow, window).filter(|_| unit == Unit::RoundTrips),
            loss_percent: loss_percent(udp_received::datagrams(configuration, flow)),
            retransmissions: retransmissions(flow),
            longest_stall_s: match unit {
                Unit::RoundTrips => pings::longest_wait_s(flow, window),
                _ => window.longest_stall(flow, latency.max_us.map(|us| us / 1e6)),
            },
            stalled_s: window.stalled(flow, interval_s),
            coverage_percent: 100.0 * window.coverage(flow),
        }
    }
}

/// Mean time of a transaction while so many are in flight (Little's law), µs.
fn mean_latency_us(in_flight: f64, rate: f64, unit: Unit) -> Option<f64> {
    unit.transactions(rate).filter(|rate| *rate > 0.0).map(|rate| 1e6 * in_flight / rate)
}

/// Mean latency in the window of some flows together, µs.
pub(super) fn mean_of<'f>(
    configuration: &Configuration,
    flows: impl Iterator<Item = &'f FlowFigures> + Clone,
) -> Option<f64> {
    match configuration.test.unit() {
        Unit::RoundTrips => {
            pings::mean_us(flows.filter_map(|flow| Some((flow.pings?, flow.latency.mean_us?))))
        }
        unit => {
            let in_flight = f64::from(configuration.in_flight()) * flows.clone().count() as f64;
            mean_latency_us(in_flight, stats::total(flows.map(|flow| flow.rate)), unit)
        }
    }
}

/// What is lost of (sent, arrived), %.
pub(super) fn loss_percent(datagrams: Option<(f64, f64)>) -> Option<f64> {
    let (sent, arrived) = datagrams.filter(|(sent, _)| *sent > 0.0)?;
    Some(100.0 * (1.0 - arrived / sent))
}

fn retransmissions(flow: &RawFlow) -> Option<u64> {
    let local = result(flow, "LOCAL_TRANSPORT_RETRANS")?;
    Some((local + result(flow, "REMOTE_TRANSPORT_RETRANS")?) as u64)
}

/// The retransmissions of several flows; `None` if one is unknown, or if together they are more than can be.
pub(super) fn retransmissions_of<'f>(mut flows: impl Iterator<Item = &'f FlowFigures>) -> Option<u64> {
    flows.try_fold(0_u64, |sum, flow| sum.checked_add(flow.retransmissions?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::profile::Test;

    #[test]
    fn netperf_s_minus_one_is_unknown() {
        let mut flow = fixture::flow(1, 1, 1000.0);
        assert_eq!(retransmissions(&flow), Some(3));
        flow.result.insert("REMOTE_TRANSPORT_RETRANS".into(), "-1".into());
        assert_eq!(retransmissions(&flow), None);
    }

    #[test]
    fn keys_that_netperf_did_not_print_are_unknown() {
        let mut flow = fixture::flow(1, 1, 1000.0);
        assert_eq!(Latencies::of_netperf(&flow).p99_us, Some(2000.0));
        flow.result.clear();
        assert_eq!(Latencies::of_netperf(&flow), Latencies::default());
    }

    #[test]
    fn the_latency_of_a_closed_loop_is_the_inverse_of_its_rate() {
        let window = Window { start_s: fixture::START + 2.0, end_s: fixture::START + 12.0 };
        let figures =
            FlowFigures::compute(&fixture::flow(1, 1, 2000.0), &Configuration::default(), &window, 0.5);
        assert!((figures.window_latency_us.unwrap() - 500.0).abs() < 1e-6);
        assert!((figures.work - 20_000.0).abs() < 1e-6);
    }

    #[test]
    fn a_flow_that_stands_still_has_no_latency() {
        let window = Window { start_s: fixture::START, end_s: fixture::START + 10.0 };
        let figures =
            FlowFigures::compute(&fixture::flow(1, 1, 0.0), &Configuration::default(), &window, 0.5);
        assert_eq!((figures.rate, figures.window_latency_us), (0.0, None));
    }

    #[test]
    fn transactions_in_flight_take_as_many_times_longer() {
        let window = Window { start_s: fixture::START + 2.0, end_s: fixture::START + 12.0 };
        let burst = Configuration { burst: 7, ..Configuration::default() };
        let figures = FlowFigures::compute(&fixture::flow(1, 1, 2000.0), &burst, &window, 0.5);
        assert!((figures.window_latency_us.unwrap() - 4000.0).abs() < 1e-6);
    }

    #[test]
    fn a_stream_has_no_latency_and_only_a_udp_stream_a_loss() {
        let window = Window { start_s: fixture::START + 2.0, end_s: fixture::START + 12.0 };
        let mut flow = fixture::flow(1, 1, 2000.0);
        flow.result.insert("LOCAL_SEND_CALLS".into(), "1000".into());
        flow.result.insert("REMOTE_RECV_CALLS".into(), "900".into());
        let of = |test| {
            FlowFigures::compute(&flow, &Configuration { test, ..Configuration::default() }, &window, 0.5)
        };
        let (tcp, udp) = (of(Test::TCP_STREAM), of(Test::UDP_STREAM));
        assert_eq!(
            (tcp.window_latency_us, tcp.latency, tcp.loss_percent),
            (None, Latencies::default(), None)
        );
        assert!((udp.loss_percent.unwrap() - 10.0).abs() < 1e-9);
        assert_eq!(of(Test::TCP_RR).loss_percent, None);
    }
}
