//! Figures as answers take them in: one value a trial, with the configuration, the block and the boot that it belongs to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{Observation, means_of_boots};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Larger values, such as rates.
    Higher,
    /// Smaller values, such as latencies.
    Lower,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// As a ratio: rates, latencies, costs.
    Ratio,
    /// As a difference in points: fairness, shares.
    Points,
}

/// A figure that is compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// Column, as in the tables: `total_rate_tps`.
    pub key: String,
    /// For people: `total rate`.
    pub label: String,
    /// `1/s`, `µs`, `%`.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// How it is compared.
    pub measure: Measure,
}

/// One metric of one valid trial.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredValue {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// [`Metric::key`].
    pub metric: String,
    /// Block, the same for all configurations that were measured together.
    pub block: u32,
    /// Boot of the guests; trials of one boot share its luck.
    pub boot: u32,
    /// The figure, in the metric's unit.
    pub value: f64,
}

impl Metric {
    /// A value on the scale on which it is compared: its logarithm, or itself. `None` where there is none.
    pub(super) fn on_scale(&self, value: f64) -> Option<f64> {
        match self.measure {
            Measure::Ratio => (value > 0.0).then(|| value.ln()),
            Measure::Points => Some(value),
        }
        .filter(|value| value.is_finite())
    }

    /// A difference on that scale as people read it: a ratio, or points.
    pub(super) fn off_scale(&self, difference: f64) -> f64 {
        match self.measure {
            Measure::Ratio => difference.exp(),
            Measure::Points => difference,
        }
    }

    /// A threshold, a part or points, as a worsening above 0 on that scale.
    pub(super) fn worsening(&self, threshold: f64) -> f64 {
        match (self.measure, self.rises_when_worse()) {
            (Measure::Points, _) => threshold,
            (Measure::Ratio, true) => threshold.ln_1p(),
            (Measure::Ratio, false) => -(-threshold).ln_1p(),
        }
    }

    /// A worsening on that scale as people read it: per cent, or the metric's unit.
    pub(super) fn in_percent_or_unit(&self, worsening: f64) -> f64 {
        match (self.measure, self.rises_when_worse()) {
            (Measure::Points, _) => worsening,
            (Measure::Ratio, true) => 100.0 * worsening.exp_m1(),
            (Measure::Ratio, false) => -100.0 * (-worsening).exp_m1(),
        }
    }

    /// The mean of the boots' means, geometric for ratios; `None` without values.
    pub fn mean_of_boots<'v>(&self, values: impl IntoIterator<Item = &'v MeasuredValue>) -> Option<f64> {
        let on_scale =
            |own: &MeasuredValue| Some(Observation { boot: own.boot, value: self.on_scale(own.value)? });
        let boots = means_of_boots(&values.into_iter().filter_map(on_scale).collect::<Vec<_>>());
        (!boots.is_empty()).then(|| self.off_scale(boots.iter().sum::<f64>() / boots.len() as f64))
    }

    /// Whether a rise of this figure is a worsening.
    pub(super) fn rises_when_worse(&self) -> bool {
        self.direction == Direction::Lower
    }
}

/// The total rate, for tests.
#[cfg(test)]
pub(super) fn rate() -> Metric {
    Metric {
        key: "total_rate_tps".to_owned(),
        label: "total rate".to_owned(),
        unit: "1/s".to_owned(),
        direction: Direction::Higher,
        measure: Measure::Ratio,
    }
}
