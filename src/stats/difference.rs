//! The difference of two configurations, with its error: paired by block, or of two independent sets of boots.
//!
//! Rates and latencies are compared as logarithms (a ratio), figures in points as they are.

use super::Summary;
use super::distribution::{t_quantile, t_upper_tail};

/// An estimated difference, new − base, and how far it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// New − base: a logarithm of a ratio, or points.
    pub estimate: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom of the error.
    pub degrees: f64,
    /// Blocks, or boots of the smaller side, behind it.
    pub n: usize,
}

impl Difference {
    /// Of pairs (base, new) measured in the same block: what a block does to both takes no part. `None` for fewer than two.
    pub fn paired(pairs: &[(f64, f64)]) -> Option<Difference> {
        let differences: Vec<f64> = pairs.iter().map(|(base, new)| new - base).collect();
        let Summary { n, mean, sd, .. } = Summary::from_values(&differences)?;
        Some(Difference { estimate: mean, error: sd? / (n as f64).sqrt(), degrees: n as f64 - 1.0, n })
    }

    /// Of two independent sets, each at least two (Welch, Biometrika 34, 1947).
    pub fn welch(base: &[f64], new: &[f64]) -> Option<Difference> {
        let (a, b) = (Summary::from_values(base)?, Summary::from_values(new)?);
        let part = |side: &Summary| Some(side.sd?.powi(2) / side.n as f64);
        let (va, vb) = (part(&a)?, part(&b)?);
        let each = |variance: f64, n: usize| variance.powi(2) / (n as f64 - 1.0);
        let degrees = (va + vb).powi(2) / (each(va, a.n) + each(vb, b.n));
        Some(Difference {
            estimate: b.mean - a.mean,
            error: (va + vb).sqrt(),
            degrees: if degrees.is_finite() { degrees } else { (a.n + b.n) as f64 - 2.0 },
            n: a.n.min(b.n),
        })
    }

    /// One-sided p of "it is not above `bound`". Without any noise it is 0 or 1.
    pub fn p_above(&self, bound: f64) -> f64 {
        let distance = self.estimate - bound;
        if self.error <= 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        t_upper_tail(distance / self.error, self.degrees).unwrap_or(1.0)
    }

    /// One-sided p of "it is not below `bound`".
    pub fn p_below(&self, bound: f64) -> f64 {
        Difference { estimate: -self.estimate, ..*self }.p_above(-bound)
    }

    /// Two-sided p of "there is none".
    pub fn p_two_sided(&self) -> f64 {
        (2.0 * self.p_above(0.0).min(self.p_below(0.0))).min(1.0)
    }

    /// The interval that holds the true difference with this confidence, such as 0.95.
    pub fn interval(&self, confidence: f64) -> (f64, f64) {
        let half = self.half_width(confidence);
        (self.estimate - half, self.estimate + half)
    }

    /// Half of that interval's width.
    pub fn half_width(&self, confidence: f64) -> f64 {
        t_quantile(0.5 + confidence / 2.0, self.degrees).unwrap_or(f64::INFINITY) * self.error
    }

    /// The same difference the other way round: base − new.
    pub fn reversed(&self) -> Difference {
        Difference { estimate: -self.estimate, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_pair_or_one_boot_has_no_known_error() {
        assert_eq!(Difference::paired(&[(1.0, 2.0)]), None);
        assert_eq!(Difference::welch(&[1.0], &[1.0, 2.0]), None);
    }

    /// R: t.test(c(5.1, 4.9, 5.6, 5.0), c(4.1, 4.6, 4.4)) gives t = 3.6504, df = 4.6908 or so for these.
    #[test]
    fn welch_agrees_with_its_formula() {
        let found = Difference::welch(&[1.0, 2.0, 3.0], &[4.0, 6.0, 8.0]).unwrap();
        assert!((found.estimate - 4.0).abs() < 1e-12 && (found.error - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found.degrees - 50.0 / 17.0).abs() < 1e-9, "{}", found.degrees);
    }

    #[test]
    fn without_noise_a_difference_is_certain() {
        let found = Difference::welch(&[1.0, 1.0], &[2.0, 2.0]).unwrap();
        assert_eq!((found.p_above(0.0), found.p_below(0.0), found.p_two_sided()), (0.0, 1.0, 0.0));
        let equal = Difference::paired(&[(1.0, 1.0), (2.0, 2.0)]).unwrap();
        assert_eq!(equal.p_two_sided(), 1.0);
    }

    proptest! {
        #[test]
        fn an_interval_excludes_zero_just_where_p_is_small(pairs in prop::collection::vec((-9.0..9.0_f64, -9.0..9.0_f64), 3..12)) {
            let found = Difference::paired(&pairs).unwrap();
            let (low, high) = found.interval(0.95);
            prop_assume!((found.p_two_sided() - 0.05).abs() > 1e-6);
            prop_assert_eq!(low > 0.0 || high < 0.0, found.p_two_sided() < 0.05);
            prop_assert!((found.p_above(0.3) + found.p_below(0.3) - 1.0).abs() < 1e-6);
        }
    }
}
