//! Which task runs next, and for how long: time slice, autogroup, control groups, pressure, statistics.

use super::host_state::HostState;
use crate::host::facts::Facts;
use crate::host::settings::base_slice;

/// The kernel's own choice stays below this on any number of CPUs, ms.
const USUAL_SLICE: f64 = 4.0;
/// Share of the last ten seconds in which some task waited for a CPU, above which another workload runs, percent.
const BUSY: f64 = 10.0;

pub(super) fn time_slice(facts: &Facts) -> Result<HostState, String> {
    let Some((path, ns)) = base_slice(facts) else {
        return match facts.has("/sys/kernel/debug/sched") {
            true => Err("the kernel does not show it".into()),
            false => Ok(HostState::new("no-debugfs")),
        };
    };
    let ms = ns as f64 / 1e6;
    let state = if ms <= USUAL_SLICE { HostState::new("usual") } else { HostState::new("long") };
    Ok(state.with("ms", ms).with("path", path).with("file", path.rsplit('/').next().unwrap_or(path)))
}

pub(super) fn autogroup(facts: &Facts) -> Result<HostState, String> {
    let by_guest = matches!(cpu_controller(facts), "version-1" | "version-2") && facts.has("guests");
    Ok(match facts.switch("/proc/sys/kernel/sched_autogroup_enabled") {
        None => HostState::new("absent"),
        Some(false) => HostState::new("off"),
        Some(true) if by_guest => HostState::new("bypassed"),
        Some(true) => HostState::new("on"),
    })
}

pub(super) fn cgroups(facts: &Facts) -> Result<HostState, String> {
    Ok(HostState::new(cpu_controller(facts)))
}

/// The state of the cpu controller, as a state of the subject `cgroups`.
fn cpu_controller(facts: &Facts) -> &'static str {
    let lists_cpu =
        |path: &str| facts.text(path).is_some_and(|names| names.split_whitespace().any(|name| name == "cpu"));
    let mounts = facts.text("/proc/self/mounts").unwrap_or_default().lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(2);
        Some((fields.next()?, fields.next()?))
    });
    let cgroups: Vec<(&str, &str)> = mounts.filter(|(kind, _)| kind.starts_with("cgroup")).collect();
    let has_cpu =
        |(kind, options): &(&str, &str)| *kind == "cgroup" && options.split(',').any(|o| o == "cpu");
    match () {
        () if cgroups.iter().any(has_cpu) => "version-1",
        () if lists_cpu("/sys/fs/cgroup/cgroup.subtree_control") => "version-2",
        () if lists_cpu("/sys/fs/cgroup/cgroup.controllers") => "not-enabled",
        () if cgroups.is_empty() => "not-mounted",
        () => "no-controller",
    }
}

pub(super) fn cpu_pressure(facts: &Facts) -> Result<HostState, String> {
    let Some(text) = facts.text("/proc/pressure/cpu") else { return Ok(HostState::new("absent")) };
    let average = |line: &str| line.strip_prefix("some avg10=")?.split(' ').next()?.parse::<f64>().ok();
    let percent = text.lines().find_map(average).ok_or("unreadable /proc/pressure/cpu")?;
    Ok(if percent > BUSY { HostState::new("busy") } else { HostState::new("quiet") }.with("percent", percent))
}

pub(super) fn schedstats(facts: &Facts) -> Result<HostState, String> {
    let detailed = facts.switch("/proc/sys/kernel/sched_schedstats") == Some(true);
    Ok(match facts.has("/proc/self/schedstat") {
        false => HostState::new("absent"),
        true if detailed => HostState::new("detailed"),
        true => HostState::new("waiting"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_controller_is_where_guests_can_use_it() {
        let controller = |text: &str| cpu_controller(&Facts::parse(text));
        let mounts = |options| controller(&format!("/proc/self/mounts:c /c cgroup {options} 0 0\n"));
        assert_eq!(mounts("rw,cpu,cpuacct"), "version-1");
        assert_eq!(mounts("rw,cpuset"), "no-controller");
        let unified = |enabled| {
            let directory = "/sys/fs/cgroup/cgroup";
            controller(&format!("{directory}.controllers:cpu io\n{directory}.subtree_control:{enabled}\n"))
        };
        assert_eq!(unified("memory cpu"), "version-2");
        assert_eq!(unified(""), "not-enabled");
        assert_eq!(controller(""), "not-mounted");
    }
}
