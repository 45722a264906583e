//! Trials -> one row per configuration: mean and 95 % interval of every metric over the valid repeats.
//!
//! Invalid and failed trials are counted and contribute no value.

use std::collections::BTreeMap;

use super::{GroupFigures, Interference, Metric, TrialFigures, ValidTrials, demand};
use crate::backend::Backend;
use crate::profile::{Configuration, Factor};
use crate::stats::{self, Estimate, Ratio, Scale, Spread};

/// One configuration over its repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// What was measured.
    pub configuration: Configuration,
    /// Valid repeats.
    pub measured: u32,
    /// Their numbers in the plan.
    pub trials: Vec<u32>,
    /// Boots of guests that the valid repeats come from; of bare metal, as many as repeats.
    pub boots: usize,
    /// Repeats that ran but do not count.
    pub invalid: u32,
    /// Repeats that failed.
    pub failed: u32,
    /// Every metric that is defined in at least one valid repeat.
    pub values: BTreeMap<Metric, Estimate>,
    /// Kendall's W of the guests' rates over the valid repeats: 1 if the same guests always lose, about 1/R if chance
    /// decides.
    pub kendall_w_rate: Option<f64>,
    /// Probability of such a W, or a larger one, by chance.
    pub kendall_p_rate: Option<f64>,
    /// The same of the groups' rates per guest.
    pub kendall_w_groups: Option<f64>,
    /// Its probability.
    pub kendall_p_groups: Option<f64>,
    /// Jain's index of what each guest got ÷ what it was due, given what it wants; see `figures/demand.rs`.
    pub jain_demand: Option<Estimate>,
    /// Total rate, or throughput, ÷ that of bare metal under the same load, paired by block.
    pub to_bare_metal: Option<Ratio>,
    /// Against the same without background.
    pub interference: Interference,
}

impl SummaryRow {
    /// One metric; its `trials` may be fewer than `measured` where some repeats leave it undefined.
    pub fn get(&self, metric: Metric) -> Option<&Estimate> {
        self.values.get(&metric)
    }

    fn compute(configuration: &Configuration, trials: &[TrialFigures]) -> SummaryRow {
        let own: Vec<&TrialFigures> = trials.iter().filter(|t| t.configuration == *configuration).collect();
        let valid = ValidTrials::new(configuration, trials);
        let count = |word: &str| own.iter().filter(|trial| trial.outcome.word() == word).count() as u32;
        SummaryRow {
            configuration: configuration.clone(),
            measured: count("measured"),
            trials: valid.trials().map(|trial| trial.trial).collect(),
            invalid: count("invalid"),
            failed: count("failed"),
            values: Metric::ALL.into_iter().filter_map(|m| Some((m, estimate(m, &valid)?))).collect(),
            boots: valid.boots(),
            kendall_w_rate: stats::kendall_w(&repeats(&valid, rates)),
            kendall_p_rate: stats::kendall_p(&repeats(&valid, rates)),
            kendall_w_groups: stats::kendall_w(&repeats(&valid, group_rates)),
            kendall_p_groups: stats::kendall_p(&repeats(&valid, group_rates)),
            jain_demand: demand::jain_demand(configuration, trials),
            to_bare_metal: to_bare_metal(configuration, trials),
            interference: Interference::compute(configuration, trials),
        }
    }
}

/// One row for each of `configurations`, in their order, whether or not it has been measured yet.
pub fn summarise(configurations: &[Configuration], trials: &[TrialFigures]) -> Vec<SummaryRow> {
    configurations.iter().map(|configuration| SummaryRow::compute(configuration, trials)).collect()
}

fn repeats(trials: &ValidTrials, rates: fn(&TrialFigures) -> Option<Vec<f64>>) -> Vec<Vec<f64>> {
    trials.trials().filter_map(rates).collect()
}

/// The guests' rates of a valid trial.
fn rates(trial: &TrialFigures) -> Option<Vec<f64>> {
    let numbers = trial.valid().filter(|numbers| numbers.total.unit.is_result())?;
    let measured = numbers.guests.iter().filter(|guest| guest.is_measured());
    Some(measured.map(|guest| guest.rate).collect())
}

/// The measured groups' rates per guest of a valid trial.
fn group_rates(trial: &TrialFigures) -> Option<Vec<f64>> {
    let numbers = trial.valid().filter(|numbers| numbers.total.unit.is_result())?;
    Some(numbers.sharing.groups.iter().filter_map(GroupFigures::rate_per_guest).collect())
}

