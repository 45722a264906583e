//! Figures of groups of guests: what each got of the CPU and of the rate, and what its weight would give it.
//!
//! Shares govern CPU time, and only where there is not enough of it and nothing else limits a group: what is said of them is
//! left empty otherwise.

use serde::{Deserialize, Serialize};

use super::contention::contended;
use super::group_figures::{GroupCpu, GroupFigures};
use super::weights::{deciding, errors, weights};
use super::{Between, GuestFigures, HostFigures, throttle};
use crate::profile::Role;
use crate::profile::groups::Members;
use crate::raw::RawTrial;
use crate::stats::{self, Fairness, weighted_jain};
use crate::window::Window;

/// How a trial's guests shared the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sharing {
    /// One entry for each group, in the order of their guests; empty where all guests are alike.
    pub groups: Vec<GroupFigures>,
    /// Whether there was less CPU time than the groups that want any, or the guests of a single one, wanted: two of them waited
    /// on a host that was busy; `None` if unknown.
    pub contended: Option<bool>,
    /// Jain's index of the guests' CPU times, each ÷ its weight; 1 if shares follow the weights. Undefined as a share
    /// error is.
    pub jain_weighted_cpu: Option<f64>,
    /// The same of the measured guests' rates.
    pub jain_weighted_rate: Option<f64>,
    /// The groups against each other.
    pub between: Between,
    /// CPU time that was idle while quotas kept somebody from it, % of all CPUs, at most; `None` where nobody has a quota.
    pub unused_cpu_percent: Option<f64>,
}

impl Sharing {
    pub(super) fn compute(
        raw: &RawTrial,
        guests: &[GuestFigures],
        host: Option<&HostFigures>,
        window: &Window,
        interval_s: f64,
    ) -> Sharing {
        let mut groups: Vec<GroupFigures> =
            raw.groups.iter().map(|members| group(raw, members, guests, window)).collect();
        let wants = |members: &Members| members.role != Role::Idle;
        let measured = |members: &Members| members.role == Role::Measured;
        let cpu: Option<Vec<f64>> =
            groups.iter().map(|group| Some(group.cpu?.total_s())).collect::<Option<_>>();
        let contended =
            |takes_part: &dyn Fn(&Members) -> bool| contended(host, &raw.groups, guests, takes_part);
        let due = |takes_part: &dyn Fn(&Members) -> bool| match contended(takes_part) {
            Some(true) => deciding(&raw.groups, takes_part),
            _ => vec![None; groups.len()],
        };
        let is_result = raw.configuration.test.unit().is_result();
        let (due_cpu, due_rate) = (due(&wants), due(&|members| is_result && measured(members)));
        expect(&mut groups, &weights(&raw.groups, wants));
        cpu_shares(&mut groups, cpu.as_deref(), &due_cpu);
        if is_result {
            rate_shares(&mut groups, &due_rate);
        }
        Sharing {
            contended: contended(&wants),
            jain_weighted_cpu: jain(raw, guests, &due_cpu, wants, |guest| Some(guest.cpu?.total_percent)),
            jain_weighted_rate: jain(raw, guests, &due_rate, measured, |guest| Some(guest.rate)),
            between: Between::compute(raw, guests, &groups, (&due_cpu, &due_rate), window, interval_s),
            unused_cpu_percent: throttle::unused_percent(raw, &groups),
            groups,
        }
    }
}

