//! Whether CPU time was short among those who are compared.
//!
//! Busy CPUs alone do not say so: where tester and guests share a machine, netperf can fill it while no guest waits.

use super::{GuestFigures, HostFigures};
use crate::profile::groups::Members;

/// Busy part of the host's CPUs from which on they may be contended for, %.
const BUSY_PERCENT: f64 = 95.0;
/// The same by the time in which something waited (PSI), on the host and of each who is compared, %.
const WAITING_PERCENT: f64 = 5.0;

/// Whether the host was busy or something waited on it, and at least two of those compared waited for CPUs themselves;
/// `None` if unknown. Compared are the groups that take part, or, of a single one or none, its guests.
pub(super) fn contended(
    host: Option<&HostFigures>,
    groups: &[Members],
    guests: &[GuestFigures],
    takes_part: &dyn Fn(&Members) -> bool,
) -> Option<bool> {
    if !is_short(host?) {
        return Some(false);
    }
    let waits: Vec<Option<f64>> =
        parties(groups, guests, takes_part).iter().map(|party| waiting_percent(party)).collect();
    let waited = waits.iter().flatten().filter(|percent| **percent >= WAITING_PERCENT).count();
    // Who is not known might be the second, if there are two.
    let known = waited >= 2 || waits.len() < 2 || waits.iter().all(Option::is_some);
    known.then_some(waited >= 2)
}

fn is_short(host: &HostFigures) -> bool {
    let waiting = host.pressure_percent.is_some_and(|pressure| pressure >= WAITING_PERCENT);
    host.busy_percent >= BUSY_PERCENT || waiting
}

fn parties<'g>(
    groups: &[Members],
    guests: &'g [GuestFigures],
    takes_part: &dyn Fn(&Members) -> bool,
) -> Vec<Vec<&'g GuestFigures>> {
    let of = |members: &Members| -> Vec<&GuestFigures> {
        guests.iter().filter(|guest| members.numbers().contains(&guest.guest)).collect()
    };
    let mut parties: Vec<_> = groups.iter().filter(|members| takes_part(members)).map(of).collect();
    match (groups.is_empty(), parties.len()) {
        (true, _) => guests.iter().map(|guest| vec![guest]).collect(),
        (false, 1) => parties.remove(0).into_iter().map(|guest| vec![guest]).collect(),
        _ => parties,
    }
}

/// Mean over its guests of the time in which something of them waited for a CPU, %; `None` if one is unknown.
fn waiting_percent(party: &[&GuestFigures]) -> Option<f64> {
    let waits = party.iter().map(|guest| waiting(guest)).collect::<Option<Vec<f64>>>()?;
    (!waits.is_empty()).then(|| waits.iter().sum::<f64>() / waits.len() as f64)
}

/// Of its control group (PSI), or, where the kernel does not report it, the part of the time in which they could run that its
/// threads waited.
fn waiting(guest: &GuestFigures) -> Option<f64> {
    let ratio = || Some(100.0 * guest.cpu?.wait_ratio.unwrap_or(0.0)); // who neither ran nor waited did not wait
    guest.pressure_percent.or_else(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Numbers, TrialFigures, fixture};
    use crate::profile::Role;

    /// Guests 1 and 2, 3 and 4.
    fn groups() -> Vec<Members> {
        let members = |name, first, role| Members { role, ..fixture::members(name, first, 2) };
        vec![members("gold", 1, Role::Measured), members("silver", 3, Role::CpuBurner)]
    }

    /// Four guests with these parts of their time waited, % (PSI), on a host that is so busy, %.
    fn contended_at(busy_percent: f64, pressure: [Option<f64>; 4], groups: &[Members]) -> Option<bool> {
        let raw = fixture::trial(fixture::configuration("virtio", 4), &[1000.0; 4]);
        let Numbers { host, mut guests, .. } =
            TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers");
        guests.iter_mut().zip(pressure).for_each(|(guest, percent)| guest.pressure_percent = percent);
        let host = HostFigures { busy_percent, ..host.expect("the fixture has a host") };
        contended(Some(&host), groups, &guests, &|_| true)
    }

    #[test]
    fn a_busy_host_on_which_two_groups_waited_is_contended() {
        assert_eq!(contended_at(99.0, [5.0, 5.0, 9.0, 9.0].map(Some), &groups()), Some(true));
        assert_eq!(contended_at(80.0, [5.0, 5.0, 9.0, 9.0].map(Some), &groups()), Some(false));
    }

    #[test]
    fn a_host_that_the_tester_fills_while_at_most_one_group_waits_is_not() {
        assert_eq!(contended_at(99.0, [0.0; 4].map(Some), &groups()), Some(false));
        assert_eq!(contended_at(99.0, [0.0, 0.0, 9.0, 9.0].map(Some), &groups()), Some(false));
        assert_eq!(contended_at(99.0, [4.0, 5.0, 9.0, 9.0].map(Some), &groups()), Some(false));
    }

    #[test]
    fn pressure_of_the_host_counts_like_busy_cpus() {
        let raw = fixture::trial(fixture::configuration("virtio", 1), &[1000.0]);
        let host = TrialFigures::compute(&raw, &fixture::timing()).numbers.and_then(|numbers| numbers.host);
        let short = |pressure_percent| {
            is_short(&HostFigures { pressure_percent, ..host.expect("the fixture has a host") })
        };
        assert!(short(Some(5.0)) && !short(Some(4.9)) && !short(None));
    }

    #[test]
    fn where_the_kernel_does_not_tell_the_threads_own_waits_do() {
        // 0.05 + 0.02 + 0.01 of 0.08 + 0.1 + 0.1 + 0.06 + 0.04 s each second.
        assert_eq!(contended_at(99.0, [None; 4], &groups()), Some(true));
        assert_eq!(contended_at(99.0, [Some(0.0), Some(0.0), None, None], &groups()), Some(false));
    }

    #[test]
    fn guests_of_one_group_or_of_none_are_compared_with_each_other() {
        for groups in [vec![], vec![Members { guests: 4, ..groups().remove(0) }]] {
            assert_eq!(contended_at(99.0, [9.0, 9.0, 0.0, 0.0].map(Some), &groups), Some(true));
            assert_eq!(contended_at(99.0, [9.0, 0.0, 0.0, 0.0].map(Some), &groups), Some(false));
        }
    }
}
