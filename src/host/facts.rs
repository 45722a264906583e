//! The facts of a machine: texts of its files and commands, by path or name. Pure.

use std::collections::BTreeMap;

/// Texts by the path of the file or the name of the command. What does not exist or cannot be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Parses `name:line` for each line of each text, as `gather.sh` prints them. Lines that begin with `#` are comments.
    pub fn parse(output: &str) -> Facts {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let lines = output.lines().filter(|line| !line.starts_with('#'));
        for (name, line) in lines.filter_map(|line| line.split_once(':')) {
            match texts.get_mut(name) {
                Some(text) => text.extend(["\n", line]),
                None => drop(texts.insert(name.to_owned(), line.to_owned())),
            }
        }
        Facts(texts)
    }

    /// The same with one more text.
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Facts {
        self.0.insert(name.into(), text.into());
        self
    }

    /// Whether there are no facts at all: the script did not run.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text without the space around it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim())
    }

    /// The lines of a text; none if it is absent.
    pub fn lines(&self, name: &str) -> std::str::Lines<'_> {
        self.0.get(name).map_or("", String::as_str).lines()
    }

    /// Whether a file exists.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text as a number; `None` if it is absent or not a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A kernel parameter, written `Y` or `N`, or `1` or `0`.
    pub fn switch(&self, name: &str) -> Option<bool> {
        match self.text(name)? {
            "Y" | "1" => Some(true),
            "N" | "0" => Some(false),
            _ => None,
        }
    }

    /// The texts whose names match `before*after`, each with the part that `*` stands for: one component of a path, in the
    /// order of its number (`eth2` before `eth10`).
    pub fn like<'a>(&'a self, before: &str, after: &str) -> Vec<(&'a str, &'a str)> {
        let star = |path: &'a str| {
            let star = path.strip_prefix(before)?.strip_suffix(after)?;
            (!star.is_empty() && !star.contains('/')).then_some(star)
        };
        let mut found: Vec<(&str, &str)> =
            self.0.iter().filter_map(|(path, text)| Some((star(path)?, text.trim()))).collect();
        found.sort_by_key(|(star, _)| {
            let digits = star.trim_start_matches(|c: char| !c.is_ascii_digit());
            (&star[..star.len() - digits.len()], digits.parse::<u64>().unwrap_or(0))
        });
        found
    }

    /// A field of `/proc/cpuinfo`, of the first CPU.
    pub fn cpu(&self, name: &str) -> Option<&str> {
        let mut fields = self.text("/proc/cpuinfo")?.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim())
    }

    /// Whether the CPU has a flag.
    pub fn cpu_flag(&self, flag: &str) -> bool {
        self.cpu("flags").is_some_and(|flags| flags.split(' ').any(|word| word == flag))
    }

    /// Whether the machine is a guest itself.
    pub fn is_guest(&self) -> bool {
        self.cpu_flag("hypervisor")
    }

    /// CPUs online; `None` without `/proc/stat`.
    pub fn cpus(&self) -> Option<usize> {
        let stat = self.text("/proc/stat")?.lines();
        Some(
            stat.filter_map(|line| line.strip_prefix("cpu")?.bytes().next())
                .filter(u8::is_ascii_digit)
                .count(),
        )
    }

    /// A field of `/proc/meminfo`: KiB, or a number of pages.
    pub fn memory(&self, name: &str) -> Option<u64> {
        let mut fields = self.text("/proc/meminfo")?.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(field, _)| *field == name)?;
        value.split_whitespace().next()?.parse().ok()
    }

    /// The CPU's flag for virtualisation: `vmx` or `svm`.
    pub fn virtualisation(&self) -> Option<&'static str> {
        ["vmx", "svm"].into_iter().find(|flag| self.cpu_flag(flag))
    }

    /// Whether the machine can run guests under KVM: the CPU has the flag *and* `/dev/kvm` opens.
    pub fn kvm_usable(&self) -> bool {
        self.virtualisation().is_some() && self.text("kvm") == Some("opens")
    }

    /// Memory, MiB; `None` without a readable `/proc/meminfo`.
    pub fn memory_mib(&self) -> Option<u64> {
        Some(self.memory("MemTotal")? / 1024)
    }

    /// The version of a command that was run: `qemu`, `libvirt`, `netperf`, `ovs`; `None` if it is not installed.
    pub fn version(&self, program: &str) -> Option<&str> {
        version(self.text(program)?)
    }

    /// Whether a daemon runs: one of those that `gather.sh` asks for.
    pub fn runs(&self, program: &str) -> bool {
        self.text("running").is_some_and(|names| names.lines().any(|name| name.trim() == program))
    }
}

