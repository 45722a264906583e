//! What each setting of the machine needs of the kernel: what to do where it is missing, and where values are listed.

use super::{Setting, Shown};

/// What `check` has to know of a setting of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What to do where the kernel has no such setting.
    pub lacking: &'static str,
    /// Where the kernel lists the values that it takes, as shell patterns; `None` if it lists none.
    pub choices: Option<&'static str>,
}

/// Needs by the first file of each setting.
const NEEDS: [(&str, Need); 7] = [
    (
        "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
        Need {
            lacking: "leave `governor` out: in a virtual machine the hypervisor decides; on metal load the driver of the \
                      CPU's frequency (modprobe acpi_cpufreq), or let the firmware leave it to the system",
            choices: Some("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_available_governors"),
        },
    ),
    (
        "/proc/sys/vm/swappiness",
        Need { lacking: "leave `swappiness` out: this kernel has no swap", choices: None },
    ),
    (
        "/sys/kernel/mm/ksm/run",
        Need { lacking: "leave `ksm` out, or use a kernel with CONFIG_KSM", choices: None },
    ),
    (
        "/sys/kernel/mm/transparent_hugepage/enabled",
        Need {
            lacking: "leave `thp` out, or use a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
            choices: Some("/sys/kernel/mm/transparent_hugepage/enabled"),
        },
    ),
    (
        "/sys/module/kvm/parameters/halt_poll_ns",
        Need {
            lacking: "modprobe kvm; emulated guests (TCG) never poll: leave `halt_poll_ns` out there",
            choices: None,
        },
    ),
    (
        "/sys/kernel/debug/sched/base_slice_ns",
        Need {
            lacking: "mount -t debugfs none /sys/kernel/debug (not to be had under lockdown), or leave the base slice out",
            choices: None,
        },
    ),
    (
        "/proc/sys/net/core/rps_sock_flow_entries",
        Need { lacking: "leave `rps_sock_flow_entries` out, or use a kernel with CONFIG_RPS", choices: None },
    ),
];

/// What `check` has to know of a setting; `None` if it is of a NIC.
pub fn need(setting: &Setting) -> Option<Need> {
    let first = setting.files.split(' ').next()?;
    NEEDS.iter().find(|(file, _)| *file == first).map(|(_, need)| *need)
}

/// The values that the kernel takes in all files that list them; lists may have brackets around what is chosen.
pub fn choices(index: usize, shown: &[Shown]) -> Vec<String> {
    let words = |shown: &Shown| -> Vec<String> {
        shown.content.split_whitespace().map(|word| word.trim_matches(['[', ']']).to_owned()).collect()
    };
    let mut lists = shown.iter().filter(|shown| shown.setting == index).map(words);
    let mut common = lists.next().unwrap_or_default();
    lists.for_each(|list| common.retain(|word| list.contains(word)));
    common
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::profile::tuning::{HostTuning, NicTuning};
    use crate::tuning::{host, nic, shown};

    #[test]
    fn every_setting_of_the_machine_has_a_word_of_its_own_where_the_kernel_lacks_it() {
        let of_machine = NicTuning { rps_sock_flow_entries: Some(1), ..NicTuning::default() };
        let of_nic = NicTuning { rps: "all".parse().ok(), ..NicTuning::default() };
        let all = HostTuning {
            nic: of_machine,
            governor: Some("performance".into()),
            swappiness: Some(1),
            ksm: Some(true),
            thp: Some("never".into()),
            halt_poll_ns: Some(0),
            base_slice_ns: Some(1),
        };
        let words: Vec<_> = host(&all, &BTreeSet::from([0]))
            .iter()
            .map(|setting| need(setting).map(|need| need.lacking))
            .collect();
        assert_eq!((words.len(), words.contains(&None)), (NEEDS.len(), false));
        assert!(words.iter().enumerate().all(|(index, word)| !words[..index].contains(word)));
        assert_eq!(need(&nic(&of_nic, &BTreeSet::from([0]))[0]), None);
    }

    #[test]
    fn a_value_is_taken_where_every_cpu_lists_it() {
        let shown = shown("0\ta\tperformance powersave\n0\tb\tpowersave [schedutil]\n1\tc\tnever\n");
        assert_eq!(choices(0, &shown), ["powersave"]);
        assert_eq!(choices(2, &shown), Vec::<String>::new());
    }
}
