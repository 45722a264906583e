//! Control groups: whether guests' CPU time can be divided at all.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

const CONTROLLERS: &str = "/sys/fs/cgroup/cgroup.controllers";
const SUBTREE: &str = "/sys/fs/cgroup/cgroup.subtree_control";

/// Where the cpu controller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cpu {
    /// Version 1, mounted.
    One,
    /// Version 2, handed down to children.
    Two,
    /// Version 2, there, but not handed down.
    TwoUnused,
    /// cgroups, but no cpu controller.
    Missing,
    /// No cgroups.
    None,
}

fn cpu(facts: &Facts) -> Cpu {
    let has =
        |path: &str| facts.text(path).is_some_and(|names| names.split_whitespace().any(|name| name == "cpu"));
    let mounts: Vec<Vec<&str>> = facts
        .text("/proc/self/mounts")
        .unwrap_or_default()
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    let mounted = |kind| mounts.iter().any(|mount| mount.get(2) == Some(&kind));
    let first = mounts.iter().any(|mount| {
        mount.get(2) == Some(&"cgroup")
            && mount.get(3).is_some_and(|options| options.split(',').any(|o| o == "cpu"))
    });
    match () {
        () if first => Cpu::One,
        () if has(SUBTREE) => Cpu::Two,
        () if has(CONTROLLERS) => Cpu::TwoUnused,
        () if mounted("cgroup") || mounted("cgroup2") => Cpu::Missing,
        () => Cpu::None,
    }
}

/// Whether guests in cgroups get shares of the CPUs.
pub(super) fn shares_cpus(facts: &Facts) -> bool {
    matches!(cpu(facts), Cpu::One | Cpu::Two)
}

pub(super) fn controller(facts: &Facts) -> Subject {
    const SHARES: &str = "libvirt gives each guest a group: guests share CPU time by guest, not by thread, and shares \
                          and quotas can be set.";
    const THREADS: &str = "CPU time is shared by thread: a guest with more vCPUs and I/O threads gets more, and \
                           neither shares nor quotas can be set.";
    let subject = |verdict, found, effect| Subject::new("cgroups", verdict, found, effect);
    match cpu(facts) {
        Cpu::One => subject(Verdict::Good, "version 1, with the cpu controller", SHARES),
        Cpu::Two => subject(Verdict::Good, "version 2, with the cpu controller", SHARES),
        Cpu::TwoUnused => subject(Verdict::Note, "version 2, but cpu is not handed down to groups", THREADS)
            .change(format!("echo +cpu > {SUBTREE}")),
        Cpu::Missing => subject(Verdict::Note, "mounted, but without the cpu controller", THREADS)
            .change("boot without cgroup_disable=cpu"),
        Cpu::None => {
            subject(Verdict::Note, "not mounted", THREADS).change("mount -t cgroup2 none /sys/fs/cgroup")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_controller_is_where_guests_can_use_it() {
        let of = |text: &str| cpu(&Facts::parse(text));
        assert_eq!(of("/proc/self/mounts:c /c cgroup rw,cpu,cpuacct 0 0\n"), Cpu::One);
        assert_eq!(of("/proc/self/mounts:c /c cgroup rw,cpuset 0 0\n"), Cpu::Missing);
        assert_eq!(of(&format!("{CONTROLLERS}:cpuset cpu io\n{SUBTREE}:memory cpu\n")), Cpu::Two);
        assert_eq!(of(&format!("{CONTROLLERS}:cpuset cpu io\n{SUBTREE}:\n")), Cpu::TwoUnused);
        assert_eq!(of(""), Cpu::None);
    }
}
