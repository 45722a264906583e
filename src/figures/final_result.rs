//! The numbers of netperf's final result.

use crate::raw::RawFlow;

/// A number of netperf's final result; −1 is its word for "unknown".
pub(super) fn result(flow: &RawFlow, key: &str) -> Option<f64> {
    flow.result.get(key)?.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}