fn group(raw: &RawTrial, members: &Members, guests: &[GuestFigures], window: &Window) -> GroupFigures {
    let own = || guests.iter().filter(|guest| members.numbers().contains(&guest.guest));
    let seconds = |percent: f64| percent * window.length_s() / 100.0;
    let cpu = own().map(|guest| guest.cpu).collect::<Option<Vec<_>>>().map(|all| GroupCpu {
        vcpu_s: seconds(all.iter().map(|cpu| cpu.vcpu_percent).sum()),
        emulator_s: seconds(all.iter().map(|cpu| cpu.emulator_percent).sum()),
        vhost_s: seconds(all.iter().map(|cpu| cpu.vhost_percent).sum()),
    });
    let fairness = |values: Option<Vec<f64>>| values.and_then(|values| Fairness::from_shares(&values));
    let rates = own().map(|guest| guest.is_measured().then_some(guest.rate)).collect();
    let streams = raw.background.iter().filter(|flow| members.numbers().contains(&flow.guest));
    GroupFigures {
        name: members.name.clone(),
        role: members.role,
        guests: members.guests,
        shares: members.cpu.shares,
        quota_percent: members
            .cpu
            .quota_us
            .map(|us| 100.0 * f64::from(us) / f64::from(members.cpu.period_us())),
        bandwidth_bps: members.bandwidth_bps,
        throttled_s: throttle::throttled_s(raw, members),
        rate: stats::total(own().map(|guest| guest.rate)),
        unit: raw.configuration.test.unit(),
        rate_share_percent: None,
        cpu,
        cpu_share_percent: None,
        expected_share_percent: None,
        cpu_share_error: None,
        rate_share_error: None,
        background_mbps: matches!(members.role, Role::NetLoad | Role::Paced)
            .then(|| stats::total(streams.map(|flow| window.rate(flow)))),
        rate_fairness: fairness(rates).filter(|_| raw.configuration.test.unit().is_result()),
        cpu_fairness: fairness(own().map(|guest| Some(guest.cpu?.total_percent)).collect()),
    }
}

fn expect(groups: &mut [GroupFigures], weights: &[Option<f64>]) {
    let whole: f64 = weights.iter().flatten().sum();
    for (group, weight) in groups.iter_mut().zip(weights) {
        group.expected_share_percent = weight.map(|weight| 100.0 * weight / whole);
    }
}

fn cpu_shares(groups: &mut [GroupFigures], cpu: Option<&[f64]>, weights: &[Option<f64>]) {
    let Some(cpu) = cpu else { return };
    let all: f64 = cpu.iter().sum();
    if all > 0.0 {
        groups.iter_mut().zip(cpu).for_each(|(group, s)| group.cpu_share_percent = Some(100.0 * s / all));
    }
    // Idle groups take next to nothing, and are not due anything.
    for (index, error) in errors(cpu, weights) {
        groups[index].cpu_share_error = Some(error);
    }
}

fn rate_shares(groups: &mut [GroupFigures], weights: &[Option<f64>]) {
    let all: f64 = groups.iter().map(|group| group.rate).sum();
    for group in groups.iter_mut().filter(|group| group.role == Role::Measured && all > 0.0) {
        group.rate_share_percent = Some(100.0 * group.rate / all);
    }
    let rates: Vec<f64> = groups.iter().map(|group| group.rate).collect();
    for (index, error) in errors(&rates, weights) {
        groups[index].rate_share_error = Some(error);
    }
}

