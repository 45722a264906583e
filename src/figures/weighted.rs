//! Fairness by weight over the repeats of a configuration.

use super::{Sharing, TrialFigures};
use crate::stats::Interval;

/// Jain's indices of what each got ÷ its weight, mean and interval of the valid repeats that have one. 1: as the weights want
/// it. Undefined where weights decided nothing in any repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightedJain {
    /// Of the CPU times of all guests but idle ones.
    pub cpu: Option<Interval>,
    /// Of the measured guests' rates.
    pub rate: Option<Interval>,
    /// Of the CPU times of all groups but idle ones.
    pub groups_cpu: Option<Interval>,
    /// Of the measured groups' rates.
    pub groups_rate: Option<Interval>,
}

impl WeightedJain {
    /// Over the trials of one configuration.
    pub(super) fn of(trials: &[&TrialFigures]) -> WeightedJain {
        let sharings: Vec<&Sharing> =
            trials.iter().filter_map(|trial| Some(&trial.valid()?.sharing)).collect();
        let over = |index: fn(&Sharing) -> Option<f64>| {
            Interval::of(&sharings.iter().filter_map(|sharing| index(sharing)).collect::<Vec<f64>>())
        };
        WeightedJain {
            cpu: over(|sharing| sharing.jain_weighted_cpu),
            rate: over(|sharing| sharing.jain_weighted_rate),
            groups_cpu: over(|sharing| sharing.between.jain_weighted_cpu),
            groups_rate: over(|sharing| sharing.between.jain_weighted_rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::figures::summarise;
    use crate::report::fixture;

    #[test]
    fn indices_by_weight_are_summarised_over_the_valid_repeats() {
        let (experiment, _, trials) = fixture::grouped_run();
        let row = &summarise(&experiment.configurations, &trials)[0];
        let rate = row.weighted.rate.expect("weights decide");
        assert_eq!(rate.n, 3);
        assert!(rate.mean > 0.999 && rate.half_width.is_some());
        assert!(row.weighted.cpu.expect("the same").mean < rate.mean);
        // Groups of one guest each are as fair as their guests.
        assert!((row.weighted.groups_rate.expect("the same").mean - rate.mean).abs() < 1e-9);
    }

    #[test]
    fn without_groups_there_are_none() {
        let (experiment, _, trials) = fixture::run();
        let row = &summarise(&experiment.configurations, &trials)[0];
        assert_eq!(row.weighted, Default::default());
    }
}
