//! What groups of guests need of the VM host: control groups that take their shares, and what caps a NIC.

use super::CheckResult;
use super::machine::file;
use super::needs::link;
use crate::machine::Machine;
use crate::profile::Experiment;
use crate::profile::groups::Group;

/// Makes a control group and removes it again: libvirt makes one for each guest.
const TRY: &str = r#"tree=/sys/fs/cgroup
[ -e $tree/cgroup.controllers ] || tree=$tree/cpu
mkdir $tree/kf-try-$$ && rmdir $tree/kf-try-$$"#;

/// Whether this machine lets control groups be made.
pub(super) async fn can_be_made(host: &Machine) -> CheckResult {
    let what = "control groups";
    let fix = "mount the control groups of the host for writing: mount -t cgroup2 cgroup2 /sys/fs/cgroup, or --privileged for a \
               container";
    match host.run(&["sh", "-c", TRY]).await {
        Ok(_) => CheckResult::good(what, "can be made"),
        Err(error) => CheckResult::bad(what, error.to_string(), fix),
    }
}

/// Checks everything but programs.
pub(super) async fn examine(host: &Machine, experiment: &Experiment) -> Vec<CheckResult> {
    if experiment.groups.is_empty() {
        return Vec::new();
    }
    let v2 = host.read("/sys/fs/cgroup/cgroup.controllers").await.is_ok();
    let mut findings = match experiment.host.xen {
        Some(_) => Vec::new(), // weights are Xen's
        None => shares(&experiment.groups, v2),
    };
    let any = |property: fn(&Group) -> bool| experiment.groups.iter().any(property);
    if any(|group| group.bandwidth_bps.is_some()) {
        findings.push(link(host, "ifb").await);
    }
    if any(|group| group.cgroup) {
        findings.push(own_groups(host).await);
    }
    findings
}

/// libvirt writes a weight as it is: into `cpu.shares` with cgroup v1, into `cpu.weight` with v2, which takes less.
fn shares(groups: &[Group], v2: bool) -> Vec<CheckResult> {
    let (what, range) = if v2 { ("cpu.weight", 1..=10_000) } else { ("cpu.shares", 2..=262_144) };
    let version = if v2 { "v2" } else { "v1" };
    let finding = |group: &Group| {
        let shares = group.cpu.shares?;
        let (named, found) =
            (format!("shares of group {}", group.name), format!("{shares} goes into {what}"));
        if range.contains(&shares) {
            return Some(CheckResult::good(&named, format!("{found} as it is (cgroup {version})")));
        }
        let fix = format!(
            "with cgroup {version} use {} to {}, the same ratios for all groups",
            range.start(),
            range.end()
        );
        Some(CheckResult::bad(&named, found, fix))
    };
    groups.iter().filter_map(finding).collect()
}

/// systemd makes the groups of machines itself.
async fn own_groups(host: &Machine) -> CheckResult {
    let what = "control groups of the run's own";
    let systemd = file(host, "-d", "/run/systemd/system", what, "").await.fix.is_none();
    if systemd {
        let fix = "leave `cgroup` out of the groups: shares and quota then apply to each guest";
        return CheckResult::bad(what, "not supported yet where systemd manages them", fix);
    }
    CheckResult::good(what, "supported")
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
        let found = |v2| shares(std::slice::from_ref(&group), v2).remove(0);
        assert_eq!(found(false).found, "20000 goes into cpu.shares as it is (cgroup v1)");
        assert_eq!(
            found(true).fix.as_deref(),
            Some("with cgroup v2 use 1 to 10000, the same ratios for all groups")
        );
    }
}