/// Over the guests of the groups that take part.
fn jain(
    raw: &RawTrial,
    guests: &[GuestFigures],
    weights: &[Option<f64>],
    takes_part: impl Fn(&Members) -> bool,
    value: impl Fn(&GuestFigures) -> Option<f64>,
) -> Option<f64> {
    let mut values = Vec::new();
    let mut each = Vec::new();
    for (members, weight) in raw.groups.iter().zip(weights).filter(|(members, _)| takes_part(members)) {
        for guest in guests.iter().filter(|guest| members.numbers().contains(&guest.guest)) {
            values.push(value(guest)?);
            each.push((*weight)? / f64::from(members.guests));
        }
    }
    weighted_jain(&values, &each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Numbers, TrialFigures, fixture};
    use crate::profile::groups::CpuSettings;

    fn members(name: &str, first: u32, guests: u32, role: Role, shares: Option<u32>) -> Members {
        let cpu = CpuSettings { shares, ..CpuSettings::default() };
        Members { role, cpu, ..fixture::members(name, first, guests) }
    }

    /// Four guests, of which the first two got twice the rate and nearly twice the CPU; the host as busy as said.
    fn numbers(groups: Vec<Members>, idle: f64) -> Numbers {
        let mut raw = fixture::trial(fixture::configuration("virtio", 4), &[2000.0, 2000.0, 1000.0, 1000.0]);
        raw.groups = groups;
        raw.host.iter_mut().for_each(|sample| {
            sample.cpu.idle *= idle;
            sample.cpu.iowait *= idle;
        });
        TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers")
    }

    fn two_to_one() -> Vec<Members> {
        vec![
            members("gold", 1, 2, Role::Measured, Some(1024)),
            members("silver", 3, 2, Role::Measured, Some(512)),
        ]
    }

    #[test]
    fn shares_that_follow_the_weights_have_no_error() {
        let sharing = numbers(two_to_one(), 0.0).sharing;
        assert_eq!(sharing.contended, Some(true));
        let expected: Vec<_> =
            sharing.groups.iter().map(|group| group.expected_share_percent.unwrap()).collect();
        assert!((expected[0] - 200.0 / 3.0).abs() < 1e-9 && (expected[1] - 100.0 / 3.0).abs() < 1e-9);
        assert!(sharing.groups.iter().all(|group| group.rate_share_error.unwrap().abs() < 1e-6));
        assert!((sharing.jain_weighted_rate.unwrap() - 1.0).abs() < 1e-6);
        // 40 % of a CPU each against 30 %.
        assert!((sharing.groups[0].cpu_share_percent.unwrap() - 400.0 / 7.0).abs() < 0.1);
        assert!((sharing.groups[0].cpu_share_error.unwrap() + 1.0 / 7.0).abs() < 1e-3);
        assert!((sharing.groups[0].cpu.unwrap().total_s() - 8.0).abs() < 1e-2);
    }

    #[test]
    fn where_nobody_contends_shares_mean_nothing() {
        let sharing = numbers(two_to_one(), 1.0).sharing;
        assert_eq!((sharing.contended, sharing.jain_weighted_cpu), (Some(false), None));
        assert!(sharing.groups.iter().all(|group| group.cpu_share_error.is_none()));
        assert!(sharing.groups.iter().all(|group| group.cpu_share_percent.is_some()));
    }

    #[test]
    fn a_group_that_is_limited_by_more_than_its_weight_is_not_held_against_it() {
        let mut capped = two_to_one();
        capped[1].bandwidth_bps = Some(2_000_000);
        let sharing = numbers(capped, 0.0).sharing;
        assert_eq!((sharing.contended, sharing.jain_weighted_cpu), (Some(true), None));
        assert_eq!((sharing.jain_weighted_rate, sharing.between.jain_weighted_rate), (None, None));
        for group in &sharing.groups {
            assert_eq!((group.cpu_share_error, group.rate_share_error), (None, None));
            assert!(group.expected_share_percent.is_some() && group.cpu_share_percent.is_some());
        }
    }

    #[test]
    fn a_limited_neighbour_leaves_the_rates_of_the_measured_to_their_weights() {
        let mut groups = two_to_one();
        groups[1].guests = 1;
        groups.push(members("noise", 4, 1, Role::CpuBurner, Some(512)));
        groups[2].cpu.quota_us = Some(25_000);
        let sharing = numbers(groups, 0.0).sharing;
        assert!(sharing.jain_weighted_cpu.is_none() && sharing.jain_weighted_rate.is_some());
        assert!(sharing.groups[0].cpu_share_error.is_none() && sharing.groups[0].rate_share_error.is_some());
    }

    #[test]
    fn idle_guests_are_due_nothing() {
        let idle = vec![
            members("gold", 1, 2, Role::Measured, Some(1024)),
            members("rest", 3, 2, Role::Idle, Some(512)),
        ];
        let due: Vec<_> =
            numbers(idle, 0.0).sharing.groups.iter().map(|g| g.expected_share_percent).collect();
        assert_eq!(due, [Some(100.0), None]);
    }

    #[test]
    fn without_groups_nothing_is_said() {
        let sharing = numbers(vec![], 0.0).sharing;
        assert!(sharing.groups.is_empty() && sharing.jain_weighted_cpu.is_none());
    }
}
