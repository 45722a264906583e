//! A VM host as a whole, looked at before any experiment: what is set in a way that spoils speed, or fairness between
//! guests. Changes nothing.
//!
//! - [`look`]: asks a machine; the only file here that does more than think
//! - [`Subject`]: one line of the answer
//! - [`examine`]: every subject, in order
//! - [`page`]: the answer for people
//!
//! The subjects, each a function from facts to a verdict:
//!
//! - `kvm`, `exits`: KVM itself; what lengthens the way in and out of a guest, and who counts it
//! - `clock_rate`, `cpu`: how fast a core is, and whose it is
//! - `memory`, `numa`, `guests`: where guests' memory is, and whether it is enough
//! - `sched`, `cgroup`: who runs next
//! - `net`, `bridge`: the way of a packet
//! - `software`: versions, tuned

mod bridge;
mod cgroup;
mod clock_rate;
mod cpu;
mod exits;
#[cfg(test)]
mod fixture;
mod guests;
mod kvm;
pub mod look;
mod memory;
mod net;
mod numa;
pub mod page;
mod sched;
mod software;
mod subject;

pub use guests::Planned;
pub use subject::{HostReport, Subject, Verdict};

use crate::host::facts::Facts;

type Examine = fn(&Facts) -> Subject;

/// The subjects that depend on nothing but the machine, in the order of the page. Those of the guests come after memory.
const SUBJECTS: [(&str, &[Examine]); 6] = [
    (
        "KVM",
        &[
            kvm::virtualisation,
            kvm::nested,
            kvm::pause_loops,
            kvm::halt_polling,
            exits::mitigations,
            exits::counters,
        ],
    ),
    (
        "CPU",
        &[
            clock_rate::governor,
            clock_rate::turbo,
            clock_rate::idle_states,
            cpu::smt,
            cpu::clocksource,
            cpu::steal,
        ],
    ),
    (
        "memory",
        &[
            numa::nodes,
            numa::balancing,
            memory::swap,
            memory::same_pages,
            memory::huge_pages,
            memory::transparent,
        ],
    ),
    ("scheduler", &[sched::slice, sched::autogroup, cgroup::controller, sched::pressure, sched::statistics]),
    ("network", &[net::irqbalance, net::nics, bridge::bridges, bridge::netfilter, net::vhost]),
    ("software", &[software::tuned, software::versions]),
];

/// Every subject of a machine; `planned` are a profile's guests, which are not there yet.
pub fn examine(facts: &Facts, planned: Option<Planned>) -> HostReport {
    let mut subjects = Vec::new();
    for (group, examinations) in SUBJECTS {
        subjects.extend(examinations.iter().map(|examine| examine(facts).in_group(group)));
        match group {
            "memory" => subjects.push(guests::memory(facts, planned).in_group(group)),
            "scheduler" => subjects.push(guests::cpus(facts, planned).in_group(group)),
            _ => {}
        }
    }
    HostReport { subjects }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn verdict(facts: &str, examine: Examine) -> Verdict {
        examine(&Facts::parse(facts)).verdict
    }

    #[test]
    fn of_a_machine_that_says_nothing_nothing_is_bad() {
        let report = examine(&Facts::default(), None);
        assert_eq!(report.count(Verdict::Bad), 0, "{report:?}");
        assert!(report.count(Verdict::Unknown) > 10, "{report:?}");
    }

    #[test]
    fn every_subject_has_a_name_of_its_own_and_one_sentence() {
        for machine in fixture::MACHINES {
            let report = fixture::report(machine);
            let names: BTreeSet<&str> = report.subjects.iter().map(|subject| subject.subject).collect();
            assert_eq!(names.len(), report.subjects.len());
            for subject in &report.subjects {
                assert!(subject.effect.ends_with('.') && !subject.found.is_empty(), "{subject:?}");
                assert!(subject.verdict != Verdict::Good || subject.change.is_none(), "{subject:?}");
                assert!(subject.verdict != Verdict::Bad || subject.change.is_some(), "{subject:?}");
            }
        }
    }

    #[test]
    fn cores_with_different_governors_are_worse_than_cores_that_all_follow_their_load() {
        let policies = |zero: &str, one: &str, driver: &str| {
            let of = |n, file: &str, text: &str| {
                format!("/sys/devices/system/cpu/cpufreq/policy{n}/scaling_{file}:{text}\n")
            };
            [of(0, "governor", zero), of(1, "governor", one), of(0, "driver", driver)].concat()
        };
        let governor = |facts: String| verdict(&facts, clock_rate::governor);
        assert_eq!(governor(policies("performance", "performance", "acpi-cpufreq")), Verdict::Good);
        assert_eq!(governor(policies("schedutil", "schedutil", "acpi-cpufreq")), Verdict::Note);
        assert_eq!(governor(policies("powersave", "powersave", "intel_pstate")), Verdict::Note);
        assert_eq!(governor(policies("powersave", "powersave", "acpi-cpufreq")), Verdict::Bad);
        assert_eq!(governor(policies("performance", "powersave", "intel_pstate")), Verdict::Bad);
    }

    #[test]
    fn swap_spoils_only_what_is_really_in_it() {
        let swap = |free: u64| {
            let meminfo = format!(
                "/proc/meminfo:MemTotal: 8000000 kB\n/proc/meminfo:SwapTotal: 1000000 kB\n/proc/meminfo:SwapFree: {free} kB\n"
            );
            verdict(&format!("{meminfo}/proc/sys/vm/swappiness:10\n"), memory::swap)
        };
        assert_eq!([1_000_000, 990_000, 900_000].map(swap), [Verdict::Good, Verdict::Note, Verdict::Bad]);
    }

    #[test]
    fn a_firewall_on_bridges_is_bad_only_where_a_bridge_has_ports() {
        const ON: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables:1\n/sys/class/net/br0/bridge:\n";
        let port = "/sys/class/net/vnet0/brport/bridge:br0\n";
        assert_eq!(verdict(ON, bridge::netfilter), Verdict::Note);
        assert_eq!(verdict(&format!("{ON}{port}"), bridge::netfilter), Verdict::Bad);
        assert_eq!(verdict("", bridge::netfilter), Verdict::Good);
    }
}
