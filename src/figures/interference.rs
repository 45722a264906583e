//! Interference: the measured guests with background load against the same without, block by block.

use super::{Metric, TrialFigures, isolation};
use crate::profile::{Background, Configuration, Factor};
use crate::stats::{Estimate, Ratio};

/// Ratios to the same block without background; `None` where there is no such block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interference {
    /// Rate of the measured guests. 1 − it is what they lost.
    pub rate: Option<Ratio>,
    /// Their mean latency.
    pub mean_latency: Option<Ratio>,
    /// Their P99.
    pub p99_latency: Option<Ratio>,
    /// Their longest transaction.
    pub max_latency: Option<Ratio>,
    /// How much their latency rises with their neighbours' load; see `figures/isolation.rs`.
    pub isolation: Option<Estimate>,
}

impl Interference {
    /// Of a configuration with background.
    pub(super) fn compute(configuration: &Configuration, trials: &[TrialFigures]) -> Interference {
        if matches!(configuration.background, Background::None | Background::AsWritten) {
            return Interference::default();
        }
        let pairs = |value: &FigureValue| Ratio::from_pairs(&pairs(value, configuration, trials));
        let ratio = |metric: Metric| pairs(&|trial| metric.value(trial));
        Interference {
            rate: pairs(&|trial| {
                let numbers = trial.numbers.as_ref().filter(|numbers| numbers.total.unit.is_result())?;
                Some(numbers.total.rate)
            }),
            mean_latency: ratio(Metric::MeanLatency),
            p99_latency: ratio(Metric::P99Latency),
            max_latency: ratio(Metric::MaxLatency),
            isolation: isolation::index(configuration, trials),
        }
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        self.rate.is_some() || self.mean_latency.is_some()
    }
}

/// Something of a trial.
type FigureValue<'v> = dyn Fn(&TrialFigures) -> Option<f64> + 'v;

/// Values alone and with background, of the blocks that have both.
fn pairs(value: &FigureValue, configuration: &Configuration, trials: &[TrialFigures]) -> Vec<(f64, f64)> {
    let alone = |other: &Configuration| {
        let same = |factor: &Factor| configuration.value(*factor) == other.value(*factor);
        other.background == Background::None
            && Factor::ALL.iter().filter(|factor| **factor != Factor::Background).all(same)
    };
    let value = |trial: &TrialFigures| value(trial).filter(|_| trial.valid().is_some());
    let own = trials.iter().filter(|trial| trial.configuration == *configuration);
    let pair = |trial: &TrialFigures| {
        let baseline =
            trials.iter().find(|other| other.repeat == trial.repeat && alone(&other.configuration));
        Some((value(baseline?)?, value(trial)?))
    };
    own.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    fn trial(background: Background, repeat: u32, rate: f64) -> TrialFigures {
        let configuration = Configuration { background, ..fixture::configuration("virtio", 2) };
        let raw = fixture::numbered(fixture::trial(configuration, &[rate, rate]), repeat, repeat);
        TrialFigures::compute(&raw, &fixture::timing())
    }

    #[test]
    fn a_block_is_compared_with_its_own_baseline() {
        let trials = [
            trial(Background::None, 1, 1000.0),
            trial(Background::CpuBurner, 1, 500.0),
            trial(Background::None, 2, 2000.0),
            trial(Background::CpuBurner, 2, 1000.0),
        ];
        let loaded = Interference::compute(&trials[1].configuration, &trials);
        let close = |ratio: Option<Ratio>, expected: f64| (ratio.unwrap().ratio - expected).abs() < 1e-6;
        assert!(close(loaded.rate, 0.5) && close(loaded.mean_latency, 2.0));
        assert_eq!(loaded.rate.unwrap().n, 2);
    }

    #[test]
    fn the_baseline_is_not_compared_with_itself_and_a_block_without_one_with_nothing() {
        let trials = [trial(Background::None, 1, 1000.0), trial(Background::NetLoad, 2, 500.0)];
        assert_eq!(Interference::compute(&trials[0].configuration, &trials), Interference::default());
        assert!(!Interference::compute(&trials[1].configuration, &trials).is_known());
    }
}
