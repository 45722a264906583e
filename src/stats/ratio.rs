//! Ratios of two configurations with their confidence interval.

use super::{Ends, Estimate, Interval};

/// A ratio with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Blocks behind it.
    pub n: usize,
    /// Geometric mean of the blocks' ratios.
    pub ratio: f64,
    /// Lower end of the interval; undefined for fewer than two blocks.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Smallest ratio of a block.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

impl From<Ratio> for Estimate {
    /// Blocks take the place of boots.
    fn from(Ratio { n, ratio, low, high, min, max }: Ratio) -> Estimate {
        let (low_high, ends) = (low.zip(high), Ends::OverBoots);
        Estimate { trials: n, boots: n, mean: ratio, low_high, ends, min, max }
    }
}

impl Ratio {
    /// B ÷ A over pairs (A, B) measured in the same block: Student's interval of the mean log ratio, back from the
    /// logarithm. Pairing takes out what changed from block to block. `None` if there are no pairs, or a value is not
    /// positive and finite.
    pub fn from_pairs(pairs: &[(f64, f64)]) -> Option<Ratio> {
        let logarithms: Vec<f64> = pairs.iter().map(|(a, b)| (b / a).ln()).collect();
        if pairs.iter().any(|(a, b)| !(*a > 0.0 && *b > 0.0)) {
            return None;
        }
        let Interval { n, mean, half_width, min, max } = Interval::from_repeats(&logarithms)?;
        let end = |sign: f64| half_width.map(|half| (mean + sign * half).exp());
        Some(Ratio { n, ratio: mean.exp(), low: end(-1.0), high: end(1.0), min: min.exp(), max: max.exp() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Source;

    #[test]
    fn what_both_share_in_a_block_takes_no_part() {
        let ratio = Ratio::from_pairs(&[(100.0, 50.0), (300.0, 150.0), (70.0, 35.0)]).unwrap();
        assert!((ratio.ratio - 0.5).abs() < 1e-12);
        assert!((ratio.high.unwrap() - ratio.low.unwrap()).abs() < 1e-9);
    }

    #[test]
    fn a_single_block_has_a_ratio_and_no_interval() {
        let ratio = Ratio::from_pairs(&[(2.0, 3.0)]).unwrap();
        assert!((ratio.ratio - 1.5).abs() < 1e-12);
        assert_eq!((ratio.low, ratio.high), (None, None));
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(Ratio::from_pairs(&[]), None);
        assert_eq!(Ratio::from_pairs(&[(0.0, 1.0)]), None);
        assert_eq!(Ratio::from_pairs(&[(1.0, f64::NAN)]), None);
    }

    /// Two samples of the same thing must not look different more often than one time in twenty.
    #[test]
    fn two_equal_configurations_are_told_apart_in_five_percent_of_cases() {
        let mut source = Source::seeded(20_120_714);
        let cases = 10_000;
        let false_alarms = (0..cases).filter(|_| {
            let mut pair = || {
                let block = 1000.0 * f64::exp(0.5 * source.normal());
                (block * f64::exp(0.08 * source.normal()), block * f64::exp(0.08 * source.normal()))
            };
            let ratio = Ratio::from_pairs(&[(); 5].map(|()| pair())).unwrap();
            ratio.low.unwrap() > 1.0 || ratio.high.unwrap() < 1.0
        });
        let rate = false_alarms.count() as f64 / f64::from(cases);
        assert!((rate - 0.05).abs() < 0.01, "{rate}");
    }
}
