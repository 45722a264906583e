//! Settings as files and values: what is written, and what must then be read. Pure; the lab writes those of the host, the
//! trial loop those inside the guests.
//!
//! One shell script serves both sides, here and over SSH. It stands in the directory of a NIC in sysfs, so that a pattern
//! without a leading slash is a file of that NIC.

mod needs;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::profile::cpus::Cpus;
use crate::profile::tuning::{HostTuning, NicTuning};
use crate::profile::{Configuration, Experiment};
pub use needs::{Need, choices, need};

/// `sh -c SCRIPT tune (NAME | MAC) show PATTERN...` prints `index<TAB>file<TAB>content`;
/// `sh -c SCRIPT tune (NAME | MAC) set PATTERN VALUE...` writes.
pub const SCRIPT: &str = include_str!("tuning.sh");

/// Stands for the interrupts of the NIC in place of a pattern.
const INTERRUPTS: &str = "interrupts";
/// `ethtool`'s words for what it reads and writes; they stand in place of a pattern.
const OF_ETHTOOL: [&str; 5] = ["rx-usecs", "tx-usecs", "gro", "gso", "tso"];

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
    /// With a remark in brackets after it.
    Remarked,
    /// All that is possible, with brackets around what is.
    Bracketed,
}

impl Setting {
    /// What a file says, in the form in which values are written.
    pub fn read(&self, content: &str) -> String {
        let content = content.trim();
        match self.said {
            Said::Plainly => content.into(),
            Said::AsMask => {
                content.parse::<Cpus>().map_or(content.into(), |cpus| cpus.mask(&BTreeSet::new()))
            }
            Said::Remarked => content.split(" [").next().unwrap_or(content).into(),
            Said::Bracketed => {
                let inside = content.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                inside.map_or(content, |(value, _)| value).into()
            }
        }
    }
}

/// The settings of a NIC and of its machine, where these CPUs are online.
pub fn nic(tuning: &NicTuning, cpus: &BTreeSet<u32>) -> Vec<Setting> {
    let off = tuning.rps.as_ref().is_some_and(Cpus::is_none);
    let said = |said: Said, what, files: &'static str, value: String| Setting {
        what,
        files: files.into(),
        value,
        said,
    };
    let number = |what, files, value: Option<u32>| Some(said(Said::Plainly, what, files, value?.to_string()));
    let mask =
        |what, files, set: &Option<Cpus>| Some(said(Said::AsMask, what, files, set.as_ref()?.mask(cpus)));
    let switch = |what, files, on: Option<bool>| {
        Some(said(Said::Remarked, what, files, if on? { "on" } else { "off" }.to_owned()))
    };
    let flow_cnt = tuning.rps_flow_cnt.map(|entries| if off { 0 } else { entries });
    let sock_flows = "/proc/sys/net/core/rps_sock_flow_entries";
    let settings = [
        number("rps_sock_flow_entries", sock_flows, tuning.rps_sock_flow_entries),
        mask("RPS (rps_cpus)", "queues/rx-*/rps_cpus", &tuning.rps),
        number("RFS (rps_flow_cnt)", "queues/rx-*/rps_flow_cnt", flow_cnt),
        mask("XPS (xps_cpus)", "queues/tx-*/xps_cpus", &tuning.xps),
        mask("affinity of the NIC's interrupts", INTERRUPTS, &tuning.irq_affinity),
        number("coalescing of received packets (rx-usecs)", "rx-usecs", tuning.coalesce_rx_us),
        number("coalescing of sent packets (tx-usecs)", "tx-usecs", tuning.coalesce_tx_us),
        switch("generic receive offload (gro)", "gro", tuning.gro),
        switch("generic segmentation offload (gso)", "gso", tuning.gso),
        switch("TCP segmentation offload (tso)", "tso", tuning.tso),
    ];
    settings.into_iter().flatten().collect()
}

