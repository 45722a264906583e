//! Examines a VM host before any experiment: settings that harm speed, or fairness between guests. Changes nothing.
//!
//! - [`inspect`]: gathers the facts of a machine; the only file here that does IO
//! - [`examine`]: facts -> one [`Diagnosis`] for each subject
//! - [`page`]: the report for people
//!
//! The subjects are rows of a table, `subjects.toml`: names, and the texts of each state that a subject may have. A rule
//! chooses the state by the facts of a machine. To add a subject, add a row, its rule, and a line in `rules`.
//!
//! - `subject`, `rules`, `host_state`: the table, which rule belongs to which row, and the state that a rule chooses
//! - `kvm`, `mitigations`: KVM itself, and the cost of exits
//! - `cpu`: how fast a core is, and who shares it
//! - `memory`, `guests`: where guests' memory is, and whether it suffices
//! - `scheduler`: which task runs next
//! - `network`: the way of a packet
//! - `software`: versions, tuned
//! - `xen`: what only a dom0 has

mod cpu;
#[cfg(test)]
mod fixture;
mod guests;
mod host_state;
pub mod inspect;
mod kvm;
mod memory;
mod mitigations;
mod network;
pub mod page;
mod rules;
mod scheduler;
mod software;
mod subject;
mod xen;

pub use guests::Planned;
pub use subject::{Diagnosis, HostReport, Rating};

use crate::host::facts::Facts;
use subject::SubjectTable;

/// Every subject of a machine; `planned` are the guests of a profile, which do not run yet.
///
/// # Errors
/// Never in practice: the table of subjects is part of the binary, and a test reads it.
pub fn examine(facts: &Facts, planned: Option<Planned>) -> Result<HostReport, toml::de::Error> {
    let facts = match planned {
        Some(planned) => facts.clone().with(guests::PLANNED, planned.fact()),
        None => facts.clone(),
    };
    let table = SubjectTable::read()?;
    Ok(HostReport {
        subjects: table.subject.iter().filter(|s| s.is_of(&facts)).map(|s| s.examine(&facts)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn diagnose(facts: &str, name: &str) -> Diagnosis {
        let mut subjects = examine(&Facts::parse(facts), None).unwrap().subjects.into_iter();
        subjects.find(|subject| subject.subject == name).unwrap()
    }

    #[test]
    fn nothing_is_bad_on_a_machine_that_shows_nothing() {
        let report = examine(&Facts::default(), None).unwrap();
        assert_eq!(report.count(Rating::Bad), 0, "{report:?}");
        assert!(report.count(Rating::Unknown) > 10, "{report:?}");
    }

    /// In turn, so that what another number hides is met too.
    #[test]
    fn no_number_that_a_machine_prints_is_too_large() {
        let most = u64::MAX.to_string();
        for machine in fixture::MACHINES {
            let facts = fixture::text(machine);
            let lines: Vec<&str> = facts.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let Some((path, value)) =
                    line.split_once(':').filter(|(_, value)| value.contains(char::is_numeric))
                else {
                    continue;
                };
                let largest = |piece: &str| {
                    let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
                    if rest == piece { piece.to_owned() } else { format!("{most}{rest}") }
                };
                let value: String =
                    value.split_inclusive(|c: char| !c.is_ascii_digit()).map(largest).collect();
                let line = format!("{path}:{value}");
                let text = [&lines[..at], &[line.as_str()], &lines[at + 1..]].concat().join("\n");
                assert!(examine(&Facts::parse(&text), None).is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn every_subject_has_a_unique_name_and_one_sentence() {
        for machine in fixture::MACHINES {
            let report = fixture::report(machine);
            let names: BTreeSet<&str> =
                report.subjects.iter().map(|subject| subject.subject.as_str()).collect();
            assert_eq!(names.len(), report.subjects.len());
            for subject in &report.subjects {
                assert!(subject.effect.ends_with('.') && !subject.found.is_empty(), "{subject:?}");
                assert!(subject.rating != Rating::Good || subject.change.is_none(), "{subject:?}");
                assert!(subject.rating != Rating::Bad || subject.change.is_some(), "{subject:?}");
            }
        }
    }

    #[test]
    fn cores_with_different_governors_are_worse_than_cores_that_all_follow_their_load() {
        let policies = |zero: &str, one: &str, driver: &str| {
            let line = |n, file: &str, text: &str| {
                format!("/sys/devices/system/cpu/cpufreq/policy{n}/scaling_{file}:{text}\n")
            };
            [line(0, "governor", zero), line(1, "governor", one), line(0, "driver", driver)].concat()
        };
        let governor = |facts: String| diagnose(&facts, "governor").rating;
        assert_eq!(governor(policies("performance", "performance", "acpi-cpufreq")), Rating::Good);
        assert_eq!(governor(policies("schedutil", "schedutil", "acpi-cpufreq")), Rating::Note);
        assert_eq!(governor(policies("powersave", "powersave", "intel_pstate")), Rating::Note);
        assert_eq!(governor(policies("powersave", "powersave", "acpi-cpufreq")), Rating::Bad);
        assert_eq!(governor(policies("performance", "powersave", "intel_pstate")), Rating::Bad);
    }

    #[test]
    fn swap_is_bad_only_where_much_of_it_is_in_use() {
        let swap = |free: u64| {
            let meminfo = format!(
                "/proc/meminfo:MemTotal: 8000000 kB\n/proc/meminfo:SwapTotal: 1000000 kB\n/proc/meminfo:SwapFree: {free} kB\n"
            );
            diagnose(&format!("{meminfo}/proc/sys/vm/swappiness:10\n"), "swap").rating
        };
        assert_eq!([1_000_000, 990_000, 900_000].map(swap), [Rating::Good, Rating::Note, Rating::Bad]);
    }

    #[test]
    fn a_firewall_on_bridges_is_bad_only_where_a_bridge_has_ports() {
        const ON: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables:1\n/sys/class/net/br0/bridge:\n";
        let port = "/sys/class/net/vnet0/brport/bridge:br0\n";
        let rating = |facts: &str| diagnose(facts, "bridge netfilter").rating;
        assert_eq!(rating(ON), Rating::Note);
        assert_eq!(rating(&format!("{ON}{port}")), Rating::Bad);
        assert_eq!(rating(""), Rating::Good);
    }

    #[test]
    fn exits_are_counted_by_a_new_qemu_or_by_the_kernel() {
        let found = |facts: &str| {
            let subject = diagnose(facts, "exit counters");
            (subject.rating, subject.found)
        };
        assert_eq!(found("qemu:QEMU emulator version 7.1.0\n"), (Rating::Good, "QEMU 7.1.0".into()));
        let old = "qemu:QEMU emulator version 5.2.0 (Debian)\n";
        assert_eq!(found(&format!("{old}/sys/kernel/debug/kvm:\n")), (Rating::Good, "debugfs".into()));
        assert_eq!(found(old).0, Rating::Note);
        assert_eq!(found("").0, Rating::Unknown);
    }
}
