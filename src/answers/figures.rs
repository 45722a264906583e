//! Which figures of trials are compared, and as what.

use super::{BesideRate, Direction, Measure, MeasuredValue, Metric, Shares};
use crate::figures::{self, Better, GuestFigures, Numbers, TrialFigures, boots};

/// The figures that are compared: one for each question. Mean latency follows from the rate in a closed loop, and Jain's index of a
/// whole window flatters, so neither is among them.
const COMPARED: [(figures::Metric, Measure); 6] = [
    (figures::Metric::TotalRate, Measure::Ratio),
    (figures::Metric::Throughput, Measure::Ratio),
    (figures::Metric::P99Latency, Measure::Ratio),
    (figures::Metric::CpuPerTransaction, Measure::Ratio),
    (figures::Metric::CpuPerMegabit, Measure::Ratio),
    (figures::Metric::ExcessBiasRate, Measure::Points),
];

type FigureOfGuest = fn(&GuestFigures) -> Option<f64>;

/// Figures of guests that may explain their rates. CPU time and interrupts follow from the rate, so they are taken per unit of work.
const BESIDE: [(&str, FigureOfGuest); 6] = [
    ("wait of vCPUs for a CPU", |guest| Some(guest.cpu?.run_delay_percent)),
    ("wait of vhost workers for a CPU", |guest| guest.cpu?.vhost_wait_ratio),
    ("wait of QEMU's other threads for a CPU", |guest| guest.cpu?.emulator_wait_ratio),
    ("steal time", |guest| guest.inside_steal_percent),
    ("CPU time per unit of work", |guest| Some(guest.cpu?.total_percent / guest.rate)),
    ("interrupts of its NIC's queues per unit of work", |guest| {
        Some(guest.nic_interrupts_per_s? / guest.rate)
    }),
];

/// A figure as a metric that is compared.
pub(super) fn metric(metric: figures::Metric, measure: Measure) -> Metric {
    Metric {
        key: metric.column().to_owned(),
        label: metric.label().to_owned(),
        unit: metric.unit().to_owned(),
        direction: if metric.better() == Better::Lower { Direction::Lower } else { Direction::Higher },
        measure,
    }
}

/// The figures that runs are compared by.
pub(super) fn compared() -> Vec<(figures::Metric, Metric)> {
    COMPARED.iter().map(|(figure, measure)| (*figure, metric(*figure, *measure))).collect()
}

/// The metrics that runs are compared by.
pub fn metrics() -> Vec<Metric> {
    compared().into_iter().map(|(_, metric)| metric).collect()
}

/// Their values in the valid trials of a run.
pub fn values(trials: &[TrialFigures]) -> Vec<MeasuredValue> {
    values_of_figures(&COMPARED.map(|(figure, _)| figure), trials)
}

/// By the number of the trial; a trial without guests (bare metal) is a boot of its own.
fn boot_of_each(trials: &[TrialFigures]) -> impl Fn(&TrialFigures) -> u32 {
    let boots = boots(trials);
    let booted = boots.values().copied().max().unwrap_or(0);
    move |trial| boots.get(&trial.trial).copied().unwrap_or(booted + trial.trial)
}

/// The values of these figures in the valid trials of a run.
pub fn values_of_figures(figures: &[figures::Metric], trials: &[TrialFigures]) -> Vec<MeasuredValue> {
    let boot_of = boot_of_each(trials);
    let of_trial = |trial: &TrialFigures| {
        let configuration = trial.configuration.id();
        let boot = boot_of(trial);
        let value = |metric: &figures::Metric| {
            let value = metric.value(trial)?;
            let (configuration, metric) = (configuration.clone(), metric.column().to_owned());
            Some(MeasuredValue { configuration, metric, block: trial.repeat, boot, value })
        };
        figures.iter().filter_map(value).collect::<Vec<_>>()
    };
    trials.iter().filter(|trial| trial.valid().is_some()).flat_map(of_trial).collect()
}

/// What the guests of each configuration got, in the order of the trials. `label` describes a trial's configuration for people.
pub fn shares(trials: &[TrialFigures], label: impl Fn(&TrialFigures) -> String) -> Vec<Shares> {
    let boot_of = boot_of_each(trials);
    let mut found: Vec<Shares> = Vec::new();
    for trial in trials {
        // Groups may be unequal by design: what their weights promise is another question. Pings are as many as the profile says.
        let has_shares =
            |numbers: &&Numbers| numbers.sharing.groups.is_empty() && numbers.total.unit.is_result();
        let Some(numbers) = trial.valid().filter(has_shares) else { continue };
        let measured = || numbers.guests.iter().filter(|guest| guest.is_measured());
        let id = trial.configuration.id();
        let place = found.iter().position(|own| own.configuration == id).unwrap_or_else(|| {
            let guests = measured().map(|guest| guest.guest).collect();
            let (repeats, boots, spreads) = (Vec::new(), Vec::new(), Vec::new());
            let beside = BESIDE.map(|(figure, _)| BesideRate { figure, repeats: Vec::new() }).into();
            found.push(Shares {
                configuration: id,
                label: label(trial),
                guests,
                repeats,
                boots,
                spreads,
                beside,
            });
            found.len() - 1
        });
        found[place].boots.push(boot_of(trial));
        found[place].repeats.push(measured().map(|guest| guest.rate).collect());
        found[place].spreads.extend(numbers.spread);
        for (own, (_, figure)) in found[place].beside.iter_mut().zip(BESIDE) {
            own.repeats.extend(measured().map(figure).collect::<Option<Vec<f64>>>());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    fn trial(backend: &str, rates: &[f64]) -> TrialFigures {
        let configuration = fixture::configuration(backend, rates.len() as u32);
        TrialFigures::compute(&fixture::trial(configuration, rates), &fixture::timing())
    }

    #[test]
    fn every_value_of_a_valid_trial_is_of_a_metric_that_is_compared() {
        let found = values(&[trial("virtio", &[900.0, 1100.0])]);
        let rate = found.iter().find(|value| value.metric == "total_rate_tps").unwrap();
        assert!((rate.value - 2000.0).abs() < 1e-6);
        assert!(found.iter().all(|value| metrics().iter().any(|metric| metric.key == value.metric)));
    }

    #[test]
    fn shares_are_gathered_by_configuration() {
        let trials = [("virtio", [900.0, 1100.0]), ("e1000", [10.0, 20.0]), ("virtio", [950.0, 1050.0])];
        let trials = trials.map(|(backend, rates)| trial(backend, &rates));
        let found = shares(&trials, |trial| trial.configuration.id());
        assert_eq!(found.iter().map(|own| own.repeats.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(found[0].guests, [1, 2]);
    }
}
