//! What limited the trials: CPUs of the tester or of the host, or what bare metal has, too.
//!
//! A limit is a figure near its bound in more than half of a configuration's valid trials, not a test: `docs/reading-results.md` has
//! the bounds. A wire's own speed is not among the figures, so it shows only against bare metal.

use super::{Limit, LimitedConfiguration, MeasuredValue, Metric, RunFinding};
use crate::figures::{Numbers, TrialFigures};
use crate::stats::median;

/// Part of all the host's CPU time, %, from which on its CPUs limit the guests.
const HOST_PERCENT: f64 = 90.0;
/// Soft interrupts of a single CPU of the host, %: packets queue behind it, whatever the others do.
const SOFTIRQ_PERCENT: f64 = 90.0;
/// Part of bare metal's rate, %, from which on the guests are not what limits it.
const BARE_METAL_PERCENT: f64 = 95.0;

/// One finding for each limit that some configuration reached. `label` describes a trial's configuration for people.
pub fn find_limits(trials: &[TrialFigures], label: impl Fn(&TrialFigures) -> String) -> Vec<RunFinding> {
    let mut configurations: Vec<Vec<(&TrialFigures, &Numbers)>> = Vec::new();
    for trial in trials {
        let Some(numbers) = trial.valid() else { continue };
        let is_own =
            |own: &&mut Vec<(&TrialFigures, &Numbers)>| own[0].0.configuration == trial.configuration;
        match configurations.iter_mut().find(is_own) {
            Some(own) => own.push((trial, numbers)),
            None => configurations.push(vec![(trial, numbers)]),
        }
    }
    let of_limit = |limit: Limit| {
        let reached = |own: &Vec<(&TrialFigures, &Numbers)>| limited(limit, own, &label);
        finding(limit, configurations.iter().filter_map(reached).collect())
    };
    [Limit::Tester, Limit::HostCpus, Limit::HostSoftirq].into_iter().filter_map(of_limit).collect()
}

/// The configurations whose mean of a total is that of bare metal, among the configurations given by label and id.
pub fn find_bare_metal_limit<'a>(
    metric: &Metric,
    values: &[MeasuredValue],
    bare_metal: f64,
    configurations: impl Iterator<Item = (String, String, &'a [u32])>,
) -> Option<RunFinding> {
    let reached = |(label, id, trials): (String, String, &[u32])| {
        let own = values.iter().filter(|value| value.configuration == id && value.metric == metric.key);
        let percent = 100.0 * metric.mean_of_boots(own)? / bare_metal;
        (percent >= BARE_METAL_PERCENT).then(|| LimitedConfiguration {
            configuration: id,
            label,
            percent,
            trials: trials.to_vec(),
            of: trials.len(),
        })
    };
    finding(Limit::BareMetal, configurations.filter_map(reached).collect())
}

fn finding(limit: Limit, configurations: Vec<LimitedConfiguration>) -> Option<RunFinding> {
    (!configurations.is_empty()).then_some(RunFinding::Limit { limit, configurations })
}

fn limited(
    limit: Limit,
    own: &[(&TrialFigures, &Numbers)],
    label: impl Fn(&TrialFigures) -> String,
) -> Option<LimitedConfiguration> {
    let near: Vec<u32> =
        own.iter().filter(|(_, numbers)| is_near(limit, numbers)).map(|(trial, _)| trial.trial).collect();
    let percents: Vec<f64> = own.iter().filter_map(|(_, numbers)| percent(limit, numbers)).collect();
    (2 * near.len() > own.len()).then_some(())?;
    Some(LimitedConfiguration {
        configuration: own[0].0.configuration.id(),
        label: label(own[0].0),
        percent: median(&percents)?,
        trials: near,
        of: own.len(),
    })
}

fn is_near(limit: Limit, numbers: &Numbers) -> bool {
    let is_beyond = |bound: f64| percent(limit, numbers).is_some_and(|percent| percent >= bound);
    match limit {
        Limit::Tester => numbers.seen.tester.saturated() == Some(true),
        Limit::HostCpus => is_beyond(HOST_PERCENT),
        Limit::HostSoftirq => is_beyond(SOFTIRQ_PERCENT),
        Limit::BareMetal => false,
    }
}

fn percent(limit: Limit, numbers: &Numbers) -> Option<f64> {
    match limit {
        Limit::Tester => numbers.seen.tester.most_percent(),
        Limit::HostCpus => numbers.host.map(|host| host.busy_percent),
        Limit::HostSoftirq => numbers.seen.most_softirq_percent(),
        Limit::BareMetal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::input::rate;
    use crate::figures::fixture;
    use crate::raw::{CpuTimes, HostSample};

    /// Trials of two guests on a host that is busy for these parts of the time, and whose first CPU has so many soft interrupts.
    fn trials(busy: &[f64], softirq: f64) -> Vec<TrialFigures> {
        let sample = |sample: &mut HostSample, busy: f64| {
            let second = 4.0 * sample.cpus[0].all;
            sample.cpu = CpuTimes { user: busy * second, idle: (1.0 - busy) * second, ..CpuTimes::default() };
            sample.cpus[0].softirq = softirq * sample.cpus[0].all;
        };
        let trial = |(number, busy): (u32, &f64)| {
            let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
            raw.host.iter_mut().for_each(|own| sample(own, *busy));
            TrialFigures::compute(&fixture::numbered(raw, number, number), &fixture::timing())
        };
        (1..).zip(busy).map(trial).collect()
    }

    fn sentences(trials: &[TrialFigures]) -> Vec<String> {
        find_limits(trials, |_| "virtio, 2 guests".into()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_host_without_idle_cpus_limits_and_the_trials_are_named() {
        assert_eq!(
            sentences(&trials(&[0.97, 0.98, 0.96], 0.1)),
            ["limited by the CPUs of the host: virtio, 2 guests (97 % busy, 3 of 3 trials)"]
        );
    }

    #[test]
    fn one_cpu_full_of_soft_interrupts_limits_though_the_others_are_idle() {
        assert_eq!(
            sentences(&trials(&[0.3, 0.3, 0.3], 0.95)),
            [
                "limited by soft interrupts on one CPU of the host: virtio, 2 guests (95 % busy, 3 of 3 trials)"
            ]
        );
    }

    #[test]
    fn a_host_that_is_busy_in_half_of_the_trials_or_less_limits_nothing() {
        assert_eq!(sentences(&trials(&[0.97, 0.5], 0.1)), Vec::<String>::new());
    }

    #[test]
    fn guests_with_the_rate_of_bare_metal_are_not_what_limits_it() {
        let value = |block| MeasuredValue {
            configuration: "a".into(),
            metric: rate().key,
            block,
            boot: block,
            value: 970.0,
        };
        let values: Vec<MeasuredValue> = (1..=3).map(value).collect();
        let configurations = || [("virtio".to_owned(), "a".to_owned(), &[1, 2, 3][..])].into_iter();
        let found = find_bare_metal_limit(&rate(), &values, 1000.0, configurations()).unwrap().to_string();
        assert_eq!(
            found,
            "limited by what bare metal has, too (wire, tester, NIC of the host): virtio (97 % of its rate, 3 trials)"
        );
        assert_eq!(find_bare_metal_limit(&rate(), &values, 1100.0, configurations()), None);
    }
}
