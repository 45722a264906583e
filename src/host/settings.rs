//! Kernel settings of a machine that figures depend on, whether or not a profile sets them: their values before the run.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::profile::pin;

/// Kernel settings of a machine. What could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KernelSettings {
    /// The CPUs of each frequency governor; empty where the machine has none.
    pub governors: BTreeMap<String, String>,
    /// For how long KVM polls before a vCPU sleeps, ns; absent without KVM.
    pub halt_poll_ns: Option<u64>,
    /// The scheduler's base slice, ns.
    pub base_slice_ns: Option<u64>,
}

/// The files of the scheduler's base slice: since Linux 6.6, since 5.13, and before.
const BASE_SLICE: [&str; 3] = [
    "/sys/kernel/debug/sched/base_slice_ns",
    "/sys/kernel/debug/sched/min_granularity_ns",
    "/proc/sys/kernel/sched_min_granularity_ns",
];

impl KernelSettings {
    /// From the facts of a machine.
    pub(super) fn from_facts(facts: &Facts) -> KernelSettings {
        KernelSettings {
            governors: governors(facts),
            halt_poll_ns: facts.number("/sys/module/kvm/parameters/halt_poll_ns"),
            base_slice_ns: base_slice(facts).map(|(_, ns)| ns),
        }
    }
}

/// The scheduler's base slice, ns, with the file that has it.
pub fn base_slice(facts: &Facts) -> Option<(&'static str, u64)> {
    BASE_SLICE.into_iter().find_map(|path| Some((path, facts.number(path)?)))
}

fn governors(facts: &Facts) -> BTreeMap<String, String> {
    let mut cpus: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for (cpu, governor) in facts.like("/sys/devices/system/cpu/cpu", "/cpufreq/scaling_governor") {
        if let Ok(cpu) = cpu.parse() {
            cpus.entry(governor.to_owned()).or_default().insert(cpu);
        }
    }
    cpus.into_iter().map(|(governor, cpus)| (governor, pin::list(&cpus))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[(&str, &str)]) -> KernelSettings {
        let facts = files.iter().fold(Facts::default(), |facts, (path, text)| facts.with(path, *text));
        KernelSettings::from_facts(&facts)
    }

    #[test]
    fn cpus_are_gathered_by_their_governor() {
        let file = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
        let [first, second, tenth] = [0, 1, 10].map(file);
        let found = settings(&[(&first, "performance"), (&second, "performance"), (&tenth, "powersave")]);
        let governors: Vec<_> =
            found.governors.iter().map(|(name, cpus)| (name.as_str(), cpus.as_str())).collect();
        assert_eq!(governors, [("performance", "0-1"), ("powersave", "10")]);
    }

    #[test]
    fn the_base_slice_is_found_under_each_of_its_names_and_what_is_not_there_is_absent() {
        for name in BASE_SLICE {
            let file = name.rsplit('/').next().unwrap_or(name);
            assert!(crate::host::GATHER.contains(file), "gather.sh does not print {name}");
            assert_eq!(settings(&[(name, "2800000\n")]).base_slice_ns, Some(2_800_000));
        }
        assert_eq!(settings(&[]), KernelSettings::default());
    }
}
