//! Groups of guests that differ: who is in which, what its members do, and what part of the host they may have.
//!
//! Guests are assigned in order: the first group has guests 1 to k, the next those after it; who is left over is a plain
//! measured guest. Pure. A raw trial keeps the groups as they were in its configuration: its figures need no profile.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Configuration, Role};
pub use crate::factor::quota::{PERIOD_US, micros};

/// The name of the guests that no group of the profile has.
pub const OTHERS: &str = "others";

/// One group of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name in tables and charts.
    pub name: String,
    /// How many guests it has.
    pub size: GroupSize,
    /// CPU time: of each guest, or of the group as a whole where it has a control group.
    pub cpu: CpuSettings,
    /// What its guests do.
    pub role: Role,
    /// Cap on each guest's NIC, in each direction, bits/s.
    pub bandwidth_bps: Option<u64>,
    /// What each of its guests receives while it is paced, bits/s.
    #[serde(default)]
    pub rate_bps: Option<u64>,
    /// Whether one control group holds all its guests, and the CPU settings are that group's.
    pub cgroup: bool,
}

/// How many guests a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupSize {
    /// So many.
    Guests(u32),
    /// A part of all, %.
    Percent(u32),
}

/// CPU time of a guest, as libvirt's scheduler parameters have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuSettings {
    /// Weight against others: `cpu.shares` of cgroup v1, `cpu.weight` of v2; the kernel's default if none.
    pub shares: Option<u32>,
    /// CPU time of each vCPU in each period, µs; unlimited if none.
    pub quota_us: Option<u32>,
    /// Length of a period, µs; [`PERIOD_US`] if none.
    pub period_us: Option<u32>,
    /// CPU time of QEMU's other threads in each period, µs; unlimited if none.
    pub emulator_quota_us: Option<u32>,
}

impl CpuSettings {
    /// Length of a period, µs.
    pub fn period_us(&self) -> u32 {
        self.period_us.unwrap_or(PERIOD_US)
    }
}

impl GroupSize {
    /// The number among `vms` guests; `None` if that is not a whole one.
    pub fn guests(self, vms: u32) -> Option<u32> {
        match self {
            GroupSize::Guests(guests) => Some(guests),
            GroupSize::Percent(percent) => (vms * percent).is_multiple_of(100).then_some(vms * percent / 100),
        }
    }
}

/// A group as it is in one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Members {
    /// The group's name; [`OTHERS`] for those that no group has.
    pub name: String,
    /// Number of its first guest.
    pub first: u32,
    /// How many guests it has, at least 1.
    pub guests: u32,
    /// What they do.
    pub role: Role,
    /// Their CPU time: of each, or of all together.
    pub cpu: CpuSettings,
    /// Cap on each guest's NIC, bits/s.
    pub bandwidth_bps: Option<u64>,
    /// What each receives while it is paced, bits/s.
    #[serde(default)]
    pub rate_bps: Option<u64>,
    /// Whether the CPU time is that of all together.
    pub cgroup: bool,
}

impl Members {
    /// The numbers of its guests.
    pub fn numbers(&self) -> RangeInclusive<u32> {
        self.first..=(self.first + self.guests - 1)
    }

    /// CPU settings of each guest by itself.
    pub fn of_each(&self) -> CpuSettings {
        if self.cgroup { CpuSettings::default() } else { self.cpu }
    }

    /// Weight of the group against the others: one control group weighs once, however many guests it holds.
    pub fn weight(&self) -> Option<f64> {
        let times = if self.cgroup { 1 } else { self.guests };
        self.cpu.shares.map(|shares| f64::from(shares) * f64::from(times))
    }
}

/// The groups of a configuration in the order of their guests; who is in none comes last. Empty for bare metal, and where
/// all guests are alike.
pub fn members(groups: &[Group], configuration: &Configuration) -> Vec<Members> {
    if configuration.vms == 0 || (groups.is_empty() && configuration.quota_us == 0) {
        return Vec::new();
    }
    let swept = (configuration.quota_us > 0).then_some(configuration.quota_us);
    let limited = configuration.group_limits != Some(false);
    let mut next = 1;
    let mut all: Vec<Members> = Vec::new();
    for group in groups {
        let Some(guests) = group.size.guests(configuration.vms).filter(|guests| *guests > 0) else {
            continue;
        };
        let written = if limited { group.cpu } else { CpuSettings::default() };
        let cpu = CpuSettings { quota_us: written.quota_us.or(swept), ..written };
        let (role, cgroup) = (configuration.background.role(group.role), group.cgroup);
        let (name, rate_bps) = (group.name.clone(), group.rate_bps);
        let bandwidth_bps = group.bandwidth_bps.filter(|_| limited);
        all.push(Members { name, first: next, guests, role, cpu, bandwidth_bps, rate_bps, cgroup });
        next += guests;
    }
    if next <= configuration.vms {
        all.push(Members {
            name: OTHERS.into(),
            first: next,
            guests: configuration.vms + 1 - next,
            role: Role::Measured,
            cpu: CpuSettings { quota_us: swept, ..CpuSettings::default() },
            bandwidth_bps: None,
            rate_bps: None,
            cgroup: false,
        });
    }
    all
}

