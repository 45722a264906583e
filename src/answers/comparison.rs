//! Two runs against each other: configurations by id, each metric with a ratio or points, an interval and a verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Analysis, MeasuredValue, Metric, Verdict, Worsening, decide};
use crate::stats::{Difference, Observation, means_of_boots};

/// One metric of one configuration on one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ComparedSide {
    /// Valid trials.
    pub trials: usize,
    /// Boots that these ran in.
    pub boots: usize,
    /// Mean of the boots' means: geometric for ratios, so that the ratio of two sides is the change.
    pub mean: f64,
}

/// One metric of one configuration, base against new.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// What is compared.
    pub metric: Metric,
    /// The run to compare with.
    pub base: ComparedSide,
    /// The run that is judged.
    pub new: ComparedSide,
    /// New ÷ base, or new − base in points.
    pub change: f64,
    /// 95 % interval of `change`; undefined for fewer than two units on a side.
    pub interval: Option<(f64, f64)>,
    /// Whether a side has trials of one boot only: its trials are the units, and the interval cannot know a boot's luck.
    pub is_within_one_boot: bool,
    /// Smallest worsening that matters, as a ratio above 1 or below, or in points.
    pub threshold: f64,
    /// Judged together with all the others of the family.
    pub verdict: Verdict,
}

/// Values of one side by (configuration, metric).
type Sides<'a> = BTreeMap<(&'a str, &'a str), Vec<Observation>>;

/// Compares every configuration and metric that both sides have, in the order of `metrics` and of the configurations' ids.
///
/// `threshold` gives the smallest worsening that matters: a part such as 0.05 for ratios, points for points. The unit is the
/// boot; a side with one boot is compared by its trials, and marked. What an analysis that is not the last leaves undecided is
/// inconclusive.
pub fn compare(
    metrics: &[Metric],
    base: &[MeasuredValue],
    new: &[MeasuredValue],
    threshold: impl Fn(&Metric) -> f64,
    analysis: Analysis,
) -> Vec<Comparison> {
    let pairs: Vec<(Pair, f64)> = metrics
        .iter()
        .flat_map(|metric| {
            let (base, new) = (sides(metric, base), sides(metric, new));
            let both =
                |(id, base): (&(&str, &str), &Vec<Observation>)| Pair::new(id.0, metric, base, new.get(id)?);
            base.iter().filter_map(both).map(|pair| (pair, threshold(metric))).collect::<Vec<_>>()
        })
        .collect();
    let family: Vec<Option<Worsening>> =
        pairs.iter().map(|(pair, threshold)| pair.worsening(*threshold)).collect();
    let verdicts = decide(&family, analysis);
    let judged = pairs.into_iter().zip(verdicts);
    judged
        .map(|((pair, threshold), verdict)| pair.judged(threshold, verdict.unwrap_or(Verdict::Inconclusive)))
        .collect()
}

fn sides<'a>(metric: &'a Metric, values: &'a [MeasuredValue]) -> Sides<'a> {
    let mut sides = Sides::new();
    for value in values.iter().filter(|value| value.metric == metric.key) {
        let Some(on_scale) = metric.on_scale(value.value) else { continue };
        let observation = Observation { boot: value.boot, value: on_scale };
        sides.entry((&value.configuration, &metric.key)).or_default().push(observation);
    }
    sides
}

/// Both sides of one comparison, on the metric's scale.
struct Pair {
    configuration: String,
    metric: Metric,
    base: ComparedSide,
    new: ComparedSide,
    estimate: f64,
    difference: Option<Difference>,
    is_within_one_boot: bool,
}

impl Pair {
    fn new(id: &str, metric: &Metric, base: &[Observation], new: &[Observation]) -> Option<Pair> {
        let (base_boots, new_boots) = (means_of_boots(base), means_of_boots(new));
        let is_within_one_boot = base_boots.len() < 2 || new_boots.len() < 2;
        let units = |all: &[Observation], boots: &[f64]| match boots.len() {
            1 => all.iter().map(|observation| observation.value).collect(),
            _ => boots.to_vec(),
        };
        let mean = |units: &[f64]| units.iter().sum::<f64>() / units.len() as f64;
        let side = |all: &[Observation], boots: &[f64]| ComparedSide {
            trials: all.len(),
            boots: boots.len(),
            mean: metric.off_scale(mean(boots)),
        };
        Some(Pair {
            configuration: id.to_owned(),
            metric: metric.clone(),
            base: side(base, &base_boots),
            new: side(new, &new_boots),
            estimate: mean(&new_boots) - mean(&base_boots),
            difference: Difference::welch(&units(base, &base_boots), &units(new, &new_boots)),
            is_within_one_boot,
        })
    }

