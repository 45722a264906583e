//! Settings as files and values: what is written, and what must then be read. Pure; the lab writes those of the host, the
//! trial loop those inside the guests.
//!
//! One shell script serves both sides, here and over SSH. It stands in the directory of a NIC in sysfs, so that a pattern
//! without a leading slash is a file of that NIC.

use std::borrow::Cow;

use crate::profile::cpus::Cpus;
use crate::profile::tuning::{GuestTuning, HostTuning, Steering};

/// `sh -c SCRIPT tune (NAME | MAC) show PATTERN...` prints `index<TAB>file<TAB>content`;
/// `sh -c SCRIPT tune (NAME | MAC) set PATTERN VALUE...` writes.
pub const SCRIPT: &str = include_str!("tuning.sh");

/// Stands for the interrupts of the NIC in place of a pattern.
const INTERRUPTS: &str = "interrupts";
/// How long the NIC gathers packets: `ethtool`'s words for it stand in place of a pattern.
const COALESCING: [(&str, &str); 2] = [
    ("coalescing of received packets (rx-usecs)", "rx-usecs"),
    ("coalescing of sent packets (tx-usecs)", "tx-usecs"),
];

/// One setting: the same value in each of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// In words, as it stands in proofs.
    pub what: &'static str,
    /// Shell patterns, separated by blanks.
    pub files: Cow<'static, str>,
    /// What is written.
    pub value: String,
    /// How the kernel says it.
    pub said: Said,
}

/// How the kernel says a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// As it was written.
    Plainly,
    /// A mask, with zeros before it.
    AsMask,
    /// All that is possible, with brackets around what is.
    Bracketed,
}

impl Setting {
    /// What a file says, in the form in which values are written.
    pub fn read(&self, content: &str) -> String {
        let content = content.trim();
        match self.said {
            Said::Plainly => content.into(),
            Said::AsMask => content.parse::<Cpus>().map_or(content.into(), |cpus| cpus.mask(0)),
            Said::Bracketed => {
                let inside = content.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                inside.map_or(content, |(value, _)| value).into()
            }
        }
    }
}

/// The settings of a NIC and of its machine, which has `cpus` CPUs.
pub fn steering(steering: &Steering, cpus: u32) -> Vec<Setting> {
    let Steering { rps, rps_flow_cnt, rps_sock_flow_entries, xps, irq_affinity } = steering;
    let off = rps.as_ref().is_some_and(Cpus::is_none);
    let number = |what, files: &'static str, value: u32| Setting {
        what,
        files: files.into(),
        value: value.to_string(),
        said: Said::Plainly,
    };
    let mask = |what, files: &'static str, set: &Cpus| Setting {
        what,
        files: files.into(),
        value: set.mask(cpus),
        said: Said::AsMask,
    };
    [
        rps_sock_flow_entries.map(|entries| {
            number("rps_sock_flow_entries", "/proc/sys/net/core/rps_sock_flow_entries", entries)
        }),
        rps.as_ref().map(|set| mask("RPS (rps_cpus)", "queues/rx-*/rps_cpus", set)),
        rps_flow_cnt.map(|entries| {
            number("RFS (rps_flow_cnt)", "queues/rx-*/rps_flow_cnt", if off { 0 } else { entries })
        }),
        xps.as_ref().map(|set| mask("XPS (xps_cpus)", "queues/tx-*/xps_cpus", set)),
        irq_affinity.as_ref().map(|set| mask("affinity of the NIC's interrupts", INTERRUPTS, set)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The settings inside a guest of `cpus` vCPUs.
pub fn guest(tuning: &GuestTuning, cpus: u32) -> Vec<Setting> {
    let asked = [tuning.coalesce_rx_us, tuning.coalesce_tx_us];
    let coalescing = COALESCING.into_iter().zip(asked).filter_map(|((what, word), us)| {
        let value = us?.to_string();
        Some(Setting { what, files: word.into(), value, said: Said::Plainly })
    });
    steering(&tuning.steering, cpus).into_iter().chain(coalescing).collect()
}

/// The settings of the VM host, its end of the wire included.
pub fn host(tuning: &HostTuning, cpus: u32) -> Vec<Setting> {
    let plain = |what, files: &'static str, value: String| Setting {
        what,
        files: files.into(),
        value,
        said: Said::Plainly,
    };
    let machine = [
        tuning.governor.as_ref().map(|governor| {
            let files = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor";
            plain("CPU frequency governor", files, governor.clone())
        }),
        tuning.swappiness.map(|number| plain("swappiness", "/proc/sys/vm/swappiness", number.to_string())),
        tuning.ksm.map(|on| plain("KSM", "/sys/kernel/mm/ksm/run", if on { "1" } else { KSM_OFF }.into())),
        tuning.thp.as_ref().map(|thp| Setting {
            what: "transparent hugepages",
            files: "/sys/kernel/mm/transparent_hugepage/enabled".into(),
            value: thp.clone(),
            said: Said::Bracketed,
        }),
        tuning
            .halt_poll_ns
            .map(|ns| plain("halt_poll_ns", "/sys/module/kvm/parameters/halt_poll_ns", ns.to_string())),
        tuning.base_slice_ns.map(|ns| plain("scheduler's base slice", BASE_SLICE, ns.to_string())),
    ];
    let mut settings = steering(&tuning.steering, cpus);
    settings.extend(machine.into_iter().flatten());
    settings
}

/// Takes merged pages apart as well: 0 would leave them merged.
const KSM_OFF: &str = "2";

/// Its name since Linux 6.6, since 5.13, and before.
const BASE_SLICE: &str = "/sys/kernel/debug/sched/base_slice_ns /sys/kernel/debug/sched/min_granularity_ns \
                          /proc/sys/kernel/sched_min_granularity_ns";

/// Whether a setting belongs to the NIC; the others are the whole machine's.
pub fn is_of_nic(setting: &Setting) -> bool {
    !setting.files.starts_with('/')
}

/// The words after the script's name that show settings.
pub fn show<'s>(nic: &'s str, settings: &'s [Setting]) -> Vec<&'s str> {
    [nic, "show"].into_iter().chain(settings.iter().map(|setting| &*setting.files)).collect()
}

/// The words after the script's name that write settings.
pub fn set<'s>(nic: &'s str, settings: &'s [Setting]) -> Vec<&'s str> {
    let pairs = settings.iter().flat_map(|setting| [&*setting.files, setting.value.as_str()]);
    [nic, "set"].into_iter().chain(pairs).collect()
}

/// A file of a setting, as [`show`] found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Which setting, from 0.
    pub setting: usize,
    /// The file.
    pub path: String,
    /// What it says.
    pub content: String,
}

