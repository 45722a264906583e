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
    pub(super) fn compute(trials: &[&TrialFigures]) -> WeightedJain {
        let sharings: Vec<&Sharing> =
            trials.iter().filter_map(|trial| Some(&trial.valid()?.sharing)).collect();
        let over = |index: fn(&Sharing) -> Option<f64>| {
            Interval::from_repeats(
                &sharings.iter().filter_map(|sharing| index(sharing)).collect::<Vec<f64>>(),
            )
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
    use super::*;
    use crate::figures::{fixture, summarise};
    use crate::profile::Role;
    use crate::profile::groups::{CpuSettings, Members};

    /// Three repeats of two guests on a host without idle time, the first with about twice the rate of the second.
    fn weighted(shares: &[u32]) -> WeightedJain {
        let configuration = fixture::configuration("virtio", 2);
        let members = |(first, shares): (u32, &u32)| Members {
            name: format!("group {first}"),
            first,
            guests: 1,
            role: Role::Measured,
            cpu: CpuSettings { shares: Some(*shares), ..CpuSettings::default() },
            bandwidth_bps: None,
            rate_bps: None,
            cgroup: false,
        };
        let trial = |repeat: u32| {
            let mut raw = fixture::trial(configuration.clone(), &[2000.0 + 10.0 * f64::from(repeat), 1000.0]);
            raw.groups = (1..).zip(shares).map(members).collect();
            raw.host.iter_mut().for_each(|sample| (sample.cpu.idle, sample.cpu.iowait) = (0.0, 0.0));
            TrialFigures::compute(&fixture::numbered(raw, repeat, repeat), &fixture::timing())
        };
        summarise(std::slice::from_ref(&configuration), &[1, 2, 3].map(trial))[0].weighted
    }

    #[test]
    fn indices_by_weight_are_summarised_over_the_valid_repeats() {
        let found = weighted(&[1024, 512]);
        let rate = found.rate.expect("weights decide");
        assert_eq!(rate.n, 3);
        assert!(rate.mean > 0.999 && rate.half_width.is_some());
        assert!(found.cpu.expect("the same").mean < rate.mean);
        // Groups of one guest each are as fair as their guests.
        assert!((found.groups_rate.expect("the same").mean - rate.mean).abs() < 1e-9);
    }

    #[test]
    fn without_groups_there_are_none() {
        assert_eq!(weighted(&[]), WeightedJain::default());
    }
}
