//! As written: `[gate]`, what `kvmfair gate` judges against a baseline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Time;

/// `[gate]`: what `kvmfair gate` judges against a baseline.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenGate {
    /// columns of `trials.csv` that are judged, each with an optional direction and threshold, for example
    /// ["total_rate_tps", "p99_latency_us 10 %", "excess_bias_rate_points 3", "packet_check_ratio lower 0.1"]; by default rate or
    /// throughput, P99 latency, CPU cost and rate bias beyond noise
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub metrics: Option<Vec<String>>,
    /// smallest worsening of a rate, a latency or a cost that matters, in per cent (default 5)
    #[schemars(range(max = 99))]
    pub threshold_percent: Option<f64>,
    /// smallest worsening of a fairness metric that matters, in points (default 2)
    #[schemars(range(max = 100))]
    pub threshold_points: Option<f64>,
    /// blocks after which undecided configurations are inconclusive (default 15); judged after 5, 10 and the last
    #[schemars(range(min = 2, max = 100))]
    pub max_blocks: Option<u32>,
    /// no block begins that would end later than this, for example "4 h"; unbounded if left out
    pub max_time: Option<Time>,
}
