//! Many tests at once: Holm's correction, so that a family of unchanged comparisons rarely holds even one false alarm.

/// Adjusted p-values in the order given: reject those at or below the level (Holm, Scandinavian Journal of Statistics 6, 1979).
///
/// The i-th smallest of m is multiplied by m − i + 1, never below the one before it, and at most 1. What is not a number counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut largest) = (vec![1.0; p.len()], 0.0_f64);
    for (place, index) in order.into_iter().enumerate() {
        largest = largest.max((p.len() - place) as f64 * p[index]).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_textbook_case() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
    }

    proptest! {
        #[test]
        fn it_never_lowers_a_p_value_and_never_passes_bonferroni(p in prop::collection::vec(0.0..=1.0_f64, 0..40)) {
            for (own, adjusted) in p.iter().zip(holm(&p)) {
                prop_assert!(adjusted >= *own && adjusted <= (own * p.len() as f64).min(1.0) + 1e-12);
            }
        }
    }
}
