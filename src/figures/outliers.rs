//! Which valid trials lie far from the other repeats of their configuration.

use std::collections::BTreeMap;

use super::{Metric, TrialFigures};
use crate::stats::{self, Outlier};

/// Labels by the number of the trial; by the total rate or throughput.
pub fn outliers(trials: &[TrialFigures]) -> BTreeMap<u32, Outlier> {
    let mut labels = BTreeMap::new();
    for (index, first) in trials.iter().enumerate() {
        if trials[..index].iter().any(|other| other.configuration == first.configuration) {
            continue;
        }
        let own = trials.iter().filter(|trial| trial.configuration == first.configuration);
        let valid = own.filter(|trial| trial.valid().is_some());
        let rates: Vec<(u32, f64)> = valid
            .filter_map(|trial| Some((trial.trial, Metric::total(trial.configuration.test).value(trial)?)))
            .collect();
        let found = stats::outliers(&rates.iter().map(|(_, rate)| *rate).collect::<Vec<_>>());
        labels.extend(rates.iter().zip(found).filter_map(|((trial, _), label)| Some((*trial, label?))));
    }
    labels
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
        assert_eq!(outliers(&trials), BTreeMap::from([(5, Outlier::Severe)]));
    }
}
