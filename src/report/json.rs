//! The summary for scripts, as JSON.

use serde_json::{Value, json};

use crate::figures::SummaryRow;
use crate::stats::Interval;

/// A row of the summary: its configuration, its repeats, and the columns of `summary.csv` as keys.
pub fn row(row: &SummaryRow) -> Value {
    let values = row.values.iter().map(|(metric, interval)| {
        let Interval { n, mean, half_width, min, max } = interval;
        let value = json!({ "n": n, "mean": mean, "half_width_95": half_width, "min": min, "max": max });
        (metric.column().to_owned(), value)
    });
    let beyond = super::csv::beyond_metrics(row).map(|(name, value)| (name.to_owned(), json!(value)));
    json!({
        "configuration": row.configuration,
        "measured": row.measured,
        "invalid": row.invalid,
        "failed": row.failed,
        "metrics": values.collect::<serde_json::Map<_, _>>(),
        "beyond_metrics": beyond.collect::<serde_json::Map<_, _>>(),
    })
}