/// Blocks in which both were measured; a configuration is not compared with itself.
fn to_bare_metal(configuration: &Configuration, trials: &[TrialFigures]) -> Option<Ratio> {
    let bare = |other: &Configuration| {
        let differs = |factor: &Factor| configuration.value(*factor) != other.value(*factor);
        let of_host =
            |factor: &Factor| !matches!(factor, Factor::Backend | Factor::Vms) && !factor.is_of_guests();
        other.backend == Backend::Baremetal
            && configuration.backend != Backend::Baremetal
            && !Factor::ALL.iter().filter(|factor| of_host(factor)).any(differs)
    };
    let rate = |trial: &TrialFigures| {
        trial.valid().filter(|numbers| numbers.total.unit.is_result()).map(|numbers| numbers.total.rate)
    };
    let own = trials.iter().filter(|trial| trial.configuration == *configuration);
    let bare: Vec<&TrialFigures> = trials.iter().filter(|trial| bare(&trial.configuration)).collect();
    let pair = |trial: &TrialFigures| {
        let same_block = bare.iter().find(|other| other.repeat == trial.repeat);
        Some((rate(same_block?)?, rate(trial)?))
    };
    Ratio::from_pairs(&own.filter_map(pair).collect::<Vec<_>>())
}

fn estimate(metric: Metric, trials: &ValidTrials) -> Option<Estimate> {
    let over_trials = trials.estimate(metric.scale(), |trial| metric.value(trial))?;
    if metric.scale() != Scale::Probability {
        return Some(over_trials);
    }
    // A mean of probabilities is none: all trials are tested together.
    let spreads: Vec<Spread> = trials.trials().filter_map(|trial| trial.valid()?.spread).collect();
    Some(Estimate { mean: Spread::pooled_p(&spreads)?, low_high: None, ..over_trials })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::raw::RawTrial;

    fn rows(configurations: &[Configuration], raws: Vec<RawTrial>) -> Vec<SummaryRow> {
        let trials = raws.iter().map(|raw| TrialFigures::compute(raw, &fixture::timing()));
        summarise(configurations, &trials.collect::<Vec<_>>())
    }

    #[test]
    fn only_valid_repeats_enter_the_mean() {
        let virtio = fixture::configuration("virtio", 2);
        let raws = vec![
            fixture::trial(virtio.clone(), &[900.0, 1000.0]),
            fixture::wrong_driver(virtio.clone()),
            fixture::failed(virtio.clone()),
            fixture::trial(virtio.clone(), &[1100.0, 1000.0]),
        ];
        let row = &rows(&[virtio], raws)[0];
        assert_eq!((row.measured, row.invalid, row.failed), (2, 1, 1));
        let rate = row.get(Metric::TotalRate).unwrap();
        assert_eq!(rate.trials, 2);
        assert!((rate.mean - 2000.0).abs() < 1e-6);
        assert!(rate.low_high.is_some_and(|(low, high)| 0.0 < low && low < 1900.0 && high > 2100.0));
    }

    #[test]
    fn rows_stand_in_the_order_of_the_plan_not_of_the_trials() {
        let plan = [fixture::configuration("virtio", 2), fixture::configuration("e1000", 2)];
        let raws = plan.iter().rev().map(|c| fixture::trial(c.clone(), &[900.0, 1000.0])).collect();
        let rows = rows(&plan, raws);
        assert_eq!(
            rows.iter().map(|row| &row.configuration).collect::<Vec<_>>(),
            plan.iter().collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_configuration_without_valid_repeats_has_counts_and_no_values() {
        let virtio = fixture::configuration("virtio", 2);
        let row = &rows(std::slice::from_ref(&virtio), vec![fixture::failed(virtio.clone())])[0];
        assert_eq!((row.measured, row.failed, row.values.len()), (0, 1, 0));
    }
    #[test]
    fn repeats_are_boots_where_guests_were_booted_anew_and_probabilities_are_pooled() {
        let virtio = fixture::configuration("virtio", 2);
        let trial = |(number, rate): (u32, f64)| {
            let raw = fixture::numbered(fixture::trial(virtio.clone(), &[rate, 1000.0]), number, number);
            let processes = vec![number.div_ceil(2) as i32; 2];
            TrialFigures { processes, ..TrialFigures::compute(&raw, &fixture::timing()) }
        };
        let trials: Vec<TrialFigures> = (1..).zip([900.0, 920.0, 940.0, 960.0]).map(trial).collect();
        let row = &summarise(std::slice::from_ref(&virtio), &trials)[0];
        let rate = row.get(Metric::TotalRate).unwrap();
        assert_eq!((row.boots, rate.boots, rate.trials), (2, 2, 4));
        assert_eq!(row.get(Metric::EqualRatesP).unwrap().low_high, None);
    }
}
