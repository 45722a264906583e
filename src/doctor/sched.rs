//! Who runs next: time slice, autogroup, pressure, statistics.

use super::cgroup;
use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;
use crate::host::settings::base_slice;

/// The kernel's own choice stays below this on any number of CPUs, ms.
const USUAL: f64 = 4.0;

pub(super) fn slice(facts: &Facts) -> Subject {
    const WAITS: &str = "A vCPU or vhost thread that is ready waits this long for each one before it on its core: the \
                         longer, the more latencies of guests on crowded cores spread.";
    let subject = |verdict, found: String| Subject::new("time slice", verdict, found, WAITS);
    let Some((path, ns)) = base_slice(facts) else {
        if facts.has("/sys/kernel/debug/sched") {
            return subject(Verdict::Unknown, "the kernel does not say".into());
        }
        return subject(Verdict::Unknown, "debugfs is not mounted, or not readable for this user".into())
            .change("mount -t debugfs none /sys/kernel/debug");
    };
    let ms = ns as f64 / 1e6;
    let found = format!("{ms} ms ({})", path.rsplit('/').next().unwrap_or(path));
    if ms <= USUAL {
        return subject(Verdict::Good, found);
    }
    subject(Verdict::Note, found).change(format!("echo 3000000 > {path}"))
}

pub(super) fn autogroup(facts: &Facts) -> Subject {
    const PATH: &str = "/proc/sys/kernel/sched_autogroup_enabled";
    const OFF: &str = "CPU time is shared by cgroup and priority alone.";
    const IDLE: &str = "It has no say over guests that libvirt puts into cgroups of their own.";
    const SESSIONS: &str = "Outside cgroups CPU time is shared by session: two guests started from one shell get half as \
                            much each as a third from another.";
    let subject = |verdict, found, effect| Subject::new("autogroup", verdict, found, effect);
    match facts.switch(PATH) {
        None => subject(Verdict::Good, "not in this kernel", OFF),
        Some(false) => subject(Verdict::Good, "off", OFF),
        Some(true) if cgroup::shares_cpus(facts) && facts.has("guests") => subject(Verdict::Good, "on", IDLE),
        Some(true) => {
            subject(Verdict::Note, "on", SESSIONS).change("sysctl -w kernel.sched_autogroup_enabled=0")
        }
    }
}

/// Share of the last ten seconds in which some task waited for a CPU: above this somebody else is at work, percent.
const BUSY: f64 = 10.0;

pub(super) fn pressure(facts: &Facts) -> Subject {
    const SEEN: &str = "Tasks seldom wait for a CPU: what guests will wait for is their own doing.";
    const WAITING: &str =
        "Tasks wait for CPUs already: whatever they are, they will take their share of every trial.";
    const BLIND: &str = "That the host ran out of CPU during a trial cannot be seen in its pressure figures.";
    let subject = |verdict, found: String, effect| Subject::new("CPU pressure", verdict, found, effect);
    let Some(text) = facts.text("/proc/pressure/cpu") else {
        let found = "PSI is not in this kernel, or switched off".into();
        return subject(Verdict::Note, found, BLIND).change("boot with psi=1");
    };
    let average = |line: &str| line.strip_prefix("some avg10=")?.split(' ').next()?.parse::<f64>().ok();
    match text.lines().find_map(average) {
        Some(percent) if percent > BUSY => {
            subject(Verdict::Bad, format!("{percent} % of the last 10 s"), WAITING)
                .change("stop what is not a part of the experiment; `top` shows it")
        }
        Some(percent) => subject(Verdict::Good, format!("{percent} % of the last 10 s"), SEEN),
        None => subject(Verdict::Unknown, "/proc/pressure/cpu cannot be read".into(), BLIND),
    }
}

pub(super) fn statistics(facts: &Facts) -> Subject {
    const WAITING: &str =
        "How long each vCPU waited for a core can be told, which is what explains most unfairness.";
    const BLIND: &str =
        "How long a vCPU waited for a core cannot be told: unfairness is seen, its cause is not.";
    const COSTS: &str = "Each switch between tasks costs a little more, for all guests alike.";
    let subject = |verdict, found, effect| Subject::new("schedstats", verdict, found, effect);
    let detailed = facts.switch("/proc/sys/kernel/sched_schedstats");
    match (facts.has("/proc/self/schedstat"), detailed) {
        (false, _) => subject(Verdict::Note, "no /proc/PID/schedstat", BLIND)
            .change("boot a kernel with CONFIG_SCHED_INFO (every distribution's has it)"),
        (true, Some(true)) => subject(Verdict::Note, "waiting times, and detailed statistics", COSTS)
            .change("sysctl -w kernel.sched_schedstats=0"),
        (true, _) => subject(Verdict::Good, "waiting times; detailed statistics are off", WAITING),
    }
}
