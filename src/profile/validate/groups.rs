//! Groups: each by itself, and whether every number of guests can be divided as they say.

use std::time::Duration;

use super::factors::{Levels, levels_of};
use super::{Fault, Validator, division, is_name};
use crate::factor::quota::LEAST_QUOTA_US;
use crate::profile::groups::{CpuSettings, Group, GroupSize, OTHERS, micros};
use crate::profile::written::{self, Share, Written};
use crate::profile::{Background, Factor, Role, Value};
use crate::units::{Rate, Time};

/// As many as a profile can have guests.
const MOST_GROUPS: usize = 1000;
/// What `cpu.shares` (2 to 262144) or `cpu.weight` (1 to 10000) takes; `kvmfair check` knows which of them the host has.
const SHARES: std::ops::RangeInclusive<u32> = 1..=262_144;
/// Shortest and longest period that the kernel takes, µs.
const PERIODS_US: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;

/// The least cap with which netperf still sets its connections up, bits/s.
const LEAST_BANDWIDTH: Rate = Rate(64_000);
/// The most that tc can hold, bits/s: the bytes of its bucket (10 ms) and of the queue before it (50 ms) have 32 bits. Beyond
/// 572 Gbit/s it takes the command and wraps around.
const MOST_BANDWIDTH: Rate = Rate(500_000_000_000);

/// The groups as written, and all that is wrong with them.
pub(super) fn groups(check: &mut Validator, written: &Written, factors: &[Levels]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    if written.group.len() > MOST_GROUPS {
        let hint = format!("use at most {MOST_GROUPS}: there are no more guests to divide");
        let message = format!("a profile cannot have {} groups", written.group.len());
        check.fault(&format!("group[{MOST_GROUPS}]"), Fault::new(message, "too many", hint));
    }
    for (index, group) in written.group.iter().take(MOST_GROUPS).enumerate() {
        let path = format!("group[{index}]");
        let name = name(check, &path, group, &groups);
        let size = size(check, &path, group);
        let cpu = cpu(check, &path, group);
        let bandwidth_bps = bandwidth(check, &path, group);
        let role = group.role.unwrap_or_default();
        let rate_bps = rate(check, &path, group, factors);
        let cgroup = group.cgroup;
        groups.extend(size.map(|size| Group { name, size, cpu, role, bandwidth_bps, rate_bps, cgroup }));
    }
    if groups.len() == written.group.len() {
        control_groups(check, written, &groups, factors);
        division::check(check, &groups, factors);
        used_quota(check, &groups, factors);
    }
    background(check, &groups, factors);
    limits(check, &groups, factors);
    groups
}

fn name(check: &mut Validator, path: &str, group: &written::GroupSection, others: &[Group]) -> String {
    let path = format!("{path}.name");
    let name = group.name.clone().unwrap_or_default();
    let fault = match () {
        () if group.name.is_none() => {
            check.missing(&path, "name the group for tables and charts, for example name = \"gold\"");
            return name;
        }
        () if !is_name(&name) || name.len() > 32 => {
            let hint = "use 1 to 32 of a-z, 0-9 and -, no - first, for example name = \"gold\"";
            Fault::new(format!("the name {name:?} cannot be a part of file names"), "", hint)
        }
        () if name == OTHERS => {
            let hint = "it is the name of the guests that are in no group; choose another";
            Fault::new(format!("no group can be called \"{OTHERS}\""), "", hint)
        }
        () if others.iter().any(|other| other.name == name) => {
            Fault::new(format!("two groups are called \"{name}\""), "again", "give each a name of its own")
        }
        () => return name,
    };
    check.fault(&path, fault);
    name
}

fn size(check: &mut Validator, path: &str, group: &written::GroupSection) -> Option<GroupSize> {
    let path = format!("{path}.guests");
    let (shown, size) = match &group.guests {
        None => {
            check.missing(&path, "say how many guests it has: guests = 8, or a part such as \"50 %\"");
            return None;
        }
        Some(Share::Guests(guests)) => {
            (guests.to_string(), (*guests > 0).then_some(GroupSize::Guests(*guests)))
        }
        Some(Share::Part(part)) => (format!("\"{part}\""), percent(part)),
    };
    if size.is_none() {
        let hint = "write a number of guests, at least 1, or a whole percentage such as \"50 %\"";
        check.fault(&path, Fault::new(format!("a group cannot have {shown} guests"), "", hint));
    }
    size
}

