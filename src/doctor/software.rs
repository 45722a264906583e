//! Versions, and the daemon that sets many of the other subjects.

use super::host_state::HostState;
use crate::host::facts::Facts;

const TUNED_FOR_HOSTS: [&str; 6] = [
    "virtual-host",
    "throughput-performance",
    "latency-performance",
    "network-latency",
    "network-throughput",
    "realtime-virtual-host",
];
const PROGRAMS: [(&str, &str); 4] =
    [("qemu", "QEMU"), ("libvirt", "libvirt"), ("netperf", "netperf"), ("ovs", "Open vSwitch")];

pub(super) fn tuned(facts: &Facts) -> Result<HostState, String> {
    let profile = facts.text("/etc/tuned/active_profile").unwrap_or_default();
    let state = match profile {
        "" => HostState::new("none"),
        _ if !facts.runs("tuned") => HostState::new("stopped"),
        _ if profile.split_whitespace().any(|part| TUNED_FOR_HOSTS.contains(&part)) => HostState::new("fits"),
        _ => HostState::new("other"),
    };
    Ok(state.with("profile", profile))
}

pub(super) fn versions(facts: &Facts) -> Result<HostState, String> {
    let kernel = facts.text("/proc/sys/kernel/osrelease").unwrap_or("of an unknown release");
    let program = |(key, name): (&str, &str)| match facts.version(key) {
        Some(version) => format!(", {name} {version}"),
        None => format!(", no {name}"),
    };
    let qemu = facts.text("qemu").is_some();
    let state = if qemu { HostState::new("complete") } else { HostState::new("no-qemu") };
    Ok(state.with("versions", format!("Linux {kernel}{}", PROGRAMS.map(program).concat())))
}
