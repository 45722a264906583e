//! The rules, by the names of the subjects.

use super::host_state::HostState;
use super::{cpu, guests, kvm, memory, mitigations, network, scheduler, software, xen};
use crate::host::facts::Facts;

/// Chooses the state of a subject; an error names the fact that is missing.
type Rule = fn(&Facts) -> Result<HostState, String>;

/// The rule of each subject.
pub(super) const RULES: [(&str, Rule); 35] = [
    ("virtualisation", kvm::virtualisation),
    ("nested guests", kvm::nested_guests),
    ("pause-loop exits", kvm::pause_loop_exits),
    ("halt polling", kvm::halt_polling),
    ("mitigations", mitigations::mitigations),
    ("exit counters", kvm::exit_counters),
    ("governor", cpu::governor),
    ("turbo", cpu::turbo),
    ("idle states", cpu::idle_states),
    ("SMT", cpu::smt),
    ("clock source", cpu::clock_source),
    ("steal", cpu::steal),
    ("NUMA", memory::numa),
    ("NUMA balancing", memory::numa_balancing),
    ("swap", memory::swap),
    ("KSM", memory::ksm),
    ("huge pages", memory::huge_pages),
    ("THP", memory::thp),
    ("memory for guests", guests::memory),
    ("time slice", scheduler::time_slice),
    ("autogroup", scheduler::autogroup),
    ("cgroups", scheduler::cgroups),
    ("CPU pressure", scheduler::cpu_pressure),
    ("schedstats", scheduler::schedstats),
    ("CPUs for guests", guests::cpus),
    ("irqbalance", network::irqbalance),
    ("NICs", network::nics),
    ("bridges", network::bridges),
    ("bridge netfilter", network::bridge_netfilter),
    ("vhost", network::vhost),
    ("tuned", software::tuned),
    ("versions", software::versions),
    ("Xen scheduler", xen::scheduler),
    ("dom0's CPUs", xen::dom0_cpus),
    ("cpupools", xen::pools),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::subject::SubjectTable;
    use super::*;

    #[test]
    fn every_subject_of_the_table_has_a_rule_and_every_rule_has_a_subject() {
        let table = SubjectTable::read().unwrap();
        let subjects: Vec<&str> = table.subject.iter().map(|subject| subject.name.as_str()).collect();
        assert_eq!(subjects, RULES.map(|(name, _)| name));
    }

    #[test]
    fn the_rules_choose_exactly_the_states_of_the_table() {
        let sources = [
            include_str!("cpu.rs"),
            include_str!("guests.rs"),
            include_str!("kvm.rs"),
            include_str!("memory.rs"),
            include_str!("mitigations.rs"),
            include_str!("network.rs"),
            include_str!("scheduler.rs"),
            include_str!("software.rs"),
            include_str!("xen.rs"),
        ];
        let rules = sources.map(|source| source.split("#[cfg(test)]").next().unwrap()).concat();
        let table = SubjectTable::read().unwrap();
        let states: BTreeSet<&str> =
            table.subject.iter().flat_map(|subject| subject.states.keys()).map(String::as_str).collect();
        for state in &states {
            assert!(rules.contains(&format!("\"{state}\"")), "no rule chooses {state}");
        }
        let chosen = rules.split("HostState::new(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for state in chosen {
            assert!(states.contains(state), "the table has no state {state}");
        }
    }
}
