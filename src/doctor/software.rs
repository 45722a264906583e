//! Versions, and the daemon that sets many of the other subjects.

use super::subject::{Subject, good, note};

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

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "tuned",
        unknown: "",
        judge: |facts, _| {
            const NONE: &str = "Governor, time slice and memory are set as kernel and distribution chose.";
            let profile = facts.text("/etc/tuned/active_profile").filter(|profile| !profile.is_empty());
            let Some(profile) = profile else { return Ok(good("none", NONE)) };
            Ok(if !facts.runs("tuned") {
                good(format!("{profile}, but tuned is not running"), NONE)
            } else if profile.split_whitespace().any(|part| TUNED_FOR_HOSTS.contains(&part)) {
                good(
                    profile,
                    "It sets governor, time slice and memory for speed, the same way after every boot.",
                )
            } else {
                note(
                    profile,
                    "It sets governor, time slice or memory for something else than many busy guests.",
                    "tuned-adm profile virtual-host",
                )
            })
        },
    },
    Subject {
        name: "versions",
        unknown: "",
        judge: |facts, _| {
            let kernel = facts.text("/proc/sys/kernel/osrelease").unwrap_or("of an unknown release");
            let program = |(key, name): (&str, &str)| match facts.version(key) {
                Some(version) => format!(", {name} {version}"),
                None => format!(", no {name}"),
            };
            let found = format!("Linux {kernel}{}", PROGRAMS.map(program).concat());
            Ok(match facts.text("qemu") {
                None => note(found, "No guest can start without QEMU.", "apt-get install qemu-system-x86"),
                Some(_) => good(
                    found,
                    "Each version shares CPU and packets in its own way: compare only runs of the same versions.",
                ),
            })
        },
    },
];
