//! How long quotas kept guests from CPUs, as the control groups' `cpu.stat` counts it: read at both snapshots of a trial that has
//! quotas.

use std::collections::BTreeMap;

use super::lab_session::LabSession;
use crate::backend::Side;
use crate::profile::groups::Members;

const SCRIPT: &str = include_str!("throttled.sh");

/// By guest, and by name of the groups that one control group holds, s since they were made. What cannot be read is left out.
pub(super) async fn by_quotas(
    session: &LabSession,
    groups: &[Members],
) -> (BTreeMap<u32, f64>, BTreeMap<String, f64>) {
    let limited = |group: &&Members| group.cpu.quota_us.is_some() || group.cpu.emulator_quota_us.is_some();
    let single = groups.iter().filter(|group| limited(group) && !group.cgroup);
    let guests: Vec<(u32, i32)> = single
        .flat_map(|group| group.numbers())
        .filter_map(|number| Some((number, session.fleet.get(number)?.pid?)))
        .collect();
    let mut by_group = BTreeMap::new();
    for group in groups.iter().filter(|group| limited(group) && group.cgroup) {
        let Some(made) = session.control_groups.get(&group.name) else { continue };
        let stat = session.lab.side(Side::Host).read(&made.cpu.join("cpu.stat").to_string_lossy()).await;
        by_group.extend(stat.ok().and_then(|stat| throttled_s(&stat)).map(|s| (group.name.clone(), s)));
    }
    (by_guest(session, &guests).await, by_group)
}

async fn by_guest(session: &LabSession, guests: &[(u32, i32)]) -> BTreeMap<u32, f64> {
    if guests.is_empty() {
        return BTreeMap::new();
    }
    let pids = guests.iter().map(|(_, pid)| pid.to_string());
    let words = ["sh", "-c", SCRIPT, "throttled"].map(str::to_owned).into_iter().chain(pids);
    let argv: Vec<String> = words.collect();
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let output =
        session.lab.side(Side::Host).run(&argv).await.map(|output| output.stdout).unwrap_or_default();
    parse(&output, guests)
}

/// The output of the script -> seconds by guest. Pure.
fn parse(output: &str, guests: &[(u32, i32)]) -> BTreeMap<u32, f64> {
    let line = |line: &str| {
        let (pid, ns) = line.split_once(' ')?;
        let (pid, ns): (i32, u64) = (pid.parse().ok()?, ns.trim().parse().ok()?);
        let (guest, _) = guests.iter().find(|(_, known)| *known == pid)?;
        Some((*guest, ns as f64 / 1e9))
    };
    output.lines().filter_map(line).collect()
}

/// `throttled_time` (v1, ns) or `throttled_usec` (v2, µs) of a `cpu.stat`, s. Pure.
fn throttled_s(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_time", ns) => Some(ns.trim().parse::<u64>().ok()? as f64 / 1e9),
        ("throttled_usec", us) => Some(us.trim().parse::<u64>().ok()? as f64 / 1e6),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_tell_the_same_time() {
        let v1 = "nr_periods 40\nnr_throttled 12\nthrottled_time 1500000000\nnr_bursts 0\nburst_time 0\n";
        let v2 = "usage_usec 9\nuser_usec 5\nsystem_usec 4\nnr_periods 40\nnr_throttled 12\nthrottled_usec 1500000\n";
        assert_eq!((throttled_s(v1), throttled_s(v2)), (Some(1.5), Some(1.5)));
        assert_eq!(throttled_s("usage_usec 9\n"), None, "v2 without the cpu controller");
    }

    #[test]
    fn processes_become_guests_and_who_did_not_answer_is_left_out() {
        let throttled = parse("4711 2500000000\n4712 \nnonsense\n99 5\n", &[(1, 4711), (2, 4712)]);
        assert_eq!(throttled, BTreeMap::from([(1, 2.5)]));
    }
}
