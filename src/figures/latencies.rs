//! Latencies of one flow, µs.

use serde::{Deserialize, Serialize};

use super::final_result::result;
use crate::raw::RawFlow;

/// Latencies in netperf's final result, µs, over the whole flow including the warm-up; or of pings in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Shortest transaction.
    pub min_us: Option<f64>,
    /// Mean.
    pub mean_us: Option<f64>,
    /// 50th percentile, of netperf from its histogram.
    pub p50_us: Option<f64>,
    /// 90th percentile.
    pub p90_us: Option<f64>,
    /// 99th percentile; of pings, from a hundred of them on.
    pub p99_us: Option<f64>,
    /// Longest transaction.
    pub max_us: Option<f64>,
    /// Standard deviation.
    pub sd_us: Option<f64>,
}

impl Latencies {
    /// What netperf printed at its end.
    pub(super) fn of_netperf(flow: &RawFlow) -> Latencies {
        Latencies {
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
