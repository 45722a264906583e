//! An isolation index after I_QoS of Krebs, Momm and Kounev (Science of Computer Programming 90B, 2014): how much the victims'
//! latency rises, relatively, for each relative increase of the aggressors' load; 0: not at all.
//!
//! I_QoS = mean over the victims of (L_i/L_i0 − 1) ÷ (W/W0 − 1), L a victim's mean latency, W the load of all aggressors each
//! second; 0 marks the reference. Each victim counts the same: with a ratio of summed latencies the slowest would decide. Load is
//! each second, because windows of two trials may differ in length.
//!
//! From no load there is no relative increase. It is defined where `quota` is swept under a background: the smallest quota of
//! the aggressors is the reference, and their load is what they really did, CPU time or Mbit/s, not what they were allowed.

use super::{Numbers, TrialFigures, ValidTrials};
use crate::profile::{Configuration, Factor, Role};
use crate::stats::{self, Estimate, Scale};

/// Smallest increase of the load that counts: dividing by less would show noise.
const LEAST_INCREASE: f64 = 0.1;

/// Mean over the blocks that have both; undefined for the reference itself, and where the sweep limits the victims too.
pub(super) fn index(configuration: &Configuration, trials: &[TrialFigures]) -> Option<Estimate> {
    let alike = |other: &Configuration| {
        let same = |factor: &Factor| configuration.value(*factor) == other.value(*factor);
        Factor::ALL.iter().filter(|factor| **factor != Factor::Quota).all(same)
    };
    let quotas = trials.iter().map(|trial| &trial.configuration).filter(|other| alike(other)).map(quota);
    let least = quotas.min().filter(|least| *least < quota(configuration))?;
    let of_block = |trial: &TrialFigures| {
        let reference = trials.iter().find(|other| {
            other.repeat == trial.repeat
                && alike(&other.configuration)
                && quota(&other.configuration) == least
        });
        of_pair(reference?.valid()?, trial.valid()?)
    };
    ValidTrials::new(configuration, trials).estimate(Scale::Linear, of_block)
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
    let degradation = degradation(reference, loaded)?;
    let increase = load(loaded)? / load(reference).filter(|load| *load > 0.0)? - 1.0;
    (limits(reference) == limits(loaded) && increase >= LEAST_INCREASE).then(|| degradation / increase)
}

/// Mean over the victims of the relative rise of their mean latency; `None` if one stood still.
fn degradation(reference: &Numbers, loaded: &Numbers) -> Option<f64> {
    let victims = |numbers: &'_ Numbers| -> Option<Vec<f64>> {
        let victims = numbers.guests.iter().filter(|guest| guest.is_measured());
        victims.map(|guest| guest.mean_latency_us).collect()
    };
    let pairs = victims(reference)?.into_iter().zip(victims(loaded)?); // the same guests, in the same order
    let rises: Vec<f64> = pairs.map(|(before, after)| after / before - 1.0).collect();
    (!rises.is_empty()).then(|| rises.iter().sum::<f64>() / rises.len() as f64)
}

