//! Which valid trials lie further from the other repeats of their configuration than chance explains.

use std::collections::BTreeMap;

use super::{Metric, TrialFigures};
use crate::stats::{self, Outlier, holm};

/// At most such a part of runs without any outlier has a trial that is called one.
const LEVEL: f64 = 0.01;

/// By the number of the trial; by the total rate or throughput, over all trials of the run as one family of tests.
pub fn outliers(trials: &[TrialFigures]) -> BTreeMap<u32, Outlier> {
    let mut by_configuration: BTreeMap<String, Vec<(u32, f64)>> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.valid().is_some()) {
        let own = by_configuration.entry(trial.configuration.id()).or_default();
        own.extend(Metric::total(trial.configuration.test).value(trial).map(|rate| (trial.trial, rate)));
    }
    let of_configuration = |own: &Vec<(u32, f64)>| {
        let found = stats::outliers(&own.iter().map(|(_, rate)| *rate).collect::<Vec<_>>())?;
        Some(own.iter().map(|(trial, _)| *trial).zip(found).collect::<Vec<_>>())
    };
    let all: Vec<(u32, Outlier)> = by_configuration.values().filter_map(of_configuration).flatten().collect();
    let adjusted = holm(&all.iter().map(|(_, one)| one.p).collect::<Vec<_>>());
    all.into_iter().zip(adjusted).filter(|(_, p)| *p < LEVEL).map(|(found, _)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    #[test]
    fn a_repeat_far_from_the_others_of_its_configuration_is_labelled() {
        let trial = |number: u32, rate: f64| {
            let raw = fixture::trial(fixture::configuration("virtio", 1), &[rate]);
            TrialFigures { trial: number, ..TrialFigures::compute(&raw, &fixture::timing()) }
        };
        let rates = [1000.0, 1001.0, 999.0, 1002.0, 500.0, 1000.5];
        let trials: Vec<TrialFigures> = (1..).zip(rates).map(|(number, rate)| trial(number, rate)).collect();
        let found = outliers(&trials);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&5]);
        assert!((found[&5].deviation + 0.5).abs() < 0.01);
        assert!(outliers(&trials[..4]).is_empty());
    }
}
