//! Groups against each other: the same indices as between guests, of what each group's guests got on average.

use serde::{Deserialize, Serialize};

use super::{GroupFigures, GuestFigures, JainAt, course, noise};
use crate::profile::Role;
use crate::raw::RawTrial;
use crate::stats::{self, Fairness, Spread, weighted_jain};
use crate::window::Window;

/// Fairness between groups; all undefined for fewer than two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// Of the rates per guest of the measured groups.
    pub rate: Option<Fairness>,
    /// Spread of those rates beside what noise explains.
    pub spread: Option<Spread>,
    /// Of the CPU times per guest of all groups but idle ones.
    pub cpu: Option<Fairness>,
    /// Variation of those rates beyond what the guests' own variation within their groups explains; 0: noise. Undefined
    /// unless every group has two guests.
    pub excess_cv_rate: Option<f64>,
    /// Jain's index of the groups' rates, each ÷ its weight; undefined where weights decide nothing.
    pub jain_weighted_rate: Option<f64>,
    /// The same of their CPU times.
    pub jain_weighted_cpu: Option<f64>,
    /// Fairness of the measured groups' rates per guest over shorter times.
    pub jain_over_time: Vec<JainAt>,
}

impl Between {
    /// `due`: the weights of the groups that want CPU time, and of the measured ones; `None` where they decide nothing.
    pub(super) fn compute(
        raw: &RawTrial,
        guests: &[GuestFigures],
        groups: &[GroupFigures],
        due: (&[Option<f64>], &[Option<f64>]),
        window: &Window,
        interval_s: f64,
    ) -> Between {
        let measured: Vec<&GroupFigures> =
            groups.iter().filter(|group| group.role == Role::Measured).collect();
        let wanting: Vec<&GroupFigures> = groups.iter().filter(|group| group.role != Role::Idle).collect();
        let each = |groups: &[&GroupFigures], of: fn(&GroupFigures) -> Option<f64>| {
            groups
                .iter()
                .map(|group| Some(of(group)? / f64::from(group.guests)))
                .collect::<Option<Vec<f64>>>()
        };
        let fairness = |values: Option<Vec<f64>>| Fairness::from_shares(&values?);
        let rate = fairness(each(&measured, |group| Some(group.rate)));
        // The value ÷ the weight of a group is the same as of each of its guests.
        let weighted = |due: &[Option<f64>], of: fn(&GroupFigures) -> Option<f64>| {
            let parties = groups.iter().zip(due).filter_map(|(group, weight)| Some((of(group), (*weight)?)));
            let (values, weights): (Vec<Option<f64>>, Vec<f64>) = parties.unzip();
            weighted_jain(&values.into_iter().collect::<Option<Vec<f64>>>()?, &weights)
        };
        let is_result = raw.configuration.test.unit().is_result();
        let parties = if is_result { parties(raw) } else { Vec::new() };
        Between {
            rate: rate.filter(|_| is_result),
            spread: noise::group_spread(raw, window, interval_s, &parties),
            cpu: fairness(each(&wanting, |group| Some(group.cpu?.total_s()))),
            excess_cv_rate: excess(&measured, guests).filter(|_| is_result),
            jain_weighted_rate: weighted(due.1, |group| Some(group.rate)),
            jain_weighted_cpu: weighted(due.0, |group| Some(group.cpu?.total_s())),
            jain_over_time: course::jain_over_time(raw, window, interval_s, &parties),
        }
    }
}

/// The guests of each measured group.
fn parties(raw: &RawTrial) -> Vec<Vec<u32>> {
    let measured = raw.groups.iter().filter(|group| group.role == Role::Measured);
    measured.map(|group| group.numbers().collect()).collect()
}

/// Groups of k guests each differ by chance as far as the guests of one group differ: that much is taken off.
fn excess(groups: &[&GroupFigures], guests: &[GuestFigures]) -> Option<f64> {
    let own = |group: &&GroupFigures| {
        let own = guests.iter().filter(|guest| guest.group.as_deref() == Some(&group.name));
        own.map(|guest| guest.rate).collect()
    };
    stats::excess_cv(&groups.iter().map(own).collect::<Vec<Vec<f64>>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Numbers, TrialFigures, fixture};
    use crate::profile::groups::{CpuSettings, Members};

    /// Two groups with these rates of their guests, weights 2:1, on a host as busy as said.
    fn numbers(gold: &[f64], silver: &[f64], idle: f64) -> Numbers {
        let rates = [gold, silver].concat();
        let configuration = fixture::configuration("virtio", rates.len() as u32);
        let mut raw = fixture::trial(configuration, &rates);
        let members = |name, first: usize, guests: usize, shares| {
            let cpu = CpuSettings { shares: Some(shares), ..CpuSettings::default() };
            Members { cpu, ..fixture::members(name, first as u32, guests as u32) }
        };
        raw.groups =
            vec![members("gold", 1, gold.len(), 1024), members("silver", 1 + gold.len(), silver.len(), 512)];
        raw.host
            .iter_mut()
            .for_each(|sample| (sample.cpu.idle, sample.cpu.iowait) = (idle * sample.cpu.idle, 0.0));
        TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers")
    }

    #[test]
    fn groups_are_compared_by_what_each_guest_got() {
        let between = numbers(&[2000.0, 2000.0], &[1000.0, 1000.0], 0.0).sharing.between;
        assert!((between.rate.unwrap().bias_percent - 100.0 * 1000.0 / 1500.0).abs() < 1e-6);
        assert!((between.jain_weighted_rate.unwrap() - 1.0).abs() < 1e-9, "as the weights want it");
        assert!(between.cpu.unwrap().jain < 1.0 && between.jain_weighted_cpu.unwrap() < 1.0);
        let jain = between.rate.unwrap().jain;
        assert!(between.jain_over_time.iter().all(|at| (at.median - jain).abs() < 1e-6));
        assert_eq!(between.jain_over_time.len(), 3);
    }

    #[test]
    fn where_nobody_contended_weights_say_nothing() {
        let between = numbers(&[2000.0, 2000.0], &[1000.0, 1000.0], 1.0).sharing.between;
        assert!(between.rate.is_some() && between.jain_weighted_rate.is_none());
    }

    #[test]
    fn groups_that_differ_no_more_than_their_guests_differ_by_chance() {
        let noisy = numbers(&[500.0, 1600.0], &[400.0, 1500.0], 1.0).sharing;
        assert_eq!(noisy.between.excess_cv_rate, Some(0.0));
        assert!(noisy.groups[0].rate_fairness.unwrap().bias_percent > 100.0);
        let apart = numbers(&[1000.0, 1010.0], &[400.0, 410.0], 1.0).sharing.between;
        assert!(apart.excess_cv_rate.unwrap() > 0.3);
    }

    #[test]
    fn one_group_is_fair_to_nobody() {
        let raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 2000.0]);
        assert_eq!(Between::compute(&raw, &[], &[], (&[], &[]), &window(&raw), 0.5), Between::default());
    }

    fn window(raw: &RawTrial) -> Window {
        Window::common(&raw.flows, &fixture::timing()).expect("flows overlap")
    }
}
