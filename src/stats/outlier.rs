//! Outliers among repeats: labelled, never removed.

use super::Summary;
use super::distribution::t_upper_tail;

/// How far a value lies from the others, and whether chance explains it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// The value ÷ the geometric mean of the others − 1.
    pub deviation: f64,
    /// Probability that one of the repeats lies so far out, by chance and on either side: Student's t of its logarithm against the
    /// others (the externally studentized residual; Cook and Weisberg, Residuals and Influence in Regression, 1982).
    pub p: f64,
}

/// Each value against all others, in the order given; `None` for fewer than three values, and where one is not positive and finite.
pub fn outliers(values: &[f64]) -> Option<Vec<Outlier>> {
    let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let Summary { n, mean, sd, .. } = Summary::from_values(&logarithms)?;
    let all = Logarithms { n: n as f64, mean, variance: sd?.powi(2) };
    logarithms.into_iter().map(|value| all.without(value)).collect()
}

/// Values of which each is held against the others; so those are not gone through again for each.
struct Logarithms {
    n: f64,
    mean: f64,
    /// Of a sample (divisor n−1).
    variance: f64,
}

impl Logarithms {
    /// One of the values against the others, whose mean and squared distances follow from those of all (Cook and Weisberg, 2.2.1).
    fn without(&self, value: f64) -> Option<Outlier> {
        let (others, from_all) = (self.n - 1.0, value - self.mean);
        let distance = from_all * self.n / others;
        let squares = (self.variance * others - from_all * distance).max(0.0);
        let error = (squares / (others - 1.0) * (1.0 + 1.0 / others)).sqrt();
        let tail = match error > 0.0 {
            true => t_upper_tail(distance.abs() / error, others - 1.0)?,
            false => f64::from(u8::from(distance.abs() < 1e-12)) / 2.0,
        };
        let is_defined = self.n > 2.0 && distance.is_finite();
        is_defined.then(|| Outlier { deviation: distance.exp() - 1.0, p: (2.0 * tail).min(1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Source;

    #[test]
    fn a_value_far_from_the_others_has_a_small_p_and_its_distance() {
        let found = outliers(&[100.0, 101.0, 50.0, 99.0, 100.5]).unwrap();
        assert!(found[2].p < 1e-3 && (found[2].deviation + 0.5).abs() < 0.01, "{found:?}");
        assert!(found.iter().enumerate().all(|(index, one)| index == 2 || one.p > 0.1), "{found:?}");
    }

    #[test]
    fn two_values_and_what_is_not_positive_have_no_outliers() {
        assert_eq!(outliers(&[1.0, 9.0]), None);
        assert_eq!(outliers(&[1.0, 0.0, 2.0]), None);
        assert!(outliers(&[5.0; 4]).unwrap().iter().all(|one| one.p == 1.0));
    }

    #[test]
    fn a_fair_value_is_as_far_out_as_its_p_says() {
        let mut source = Source::seeded(1977);
        let mut is_far = || outliers(&[(); 5].map(|()| (0.1 * source.normal()).exp())).unwrap()[0].p < 0.01;
        let far = (0..20_000).filter(|_| is_far()).count() as f64 / 20_000.0;
        assert!((far - 0.01).abs() < 0.003, "{far}");
    }
}
