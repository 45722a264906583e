//! What a machine said of itself: the texts of files and commands, by path or name. Pure.

use std::collections::BTreeMap;

/// Texts by the path of the file, or the name of the command. What is absent was not there, or might not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Reads `name:line` for each line of each text, as `gather.sh` prints it. Lines that begin with `#` are remarks.
    pub fn read(said: &str) -> Facts {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let lines = said.lines().filter(|line| !line.starts_with('#'));
        for (name, line) in lines.filter_map(|line| line.split_once(':')) {
            texts
                .entry(name.to_owned())
                .and_modify(|text| *text = format!("{text}\n{line}"))
                .or_insert_with(|| line.to_owned());
        }
        Facts(texts)
    }

    /// The same with one more text.
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Facts {
        self.0.insert(name.into(), text.into());
        self
    }

    /// Whether the machine said anything at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text without the space around it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// Kernel parameters are `Y` and `N`, or `1` and `0`.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        match self.text(name)? {
            "Y" | "1" => Some(true),
            "N" | "0" => Some(false),
            _ => None,
        }
    }

    /// The texts of `before*after`, each with what the star stands for: one part of a path. `eth2` comes before `eth10`.
    pub(super) fn like<'a>(&'a self, before: &str, after: &str) -> Vec<(&'a str, &'a str)> {
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
    pub(super) fn cpu(&self, name: &str) -> Option<&str> {
        let mut fields = self.text("/proc/cpuinfo")?.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim())
    }

    pub(super) fn cpu_flag(&self, flag: &str) -> bool {
        self.cpu("flags").is_some_and(|flags| flags.split(' ').any(|word| word == flag))
    }

    /// Whether the machine runs under a hypervisor itself.
    pub(super) fn is_guest(&self) -> bool {
        self.cpu_flag("hypervisor")
    }

    /// CPUs online.
    pub(super) fn cpus(&self) -> Option<usize> {
        let stat = self.text("/proc/stat")?.lines();
        Some(stat.filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count())
    }

    /// A field of `/proc/meminfo`: KiB, or a number of pages.
    pub(super) fn memory(&self, name: &str) -> Option<u64> {
        let mut fields = self.text("/proc/meminfo")?.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(field, _)| *field == name)?;
        value.split_whitespace().next()?.parse().ok()
    }

    pub(super) fn runs(&self, program: &str) -> bool {
        self.text("running").is_some_and(|names| names.lines().any(|name| name.trim() == program))
    }
}

/// The choice in brackets: `always [madvise] never`.
pub(super) fn chosen(choices: &str) -> Option<&str> {
    choices.split_whitespace().find_map(|choice| choice.strip_prefix('[')?.strip_suffix(']'))
}

/// KiB as people say them.
pub(super) fn size(kib: u64) -> String {
    bytesize::ByteSize::kib(kib).display().iec().to_string().replace(".0 ", " ")
}

/// `1 guest`, `2 guests`.
pub(super) fn count(n: usize, of: &str) -> String {
    format!("{n} {of}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_make_one_text_and_remarks_make_none() {
        let facts = Facts::read("# a remark: here\n/a:one\n/a: two:2\n/b:\nnot a fact\n");
        assert_eq!(facts.text("/a"), Some("one\n two:2"));
        assert!(facts.has("/b") && facts.text("/b") == Some(""));
        assert_eq!(facts.0.len(), 2);
    }

    #[test]
    fn a_star_is_one_part_of_a_path_and_numbers_are_in_order() {
        let facts = Facts::read("/n/eth10/x:a\n/n/eth2/x:b\n/n/eth2/y/x:c\n/n/br0/x:d\n");
        assert_eq!(facts.like("/n/", "/x"), [("br0", "d"), ("eth2", "b"), ("eth10", "a")]);
    }

    #[test]
    fn a_flag_is_a_whole_word() {
        let facts = Facts::read("/proc/cpuinfo:flags\t\t: fpu svm_lock avmx\n");
        assert!(facts.cpu_flag("fpu") && !facts.cpu_flag("svm") && !facts.cpu_flag("vmx"));
    }

    #[test]
    fn the_choice_of_a_list_stands_in_brackets() {
        assert_eq!(chosen("always [madvise] never"), Some("madvise"));
        assert_eq!(chosen("always"), None);
    }
}