/// The settings of the VM host, its end of the wire included.
pub fn host(tuning: &HostTuning, cpus: &BTreeSet<u32>) -> Vec<Setting> {
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
    let mut settings = nic(&tuning.nic, cpus);
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

/// Whether a run of this changes settings of the VM host as a whole, or may have to: the pool of huge pages is made larger
/// where it is too small.
pub fn changes_machine(experiment: &Experiment) -> bool {
    let huge = |c: &Configuration| c.vms > 0 && c.huge_pages_each() > 0;
    let one = BTreeSet::from([0]); // which CPUs makes no difference here
    let sets = |c: &Configuration| host(&c.tuning.host, &one).iter().any(|setting| !is_of_nic(setting));
    experiment.configurations.iter().any(|configuration| huge(configuration) || sets(configuration))
}

/// Whether `ethtool` reads and writes it: there is no file whose content could be kept.
pub fn is_of_ethtool(setting: &Setting) -> bool {
    OF_ETHTOOL.contains(&&*setting.files)
}

/// The command that gives a NIC back what [`show`] said of a setting of `ethtool`'s. It ends well where all is so already:
/// then ethtool ends with 80.
pub fn give_back(nic: &str, word: &str, said: &str) -> Vec<String> {
    let (value, adaptive) =
        said.split_once(' ').map_or((said, false), |(value, rest)| (value, rest == "adaptive"));
    let direction = word.split('-').next().unwrap_or(word);
    let mut words = vec![if word.ends_with("-usecs") { "-C" } else { "-K" }.to_owned(), nic.to_owned()];
    if adaptive {
        words.extend([format!("adaptive-{direction}"), "on".to_owned()]);
    }
    words.extend([word.to_owned(), value.to_owned()]);
    let head = ["sh", "-c", "ethtool \"$@\" || [ $? -eq 80 ]", "ethtool"].map(str::to_owned);
    head.into_iter().chain(words).collect()
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
    use crate::profile::cpus::first;

    fn rps(mask: &str) -> NicTuning {
        NicTuning { rps: mask.parse().ok(), rps_flow_cnt: Some(4096), ..NicTuning::default() }
    }

    fn values(settings: &[Setting]) -> Vec<&str> {
        settings.iter().map(|setting| setting.value.as_str()).collect()
    }

    #[test]
    fn all_cpus_are_those_that_are_online() {
        assert_eq!(values(&nic(&rps("all"), &first(12))), ["fff", "4096"]);
        assert_eq!(values(&nic(&rps("3"), &first(12))), ["3", "4096"]);
        assert_eq!(values(&nic(&rps("all"), &BTreeSet::from([0, 2, 4, 6]))), ["55", "4096"]);
    }

    #[test]
    fn without_rps_the_flow_table_is_emptied_too() {
        assert_eq!(values(&nic(&rps("none"), &first(12))), ["0", "0"]);
    }

    #[test]
    fn what_ethtool_writes_goes_by_its_words() {
        let tuning = NicTuning { coalesce_rx_us: Some(100), tso: Some(false), ..NicTuning::default() };
        let settings = nic(&tuning, &first(1));
        let words = ["52:54:00:74:10:01", "set", "rx-usecs", "100", "tso", "off"];
        assert_eq!(set("52:54:00:74:10:01", &settings), words);
        assert!(settings.iter().all(|setting| is_of_nic(setting) && is_of_ethtool(setting)));
        assert!(!nic(&rps("all"), &first(1)).iter().any(is_of_ethtool));
    }

    #[test]
    fn what_ethtool_said_is_given_back_with_the_driver_s_own_choice() {
        let words = |word, said| give_back("eth1", word, said)[4..].join(" ");
        assert_eq!(words("rx-usecs", "3"), "-C eth1 rx-usecs 3");
        assert_eq!(words("tx-usecs", "8 adaptive"), "-C eth1 adaptive-tx on tx-usecs 8");
        assert_eq!(words("tso", "on [requested off]"), "-K eth1 tso on");
    }

    #[test]
    fn what_is_not_in_the_profile_is_left_alone() {
        assert_eq!(host(&HostTuning::default(), &first(4)), []);
    }

    #[test]
    fn values_are_compared_as_the_kernel_means_them() {
        let mask = &nic(&rps("all"), &first(2))[0];
        assert_eq!(mask.read("00000000,00000003\n"), mask.value);
        let thp = HostTuning { thp: Some("madvise".into()), ..HostTuning::default() };
        assert_eq!(host(&thp, &first(2))[0].read("always [madvise] never\n"), "madvise");
        let gro = NicTuning { gro: Some(false), ..NicTuning::default() };
        assert_eq!(nic(&gro, &first(2))[0].read("off [fixed]\n"), "off");
        let coalescing = NicTuning { coalesce_rx_us: Some(3), ..NicTuning::default() };
        assert_ne!(nic(&coalescing, &first(2))[0].read("3 adaptive\n"), "3");
    }

    #[test]
    fn files_that_do_not_agree_are_all_told() {
        let setting = &nic(&rps("all"), &first(2))[0];
        let shown = shown("0\tqueues/rx-0/rps_cpus\t3\nnoise\n0\tqueues/rx-1/rps_cpus\t1\n");
        assert_eq!(found(setting, 0, &shown).as_deref(), Some("1 or 3"));
        assert_eq!(found(setting, 1, &shown), None);
    }
}