/// The choice in brackets: `always [madvise] never`.
pub fn selected(choices: &str) -> Option<&str> {
    choices.split_whitespace().find_map(|choice| choice.strip_prefix('[')?.strip_suffix(']'))
}

/// The first word that begins with a digit: `QEMU emulator version 10.0.2 (…)`, `Netperf version 2.7.0`.
pub fn version(output: &str) -> Option<&str> {
    output.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_one_name_make_one_text_and_comments_make_none() {
        let facts = Facts::parse("# a comment: here\n/a:one\n/a: two:2\n/b:\nnot a fact\n");
        assert_eq!(facts.text("/a"), Some("one\n two:2"));
        assert!(facts.has("/b") && facts.text("/b") == Some(""));
        assert_eq!(facts.0.len(), 2);
    }

    #[test]
    fn a_star_is_one_part_of_a_path_and_numbers_are_in_order() {
        let facts = Facts::parse("/n/eth10/x:a\n/n/eth2/x:b\n/n/eth2/y/x:c\n/n/br0/x:d\n");
        assert_eq!(facts.like("/n/", "/x"), [("br0", "d"), ("eth2", "b"), ("eth10", "a")]);
    }

    #[test]
    fn a_flag_is_a_whole_word() {
        let facts = Facts::parse("/proc/cpuinfo:flags\t\t: fpu svm_lock avmx\n");
        assert!(facts.cpu_flag("fpu") && !facts.cpu_flag("svm") && !facts.cpu_flag("vmx"));
    }

    #[test]
    fn the_flag_for_virtualisation_is_a_whole_word() {
        let flag =
            |flags: &str| Facts::parse(&format!("/proc/cpuinfo:flags\t\t: {flags}\n")).virtualisation();
        assert_eq!(flag("fpu vmx sse"), Some("vmx"));
        assert_eq!(flag("fpu svm"), Some("svm"));
        assert_eq!(flag("fpu avmx svm_lock"), None);
    }

    #[test]
    fn versions_are_found_in_what_the_programs_print() {
        let qemu = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022\n";
        assert_eq!(version(qemu), Some("7.2.22"));
        assert_eq!(version("Netperf version 2.7.0\n"), Some("2.7.0"));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn short_or_absurd_files_are_absent_values() {
        let memory = |text: &str| Facts::parse(&format!("/proc/meminfo:{text}\n")).memory_mib();
        assert_eq!(memory("MemTotal:       24684092 kB"), Some(24105));
        for text in ["", "MemTotal", "MemTotal:", "MemTotal: -1 kB", "MemTotal: 99999999999999999999 kB"] {
            assert_eq!(memory(text), None, "{text}");
        }
        assert_eq!(Facts::default().cpus(), None);
        assert_eq!(Facts::parse("/proc/stat:cpu  1\n/proc/stat:cpu\n/proc/stat:cpu0 1\n").cpus(), Some(1));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in "([a-z/]{0,5}:.{0,20}|.|\n){0,20}") {
            let facts = Facts::parse(&text);
            facts.like("/", "");
            facts.memory_mib();
        }
    }

    #[test]
    fn the_choice_of_a_list_stands_in_brackets() {
        assert_eq!(selected("always [madvise] never"), Some("madvise"));
        assert_eq!(selected("always"), None);
    }
}
