//! Location and spread of a few numbers.
//!
//! Knows nothing of confidence: see `interval`.

/// Location and spread of at least one finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n−1); undefined for a single value.
    pub sd: Option<f64>,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Middle value, or the mean of the two middle ones.
    pub median: f64,
}

impl Summary {
    /// Summarises `values`; `None` if there are none or one of them is not finite.
    pub fn from_values(values: &[f64]) -> Option<Summary> {
        let median = median(values)?;
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        Some(Summary {
            n,
            mean,
            sd: (n > 1).then(|| (squared_deviations(values, mean) / (n - 1) as f64).sqrt()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            median,
        })
    }
}

/// The middle value, or the mean of the two middle ones; `None` if there is none or one value is not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    Some(if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 })
}

/// The sum, +0 for nothing: Rust's `Iterator::sum` says −0, which would show in tables.
pub fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Σ(x−mean)².
pub(super) fn squared_deviations(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(Summary::from_values(&[]), None);
        assert_eq!(Summary::from_values(&[1.0, f64::NAN]), None);
        assert_eq!(Summary::from_values(&[1.0, f64::INFINITY]), None);
    }

    #[test]
    fn one_value_has_no_standard_deviation() {
        let summary = Summary::from_values(&[3.0]).unwrap();
        assert_eq!((summary.mean, summary.sd, summary.median), (3.0, None, 3.0));
    }

    #[test]
    fn the_standard_deviation_is_that_of_a_sample() {
        let summary = Summary::from_values(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(summary.mean, 5.0);
        assert_eq!(summary.median, 4.5);
        assert!((summary.sd.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn mean_and_median_lie_between_the_extremes(values in prop::collection::vec(-1e6..1e6_f64, 1..50)) {
            let summary = Summary::from_values(&values).unwrap();
            prop_assert!(summary.min - 1e-9 <= summary.mean && summary.mean <= summary.max + 1e-9);
            prop_assert!(summary.min <= summary.median && summary.median <= summary.max);
        }
    }
}
