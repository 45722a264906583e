//! How evenly n parties share something.
//!
//! Fairness of nothing, of one party, of all zeros or of a negative or missing share is undefined: `None`, never 1.

use serde::{Deserialize, Serialize};

use super::summary::squared_deviations;

/// Indices of fairness between at least two parties, not all of them empty-handed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// 100·(max−min)/mean (Asada 2012); 0 is fair, can exceed 100.
    pub bias_percent: f64,
    /// Coefficient of variation, population σ ÷ mean; 0 is fair.
    pub cv: f64,
    /// (Σx)²/(n·Σx²), from 1/n to 1 = fair (Jain, Chiu, Hawe, DEC-TR-301, 1984); equals 1/(1+CV²).
    pub jain: f64,
    /// 2·Σ i·x₍ᵢ₎/(n·Σx) − (n+1)/n over ascending shares; 0 is fair.
    pub gini: f64,
    /// Smallest share.
    pub min: f64,
    /// Largest share.
    pub max: f64,
    /// Smallest share ÷ mean; 1 is fair.
    pub min_over_mean: f64,
}

impl Fairness {
    /// The indices of `shares`.
    pub fn from_shares(shares: &[f64]) -> Option<Fairness> {
        let n = shares.len() as f64;
        let max = shares.iter().copied().fold(0.0, f64::max);
        if shares.len() < 2 || max == 0.0 || shares.iter().any(|share| !share.is_finite() || *share < 0.0) {
            return None;
        }
        let mut relative: Vec<f64> = shares.iter().map(|share| share / max).collect(); // keeps squares in range
        relative.sort_by(f64::total_cmp);
        let sum: f64 = relative.iter().sum();
        let mean = sum / n;
        Some(Fairness {
            bias_percent: 100.0 * (1.0 - relative[0]) / mean,
            cv: (squared_deviations(&relative, mean) / n).sqrt() / mean,
            jain: sum * sum / (n * relative.iter().map(|share| share * share).sum::<f64>()),
            gini: gini(&relative, sum),
            min: relative[0] * max,
            max,
            min_over_mean: relative[0] / mean,
        })
    }
}

/// Gini's coefficient of ascending shares.
fn gini(ascending: &[f64], sum: f64) -> f64 {
    let n = ascending.len() as f64;
    let ranked: f64 = ascending.iter().zip(1..).map(|(share, rank)| f64::from(rank) * share).sum();
    (2.0 * ranked / (n * sum) - (n + 1.0) / n).max(0.0) // rounding may leave −1e-17
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
    }

    fn shares() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0.0..1e6_f64, 2..70).prop_filter("all zero", |x| x.iter().any(|x| *x > 0.0))
    }

    #[test]
    fn fairness_of_nothing_is_undefined() {
        for undefined in [&[][..], &[5.0], &[0.0, 0.0], &[1.0, f64::NAN], &[1.0, -1.0], &[1.0, f64::INFINITY]]
        {
            assert_eq!(Fairness::from_shares(undefined), None, "{undefined:?}");
        }
    }

    #[test]
    fn equal_shares_are_fair() {
        let fair = Fairness::from_shares(&[20.0; 16]).unwrap();
        assert!(close(fair.bias_percent, 0.0) && close(fair.cv, 0.0) && close(fair.gini, 0.0));
        assert!(close(fair.jain, 1.0) && close(fair.min_over_mean, 1.0));
    }

    #[test]
    fn one_party_that_takes_all_gives_the_worst_indices() {
        let worst = Fairness::from_shares(&[0.0, 0.0, 0.0, 8.0]).unwrap();
        assert!(close(worst.bias_percent, 400.0) && close(worst.jain, 0.25) && close(worst.gini, 0.75));
        assert_eq!((worst.min, worst.max, worst.min_over_mean), (0.0, 8.0, 0.0));
    }

    #[test]
    fn bias_is_the_spread_over_the_mean() {
        assert!(close(Fairness::from_shares(&[90.0, 100.0, 110.0]).unwrap().bias_percent, 20.0));
    }

    #[test]
    fn huge_and_tiny_shares_do_not_overflow() {
        for scale in [1e-300, 1e300] {
            let fairness = Fairness::from_shares(&[scale, 2.0 * scale, 3.0 * scale]).unwrap();
            assert!(close(fairness.jain, 36.0 / 42.0), "{scale}");
        }
    }

    proptest! {
        #[test]
        fn jain_is_one_over_one_plus_cv_squared(x in shares()) {
            let fairness = Fairness::from_shares(&x).unwrap();
            prop_assert!(close(fairness.jain, 1.0 / (1.0 + fairness.cv.powi(2))));
        }

        #[test]
        fn indices_keep_their_ranges(x in shares()) {
            let fairness = Fairness::from_shares(&x).unwrap();
            let n = x.len() as f64;
            prop_assert!(fairness.jain >= 1.0 / n - 1e-9 && fairness.jain <= 1.0 + 1e-9);
            prop_assert!(fairness.gini >= 0.0 && fairness.gini <= 1.0 - 1.0 / n + 1e-9);
            prop_assert!(fairness.bias_percent >= 0.0 && fairness.bias_percent <= 100.0 * n + 1e-6);
            prop_assert!(fairness.min_over_mean >= 0.0 && fairness.min_over_mean <= 1.0 + 1e-9);
        }

        #[test]
        fn scaling_changes_no_index(x in shares(), k in 1e-3..1e3_f64) {
            let scaled: Vec<f64> = x.iter().map(|share| share * k).collect();
            let (a, b) = (Fairness::from_shares(&x).unwrap(), Fairness::from_shares(&scaled).unwrap());
            prop_assert!(close(a.bias_percent, b.bias_percent) && close(a.jain, b.jain));
            prop_assert!(close(a.cv, b.cv) && close(a.gini, b.gini));
        }

        #[test]
        fn order_changes_no_index(x in shares()) {
            let reversed: Vec<f64> = x.iter().rev().copied().collect();
            prop_assert_eq!(Fairness::from_shares(&x), Fairness::from_shares(&reversed));
        }

        #[test]
        fn taking_from_the_poor_makes_it_less_fair(x in shares()) {
            let mut robbed = x.clone();
            robbed.sort_by(f64::total_cmp);
            let gain = robbed[0] / 2.0;
            robbed[0] -= gain;
            *robbed.last_mut().unwrap() += gain;
            let (before, after) = (Fairness::from_shares(&x).unwrap(), Fairness::from_shares(&robbed).unwrap());
            prop_assert!(after.jain <= before.jain + 1e-9 && after.gini >= before.gini - 1e-9);
            prop_assert!(after.bias_percent >= before.bias_percent - 1e-9);
        }
    }
}
