//! What groups of guests need of the VM host: control groups that take their shares, and what caps a NIC.

use super::Finding;
use super::machine::program;
use super::needs::link;
use crate::lab::control_group;
use crate::machine::Machine;
use crate::profile::Experiment;
use crate::profile::groups::Group;

/// Checks the VM host of the embedded lab.
pub(super) async fn look(host: &Machine, experiment: &Experiment) -> Vec<Finding> {
    let mut findings = shares(&experiment.groups, control_group::is_v2());
    if experiment.groups.iter().any(|group| group.bandwidth_bps.is_some()) {
        findings.extend([program(host, "tc", "iproute2").await, link(host, "ifb").await]);
    }
    if experiment.groups.iter().any(|group| group.rate_bps.is_some()) {
        findings.push(program(host, "tc", "iproute2").await);
    }
    if experiment.groups.iter().any(|group| group.cgroup) {
        findings.push(own_groups());
    }
    findings
}

/// libvirt writes a weight as it is: into `cpu.shares` with cgroup v1, into `cpu.weight` with v2, which takes less.
pub(super) fn shares(groups: &[Group], v2: bool) -> Vec<Finding> {
    let (what, range) = if v2 { ("cpu.weight", 1..=10_000) } else { ("cpu.shares", 2..=262_144) };
    let version = if v2 { "v2" } else { "v1" };
    let look = |group: &Group| {
        let shares = group.cpu.shares?;
        let (named, found) =
            (format!("shares of group {}", group.name), format!("{shares} goes into {what}"));
        if range.contains(&shares) {
            return Some(Finding::good(&named, format!("{found} as it is (cgroup {version})")));
        }
        let fix = format!(
            "with cgroup {version} use {} to {}, the same ratios for all groups",
            range.start(),
            range.end()
        );
        Some(Finding::bad(&named, found, fix))
    };
    groups.iter().filter_map(look).collect()
}

/// systemd wants to make the groups of machines by itself.
fn own_groups() -> Finding {
    let what = "control groups of the run's own";
    if std::path::Path::new("/run/systemd/system").is_dir() {
        let fix = "leave `cgroup` out of the groups: shares and quota are then each guest's own";
        return Finding::bad(what, "not supported yet where systemd manages them", fix);
    }
    Finding::good(what, "can be made")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Role;
    use crate::profile::groups::{CpuSettings, GroupSize};

    #[test]
    fn what_v1_takes_may_be_too_much_for_v2() {
        let cpu = CpuSettings { shares: Some(20_000), ..CpuSettings::default() };
        let group = Group {
            name: "gold".into(),
            size: GroupSize::Guests(1),
            cpu,
            role: Role::Measured,
            bandwidth_bps: None,
            rate_bps: None,
            cgroup: false,
        };
        let look = |v2| shares(std::slice::from_ref(&group), v2).remove(0);
        assert_eq!(look(false).found, "20000 goes into cpu.shares as it is (cgroup v1)");
        assert_eq!(
            look(true).fix.as_deref(),
            Some("with cgroup v2 use 1 to 10000, the same ratios for all groups")
        );
    }
}