/// What the aggressors did each second: CPU time, s, of those that burn it; Mbit of those that receive streams; `None` if
/// there are both.
fn load(numbers: &Numbers) -> Option<f64> {
    let of = |role: Role| numbers.sharing.groups.iter().filter(move |group| group.role == role);
    match (of(Role::CpuBurner).count(), of(Role::NetLoad).count()) {
        (_, 0) => {
            let burnt_s: Option<f64> = of(Role::CpuBurner).map(|group| Some(group.cpu?.total_s())).sum();
            Some(burnt_s? / numbers.window.length_s())
        }
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
    use crate::raw::RawTrial;

    /// Victims, then a burner, with quotas.
    fn groups(victims: u32, quota_us: u32, quota_of_victims_us: Option<u32>) -> Vec<Members> {
        let members = |name, first, guests, role, quota_us| {
            let cpu = CpuSettings { quota_us, ..CpuSettings::default() };
            Members { role, cpu, ..fixture::members(name, first, guests) }
        };
        let limited = (quota_us > 0).then_some(quota_us);
        vec![
            members("victim", 1, victims, Role::Measured, quota_of_victims_us),
            members("noise", victims + 1, 1, Role::CpuBurner, limited),
        ]
    }

    /// The target at `index` takes so many seconds of CPU time each second.
    fn burn(raw: &mut RawTrial, index: usize, burnt: f64) {
        for sample in &mut raw.host {
            let second = sample.at_s - fixture::START + 1.0;
            let target = &mut sample.targets[index];
            (target.vcpu_s, target.emulator_s, target.vhost_s) = (burnt * second, 0.0, 0.0);
        }
    }

    /// A victim with this rate beside a burner that took so many seconds of CPU time each second.
    fn trial(repeat: u32, quota_us: u32, rate: f64, burnt: f64, victims: Option<u32>) -> TrialFigures {
        let configuration = Configuration {
            quota_us,
            background: Background::CpuBurner,
            unmeasured: 1,
            ..fixture::configuration("virtio", 2)
        };
        let mut raw = fixture::trial(configuration, &[rate, 0.0]);
        raw.groups = groups(1, quota_us, victims);
        burn(&mut raw, 1, burnt);
        TrialFigures::compute(&fixture::numbered(raw, repeat, repeat), &fixture::timing())
    }

    fn isolation_in(trials: &[TrialFigures]) -> Option<f64> {
        index(&trials[0].configuration, trials).map(|interval| interval.mean)
    }

    #[test]
    fn latency_that_rises_by_half_while_the_load_doubles_is_an_index_of_one_half() {
        let own = Some(100_000);
        let trials = [trial(1, 50_000, 1000.0, 0.5, own), trial(1, 25_000, 1500.0, 0.25, own)];
        assert!((isolation_in(&trials).unwrap() - 0.5).abs() < 1e-3, "{:?}", isolation_in(&trials));
        assert_eq!(index(&trials[1].configuration, &trials), None, "the reference against itself");
    }

    /// Two victims with four flows each and these rates, beside a burner.
    fn two_victims(quota_us: u32, rates: [f64; 2], burnt: f64, window_s: f64) -> TrialFigures {
        let one = trial(1, quota_us, 1000.0, burnt, Some(100_000));
        let configuration = Configuration { vms: 3, ..one.configuration };
        let mut raw = fixture::trial(configuration, &[rates[0], rates[1], 0.0]);
        raw.groups = groups(2, quota_us, Some(100_000));
        burn(&mut raw, 2, burnt);
        let cooldown = std::time::Duration::from_secs_f64(11.0 - window_s);
        TrialFigures::compute(&raw, &crate::profile::Timing { cooldown, ..fixture::timing() })
    }

    #[test]
    fn each_victim_counts_the_same_and_a_shorter_window_is_no_smaller_load() {
        // Latencies of 4 and 40 ms; one doubles, the other stays. The load doubles, in windows of 8 and 10 s.
        let loaded = two_victims(50_000, [500.0, 100.0], 0.5, 8.0);
        let reference = two_victims(25_000, [1000.0, 100.0], 0.25, 10.0);
        let found = isolation_in(&[loaded, reference]).unwrap();
        assert!((found - 0.5).abs() < 1e-3, "{found}"); // of sums: 4/44 in place of 1/2
    }

    #[test]
    fn blocks_are_compared_within_themselves() {
        let own = Some(100_000);
        let trials = [trial(2, 0, 1000.0, 0.5, own), trial(1, 25_000, 1500.0, 0.25, own)];
        assert_eq!(isolation_in(&trials), None);
    }

    #[test]
    fn a_load_that_did_not_rise_and_victims_that_are_limited_too_leave_it_undefined() {
        let own = Some(100_000);
        assert_eq!(
            isolation_in(&[trial(1, 50_000, 1000.0, 0.26, own), trial(1, 25_000, 1500.0, 0.25, own)]),
            None
        );
        let trials =
            [trial(1, 50_000, 1000.0, 0.5, Some(50_000)), trial(1, 25_000, 1500.0, 0.25, Some(25_000))];
        assert_eq!(isolation_in(&trials), None);
    }
}
