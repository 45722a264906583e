//! The smallest change that a gate can see, before it runs: from the baseline's own variance.

use serde::Serialize;

use super::Analysis;
use crate::stats::smallest_visible;

/// Chance with which a change is to be found.
const POWER: f64 = 0.9;
/// More blocks than anybody would wait for.
const MOST_BLOCKS: usize = 200;

/// What a gate can see of one metric and configuration, on the metric's own scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Power {
    /// Smallest worsening that is found in 90 % after the last analysis.
    pub smallest: f64,
    /// Whether that is decided by noise and not by the threshold alone.
    pub is_limited_by_noise: bool,
    /// Fewest blocks on each side with which noise would hide no change of the threshold's size; `None`: more than 200.
    pub blocks_for_threshold: Option<usize>,
}

impl Power {
    /// From the variance between boots (of logarithms, or of points), the baseline's boots, and the number of comparisons in the
    /// family, the first of which Holm judges at α ÷ number. `None` for a baseline of fewer than two boots.
    pub fn before_run(
        variance: f64,
        base_boots: usize,
        comparisons: usize,
        threshold: f64,
        last: Analysis,
    ) -> Option<Power> {
        let level = last.level / comparisons.max(1) as f64;
        let visible = |base: usize, new: usize, level: f64| {
            let error = (variance / base as f64 + variance / new as f64).sqrt();
            smallest_visible(error, (base + new) as f64 - 2.0, level, POWER)
        };
        if base_boots < 2 {
            return None;
        }
        let by_noise = visible(base_boots, last.blocks, level)?;
        // The estimate itself must be beyond the threshold, in 90 % as well.
        let by_threshold = threshold + visible(base_boots, last.blocks, 0.5)?;
        let is_enough =
            |blocks: &usize| visible(*blocks, *blocks, level).is_some_and(|seen| seen <= threshold);
        Some(Power {
            smallest: by_noise.max(by_threshold),
            is_limited_by_noise: by_noise > by_threshold,
            blocks_for_threshold: (2..=MOST_BLOCKS).find(is_enough),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> Analysis {
        Analysis::schedule(15)[2]
    }

    #[test]
    fn a_quiet_baseline_sees_little_more_than_the_threshold() {
        let power = Power::before_run(1e-6, 15, 80, 0.05, last()).unwrap();
        assert!((0.05..0.052).contains(&power.smallest) && !power.is_limited_by_noise, "{power:?}");
        assert_eq!(power.blocks_for_threshold, Some(2));
    }

    #[test]
    fn a_noisy_one_says_how_many_blocks_it_would_need() {
        let power = Power::before_run(0.05_f64.powi(2), 5, 80, 0.05, last()).unwrap();
        assert!(power.is_limited_by_noise && power.smallest > 0.1, "{power:?}");
        assert!(power.blocks_for_threshold.unwrap() > 15);
        assert_eq!(Power::before_run(0.01, 1, 80, 0.05, last()), None);
    }
}
