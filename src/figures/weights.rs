//! What groups of guests are due by their weights, and how far they are from it.

use crate::profile::Role;
use crate::profile::groups::Members;
use crate::stats::share_errors;

/// The weight of each group that takes part; `None` for the others, and for all unless each that takes part has one: what
/// is due to one depends on the weights of all.
///
/// Where nobody has shares, all guests have the kernel's default and weigh the same.
pub(super) fn weights(groups: &[Members], takes_part: impl Fn(&Members) -> bool) -> Vec<Option<f64>> {
    let mut parties = groups.iter().filter(|members| takes_part(members));
    let alike = parties.clone().all(|members| members.cpu.shares.is_none() && !members.cgroup);
    let weight = |members: &Members| match alike {
        true => Some(f64::from(members.guests)),
        false => members.weight(),
    };
    let known = parties.all(|members| weight(members).is_some());
    groups.iter().map(|members| weight(members).filter(|_| known && takes_part(members))).collect()
}

/// The same where weights alone decide what each gets; `None` for all if something else limits one that takes part: it may
/// be below its due because of that, and the others above theirs.
pub(super) fn deciding(groups: &[Members], takes_part: impl Fn(&Members) -> bool) -> Vec<Option<f64>> {
    match groups.iter().any(|members| takes_part(members) && is_limited(members)) {
        true => vec![None; groups.len()],
        false => weights(groups, takes_part),
    }
}

/// Whether a quota, a cap on the NIC or the pace of its streams holds a group, whatever its weight.
fn is_limited(members: &Members) -> bool {
    let cpu = &members.cpu;
    // A vCPU is one thread: it cannot use more than a whole period.
    let by_quota = cpu.quota_us.is_some_and(|quota| members.cgroup || quota < cpu.period_us());
    let paced = members.role == Role::Paced;
    by_quota || cpu.emulator_quota_us.is_some() || members.bandwidth_bps.is_some() || paced
}

/// The share error of each party by its index.
pub(super) fn errors(values: &[f64], weights: &[Option<f64>]) -> Vec<(usize, f64)> {
    let parties = weights.iter().enumerate().filter_map(|(index, weight)| Some((index, (*weight)?)));
    let (indices, weights): (Vec<usize>, Vec<f64>) = parties.unzip();
    let own: Vec<f64> = indices.iter().map(|index| values[*index]).collect();
    indices.into_iter().zip(share_errors(&own, &weights).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::groups::CpuSettings;

    fn members(role: Role, shares: Option<u32>, cgroup: bool) -> Members {
        let cpu = CpuSettings { shares, ..CpuSettings::default() };
        let (name, bandwidth_bps, rate_bps) = (String::new(), None, None);
        Members { name, first: 1, guests: 2, role, cpu, bandwidth_bps, rate_bps, cgroup }
    }

    fn declared_weights(groups: &[Members]) -> Vec<Option<f64>> {
        weights(groups, |members| members.role != Role::Idle)
    }

    #[test]
    fn guests_weigh_each_and_a_control_group_once() {
        let measured = |shares, cgroup| members(Role::Measured, Some(shares), cgroup);
        assert_eq!(
            declared_weights(&[measured(1024, false), measured(512, true)]),
            [Some(2048.0), Some(512.0)]
        );
    }

    #[test]
    fn guests_without_shares_weigh_the_same() {
        let [measured, idle] = [Role::Measured, Role::Idle].map(|role| members(role, None, false));
        assert_eq!(declared_weights(&[measured.clone(), measured, idle]), [Some(2.0), Some(2.0), None]);
    }

    #[test]
    fn weights_of_some_are_weights_of_none() {
        let measured = |shares, cgroup| members(Role::Measured, shares, cgroup);
        assert_eq!(declared_weights(&[measured(Some(1024), false), measured(None, false)]), [None, None]);
        assert_eq!(declared_weights(&[measured(None, false), measured(None, true)]), [None, None]);
    }

    #[test]
    fn an_idle_group_needs_no_weight() {
        let groups = [members(Role::Measured, Some(1024), false), members(Role::Idle, None, false)];
        assert_eq!(declared_weights(&groups), [Some(2048.0), None]);
    }

    /// What weights decide beside a plain measured group.
    fn decided(other: Members) -> bool {
        let plain = members(Role::Measured, other.cpu.shares, false);
        let found = deciding(&[plain, other], |members| members.role != Role::Idle);
        found.iter().any(Option::is_some)
    }

    #[test]
    fn weights_decide_nothing_where_one_that_takes_part_is_limited_otherwise() {
        let measured = || members(Role::Measured, Some(512), false);
        let with = |cpu| decided(Members { cpu, ..measured() });
        assert!(decided(measured()));
        assert!(!decided(Members { bandwidth_bps: Some(1_000_000), ..measured() }));
        assert!(!decided(members(Role::Paced, Some(512), false)));
        assert!(!with(CpuSettings { quota_us: Some(30_000), ..measured().cpu }));
        assert!(!with(CpuSettings { emulator_quota_us: Some(50_000), ..measured().cpu }));
        assert!(decided(Members { bandwidth_bps: Some(1_000_000), ..members(Role::Idle, None, false) }));
    }

    #[test]
    fn a_quota_of_whole_cpus_limits_a_control_group_and_no_vcpu() {
        let cpu = CpuSettings { shares: Some(512), quota_us: Some(100_000), ..CpuSettings::default() };
        assert!(decided(Members { cpu, ..members(Role::Measured, Some(512), false) }));
        assert!(is_limited(&Members { cpu, ..members(Role::Measured, Some(512), true) }));
    }
}