/// The group of a guest.
pub fn of_guest(members: &[Members], guest: u32) -> Option<&Members> {
    members.iter().find(|members| members.numbers().contains(&guest))
}

/// How many of `vms` guests carry no measured flow; `None` if the groups do not divide them.
pub fn unmeasured(groups: &[Group], vms: u32) -> Option<u32> {
    let unmeasured = groups.iter().filter(|group| group.role != Role::Measured);
    unmeasured.map(|group| group.size.guests(vms)).sum()
}

/// Whether the groups divide so many guests, and leave one to measure.
pub fn divides(groups: &[Group], vms: u32) -> bool {
    let all: Option<u32> = groups.iter().map(|group| group.size.guests(vms)).sum();
    let measured = unmeasured(groups, vms).and_then(|others| vms.checked_sub(others));
    all.is_some_and(|all| all <= vms) && measured.is_some_and(|measured| measured > 0)
}

#[cfg(test)]
mod tests {
    use super::super::Background;
    use super::*;

    fn group(name: &str, size: GroupSize, role: Role) -> Group {
        let cpu = CpuSettings { shares: Some(512), ..CpuSettings::default() };
        Group { name: name.into(), size, cpu, role, bandwidth_bps: None, rate_bps: None, cgroup: false }
    }

    fn configuration(vms: u32, background: Background) -> Configuration {
        Configuration { vms, background, ..Configuration::default() }
    }

    #[test]
    fn guests_are_assigned_in_order_and_who_is_left_over_is_measured() {
        let groups = [
            group("gold", GroupSize::Percent(50), Role::Measured),
            group("noise", GroupSize::Guests(1), Role::CpuBurner),
        ];
        let all = members(&groups, &configuration(4, Background::AsWritten));
        let seen: Vec<_> = all.iter().map(|m| (m.name.as_str(), m.numbers(), m.role)).collect();
        assert_eq!(
            seen,
            [
                ("gold", 1..=2, Role::Measured),
                ("noise", 3..=3, Role::CpuBurner),
                ("others", 4..=4, Role::Measured)
            ]
        );
        assert_eq!(of_guest(&all, 3).map(|m| m.name.as_str()), Some("noise"));
        assert_eq!(unmeasured(&groups, 4), Some(1));
    }

    #[test]
    fn the_background_changes_what_the_unmeasured_do_and_nobody_else() {
        let groups = [
            group("gold", GroupSize::Guests(1), Role::Measured),
            group("noise", GroupSize::Guests(1), Role::Idle),
        ];
        let role = |background| {
            members(&groups, &configuration(2, background)).iter().map(|m| m.role).collect::<Vec<_>>()
        };
        assert_eq!(role(Background::NetLoad), [Role::Measured, Role::NetLoad]);
        assert_eq!(role(Background::None), [Role::Measured, Role::Idle]);
        assert_eq!(role(Background::AsWritten), [Role::Measured, Role::Idle]);
    }

    #[test]
    fn without_their_limits_groups_keep_who_is_in_them_and_what_they_do() {
        let mut gold = group("gold", GroupSize::Guests(1), Role::Measured);
        (gold.bandwidth_bps, gold.cpu.quota_us) = (Some(1_000_000), Some(50_000));
        let of = |limits| {
            let configuration =
                Configuration { group_limits: limits, ..configuration(2, Background::AsWritten) };
            members(std::slice::from_ref(&gold), &configuration).remove(0)
        };
        let free = of(Some(false));
        assert_eq!((free.cpu, free.bandwidth_bps), (CpuSettings::default(), None));
        assert_eq!((free.name.as_str(), free.numbers()), ("gold", 1..=1));
        assert_eq!((of(Some(true)), of(None).bandwidth_bps), (of(None), Some(1_000_000)));
    }

    #[test]
    fn a_part_that_is_no_whole_number_of_guests_does_not_divide() {
        let half = [group("gold", GroupSize::Percent(50), Role::Measured)];
        assert!(divides(&half, 4) && !divides(&half, 3));
        let all = [group("noise", GroupSize::Guests(2), Role::CpuBurner)];
        assert!(divides(&all, 3) && !divides(&all, 2) && !divides(&all, 1));
    }

    #[test]
    fn a_control_group_weighs_once_and_guests_weigh_each() {
        let mut gold = group("gold", GroupSize::Guests(8), Role::Measured);
        let weight = |gold: &Group| {
            members(std::slice::from_ref(gold), &configuration(8, Background::AsWritten))[0].weight()
        };
        assert_eq!(weight(&gold), Some(4096.0));
        gold.cgroup = true;
        assert_eq!(weight(&gold), Some(512.0));
    }

    #[test]
    fn without_groups_nobody_is_in_one_and_a_swept_quota_is_everybodys() {
        assert!(members(&[], &configuration(2, Background::AsWritten)).is_empty());
        let swept = Configuration { quota_us: 50_000, ..configuration(2, Background::AsWritten) };
        assert_eq!(members(&[], &swept)[0].cpu.quota_us, Some(50_000));
        let bare = Configuration { vms: 0, ..swept };
        assert!(members(&[], &bare).is_empty());
    }
}
