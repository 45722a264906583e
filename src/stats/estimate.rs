//! A figure over the trials of a configuration, with an interval that knows its scale and which trials share a boot.

use super::distribution::t_quantile;
use super::{Interval, Summary};

/// What kind of number a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// May be negative, errors add: points beyond noise, differences.
    Linear,
    /// Positive, errors multiply: rates, latencies, CPU time for one transaction.
    Log,
    /// Positive and skewed, decided by the worst of many: longest transaction, longest stall, bias.
    Skewed,
    /// At most 1 and skewed towards lower values: Jain's index.
    Index,
    /// Between 0 and 100, errors multiply near both: shares of CPU time, shares lost.
    Percent,
    /// Has no interval: trials are tested together.
    Probability,
}

/// What the ends of an interval are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// 95 % confidence interval over boots.
    OverBoots,
    /// 95 % confidence interval of the one boot that all trials share; another boot may lie outside.
    WithinOneBoot,
    /// Smallest and largest trial: too few for an interval of such a figure.
    Extremes,
}

impl Ends {
    /// The word for it in tables.
    pub fn word(self) -> &'static str {
        match self {
            Ends::OverBoots => "95 % over boots",
            Ends::WithinOneBoot => "95 % within one boot",
            Ends::Extremes => "extremes",
        }
    }
}

/// A figure of one trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The guests' boot that the trial ran in.
    pub boot: u32,
    /// The figure.
    pub value: f64,
}

/// A mean with the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Trials behind it.
    pub trials: usize,
    /// Boots behind it; trials of one boot share its luck.
    pub boots: usize,
    /// Arithmetic mean of the boots' means.
    pub mean: f64,
    /// Ends of the interval, each within the figure's bounds; undefined for a single trial.
    pub low_high: Option<(f64, f64)>,
    /// What the ends are.
    pub ends: Ends,
    /// Smallest trial.
    pub min: f64,
    /// Largest trial.
    pub max: f64,
}

/// Fewer units of a skewed figure have no interval that keeps its promise.
const FEWEST_SKEWED: usize = 5;

impl Estimate {
    /// Student's interval on the figure's own scale over the means of boots, or over the trials if all share one boot.
    ///
    /// `None` if there are none or one is not finite.
    pub fn from_observations(observations: &[Observation], scale: Scale) -> Option<Estimate> {
        let values: Vec<f64> = observations.iter().map(|observation| observation.value).collect();
        let Summary { min, max, .. } = Summary::from_values(&values)?;
        let boots = means_of_boots(observations);
        let (units, ends) = match boots.len() {
            1 => (values, Ends::WithinOneBoot),
            _ => (boots.clone(), Ends::OverBoots),
        };
        let interval = interval(&units, scale);
        let extremes = (observations.len() > 1).then_some((min, max));
        Some(Estimate {
            trials: observations.len(),
            boots: boots.len(),
            mean: super::layout::average(&units),
            low_high: interval.or(extremes),
            ends: if interval.is_some() { ends } else { Ends::Extremes },
            min,
            max,
        })
    }

    /// A value without an interval, such as one that follows from the profile.
    pub fn exact(mean: f64) -> Estimate {
        Estimate { trials: 1, boots: 1, mean, low_high: None, ends: Ends::Extremes, min: mean, max: mean }
    }

    /// How many independent values its ends are of.
    fn units(&self) -> usize {
        if self.ends == Ends::OverBoots { self.boots } else { self.trials }
    }

    /// The ends of its interval if these tell anything: of two values t(0.975, 1) = 12.7 tells their distance and nothing else.
    pub fn telling_ends(&self) -> Option<(f64, f64)> {
        self.low_high.filter(|_| self.units() > 2)
    }

    /// The upper end if it tells anything, or the value itself.
    pub fn high(&self) -> f64 {
        self.telling_ends().map_or(self.mean, |(_, high)| high)
    }

    /// The same cut at a bound.
    pub fn at_least(&self, bound: f64) -> Estimate {
        let [mean, min, max] = [self.mean, self.min, self.max].map(|value| value.max(bound));
        let low_high = self.low_high.map(|(low, high)| (low.max(bound), high.max(bound)));
        Estimate { mean, low_high, min, max, ..*self }
    }

    /// Of another figure that falls or rises with this one.
    pub fn map(&self, figure: impl Fn(f64) -> f64) -> Estimate {
        let both = |(low, high): (f64, f64)| {
            let (low, high) = (figure(low), figure(high));
            (low.min(high), low.max(high))
        };
        let (min, max) = both((self.min, self.max));
        Estimate { mean: figure(self.mean), low_high: self.low_high.map(both), min, max, ..*self }
    }

    /// Whether its interval reaches at most so many per cent of the mean to either side.
    pub fn is_within(&self, percent: f64) -> bool {
        let half = |(low, high): (f64, f64)| (self.mean - low).max(high - self.mean);
        let is_interval = self.ends != Ends::Extremes;
        is_interval && self.low_high.is_some_and(|ends| half(ends) <= percent / 100.0 * self.mean.abs())
    }

    /// Whether fewer boots than trials stand behind it, so that its interval is over fewer than `trials` units.
    pub fn shares_boots(&self) -> bool {
        self.boots < self.trials
    }
}

