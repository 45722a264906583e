//! An isolation index after I_QoS of Krebs, Momm and Kounev (Science of Computer Programming 90B, 2014): how much the victims'
//! latency rises, relatively, for each relative increase of the aggressors' load; 0: not at all.
//!
//! From no load there is no relative increase. It is defined where `quota` is swept under a background: the smallest quota of
//! the aggressors is the reference, and their load is what they really did, CPU time or Mbit/s, not what they were allowed.

use super::{Numbers, TrialFigures};
use crate::profile::{Configuration, Factor, Role};
use crate::stats::{self, Interval};

/// Smallest increase of the load that counts: dividing by less would show noise.
const LEAST_INCREASE: f64 = 0.1;

/// Mean over the blocks that have both; undefined for the reference itself, and where the sweep limits the victims too.
pub(super) fn index(configuration: &Configuration, trials: &[TrialFigures]) -> Option<Interval> {
    let alike = |other: &Configuration| {
        let same = |factor: &Factor| configuration.value(*factor) == other.value(*factor);
        Factor::ALL.iter().filter(|factor| **factor != Factor::Quota).all(same)
    };
    let quotas = trials.iter().map(|trial| &trial.configuration).filter(|other| alike(other)).map(quota);
    let least = quotas.min().filter(|least| *least < quota(configuration))?;
    let own = trials.iter().filter(|trial| trial.configuration == *configuration);
    let of_block = |trial: &TrialFigures| {
        let reference = trials.iter().find(|other| {
            other.repeat == trial.repeat
                && alike(&other.configuration)
                && quota(&other.configuration) == least
        });
        of_pair(reference?.valid()?, trial.valid()?)
    };
    Interval::of(&own.filter_map(of_block).collect::<Vec<f64>>())
}

/// Without a quota nothing limits the load.
fn quota(configuration: &Configuration) -> u32 {
    if configuration.quota_us == 0 { u32::MAX } else { configuration.quota_us }
}

fn of_pair(reference: &Numbers, loaded: &Numbers) -> Option<f64> {
    let limits = |numbers: &Numbers| -> Vec<Option<f64>> {
        let measured = numbers.sharing.groups.iter().filter(|group| group.role == Role::Measured);
        measured.map(|group| group.quota_percent).collect()
    };
    let degradation = latency_us(loaded)? / latency_us(reference)? - 1.0;
    let increase = load(loaded)? / load(reference).filter(|load| *load > 0.0)? - 1.0;
    (limits(reference) == limits(loaded) && increase >= LEAST_INCREASE).then(|| degradation / increase)
}

/// Sum of the victims' mean latencies.
fn latency_us(numbers: &Numbers) -> Option<f64> {
    let victims = numbers.guests.iter().filter(|guest| guest.is_measured());
    victims.map(|guest| guest.mean_latency_us).sum()
}

/// What the aggressors did: CPU time of those that burn it, Mbit/s of those that receive streams; `None` if there are both.
fn load(numbers: &Numbers) -> Option<f64> {
    let of = |role: Role| numbers.sharing.groups.iter().filter(move |group| group.role == role);
    match (of(Role::CpuBurner).count(), of(Role::NetLoad).count()) {
        (_, 0) => of(Role::CpuBurner).map(|group| Some(group.cpu?.total_s())).sum(),
        (0, _) => Some(stats::total(of(Role::NetLoad).filter_map(|group| group.background_mbps))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::profile::Background;
    use crate::profile::groups::{CpuSettings, Members};

    /// A victim with this rate beside a burner that took so many seconds of CPU time each second.
    fn trial(repeat: u32, quota_us: u32, rate: f64, burnt: f64, victims: Option<u32>) -> TrialFigures {
        let configuration = Configuration {
            quota_us,
            background: Background::CpuBurner,
            unmeasured: 1,
            ..fixture::configuration("virtio", 2)
        };
        let mut raw = fixture::trial(configuration, &[rate, 0.0]);
        let members = |name: &str, first, role, quota_us| Members {
            name: name.into(),
            first,
            guests: 1,
            role,
            cpu: CpuSettings { quota_us, ..CpuSettings::default() },
            bandwidth_bps: None,
            rate_bps: None,
            cgroup: false,
        };
        let limited = (quota_us > 0).then_some(quota_us);
        raw.groups = vec![
            members("victim", 1, Role::Measured, victims),
            members("noise", 2, Role::CpuBurner, limited),
        ];
        for sample in &mut raw.host {
            let second = sample.at_s - fixture::START + 1.0;
            (sample.targets[1].vcpu_s, sample.targets[1].emulator_s) = (burnt * second, 0.0);
            sample.targets[1].vhost_s = 0.0;
        }
        TrialFigures::of(&fixture::numbered(raw, repeat, repeat), &fixture::timing())
    }

    fn of(trials: &[TrialFigures]) -> Option<f64> {
        index(&trials[0].configuration, trials).map(|interval| interval.mean)
    }

    #[test]
    fn latency_that_rises_by_half_while_the_load_doubles_is_an_index_of_one_half() {
        let own = Some(100_000);
        let trials = [trial(1, 50_000, 1000.0, 0.5, own), trial(1, 25_000, 1500.0, 0.25, own)];
        assert!((of(&trials).unwrap() - 0.5).abs() < 1e-3, "{:?}", of(&trials));
        assert_eq!(index(&trials[1].configuration, &trials), None, "the reference against itself");
    }

    #[test]
    fn blocks_are_compared_within_themselves() {
        let own = Some(100_000);
        let trials = [trial(2, 0, 1000.0, 0.5, own), trial(1, 25_000, 1500.0, 0.25, own)];
        assert_eq!(of(&trials), None);
    }

    #[test]
    fn a_load_that_did_not_rise_and_victims_that_are_limited_too_leave_it_undefined() {
        let own = Some(100_000);
        assert_eq!(of(&[trial(1, 50_000, 1000.0, 0.26, own), trial(1, 25_000, 1500.0, 0.25, own)]), None);
        let trials =
            [trial(1, 50_000, 1000.0, 0.5, Some(50_000)), trial(1, 25_000, 1500.0, 0.25, Some(25_000))];
        assert_eq!(of(&trials), None);
    }
}