fn percent(part: &str) -> Option<GroupSize> {
    let percent = part.trim().strip_suffix('%')?.trim().parse().ok()?;
    (1..=100).contains(&percent).then_some(GroupSize::Percent(percent))
}

fn cpu(check: &mut Validator, path: &str, group: &written::GroupSection) -> CpuSettings {
    let us = |time: &Option<Time>| time.map(|Time(time)| micros(time));
    let cpu = CpuSettings {
        shares: group.shares,
        quota_us: us(&group.quota),
        period_us: us(&group.period),
        emulator_quota_us: us(&group.emulator_quota),
    };
    if let Some(shares) = cpu.shares {
        check.bounds(&format!("{path}.shares"), shares, SHARES);
    }
    if !period(check, path, &cpu) {
        return cpu; // how much of no period a quota is, nobody can say
    }
    for (key, quota) in [("quota", cpu.quota_us), ("emulator_quota", cpu.emulator_quota_us)] {
        // A control group may run on several CPUs at once.
        let most = if group.cgroup && key == "quota" { u32::MAX } else { cpu.period_us() };
        if let Some(quota) = quota {
            check.bounds(&format!("{path}.{key}"), time_of(quota), time_of(LEAST_QUOTA_US)..=time_of(most));
        }
    }
    cpu
}

/// Whether the kernel takes the period.
fn period(check: &mut Validator, path: &str, cpu: &CpuSettings) -> bool {
    let path = format!("{path}.period");
    match cpu.period_us {
        Some(us) if !PERIODS_US.contains(&us) => {
            check.bounds(&path, time_of(us), time_of(*PERIODS_US.start())..=time_of(*PERIODS_US.end()));
            return false;
        }
        Some(_) if cpu.quota_us.is_none() && cpu.emulator_quota_us.is_none() => {
            let hint = "add the CPU time in each period, for example quota = \"50 ms\"";
            check.fault(&path, Fault::new("a period without a quota limits nothing", "", hint));
        }
        _ => {}
    }
    true
}

/// A guest starts in its control group and stays in it, so its group must not depend on how many there are.
fn control_groups(check: &mut Validator, written: &Written, groups: &[Group], factors: &[Levels]) {
    let swept = factors.iter().any(|levels| levels.factor == Factor::Vms && levels.levels.len() > 1);
    let hardware = written.host.uri.as_ref().is_some_and(|uri| uri != "embedded");
    for (index, group) in groups.iter().enumerate().filter(|(_, group)| group.cgroup) {
        let path = format!("group[{index}].cgroup");
        if hardware {
            let hint = "leave `cgroup` out: shares and quota are then each guest's own";
            check.fault(
                &path,
                Fault::new("control groups in the hardware lab are not supported yet", "", hint),
            );
        }
        if swept && groups[..=index].iter().any(|group| matches!(group.size, GroupSize::Percent(_))) {
            let message = "guests would have to change their control group between configurations";
            let hint = "write numbers of guests in place of percentages, or one level of vms";
            check.fault(&path, Fault::new(message, "", hint));
        }
        if group.cpu.emulator_quota_us.is_some() {
            let hint = "leave `emulator_quota` out, or `cgroup`";
            let message = "a control group does not tell QEMU's threads apart";
            check.fault(&format!("group[{index}].emulator_quota"), Fault::new(message, "", hint));
        }
    }
}

/// Limits that are swept must be there.
fn limits(check: &mut Validator, groups: &[Group], factors: &[Levels]) {
    let swept = factors.iter().any(|levels| levels.factor == Factor::GroupLimits && levels.swept);
    let limited = |group: &Group| group.cpu != CpuSettings::default() || group.bandwidth_bps.is_some();
    if swept && !groups.iter().any(limited) {
        let hint = "give a [[group]] shares, quota, emulator_quota or bandwidth: the sweep takes them away and gives them back";
        check.fault("sweep.group_limits", Fault::new("no group has a limit", "makes no difference", hint));
    }
}

