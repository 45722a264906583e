//! Groups: each by itself, and whether every number of guests can be divided as they say.

use super::factors::Levels;
use super::{Check, Fault, bandwidth, division, is_name, pace, quota};
use crate::factor::quota::quota_fault;
use crate::profile::groups::{CpuSettings, Group, OTHERS, Size, micros};
use crate::profile::written::{self, Share, Written};
use crate::profile::{Factor, Role};
use crate::units::Time;

/// What `cpu.shares` (2 to 262144) or `cpu.weight` (1 to 10000) takes; `kvmfair check` knows which of them the host has.
const SHARES: std::ops::RangeInclusive<u32> = 1..=262_144;
/// Shortest and longest period that the kernel takes, µs.
const PERIOD_US: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;

/// The groups as written, and all that is wrong with them.
pub(super) fn groups(check: &mut Check, written: &Written, factors: &[Levels]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, group) in written.group.iter().enumerate() {
        let path = format!("group[{index}]");
        let name = name(check, &path, group, &groups);
        let size = size(check, &path, group);
        let cpu = cpu(check, &path, group);
        let bandwidth_bps = bandwidth::bandwidth(check, &path, group, factors);
        let role = group.role.unwrap_or_default();
        let rate_bps = pace::rate(check, &path, group, factors);
        let cgroup = group.cgroup;
        groups.extend(size.map(|size| Group { name, size, cpu, role, bandwidth_bps, rate_bps, cgroup }));
    }
    if groups.len() == written.group.len() {
        control_groups(check, written, &groups, factors);
        division::check(check, &groups, factors);
        quota::heeded(check, &groups, factors);
    }
    background(check, &groups, factors);
    limits(check, &groups, factors);
    groups
}

fn name(check: &mut Check, path: &str, group: &written::Group, others: &[Group]) -> String {
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

fn size(check: &mut Check, path: &str, group: &written::Group) -> Option<Size> {
    let path = format!("{path}.guests");
    let (shown, size) = match &group.guests {
        None => {
            check.missing(&path, "say how many guests it has: guests = 8, or a part such as \"50 %\"");
            return None;
        }
        Some(Share::Guests(guests)) => (guests.to_string(), (*guests > 0).then_some(Size::Guests(*guests))),
        Some(Share::Part(part)) => (format!("\"{part}\""), percent(part)),
    };
    if size.is_none() {
        let hint = "write a number of guests, at least 1, or a whole percentage such as \"50 %\"";
        check.fault(&path, Fault::new(format!("a group cannot have {shown} guests"), "", hint));
    }
    size
}

fn percent(part: &str) -> Option<Size> {
    let percent = part.trim().strip_suffix('%')?.trim().parse().ok()?;
    (1..=100).contains(&percent).then_some(Size::Percent(percent))
}

fn cpu(check: &mut Check, path: &str, group: &written::Group) -> CpuSettings {
    let us = |time: &Option<Time>| time.map(|Time(time)| micros(time));
    let cpu = CpuSettings {
        shares: group.shares,
        quota_us: us(&group.quota),
        period_us: us(&group.period),
        emulator_quota_us: us(&group.emulator_quota),
    };
    if let Some(shares) = cpu.shares.filter(|shares| !SHARES.contains(shares)) {
        let hint = format!("use {} to {}; 1024 is a guest's weight by default", SHARES.start(), SHARES.end());
        check.fault(&format!("{path}.shares"), Fault::new(format!("no guest has {shares} shares"), "", hint));
    }
    if !period(check, path, &cpu) {
        return cpu; // how much of no period a quota is, nobody can say
    }
    for (key, quota) in [("quota", cpu.quota_us), ("emulator_quota", cpu.emulator_quota_us)] {
        // A control group may run on several CPUs at once.
        let most = if group.cgroup && key == "quota" { u32::MAX } else { cpu.period_us() };
        if let Some(fault) = quota.and_then(|quota| quota_fault(key, quota, most)) {
            check.fault(&format!("{path}.{key}"), fault);
        }
    }
    cpu
}

/// Whether the kernel takes the period.
fn period(check: &mut Check, path: &str, cpu: &CpuSettings) -> bool {
    let path = format!("{path}.period");
    match cpu.period_us {
        Some(us) if !PERIOD_US.contains(&us) => {
            let hint = "the kernel takes \"1 ms\" to \"1 s\"; \"100 ms\" is its default";
            check.fault(&path, Fault::new("no quota has such a period", "", hint));
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
fn control_groups(check: &mut Check, written: &Written, groups: &[Group], factors: &[Levels]) {
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
        if swept && groups[..=index].iter().any(|group| matches!(group.size, Size::Percent(_))) {
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
fn limits(check: &mut Check, groups: &[Group], factors: &[Levels]) {
    let swept = factors.iter().any(|levels| levels.factor == Factor::GroupLimits && levels.swept);
    let limited = |group: &Group| group.cpu != CpuSettings::default() || group.bandwidth_bps.is_some();
    if swept && !groups.iter().any(limited) {
        let hint = "give a [[group]] shares, quota, emulator_quota or bandwidth: the sweep takes them away and gives them back";
        check.fault("sweep.group_limits", Fault::new("no group has a limit", "makes no difference", hint));
    }
}

fn background(check: &mut Check, groups: &[Group], factors: &[Levels]) {
    let swept = factors.iter().any(|levels| levels.factor == Factor::Background && levels.swept);
    if swept && groups.iter().all(|group| group.role == Role::Measured) {
        let hint =
            "add a [[group]] with guests = 1 and role = \"cpu-burner\": the sweep says what it does when";
        check.fault("sweep.background", Fault::new("no guest is there to make the background", "", hint));
    }
}
