//! Tails and quantiles of the distributions that tests and intervals use.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, FisherSnedecor, Normal, StudentsT};

/// A quantile of Student's t, 2.776 for 0.975 and four degrees of freedom; `None` for none of these.
pub(crate) fn t_quantile(part: f64, degrees: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(part))
}

/// P(T > t) of Student's t.
pub(crate) fn t_upper_tail(t: f64, degrees: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, degrees).ok()?.sf(t))
}

/// P(F > f) of Fisher's F; 0 for an infinite f.
pub(crate) fn f_upper_tail(f: f64, numerator: f64, denominator: f64) -> Option<f64> {
    let distribution = FisherSnedecor::new(numerator, denominator).ok()?;
    Some(if f.is_infinite() { 0.0 } else { distribution.sf(f.max(0.0)) })
}

/// P(X ≥ found) if each of so many cases has something with this probability, independently.
pub fn chance_of_as_many(found: u64, cases: u64, probability: f64) -> f64 {
    let Some(fewer) = found.checked_sub(1) else { return 1.0 };
    Binomial::new(probability, cases).map_or(1.0, |distribution| distribution.sf(fewer))
}

/// P(Z ≤ z) of the standard normal distribution.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_agree_with_printed_tables() {
        assert!((t_quantile(0.975, 4.0).unwrap() - 2.776).abs() < 5e-4);
        assert!((t_upper_tail(2.132, 4.0).unwrap() - 0.05).abs() < 1e-4);
        assert!((f_upper_tail(5.19, 4.0, 5.0).unwrap() - 0.05).abs() < 1e-4);
        assert_eq!(f_upper_tail(f64::INFINITY, 4.0, 5.0), Some(0.0));
    }

    #[test]
    fn two_of_eighteen_are_more_than_one_in_a_hundred_explains() {
        assert!((chance_of_as_many(1, 1, 0.01) - 0.01).abs() < 1e-12);
        assert!((chance_of_as_many(2, 18, 0.01) - 0.0138).abs() < 1e-4);
        assert_eq!(chance_of_as_many(0, 18, 0.01), 1.0);
    }

    #[test]
    fn no_degrees_of_freedom_have_no_tail() {
        assert_eq!(t_quantile(0.975, 0.0), None);
        assert_eq!(f_upper_tail(1.0, 0.0, 5.0), None);
    }
}
