//! Outliers among repeats: labelled, never removed.

use super::summary::quantile;

/// How far outside a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlier {
    /// Beyond 1.5 interquartile ranges from the nearer quartile.
    Mild,
    /// Beyond 3 of them.
    Severe,
}

/// Fewer values have no quartiles worth the name.
const FEWEST: usize = 5;

/// Tukey's fences (Exploratory Data Analysis, 1977): a label for each value, in the order given.
pub fn outliers(values: &[f64]) -> Vec<Option<Outlier>> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quartiles = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let (Some(low), Some(high)) = quartiles else { return vec![None; values.len()] };
    let range = high - low;
    let label = |value: &f64| {
        let outside = f64::max(low - value, value - high);
        match () {
            () if values.len() < FEWEST || outside <= 1.5 * range => None,
            () if outside <= 3.0 * range => Some(Outlier::Mild),
            () => Some(Outlier::Severe),
        }
    };
    values.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_beyond_the_fences_are_labelled_where_they_stand() {
        let found = outliers(&[10.0, 30.0, 11.0, 12.0, 13.0, 9.0, 17.5]);
        assert_eq!(found, [None, Some(Outlier::Severe), None, None, None, None, None]);
        assert_eq!(outliers(&[10.0, 11.0, 12.0, 13.0, 14.0, 18.5])[5], Some(Outlier::Mild));
    }

    #[test]
    fn three_repeats_have_no_outliers() {
        assert_eq!(outliers(&[1.0, 1.0, 100.0]), [None; 3]);
    }

    proptest! {
        #[test]
        fn at_most_half_of_the_values_are_outliers(values in prop::collection::vec(-1e6..1e6_f64, 0..40)) {
            let found = outliers(&values);
            prop_assert_eq!(found.len(), values.len());
            prop_assert!(2 * found.iter().flatten().count() <= values.len());
        }
    }
}
