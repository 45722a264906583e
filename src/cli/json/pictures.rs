//! What lines of `chart --json` hold.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// A picture of one metric.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChartEvent {
    /// The written file.
    pub path: PathBuf,
    /// `png`, `svg` or `pdf`.
    pub format: &'static str,
    /// Column of the metric.
    pub metric: &'static str,
    /// Names of the runs.
    pub runs: Vec<String>,
    /// Width of the picture as PNG, pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Its smallest type where it fills a slide of 13.33 × 7.5 inches, or a sheet of A4, pt.
    pub smallest_type_pt: f64,
}

/// A metric that can be drawn.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChartMetricEvent {
    /// Its column.
    pub metric: &'static str,
    /// Its unit; empty for a ratio.
    pub unit: &'static str,
    /// Its name in headings.
    pub label: &'static str,
}
