//! Figures of one netperf connection.
//!
//! Two kinds stand side by side and must not be mixed: rates are of the window; netperf's own latencies are of the whole
//! flow, warm-up included, because netperf 2.7 cannot say them for a part of it.

use serde::Serialize;

use crate::sample::RawFlow;
use crate::window::Window;

/// One flow of one trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlowFigures {
    /// Number of the flow, from 1.
    pub flow: u32,
    /// Number of the guest that served it, from 1; 0 for bare metal.
    pub guest: u32,
    /// Mean rate in the window, transactions/s; a stall counts as zero.
    pub rate_tps: f64,
    /// Transactions in the window.
    pub transactions: f64,
    /// Mean latency in the window, 10^6/rate, µs: one transaction is in flight at a time. Undefined at rate 0.
    pub window_latency_us: Option<f64>,
    /// What netperf measured over the whole flow.
    pub latency: NetperfLatency,
    /// TCP retransmissions of both ends over the whole flow; `None` if unknown.
    pub retransmissions: Option<u64>,
    /// Longest time without a completed transaction that overlaps the window, s; never under the interim interval.
    pub longest_silence_s: f64,
    /// Part of the window that interim results cover, %.
    pub coverage_percent: f64,
}

/// Latencies in netperf's final result, µs, over the whole flow including the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct NetperfLatency {
    /// Shortest transaction.
    pub min_us: Option<f64>,
    /// Mean.
    pub mean_us: Option<f64>,
    /// 50th percentile, from netperf's histogram.
    pub p50_us: Option<f64>,
    /// 90th percentile.
    pub p90_us: Option<f64>,
    /// 99th percentile.
    pub p99_us: Option<f64>,
    /// Longest transaction.
    pub max_us: Option<f64>,
    /// Standard deviation.
    pub sd_us: Option<f64>,
}

impl FlowFigures {
    /// The figures of `flow` in `window`.
    pub(super) fn of(flow: &RawFlow, window: &Window) -> FlowFigures {
        let rate_tps = window.rate(flow);
        FlowFigures {
            flow: flow.flow,
            guest: flow.guest,
            rate_tps,
            transactions: window.work(flow),
            window_latency_us: (rate_tps > 0.0).then(|| 1e6 / rate_tps),
            latency: NetperfLatency::of(flow),
            retransmissions: retransmissions(flow),
            longest_silence_s: window.longest_silence(flow),
            coverage_percent: 100.0 * window.coverage(flow),
        }
    }
}

impl NetperfLatency {
    fn of(flow: &RawFlow) -> NetperfLatency {
        NetperfLatency {
            min_us: result(flow, "MIN_LATENCY"),
            mean_us: result(flow, "MEAN_LATENCY"),
            p50_us: result(flow, "P50_LATENCY"),
            p90_us: result(flow, "P90_LATENCY"),
            p99_us: result(flow, "P99_LATENCY"),
            max_us: result(flow, "MAX_LATENCY"),
            sd_us: result(flow, "STDDEV_LATENCY"),
        }
    }
}

/// A number of netperf's final result; −1 is its word for "unknown".
pub(super) fn result(flow: &RawFlow, key: &str) -> Option<f64> {
    flow.result.get(key)?.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}

fn retransmissions(flow: &RawFlow) -> Option<u64> {
    let local = result(flow, "LOCAL_TRANSPORT_RETRANS")?;
    Some((local + result(flow, "REMOTE_TRANSPORT_RETRANS")?) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

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
        assert_eq!(NetperfLatency::of(&flow).p99_us, Some(2000.0));
        flow.result.clear();
        assert_eq!(NetperfLatency::of(&flow), NetperfLatency::default());
    }

    #[test]
    fn the_latency_of_a_closed_loop_is_the_inverse_of_its_rate() {
        let window = Window { start_s: fixture::START + 2.0, end_s: fixture::START + 12.0 };
        let figures = FlowFigures::of(&fixture::flow(1, 1, 2000.0), &window);
        assert!((figures.window_latency_us.unwrap() - 500.0).abs() < 1e-6);
        assert!((figures.transactions - 20_000.0).abs() < 1e-6);
    }

    #[test]
    fn a_flow_that_stands_still_has_no_latency() {
        let window = Window { start_s: fixture::START, end_s: fixture::START + 10.0 };
        let figures = FlowFigures::of(&fixture::flow(1, 1, 0.0), &window);
        assert_eq!((figures.rate_tps, figures.window_latency_us), (0.0, None));
    }
}
