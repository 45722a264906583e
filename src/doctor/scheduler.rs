//! Which task runs next, and for how long: time slice, autogroup, control groups, pressure, statistics.

use super::guests;
use super::subject::{Judgement, Subject, bad, good, note, unknown};
use crate::host::facts::Facts;
use crate::host::settings::base_slice;

const SLICE: &str = "A vCPU or vhost thread that is ready waits this long for each one ahead of it on its core: the \
                     longer the slice, the more latencies of guests on crowded cores spread.";
const NO_PRESSURE: &str = "The pressure figures cannot show that the host ran out of CPU during a trial.";
/// The kernel's own choice stays below this on any number of CPUs, ms.
const USUAL_SLICE: f64 = 4.0;
/// Share of the last ten seconds in which some task waited for a CPU, above which another workload runs, percent.
const BUSY: f64 = 10.0;

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "time slice",
        unknown: SLICE,
        judge: |facts, _| {
            let Some((path, ns)) = base_slice(facts) else {
                let missing = "debugfs is not mounted, or not readable for this user";
                return match facts.has("/sys/kernel/debug/sched") {
                    true => Err("the kernel does not show it".into()),
                    false => Ok(unknown(missing, SLICE, "mount -t debugfs none /sys/kernel/debug")),
                };
            };
            let ms = ns as f64 / 1e6;
            let found = format!("{ms} ms ({})", path.rsplit('/').next().unwrap_or(path));
            Ok(match ms <= USUAL_SLICE {
                true => good(found, SLICE),
                false => note(found, SLICE, format!("echo 3000000 > {path}")),
            })
        },
    },
    Subject {
        name: "autogroup",
        unknown: "",
        judge: |facts, _| {
            const OFF: &str = "CPU time is shared by cgroup and priority alone.";
            Ok(match facts.switch("/proc/sys/kernel/sched_autogroup_enabled") {
                None => good("not in this kernel", OFF),
                Some(false) => good("off", OFF),
                Some(true) if cpu_controller(facts).enabled() && facts.has("guests") => {
                    good("on", "It does not apply to guests that libvirt puts into cgroups of their own.")
                }
                Some(true) => note(
                    "on",
                    "Outside cgroups CPU time is shared by session: two guests started from one shell get half as \
                     much each as a third from another.",
                    "sysctl -w kernel.sched_autogroup_enabled=0",
                ),
            })
        },
    },
    Subject { name: "cgroups", unknown: "", judge: |facts, _| Ok(control_groups(facts)) },
    Subject {
        name: "CPU pressure",
        unknown: NO_PRESSURE,
        judge: |facts, _| {
            let Some(text) = facts.text("/proc/pressure/cpu") else {
                return Ok(note(
                    "PSI is not in this kernel, or switched off",
                    NO_PRESSURE,
                    "boot with psi=1",
                ));
            };
            let average =
                |line: &str| line.strip_prefix("some avg10=")?.split(' ').next()?.parse::<f64>().ok();
            let percent = text.lines().find_map(average).ok_or("unreadable /proc/pressure/cpu")?;
            let found = format!("{percent} % of the last 10 s");
            Ok(match percent > BUSY {
                true => bad(
                    found,
                    "Tasks already wait for CPUs: another workload will take its share of every trial.",
                    "stop what is not part of the experiment; `top` shows it",
                ),
                false => good(found, "Tasks seldom wait for a CPU: guests will wait only for each other."),
            })
        },
    },
    Subject {
        name: "schedstats",
        unknown: "",
        judge: |facts, _| {
            let detailed = facts.switch("/proc/sys/kernel/sched_schedstats") == Some(true);
            Ok(match (facts.has("/proc/self/schedstat"), detailed) {
                (false, _) => note(
                    "no /proc/PID/schedstat",
                    "How long a vCPU waited for a core is not recorded: unfairness shows, its cause does not.",
                    "boot a kernel with CONFIG_SCHED_INFO (every distribution's kernel has it)",
                ),
                (true, true) => note(
                    "waiting times, and detailed statistics",
                    "Each switch between tasks costs a little more, for all guests alike.",
                    "sysctl -w kernel.sched_schedstats=0",
                ),
                (true, false) => good(
                    "waiting times; detailed statistics are off",
                    "The time that each vCPU waits for a core is recorded; it explains most unfairness.",
                ),
            })
        },
    },
    Subject {
        name: "CPUs for guests",
        unknown: "Where vCPUs outnumber CPUs they wait for each other, and the figures include that waiting.",
        judge: guests::cpus,
    },
];

