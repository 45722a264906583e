//! Versions, and the daemon that sets many of the other subjects.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

pub(super) fn tuned(facts: &Facts) -> Subject {
    const FITS: &str = "It sets governor, slice and memory for speed, the same way after every boot.";
    const NONE: &str = "Nobody sets governor, slice or memory: they are as kernel and distribution chose.";
    const OTHER: &str = "It sets governor, slice or memory for something else than many busy guests.";
    const FOR_HOSTS: [&str; 6] = [
        "virtual-host",
        "throughput-performance",
        "latency-performance",
        "network-latency",
        "network-throughput",
        "realtime-virtual-host",
    ];
    let subject = |verdict, found: String, effect: &str| Subject::new("tuned", verdict, found, effect);
    let profile = facts.text("/etc/tuned/active_profile").filter(|profile| !profile.is_empty());
    match profile {
        Some(profile) if facts.runs("tuned") => {
            let good = profile.split_whitespace().any(|part| FOR_HOSTS.contains(&part));
            if good {
                return subject(Verdict::Good, profile.into(), FITS);
            }
            subject(Verdict::Note, profile.into(), OTHER).change("tuned-adm profile virtual-host")
        }
        Some(profile) => subject(Verdict::Good, format!("{profile}, but tuned is not running"), NONE),
        None => subject(Verdict::Good, "none".into(), NONE),
    }
}

pub(super) fn versions(facts: &Facts) -> Subject {
    const EFFECT: &str =
        "Each version shares CPU and packets in its own way: compare runs of the same ones only.";
    const PROGRAMS: [(&str, &str); 4] =
        [("qemu", "QEMU"), ("libvirt", "libvirt"), ("netperf", "netperf"), ("ovs", "Open vSwitch")];
    let kernel = facts.text("/proc/sys/kernel/osrelease").unwrap_or("of an unknown release");
    let program = |(key, name): &(&str, &str)| match facts.version(key) {
        Some(version) => format!("{name} {version}"),
        None => format!("no {name}"),
    };
    let found = [format!("Linux {kernel}")].into_iter().chain(PROGRAMS.iter().map(program));
    let found = found.collect::<Vec<_>>().join(", ");
    if facts.text("qemu").is_none() {
        return Subject::new(
            "versions",
            Verdict::Note,
            found,
            "Without QEMU there are no guests to be fair to.",
        )
        .change("apt-get install qemu-system-x86");
    }
    Subject::new("versions", Verdict::Good, found, EFFECT)
}