fn background(check: &mut Validator, groups: &[Group], factors: &[Levels]) {
    let swept = factors.iter().any(|levels| levels.factor == Factor::Background && levels.swept);
    if swept && groups.iter().all(|group| group.role == Role::Measured) {
        let hint =
            "add a [[group]] with guests = 1 and role = \"cpu-burner\": the sweep says what it does when";
        check.fault("sweep.background", Fault::new("no guest is there to make the background", "", hint));
    }
}

fn time_of(us: u32) -> Time {
    Time(Duration::from_micros(us.into()))
}

/// The cap on the NIC of each guest, bits/s, and what is wrong with it.
fn bandwidth(check: &mut Validator, path: &str, group: &written::GroupSection) -> Option<u64> {
    let cap = group.bandwidth?;
    check.bounds(&format!("{path}.bandwidth"), cap, LEAST_BANDWIDTH..=MOST_BANDWIDTH);
    Some(cap.0)
}

/// The rate of a group at the path, bits/s, and what is wrong with it.
fn rate(check: &mut Validator, path: &str, group: &written::GroupSection, factors: &[Levels]) -> Option<u64> {
    let path = format!("{path}.rate");
    let paced = match group.role.unwrap_or_default() {
        Role::Paced => true,
        Role::Measured => false,
        _ => is_paced_by_sweep(factors),
    };
    let fault = match group.rate {
        None if paced => {
            check.missing(&path, "say what each guest receives, for example rate = \"20 Mbit\"");
            return None;
        }
        None => return None,
        Some(_) if !paced => {
            let hint = "write role = \"paced\", or leave it out; `bandwidth` caps what every guest can move";
            Fault::new("`rate` is ignored by guests that are not paced", "makes no difference", hint)
        }
        Some(rate) => match group.bandwidth.filter(|cap| *cap < rate) {
            None => {
                check.bounds(&path, rate, LEAST_BANDWIDTH..=MOST_BANDWIDTH);
                return Some(rate.0);
            }
            Some(cap) => {
                let hint = "raise `bandwidth`, lower `rate`, or leave one of them out";
                Fault::new(format!("a cap of {cap} lets no {rate} through"), "too much", hint)
            }
        },
    };
    check.fault(&path, fault);
    group.rate.map(|Rate(bits)| bits)
}

/// Whether guests that are not measured are paced in some configurations.
fn is_paced_by_sweep(factors: &[Levels]) -> bool {
    let levels = factors.iter().flat_map(|levels| &levels.levels);
    levels.into_iter().any(|level| level.value == Value::Background(Background::Paced))
}

/// Reports a quota of all guests that none of them uses.
fn used_quota(check: &mut Validator, groups: &[Group], factors: &[Levels]) {
    let Some(quota) = factors.iter().find(|levels| levels.factor == Factor::Quota && levels.written) else {
        return;
    };
    let own = groups.iter().all(|group| group.cpu.quota_us.is_some());
    if !groups.is_empty()
        && own
        && levels_of(factors, Factor::Vms).iter().all(|vms| are_all(groups, vms.value.as_number()))
    {
        let path = if quota.swept { "sweep.quota" } else { Factor::Quota.home() };
        let hint = "leave `quota` out of the [[group]] that is to use it, or leave it out here";
        check.fault(path, Fault::new("each guest has the quota of its group", "makes no difference", hint));
    }
}

/// Whether the groups have so many guests that nobody is left over.
fn are_all(groups: &[Group], vms: u32) -> bool {
    groups.iter().map(|group| group.size.guests(vms)).sum::<Option<u32>>() == Some(vms)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    fn message(groups: &str) -> Option<String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\nguest.vms = 2\n\
             sweep.quota = [\"20 ms\", \"50 ms\"]\n{groups}"
        );
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        parse(&text, Path::new("p.toml"), facts).err().map(|error| error.diagnostics[0].message.clone())
    }

    #[test]
    fn a_quota_of_all_guests_needs_one_that_has_none_of_its_group() {
        let group =
            |guests: u32, more: &str| format!("[[group]]\nname = \"g{guests}\"\nguests = {guests}\n{more}\n");
        let own = "quota = \"30 ms\"";
        assert_eq!(message(&group(2, own)), Some("each guest has the quota of its group".into()));
        assert_eq!(message(&group(2, "")), None);
        assert_eq!(message(&group(1, own)), None, "the other guest uses it");
        assert_eq!(message(""), None);
    }
}
