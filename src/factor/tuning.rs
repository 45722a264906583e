//! Settings as files and values: what is written, and what must then be read. Pure; the lab writes those of the host, the
//! trial loop those inside the guests.
//!
//! One shell script serves both sides, here and over SSH. It stands in the directory of a NIC in sysfs, so that a pattern
//! without a leading slash is a file of that NIC.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::cpus::Cpus;

/// `sh -c SCRIPT tune (NAME | MAC) show PATTERN...` prints `index<TAB>file<TAB>content`;
/// `sh -c SCRIPT tune (NAME | MAC) set PATTERN VALUE...` writes.
pub const SCRIPT: &str = include_str!("tuning.sh");

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
    /// How the kernel prints it.
    pub format: KernelFormat,
    /// What to do where the kernel has no such setting; empty for those of a NIC.
    pub missing: &'static str,
    /// Where the kernel lists the values that it takes, as shell patterns; empty if it lists none.
    pub choices: &'static str,
}

/// How the kernel prints a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelFormat {
    /// As it was written.
    Plain,
    /// A mask, with zeros before it.
    Mask,
    /// With a remark in brackets after it.
    Remark,
    /// All that is possible, with brackets around the current one.
    Bracketed,
}

impl Setting {
    /// The content of a file, in the form in which values are written.
    pub fn read(&self, content: &str) -> String {
        let content = content.trim();
        match self.format {
            KernelFormat::Plain => content.into(),
            KernelFormat::Mask => {
                content.parse::<Cpus>().map_or(content.into(), |cpus| cpus.mask(&BTreeSet::new()))
            }
            KernelFormat::Remark => content.split(" [").next().unwrap_or(content).into(),
            KernelFormat::Bracketed => {
                let inside = content.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                inside.map_or(content, |(value, _)| value).into()
            }
        }
    }
}

/// Whether a setting belongs to the NIC; the others are the whole machine's.
pub fn is_of_nic(setting: &Setting) -> bool {
    !setting.files.starts_with('/')
}

/// Whether `ethtool` reads and writes it: there is no file whose content could be kept.
pub fn is_of_ethtool(setting: &Setting) -> bool {
    OF_ETHTOOL.contains(&&*setting.files)
}

