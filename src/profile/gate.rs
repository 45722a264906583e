//! What `kvmfair gate` judges: metrics with their thresholds, and how much it may measure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `[gate]`, validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// The metrics; empty: those that `kvmfair compare` compares.
    pub metrics: Vec<GatedMetric>,
    /// Smallest worsening of a ratio that matters, in per cent.
    pub threshold_percent: f64,
    /// Smallest worsening of a figure in points that matters.
    pub threshold_points: f64,
    /// Blocks after which undecided configurations are inconclusive.
    pub max_blocks: u32,
    /// No block begins that would end later than this.
    pub max_time: Option<Duration>,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate {
            metrics: Vec::new(),
            threshold_percent: 5.0,
            threshold_points: 2.0,
            max_blocks: 15,
            max_time: None,
        }
    }
}

/// One metric of `[gate]`, as written: `p99_latency_us 10 %`, `packet_check_ratio lower 0.1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatedMetric {
    /// Column of `trials.csv`.
    pub column: String,
    /// Whether larger values are better; `None`: as the metric itself has it.
    pub higher_is_better: Option<bool>,
    /// Smallest worsening that matters, in per cent or in the metric's unit; `None`: the gate's own.
    pub threshold: Option<f64>,
}

impl GatedMetric {
    /// Reads `COLUMN [higher|lower] [THRESHOLD [UNIT]]`.
    ///
    /// # Errors
    /// With the word that was not understood.
    pub fn parse(text: &str) -> Result<GatedMetric, String> {
        let mut words = text.split_whitespace().peekable();
        let column = words.next().unwrap_or_default().to_owned();
        let direction = words.next_if(|word| ["higher", "lower"].contains(word));
        let threshold = words.next().map(number).transpose()?;
        if threshold.is_some() {
            words.next(); // a unit, for readers
        }
        match words.next() {
            Some(word) => Err(word.to_owned()),
            None => Ok(GatedMetric {
                column,
                higher_is_better: direction.map(|word| word == "higher"),
                threshold,
            }),
        }
    }
}

/// A threshold above 0; a percent sign may follow at once.
fn number(word: &str) -> Result<f64, String> {
    let number = word.trim_end_matches('%').parse::<f64>().ok();
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_written_with_a_direction_and_a_threshold_or_without() {
        let parsed = |text: &str| {
            let GatedMetric { column, higher_is_better, threshold } = GatedMetric::parse(text).unwrap();
            (column, higher_is_better, threshold)
        };
        assert_eq!(parsed("total_rate_tps"), ("total_rate_tps".into(), None, None));
        assert_eq!(parsed("p99_latency_us 10 %"), ("p99_latency_us".into(), None, Some(10.0)));
        assert_eq!(parsed("p99_latency_us 10%"), ("p99_latency_us".into(), None, Some(10.0)));
        let lower = parsed("packet_check_ratio lower 0.1");
        assert_eq!(lower, ("packet_check_ratio".into(), Some(false), Some(0.1)));
        assert_eq!(GatedMetric::parse("total_rate_tps much"), Err("much".to_owned()));
        assert_eq!(GatedMetric::parse("total_rate_tps -3"), Err("-3".to_owned()));
        assert_eq!(GatedMetric::parse("total_rate_tps 5 % or so"), Err("or".to_owned()));
    }
}
