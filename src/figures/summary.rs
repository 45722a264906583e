//! Trials -> one row per configuration: mean and 95 % interval of every metric over the valid repeats.
//!
//! Invalid and failed trials are counted and contribute no value.

use std::collections::BTreeMap;

use super::{GroupFigures, Interference, Metric, Outcome, TrialFigures, WeightedJain, demand};
use crate::backend::Backend;
use crate::profile::{Configuration, Factor};
use crate::stats::{self, Interval, Ratio};

/// One configuration over its repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// What was measured.
    pub configuration: Configuration,
    /// Valid repeats.
    pub measured: u32,
    /// Repeats that ran but do not count.
    pub invalid: u32,
    /// Repeats that failed.
    pub failed: u32,
    /// Every metric that is defined in at least one valid repeat.
    pub values: BTreeMap<Metric, Interval>,
    /// Kendall's W of the guests' rates over the valid repeats: 1 if the same guests always lose, about 1/R if chance
    /// decides.
    pub kendall_w_rate: Option<f64>,
    /// The same of the groups' rates per guest.
    pub kendall_w_groups: Option<f64>,
    /// Jain's indices of what each got ÷ its weight.
    pub weighted: WeightedJain,
    /// Jain's index of what each guest got ÷ what it was due, given what it wants; see `figures/demand.rs`.
    pub jain_demand: Option<Interval>,
    /// Total rate, or throughput, ÷ that of bare metal under the same load, paired by block.
    pub to_bare_metal: Option<Ratio>,
    /// Against the same without background.
    pub interference: Interference,
}

impl SummaryRow {
    /// Mean and interval of one metric; its `n` may be less than `measured` where some repeats leave it undefined.
    pub fn get(&self, metric: Metric) -> Option<&Interval> {
        self.values.get(&metric)
    }

    fn compute(configuration: &Configuration, trials: &[TrialFigures]) -> SummaryRow {
        let own: Vec<&TrialFigures> = trials.iter().filter(|t| t.configuration == *configuration).collect();
        let count = |word: &str| own.iter().filter(|trial| trial.outcome.word() == word).count() as u32;
        SummaryRow {
            configuration: configuration.clone(),
            measured: count("measured"),
            invalid: count("invalid"),
            failed: count("failed"),
            values: Metric::ALL.into_iter().filter_map(|m| Some((m, interval(m, &own)?))).collect(),
            kendall_w_rate: stats::kendall_w(&own.iter().filter_map(|t| rates(t)).collect::<Vec<_>>()),
            kendall_w_groups: stats::kendall_w(
                &own.iter().filter_map(|t| group_rates(t)).collect::<Vec<_>>(),
            ),
            weighted: WeightedJain::compute(&own),
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

/// The guests' rates of a valid trial.
fn rates(trial: &TrialFigures) -> Option<Vec<f64>> {
    let measured = trial.valid()?.guests.iter().filter(|guest| guest.is_measured());
    Some(measured.map(|guest| guest.rate).collect())
}

/// The measured groups' rates per guest of a valid trial.
fn group_rates(trial: &TrialFigures) -> Option<Vec<f64>> {
    Some(trial.valid()?.sharing.groups.iter().filter_map(GroupFigures::rate_per_guest).collect())
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
    let rate = |trial: &TrialFigures| Some(trial.valid()?.total.rate);
    let own = trials.iter().filter(|trial| trial.configuration == *configuration);
    let pair = |trial: &TrialFigures| {
        let same_block = |other: &&TrialFigures| other.repeat == trial.repeat && bare(&other.configuration);
        Some((rate(trials.iter().find(same_block)?)?, rate(trial)?))
    };
    Ratio::from_pairs(&own.filter_map(pair).collect::<Vec<_>>())
}

fn interval(metric: Metric, trials: &[&TrialFigures]) -> Option<Interval> {
    let valid = trials.iter().filter(|trial| trial.outcome == Outcome::Measured);
    Interval::from_repeats(&valid.filter_map(|trial| metric.value(trial)).collect::<Vec<f64>>())
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
        assert_eq!(rate.n, 2);
        assert!((rate.mean - 2000.0).abs() < 1e-6);
        assert!((rate.half_width.unwrap() - 1270.6).abs() < 0.1);
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
}