    /// On the metric's scale, above 0 is worse; `None` within one boot: its luck cannot be told from a change.
    fn worsening(&self, threshold: f64) -> Option<Worsening> {
        let difference = self.difference.filter(|_| !self.is_within_one_boot)?;
        let turned = if self.metric.rises_when_worse() { difference } else { difference.reversed() };
        Some(Worsening { difference: turned, threshold: self.metric.worsening(threshold) })
    }

    fn judged(self, threshold: f64, verdict: Verdict) -> Comparison {
        let off_scale = |value: f64| self.metric.off_scale(value);
        let interval = self.difference.map(|difference| difference.interval(0.95));
        Comparison {
            base: self.base,
            new: self.new,
            change: off_scale(self.estimate),
            interval: interval.map(|(low, high)| (off_scale(low), off_scale(high))),
            is_within_one_boot: self.is_within_one_boot,
            threshold,
            verdict,
            configuration: self.configuration,
            metric: self.metric,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Direction;
    use crate::answers::input::rate;

    fn values(configuration: &str, factor: f64, boots: u32) -> Vec<MeasuredValue> {
        let noise = [0.0, 1.0, -1.0, 0.5, -0.5, 0.2, -0.2];
        let value = |boot: u32| MeasuredValue {
            configuration: configuration.to_owned(),
            metric: "total_rate_tps".to_owned(),
            block: boot,
            boot,
            value: factor * (1000.0 + noise[boot as usize % 7]),
        };
        (0..boots).map(value).collect()
    }

    fn verdict(factor: f64, boots: u32) -> Verdict {
        compare(&[rate()], &values("a", 1.0, boots), &values("a", factor, boots), |_| 0.05, Analysis::ONCE)[0]
            .verdict
    }

    #[test]
    fn a_lower_rate_is_worse_and_a_higher_one_better() {
        assert_eq!(verdict(0.9, 5), Verdict::Worse);
        assert_eq!(verdict(1.1, 5), Verdict::Better);
        assert_eq!(verdict(1.0, 5), Verdict::Same);
        assert_eq!(verdict(0.97, 5), Verdict::Same, "certain, but below the threshold");
    }

    #[test]
    fn a_higher_latency_is_worse() {
        let latency = Metric { direction: Direction::Lower, ..rate() };
        let found = compare(&[latency], &values("a", 1.0, 5), &values("a", 1.2, 5), |_| 0.05, Analysis::ONCE);
        assert_eq!(found[0].verdict, Verdict::Worse);
        assert!((found[0].change - 1.2).abs() < 1e-9);
    }

    #[test]
    fn trials_of_one_boot_are_never_enough_for_a_verdict() {
        let one_boot = |factor| {
            values("a", factor, 5)
                .into_iter()
                .map(|value| MeasuredValue { boot: 0, ..value })
                .collect::<Vec<_>>()
        };
        let found = &compare(&[rate()], &one_boot(1.0), &one_boot(0.5), |_| 0.05, Analysis::ONCE)[0];
        assert_eq!((found.verdict, found.is_within_one_boot), (Verdict::Inconclusive, true));
        assert!(found.interval.is_some());
    }

    #[test]
    fn only_what_both_sides_have_is_compared() {
        let base = [values("a", 1.0, 5), values("b", 1.0, 5)].concat();
        let new = [values("b", 1.0, 5), values("c", 1.0, 5)].concat();
        let found = compare(&[rate()], &base, &new, |_| 0.05, Analysis::ONCE);
        assert_eq!(found.iter().map(|one| one.configuration.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn two_runs_of_ten_thousand_trials_are_compared_at_once() {
        let run: Vec<MeasuredValue> = (0..2000).flat_map(|id| values(&format!("c{id}"), 1.0, 5)).collect();
        assert_eq!(compare(&[rate()], &run, &run, |_| 0.05, Analysis::ONCE).len(), 2000);
    }
}