/// The command that gives a NIC back what [`show`] printed of a setting of `ethtool`'s. It ends well where all is so already:
/// then ethtool ends with 80.
pub fn give_back(nic: &str, word: &str, shown: &str) -> Vec<String> {
    let (value, adaptive) =
        shown.split_once(' ').map_or((shown, false), |(value, rest)| (value, rest == "adaptive"));
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

/// The value of a setting in all of its files; `None` if there are none. Where files differ, all their values.
pub fn found(setting: &Setting, index: usize, shown: &[Shown]) -> Option<String> {
    let all = shown.iter().filter(|shown| shown.setting == index).map(|shown| setting.read(&shown.content));
    let mut values: Vec<String> = all.collect();
    values.sort();
    values.dedup();
    (!values.is_empty()).then(|| values.join(" or "))
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
    use super::super::cpus::first;
    use super::super::kernel::{guest, host};
    use super::super::{Configuration, Factor, Value};
    use super::*;

    fn with(levels: &[(Factor, Value)]) -> Configuration {
        Configuration { settings: levels.iter().cloned().collect(), ..Configuration::default() }
    }

    fn rps(mask: &str) -> Configuration {
        let mask = Value::Cpus(mask.parse().unwrap());
        with(&[(Factor::HostRps, mask), (Factor::HostRpsFlowCnt, Value::Number(4096))])
    }

    fn values(settings: &[Setting]) -> Vec<&str> {
        settings.iter().map(|setting| setting.value.as_str()).collect()
    }

    #[test]
    fn all_cpus_are_those_that_are_online() {
        assert_eq!(values(&host(&rps("all"), &first(12))), ["fff", "4096"]);
        assert_eq!(values(&host(&rps("3"), &first(12))), ["3", "4096"]);
        assert_eq!(values(&host(&rps("all"), &BTreeSet::from([0, 2, 4, 6]))), ["55", "4096"]);
    }

    #[test]
    fn without_rps_the_flow_table_is_emptied_too() {
        assert_eq!(values(&host(&rps("none"), &first(12))), ["0", "0"]);
    }

    #[test]
    fn what_ethtool_writes_goes_by_its_words() {
        let levels =
            [(Factor::GuestCoalesceRx, Value::Number(100)), (Factor::GuestTso, Value::Switch(false))];
        let settings = guest(&with(&levels), &first(1));
        let words = ["52:54:00:74:10:01", "set", "rx-usecs", "100", "tso", "off"];
        assert_eq!(set("52:54:00:74:10:01", &settings), words);
        assert!(settings.iter().all(|setting| is_of_nic(setting) && is_of_ethtool(setting)));
        assert!(!host(&rps("all"), &first(1)).iter().any(is_of_ethtool));
        assert_eq!(host(&with(&levels), &first(1)), [], "those of guests are not the host's");
    }

    #[test]
    fn what_ethtool_printed_is_restored_with_the_driver_s_own_choice() {
        let words = |word, printed| give_back("eth1", word, printed)[4..].join(" ");
        assert_eq!(words("rx-usecs", "3"), "-C eth1 rx-usecs 3");
        assert_eq!(words("tx-usecs", "8 adaptive"), "-C eth1 adaptive-tx on tx-usecs 8");
        assert_eq!(words("tso", "on [requested off]"), "-K eth1 tso on");
    }

    #[test]
    fn what_is_not_in_the_profile_is_left_alone() {
        assert_eq!(host(&Configuration::default(), &first(4)), []);
    }

    #[test]
    fn values_are_compared_as_the_kernel_means_them() {
        let mask = &host(&rps("all"), &first(2))[0];
        assert_eq!(mask.read("00000000,00000003\n"), mask.value);
        let one = |factor, level| host(&with(&[(factor, level)]), &first(2)).remove(0);
        let thp = one(Factor::Thp, Value::Word("madvise".into()));
        assert_eq!(thp.read("always [madvise] never\n"), "madvise");
        assert_eq!(one(Factor::HostGro, Value::Switch(false)).read("off [fixed]\n"), "off");
        assert_ne!(one(Factor::HostCoalesceRx, Value::Number(3)).read("3 adaptive\n"), "3");
        assert_eq!(one(Factor::Ksm, Value::Switch(false)).value, "2", "merged pages are taken apart");
    }

    #[test]
    fn every_setting_of_the_machine_has_its_own_advice_where_the_kernel_lacks_it() {
        let of_machine = |factor: &Factor| {
            let super::super::descriptor::Store::Setting(kernel) = factor.descriptor().store else {
                return None;
            };
            kernel.files.starts_with('/').then_some((kernel.files, kernel.missing))
        };
        let advice: std::collections::BTreeMap<_, _> = Factor::ALL.iter().filter_map(of_machine).collect();
        let different: BTreeSet<_> = advice.values().collect();
        assert!(advice.len() >= 7 && advice.len() == different.len(), "{advice:?}");
        assert!(!different.contains(&""));
    }

    #[test]
    fn a_value_is_taken_where_every_cpu_lists_it() {
        let shown = shown("0\ta\tperformance powersave\n0\tb\tpowersave [schedutil]\n1\tc\tnever\n");
        assert_eq!(choices(0, &shown), ["powersave"]);
        assert_eq!(choices(2, &shown), Vec::<String>::new());
    }

    #[test]
    fn files_that_differ_are_all_reported() {
        let setting = &host(&rps("all"), &first(2))[0];
        let shown = shown("0\tqueues/rx-0/rps_cpus\t3\nnoise\n0\tqueues/rx-1/rps_cpus\t1\n");
        assert_eq!(found(setting, 0, &shown).as_deref(), Some("1 or 3"));
        assert_eq!(found(setting, 1, &shown), None);
    }
}
