//! Whether a VM host lets the threads of guests be real-time ones.
//!
//! A kernel with CONFIG_RT_GROUP_SCHED gives each control group a budget of real-time, and a new group, such as libvirt makes
//! for each vCPU, none: there the policy is refused with EPERM, to root too.

use crate::machine::Machine;

/// Prints `grouped` where control groups have budgets, `allowed` where this very process may be a real-time one, and the
/// kernel's bounds for all real-time threads together, µs. With cgroup v1 a file tells; with v2, which has no such file, how
/// the kernel was built and started (it can be switched off since Linux 6.14).
const SCRIPT: &str = r#"config() { { zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2> /dev/null; }
grouped() {
    [ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || return 0
    [ -e /sys/fs/cgroup/cgroup.controllers ] && config | grep -q '^CONFIG_RT_GROUP_SCHED=y' || return 1
    ! grep -qw 'rt_group_sched=0' /proc/cmdline || return 1
    ! config | grep -q '^CONFIG_RT_GROUP_SCHED_DEFAULT_DISABLED=y' || grep -qw 'rt_group_sched=1' /proc/cmdline
}
if grouped; then echo grouped; fi
if chrt --rr 1 true 2> /dev/null; then echo allowed; fi
echo "bounds $(cat /proc/sys/kernel/sched_rt_runtime_us) $(cat /proc/sys/kernel/sched_rt_period_us)"
true"#;

/// What a machine lets its real-time threads do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RealTime {
    /// Whether each control group has a budget of its own, a new one none.
    pub grouped: bool,
    /// Whether the processes that kvmfair starts may be real-time ones.
    pub allowed: bool,
    /// The part of each CPU that all real-time threads together may take, %; `None` if that is not bounded, or not known.
    pub bound_percent: Option<f64>,
}

/// Queries a machine.
pub async fn detect(host: &Machine) -> RealTime {
    host.run(&["sh", "-c", SCRIPT]).await.map(|output| parse(&output.stdout)).unwrap_or_default()
}

/// Pure part of [`detect`].
fn parse(printed: &str) -> RealTime {
    let has = |word: &str| printed.lines().any(|line| line == word);
    let bounds = printed.lines().find_map(|line| line.strip_prefix("bounds ")?.split_once(' '));
    let bound = |(runtime, period): (&str, &str)| {
        let (runtime, period): (f64, f64) = (runtime.parse().ok()?, period.parse().ok()?);
        (runtime >= 0.0 && period > 0.0).then(|| runtime / period * 100.0)
    };
    RealTime { grouped: has("grouped"), allowed: has("allowed"), bound_percent: bounds.and_then(bound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_of_groups_and_the_bound_of_all_are_distinguished() {
        let found = parse("grouped\nallowed\nbounds 950000 1000000\n");
        assert_eq!(found, RealTime { grouped: true, allowed: true, bound_percent: Some(95.0) });
        assert_eq!(parse("bounds -1 1000000\n"), RealTime::default());
    }

    #[tokio::test]
    async fn this_machine_reports_what_its_real_time_threads_may_do() {
        let found = detect(&Machine::local()).await;
        let bounded = std::fs::read_to_string("/proc/sys/kernel/sched_rt_runtime_us").unwrap().trim() != "-1";
        assert_eq!(found.bound_percent.is_some(), bounded);
        let v1 = std::path::Path::new("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists();
        assert!(found.grouped || !v1);
    }
}