/// The mean of each boot's trials, in the order of the boots' first trials.
pub fn means_of_boots(observations: &[Observation]) -> Vec<f64> {
    let mut boots: Vec<(u32, f64, f64)> = Vec::new();
    for Observation { boot, value } in observations {
        match boots.iter_mut().find(|(own, ..)| own == boot) {
            Some((_, sum, n)) => (*sum, *n) = (*sum + value, *n + 1.0),
            None => boots.push((*boot, *value, 1.0)),
        }
    }
    boots.into_iter().map(|(_, sum, n)| sum / n).collect()
}

/// Ends around the arithmetic mean; `None` where the scale has none for so few units or for such values.
fn interval(units: &[f64], scale: Scale) -> Option<(f64, f64)> {
    match scale {
        Scale::Linear => {
            let Interval { mean, half_width, .. } = Interval::from_repeats(units)?;
            Some((mean - half_width?, mean + half_width?))
        }
        Scale::Percent => percent_interval(units),
        Scale::Log => log_interval(units),
        Scale::Skewed if units.len() >= FEWEST_SKEWED => log_interval(units),
        Scale::Index if units.len() >= FEWEST_SKEWED => {
            let missing: Vec<f64> = units.iter().map(|value| 1.0 - value).collect();
            log_interval(&missing).map(|(low, high)| (1.0 - high, (1.0 - low).min(1.0)))
        }
        Scale::Skewed | Scale::Index | Scale::Probability => None,
    }
}

/// Of what is left to the nearer bound, whose errors multiply near it; of the values themselves where one is at the bound.
fn percent_interval(units: &[f64]) -> Option<(f64, f64)> {
    let is_low = super::layout::average(units) < 50.0;
    let left: Vec<f64> = units.iter().map(|value| if is_low { *value } else { 100.0 - value }).collect();
    let (low, high) = log_interval(&left).or_else(|| interval(&left, Scale::Linear))?;
    let (low, high) = (low.clamp(0.0, 100.0), high.clamp(0.0, 100.0));
    Some(if is_low { (low, high) } else { (100.0 - high, 100.0 - low) })
}

/// Student's interval of the mean logarithm, back from the logarithm and moved to the arithmetic mean: with lognormal values these
/// differ by the same factor, e^(σ²/2), which a skewed figure needs (Cox's interval adds the error of σ²).
fn log_interval(units: &[f64]) -> Option<(f64, f64)> {
    if units.iter().any(|value| *value <= 0.0) {
        return None;
    }
    let logarithms: Vec<f64> = units.iter().map(|value| value.ln()).collect();
    let Summary { n, mean, sd, .. } = Summary::from_values(&logarithms)?;
    let (n, variance) = (n as f64, sd?.powi(2));
    let error = (variance / n + variance.powi(2) / (2.0 * (n + 1.0))).sqrt();
    let half = t_quantile(0.975, n - 1.0)? * error;
    let centre = mean + variance / 2.0;
    Some(((centre - half).exp(), (centre + half).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trials(boots: &[u32], values: &[f64]) -> Vec<Observation> {
        boots.iter().zip(values).map(|(boot, value)| Observation { boot: *boot, value: *value }).collect()
    }

    #[test]
    fn one_trial_has_a_mean_and_no_ends() {
        let one = Estimate::from_observations(&trials(&[0], &[7.0]), Scale::Log).unwrap();
        assert_eq!((one.mean, one.low_high), (7.0, None));
        assert_eq!(Estimate::from_observations(&[], Scale::Log), None);
    }

    #[test]
    fn trials_that_share_a_boot_count_once_and_are_marked() {
        let two =
            Estimate::from_observations(&trials(&[0, 0, 1], &[10.0, 12.0, 13.0]), Scale::Linear).unwrap();
        assert_eq!((two.trials, two.boots, two.mean, two.ends), (3, 2, 12.0, Ends::OverBoots));
        assert!(two.shares_boots());
        let one = Estimate::from_observations(&trials(&[4; 3], &[10.0, 12.0, 13.0]), Scale::Linear).unwrap();
        assert_eq!((one.boots, one.ends), (1, Ends::WithinOneBoot));
    }

    #[test]
    fn few_values_of_a_bounded_figure_have_their_extremes() {
        let jain =
            Estimate::from_observations(&trials(&[0, 1, 2], &[0.97, 0.99, 0.94]), Scale::Index).unwrap();
        assert_eq!((jain.low_high, jain.ends), (Some((0.94, 0.99)), Ends::Extremes));
        let stopped = Estimate::from_observations(&trials(&[0, 1], &[0.0, 4.0]), Scale::Log).unwrap();
        assert_eq!((stopped.low_high, stopped.ends), (Some((0.0, 4.0)), Ends::Extremes));
    }

    proptest! {
        #[test]
        fn no_interval_passes_a_bound(values in prop::collection::vec(0.001..1.0_f64, 2..12)) {
            let boots: Vec<u32> = (0..12).collect();
            for scale in [Scale::Log, Scale::Skewed, Scale::Index] {
                let found = Estimate::from_observations(&trials(&boots, &values), scale).unwrap();
                let (low, high) = found.low_high.unwrap();
                prop_assert!(low <= high);
                let within = if scale == Scale::Index { high <= 1.0 } else { low >= 0.0 };
                prop_assert!(within);
            }
        }
    }
}
