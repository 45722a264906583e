//! Settings of a machine's kernel that figures depend on, whether or not a profile sets them: as they were before the run. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::profile::pin;

/// What the kernel of a machine was set to. What could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KernelSettings {
    /// CPUs by the frequency governor that they have; empty where the machine has none.
    pub governors: BTreeMap<String, String>,
    /// For how long KVM polls before a vCPU sleeps, ns; absent without KVM.
    pub halt_poll_ns: Option<u64>,
    /// The scheduler's base slice, ns.
    pub base_slice_ns: Option<u64>,
}

/// The files that it is made of, as a shell expands them.
pub(super) const FILES: &str = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor \
    /sys/module/kvm/parameters/halt_poll_ns /sys/kernel/debug/sched/base_slice_ns \
    /sys/kernel/debug/sched/min_granularity_ns /proc/sys/kernel/sched_min_granularity_ns";

/// The base slice's names since Linux 6.6, since 5.13, and before.
const BASE_SLICE: [&str; 3] = [
    "/sys/kernel/debug/sched/base_slice_ns",
    "/sys/kernel/debug/sched/min_granularity_ns",
    "/proc/sys/kernel/sched_min_granularity_ns",
];

impl KernelSettings {
    /// From the text of each file, by its path.
    pub(super) fn of(texts: &BTreeMap<String, String>) -> KernelSettings {
        let number = |path: &str| texts.get(path)?.trim().parse().ok();
        KernelSettings {
            governors: governors(texts),
            halt_poll_ns: number("/sys/module/kvm/parameters/halt_poll_ns"),
            base_slice_ns: BASE_SLICE.into_iter().find_map(number),
        }
    }
}

fn governors(texts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut cpus: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for (path, governor) in texts {
        if let Some(cpu) = cpu_of(path) {
            cpus.entry(governor.trim().to_owned()).or_default().insert(cpu);
        }
    }
    cpus.into_iter().map(|(governor, cpus)| (governor, pin::list(&cpus))).collect()
}

/// The CPU whose governor a file has.
fn cpu_of(path: &str) -> Option<u32> {
    let rest = path.strip_prefix("/sys/devices/system/cpu/cpu")?;
    rest.strip_suffix("/cpufreq/scaling_governor")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
    }

    #[test]
    fn cpus_are_gathered_by_their_governor() {
        let file = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor");
        let [first, second, tenth] = [0, 1, 10].map(file);
        let seen = KernelSettings::of(&texts(&[
            (&first, "performance"),
            (&second, "performance"),
            (&tenth, "powersave"),
        ]));
        let found: Vec<_> =
            seen.governors.iter().map(|(name, cpus)| (name.as_str(), cpus.as_str())).collect();
        assert_eq!(found, [("performance", "0-1"), ("powersave", "10")]);
    }

    #[test]
    fn the_base_slice_is_found_under_each_of_its_names_and_what_is_not_there_is_absent() {
        for name in BASE_SLICE {
            assert!(FILES.contains(name), "{name} is not asked for");
            assert_eq!(KernelSettings::of(&texts(&[(name, "2800000\n")])).base_slice_ns, Some(2_800_000));
        }
        assert_eq!(KernelSettings::of(&texts(&[])), KernelSettings::default());
    }
}
