//! What real-time vCPUs need of the VM host: a kernel that lets threads in libvirt's control groups be real-time ones.

use super::CheckResult;
use crate::lab::real_time::{self, RealTime};
use crate::machine::Machine;
use crate::profile::Experiment;

const WHAT: &str = "real-time vCPUs";

/// Checks the kernel, if vCPUs are to be real-time threads.
pub(super) async fn examine(host: &Machine, experiment: &Experiment) -> Option<CheckResult> {
    if !experiment.has_real_time() {
        return None;
    }
    Some(finding(real_time::detect(host).await, experiment))
}

/// The embedded lab's own libvirt can do without groups for CPU time, as long as no group or quota divides it.
fn finding(real_time: RealTime, experiment: &Experiment) -> CheckResult {
    const NO_BUDGET: &str = "this kernel (CONFIG_RT_GROUP_SCHED) gives libvirt's control groups none";
    const KERNEL: &str = "start the kernel with rt_group_sched=0 (Linux 6.14 or newer), or use one built without \
                          CONFIG_RT_GROUP_SCHED";
    let daemon = experiment.machines.is_some();
    if !real_time.allowed {
        let fix = "run kvmfair as root, outside of a container or a control group without real-time budget";
        return CheckResult::bad(WHAT, "not even a single process may be real-time", fix);
    }
    let bound =
        real_time.bound_percent.map_or("without bound".into(), |part| format!("up to {part:.0} % of a CPU"));
    match (real_time.grouped, daemon, experiment.divides_cpu_time()) {
        (false, ..) => CheckResult::good(WHAT, bound),
        (true, false, false) => CheckResult::good(
            WHAT,
            format!("{bound}; guests get no control groups for CPU time: {NO_BUDGET}"),
        ),
        (true, false, true) => CheckResult::bad(
            WHAT,
            NO_BUDGET,
            format!("leave groups and `quota` out of the profile; or {KERNEL}"),
        ),
        (true, true, _) => CheckResult::bad(WHAT, NO_BUDGET, KERNEL),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    const GROUPED: RealTime = RealTime { grouped: true, allowed: true, bound_percent: Some(95.0) };

    fn found(more: &str, seen: RealTime) -> CheckResult {
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"virtio\"\n";
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        let text = format!("{text}guest.scheduler = \"rr\"\n{more}");
        finding(seen, &parse(&text, Path::new("p.toml"), facts).expect("valid"))
    }

    #[test]
    fn a_kernel_without_budgets_for_groups_takes_real_time_vcpus() {
        let seen = RealTime { grouped: false, ..GROUPED };
        assert_eq!(found("", seen), CheckResult::good(WHAT, "up to 95 % of a CPU"));
    }

    #[test]
    fn with_budgets_they_go_without_groups_but_not_with_a_quota() {
        assert_eq!(found("", GROUPED).fix, None);
        let fix = found("guest.quota = \"50 ms\"\n", GROUPED).fix.expect("refused");
        assert!(
            fix.starts_with("leave groups and `quota` out of the profile; or start the kernel with"),
            "{fix}"
        );
    }

    #[test]
    fn where_nothing_may_be_real_time_no_vcpu_may() {
        assert!(found("", RealTime { allowed: false, ..GROUPED }).fix.is_some());
    }
}