/// What [`show`] printed; lines that are none of it are passed over.
pub fn shown(output: &str) -> Vec<Shown> {
    let line = |line: &str| {
        let mut parts = line.splitn(3, '\t');
        let setting = parts.next()?.parse().ok()?;
        Some(Shown { setting, path: parts.next()?.into(), content: parts.next()?.into() })
    };
    output.lines().filter_map(line).collect()
}

/// What a setting says in all of its files; `None` if there are none. Files that differ are all told.
pub fn found(setting: &Setting, index: usize, shown: &[Shown]) -> Option<String> {
    let said = shown.iter().filter(|shown| shown.setting == index).map(|shown| setting.read(&shown.content));
    let mut values: Vec<String> = said.collect();
    values.sort();
    values.dedup();
    (!values.is_empty()).then(|| values.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rps(mask: &str) -> Steering {
        Steering { rps: mask.parse().ok(), rps_flow_cnt: Some(4096), ..Steering::default() }
    }

    fn values(settings: &[Setting]) -> Vec<&str> {
        settings.iter().map(|setting| setting.value.as_str()).collect()
    }

    #[test]
    fn all_cpus_are_as_many_as_the_machine_has() {
        assert_eq!(values(&steering(&rps("all"), 12)), ["fff", "4096"]);
        assert_eq!(values(&steering(&rps("3"), 12)), ["3", "4096"]);
    }

    #[test]
    fn without_rps_the_flow_table_is_emptied_too() {
        assert_eq!(values(&steering(&rps("none"), 12)), ["0", "0"]);
    }

    #[test]
    fn a_guest_s_nic_coalesces_in_the_directions_that_are_asked_for() {
        let tuning = GuestTuning { coalesce_rx_us: Some(100), ..GuestTuning::default() };
        let settings = guest(&tuning, 1);
        assert_eq!(values(&settings), ["100"]);
        assert_eq!(set("52:54:00:74:10:01", &settings), ["52:54:00:74:10:01", "set", "rx-usecs", "100"]);
    }

    #[test]
    fn what_is_not_in_the_profile_is_left_alone() {
        assert_eq!(host(&HostTuning::default(), 4), []);
    }

    #[test]
    fn values_are_compared_as_the_kernel_means_them() {
        let mask = &steering(&rps("all"), 2)[0];
        assert_eq!(mask.read("00000000,00000003\n"), mask.value);
        let thp = HostTuning { thp: Some("madvise".into()), ..HostTuning::default() };
        assert_eq!(host(&thp, 2)[0].read("always [madvise] never\n"), "madvise");
    }

    #[test]
    fn files_that_do_not_agree_are_all_told() {
        let setting = &steering(&rps("all"), 2)[0];
        let shown = shown("0\tqueues/rx-0/rps_cpus\t3\nnoise\n0\tqueues/rx-1/rps_cpus\t1\n");
        assert_eq!(found(setting, 0, &shown).as_deref(), Some("1 or 3"));
        assert_eq!(found(setting, 1, &shown), None);
    }
}