const CONTROLLERS: &str = "/sys/fs/cgroup/cgroup.controllers";
const SUBTREE: &str = "/sys/fs/cgroup/cgroup.subtree_control";

/// The state of the cpu controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CpuController {
    /// cgroup version 1, mounted.
    Version1,
    /// cgroup version 2, enabled for child groups.
    Version2,
    /// cgroup version 2, available but not enabled for child groups.
    NotEnabled,
    /// cgroups, but no cpu controller.
    Missing,
    /// No cgroups.
    NoCgroups,
}

impl CpuController {
    /// Whether guests in cgroups get shares of the CPUs.
    fn enabled(self) -> bool {
        matches!(self, CpuController::Version1 | CpuController::Version2)
    }
}

fn cpu_controller(facts: &Facts) -> CpuController {
    let lists_cpu =
        |path: &str| facts.text(path).is_some_and(|names| names.split_whitespace().any(|name| name == "cpu"));
    let lines = facts.text("/proc/self/mounts").unwrap_or_default().lines();
    let mounts = lines.filter_map(|line| {
        let mut fields = line.split(' ').skip(2);
        Some((fields.next()?, fields.next()?))
    });
    let cgroups: Vec<(&str, &str)> = mounts.filter(|(kind, _)| kind.starts_with("cgroup")).collect();
    let with_cpu =
        |(kind, options): &(&str, &str)| *kind == "cgroup" && options.split(',').any(|o| o == "cpu");
    if cgroups.iter().any(with_cpu) {
        CpuController::Version1
    } else if lists_cpu(SUBTREE) {
        CpuController::Version2
    } else if lists_cpu(CONTROLLERS) {
        CpuController::NotEnabled
    } else if cgroups.is_empty() {
        CpuController::NoCgroups
    } else {
        CpuController::Missing
    }
}

fn control_groups(facts: &Facts) -> Judgement {
    const BY_GUEST: &str = "libvirt gives each guest a group: CPU time is shared by guest, not by thread, and shares and \
                            quotas can be set.";
    const BY_THREAD: &str = "CPU time is shared by thread: a guest with more vCPUs and I/O threads gets more, and neither \
                             shares nor quotas can be set.";
    match cpu_controller(facts) {
        CpuController::Version1 => good("version 1, with the cpu controller", BY_GUEST),
        CpuController::Version2 => good("version 2, with the cpu controller", BY_GUEST),
        CpuController::NotEnabled => note(
            "version 2, but cpu is not enabled in subtree_control",
            BY_THREAD,
            format!("echo +cpu > {SUBTREE}"),
        ),
        CpuController::Missing => {
            note("mounted, but without the cpu controller", BY_THREAD, "boot without cgroup_disable=cpu")
        }
        CpuController::NoCgroups => note("not mounted", BY_THREAD, "mount -t cgroup2 none /sys/fs/cgroup"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_controller_is_where_guests_can_use_it() {
        let controller = |text: &str| cpu_controller(&Facts::parse(text));
        let mounts = |options| controller(&format!("/proc/self/mounts:c /c cgroup {options} 0 0\n"));
        assert_eq!(mounts("rw,cpu,cpuacct"), CpuController::Version1);
        assert_eq!(mounts("rw,cpuset"), CpuController::Missing);
        let unified = |enabled| controller(&format!("{CONTROLLERS}:cpuset cpu io\n{SUBTREE}:{enabled}\n"));
        assert_eq!(unified("memory cpu"), CpuController::Version2);
        assert_eq!(unified(""), CpuController::NotEnabled);
        assert_eq!(controller(""), CpuController::NoCgroups);
    }
}
