//! Work conservation: what quotas kept guests from while CPUs were idle.

use super::GroupFigures;
use super::span::Span;
use crate::profile::groups::Members;
use crate::raw::RawTrial;

/// How long quotas kept a group from CPUs between the snapshots, s summed over control groups and CPUs.
pub(super) fn throttled_s(raw: &RawTrial, members: &Members) -> Option<f64> {
    let [first, .., last] = raw.snapshots.as_slice() else { return None };
    if members.cgroup {
        return gained(
            first.throttled_groups_s.get(&members.name),
            last.throttled_groups_s.get(&members.name),
        );
    }
    let of = |guest: u32| gained(first.throttled_guests_s.get(&guest), last.throttled_guests_s.get(&guest));
    members.numbers().map(of).sum()
}

fn gained(before: Option<&f64>, after: Option<&f64>) -> Option<f64> {
    Some((after? - before?).max(0.0))
}

/// CPU time that was idle although somebody was throttled, % of all CPUs between the snapshots, at most: the smaller of all idle
/// and of all throttled time. Whether both fell together within the time is not known.
pub(super) fn unused_percent(raw: &RawTrial, groups: &[GroupFigures]) -> Option<f64> {
    let [first, .., last] = raw.snapshots.as_slice() else { return None };
    let throttled: Vec<f64> = groups.iter().filter_map(|group| group.throttled_s).collect();
    let (idle_s, all_s) = Span::between(&raw.host, first.at_s, last.at_s)?.idle_of_all_s()?;
    let known = !throttled.is_empty() && all_s > 0.0;
    known.then(|| 100.0 * idle_s.min(throttled.iter().sum()).max(0.0) / all_s)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::figures::{Numbers, TrialFigures, fixture};
    use crate::profile::Role;
    use crate::profile::groups::{CpuSettings, Members};
    use crate::raw::{CpuTimes, Snapshot};

    /// Ten seconds of two CPUs with so much idle time, in which two guests were throttled for 3 s each.
    fn numbers(idle_s: f64, cgroup: bool) -> Numbers {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        let cpu = CpuSettings { quota_us: Some(25_000), ..CpuSettings::default() };
        let (name, role) = ("capped".into(), Role::Measured);
        raw.groups = vec![Members {
            name,
            first: 1,
            guests: 2,
            role,
            cpu,
            bandwidth_bps: None,
            rate_bps: None,
            cgroup,
        }];
        let snapshot = |part: f64| Snapshot {
            at_s: fixture::START + 2.0 + 10.0 * part,
            tester_cpus: Vec::new(),
            netperfs_s: Vec::new(),
            swapped: None,
            merged: None,
            nics: Vec::new(),
            throttled_guests_s: [1, 2].map(|guest| (guest, 1.0 + 3.0 * part)).into(),
            throttled_groups_s: BTreeMap::from([("capped".into(), 5.0 + 4.0 * part)]),
        };
        raw.snapshots = vec![snapshot(0.0), snapshot(1.0)];
        for sample in &mut raw.host {
            let part = ((sample.at_s - fixture::START - 2.0) / 10.0).max(0.0);
            let (idle, user) = (part * idle_s, part * (20.0 - idle_s));
            sample.cpu = CpuTimes { idle, user, ..CpuTimes::default() };
        }
        TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers")
    }

    #[test]
    fn what_is_unused_is_no_more_than_was_idle_and_no_more_than_was_throttled() {
        let unused = |idle_s| numbers(idle_s, false).sharing.unused_cpu_percent.unwrap();
        assert!((unused(2.0) - 10.0).abs() < 1e-9, "2 s of 20 s were idle");
        assert!((unused(16.0) - 30.0).abs() < 1e-9, "6 s of 20 s were throttled");
        assert_eq!(unused(0.0), 0.0);
    }

    #[test]
    fn a_group_counts_its_guests_or_its_own_control_group() {
        let group = |cgroup| numbers(2.0, cgroup).sharing.groups[0].clone();
        assert_eq!((group(false).throttled_s, group(true).throttled_s), (Some(6.0), Some(4.0)));
        assert_eq!(group(false).quota_percent, Some(25.0));
    }

    #[test]
    fn without_snapshots_nothing_is_known() {
        let raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        let numbers =
            TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers");
        assert_eq!(numbers.sharing.unused_cpu_percent, None);
    }
}
