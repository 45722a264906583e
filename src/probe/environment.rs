//! The fingerprint of the machine: what somebody else has to know to judge the figures, kept beside them.
//!
//! Collected once per run. What cannot be found out is absent, never guessed; nothing here is an error. The host's name
//! is left out on purpose: results are passed on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::memory::{self, MemoryState};
use super::settings::{self, KernelSettings};
use crate::machine::Machine;
use crate::machine::blocking;

/// What the figures depend on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// kvmfair's own version.
    pub tool_version: String,
    /// When this was collected, UTC, ISO 8601.
    pub date: String,
    /// Name of the profile.
    pub profile: String,
    /// SHA-256 of the profile's text, hexadecimal.
    pub profile_sha256: String,
    /// The CPU's name.
    pub cpu_model: Option<String>,
    /// CPUs online.
    pub cpus: u32,
    /// The CPU's flag for virtualisation, `vmx` or `svm`.
    pub virtualisation: Option<String>,
    /// Whether guests can run under KVM: the flag is there *and* `/dev/kvm` opens. The file alone proves nothing.
    pub kvm_usable: bool,
    /// Whether the machine is itself a guest: what is measured is then nested, and a neighbour may take its CPUs away.
    #[serde(default)]
    pub virtual_machine: bool,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Its memory when the run began.
    #[serde(default)]
    pub memory: MemoryState,
    /// What its kernel was set to when the run began: before a profile's own settings.
    #[serde(default)]
    pub settings: KernelSettings,
    /// Kernel release.
    pub kernel: String,
    /// The kernel's command line.
    pub kernel_cmdline: String,
    /// Frequency governor of the first CPU; absent where the machine has none.
    pub governor: Option<String>,
    /// The kernel's defences, by the vulnerability's name.
    pub mitigations: BTreeMap<String, String>,
    /// `1`, `2`, or `1+2` where both are mounted.
    pub cgroup_version: Option<String>,
    /// Version of every QEMU that ran guests.
    pub qemu: Option<String>,
    /// Version and build of each QEMU that the profile names, by its path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub emulators: BTreeMap<String, String>,
    /// libvirt's version.
    pub libvirt: Option<String>,
    /// netperf's version.
    pub netperf: Option<String>,
    /// Open vSwitch with its datapath, and DPDK; absent where no configuration uses them.
    pub open_vswitch: Option<String>,
    /// Kernel of the guests; absent where no guest was booted, and for a cloud image, which brings its own.
    pub guest_kernel: Option<String>,
    /// File name and digest of the guests' cloud image; absent where they boot the appliance.
    pub guest_image: Option<String>,
    /// The tester, where it is another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tester: Option<Box<Environment>>,
}

impl Environment {
    /// What makes another one's figures not comparable with this one's, each with both values. Dates and how much memory is in
    /// use, also the tester's, are none of it; settings are.
    pub fn differences(&self, other: &Environment) -> Vec<String> {
        let value = |environment: &Environment| {
            serde_json::to_value(environment.without_amounts()).unwrap_or_default()
        };
        let mut found = Vec::new();
        differ("", &value(self), &value(other), &mut found);
        found
    }

    fn without_amounts(&self) -> Environment {
        let tester = self.tester.as_ref().map(|tester| Box::new(tester.without_amounts()));
        Environment { date: String::new(), memory: self.memory.settings(), tester, ..self.clone() }
    }

    /// Looks at this machine. `profile_text` is the file as written; `libvirt` comes from its connection.
    pub fn collect(profile: &str, profile_text: &str, libvirt: Option<String>) -> Environment {
        Environment { libvirt, ..Environment::of(&Texts::here(), profile, profile_text) }
    }

    /// The fingerprint of the machine that said this of itself.
    pub fn of(texts: &Texts, profile: &str, profile_text: &str) -> Environment {
        let of = |path: &str| texts.of(path);
        let cpuinfo = of("/proc/cpuinfo").unwrap_or_default();
        Environment {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            profile: profile.into(),
            profile_sha256: sha256(profile_text),
            cpu_model: cpuinfo_field(&cpuinfo, "model name").map(String::from),
            cpus: texts.cpus(),
            kvm_usable: texts.kvm_usable(),
            virtualisation: virtualisation(&cpuinfo).map(String::from),
            virtual_machine: cpuinfo_field(&cpuinfo, "flags")
                .is_some_and(|flags| has_word(flags, "hypervisor")),
            memory_mib: texts.memory_mib(),
            memory: MemoryState::of(of),
            settings: KernelSettings::of(&texts.0),
            kernel: of("/proc/sys/kernel/osrelease").unwrap_or_default(),
            kernel_cmdline: of("/proc/cmdline").unwrap_or_default(),
            governor: of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            mitigations: texts.below(VULNERABILITIES),
            cgroup_version: cgroup_version(&of("/proc/self/mounts").unwrap_or_default()).map(String::from),
            qemu: texts.version("qemu"),
            emulators: BTreeMap::new(),
            libvirt: None,
            netperf: texts.version("netperf"),
            open_vswitch: None,
            guest_kernel: None,
            guest_image: None,
            tester: None,
        }
    }
}

/// Goes down into what both sides have, so that a sentence names the one setting that differs.
fn differ(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for key in keys {
                let of = |side: &serde_json::Map<String, Value>| side.get(key).cloned().unwrap_or_default();
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                differ(&name, &of(ours), &of(theirs), found);
            }
        }
        _ if before != now => found.push(format!("{name} was {before} and is {now}")),
        _ => {}
    }
}

const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";

/// Prints the files that a fingerprint is made of, and what three commands say, each under a line with its name.
const GATHER: &str = r#"for file in /proc/cpuinfo /proc/stat /proc/meminfo /proc/sys/kernel/osrelease /proc/cmdline \
    /proc/self/mounts /sys/devices/system/cpu/vulnerabilities/* $1 $2; do
    [ ! -r "$file" ] || { echo "==> $file"; cat "$file"; echo; }
done
echo '==> kvm'; (exec 3<>/dev/kvm) 2>/dev/null && echo opens
echo '==> qemu'; "qemu-system-$(uname -m)" --version 2>/dev/null
echo '==> netperf'; netperf -V 2>/dev/null
true"#;

fn ask() -> [&'static str; 6] {
    ["sh", "-c", GATHER, "gather", memory::FILES, settings::FILES]
}

/// What a machine says of itself: texts of its files and commands, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts(BTreeMap<String, String>);

/// Asks a machine of the lab; one that does not answer says nothing.
pub async fn gather(machine: &Machine) -> Texts {
    let said = machine.run(&ask()).await;
    Texts::read(&said.map(|output| output.stdout).unwrap_or_default())
}

impl Texts {
    fn here() -> Texts {
        let said = blocking::run(Path::new("/"), &ask());
        Texts::read(&said.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned()).unwrap_or_default())
    }

    fn read(said: &str) -> Texts {
        let parts = format!("\n{said}");
        let named = |part: &str| {
            let (name, text) = part.split_once('\n')?;
            Some((name.to_owned(), text.trim_end().to_owned()))
        };
        Texts(parts.split("\n==> ").skip(1).filter_map(named).collect())
    }

    fn of(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn below(&self, directory: &str) -> BTreeMap<String, String> {
        let name = |path: &String| path.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned);
        self.0.iter().filter_map(|(path, text)| Some((name(path)?, text.clone()))).collect()
    }

    /// The version of `qemu` or `netperf`; `None` if it is not installed.
    pub fn version(&self, program: &str) -> Option<String> {
        version(self.0.get(program)?)
    }

    /// Whether guests can run under KVM: see [`kvm_usable`].
    pub fn kvm_usable(&self) -> bool {
        let flag = virtualisation(self.0.get("/proc/cpuinfo").map_or("", String::as_str));
        flag.is_some() && self.of("kvm").is_some_and(|said| said == "opens")
    }

    /// Memory, MiB.
    pub fn memory_mib(&self) -> u64 {
        self.0.get("/proc/meminfo").and_then(|text| memory_mib(text)).unwrap_or(0)
    }

    /// CPUs online.
    pub fn cpus(&self) -> u32 {
        super::proc::online_cpus(self.0.get("/proc/stat").map_or("", String::as_str))
    }
}

/// The value of the first line with this name in `/proc/cpuinfo`.
fn cpuinfo_field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim())
}

fn virtualisation(cpuinfo: &str) -> Option<&'static str> {
    let flags = cpuinfo_field(cpuinfo, "flags")?;
    ["vmx", "svm"].into_iter().find(|flag| has_word(flags, flag))
}

fn has_word(flags: &str, flag: &str) -> bool {
    flags.split(' ').any(|word| word == flag)
}

fn memory_mib(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(total.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}

fn cgroup_version(mounts: &str) -> Option<&'static str> {
    let mounted = |kind| mounts.lines().any(|line| line.split(' ').nth(2) == Some(kind));
    match (mounted("cgroup"), mounted("cgroup2")) {
        (true, true) => Some("1+2"),
        (true, false) => Some("1"),
        (false, true) => Some("2"),
        (false, false) => None,
    }
}

/// The first word that begins with a digit: `QEMU emulator version 10.0.2 (…)`, `Netperf version 2.7.0`.
fn version(output: &str) -> Option<String> {
    let begins = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    output.split_whitespace().find(begins).map(String::from)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Without its end of line; `None` if there is no such file.
fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_string())
}

/// Whether guests can run under KVM: the CPU has vmx or svm *and* `/dev/kvm` opens. Machines that are guests themselves
/// may have the file without anything behind it.
pub fn kvm_usable() -> bool {
    let opens = || fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    virtualisation(&read("/proc/cpuinfo").unwrap_or_default()).is_some() && opens()
}

/// The version of the netperf that would be started.
pub fn netperf_version() -> Option<String> {
    version_of(&["netperf", "-V"])
}

fn version_of(argv: &[&str]) -> Option<String> {
    let ran = blocking::run(Path::new("/"), argv).ok()?;
    version(&String::from_utf8_lossy(&ran.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_for_virtualisation_is_a_whole_word() {
        assert_eq!(virtualisation("flags\t\t: fpu vmx sse\n"), Some("vmx"));
        assert_eq!(virtualisation("flags\t\t: fpu svm\n"), Some("svm"));
        assert_eq!(virtualisation("flags\t\t: fpu avmx svm_lock\nvmx flags\t: vmx\n"), None);
    }

    #[test]
    fn the_first_cpu_names_the_model() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 2\nmodel name\t: Some CPU @ 3 GHz\n";
        assert_eq!(cpuinfo_field(cpuinfo, "model name"), Some("Some CPU @ 3 GHz"));
        assert_eq!(cpuinfo_field("", "model name"), None);
    }

    #[test]
    fn versions_are_found_in_what_the_programs_print() {
        let qemu = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022\n";
        assert_eq!(version(qemu).as_deref(), Some("7.2.22"));
        assert_eq!(version("Netperf version 2.7.0\n").as_deref(), Some("2.7.0"));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn both_cgroup_versions_may_be_mounted() {
        let (v1, v2) = ("cgroup /a cgroup rw 0 0\n", "cgroup2 /b cgroup2 rw 0 0\n");
        assert_eq!(cgroup_version(v1), Some("1"));
        assert_eq!(cgroup_version(v2), Some("2"));
        assert_eq!(cgroup_version(&[v1, v2].concat()), Some("1+2"));
        assert_eq!(cgroup_version("tmpfs /cgroup tmpfs rw 0 0\n"), None);
    }

    #[test]
    fn another_version_is_a_difference_and_another_date_is_none() {
        let before = Environment::collect("quick", "abc", Some("9.0.0".into()));
        let later = Environment { date: "2030-01-01T00:00:00Z".into(), ..before.clone() };
        assert_eq!(before.differences(&later), Vec::<String>::new());
        let with_tester =
            |tester: &Environment| Environment { tester: Some(Box::new(tester.clone())), ..before.clone() };
        assert_eq!(with_tester(&before).differences(&with_tester(&later)), Vec::<String>::new());
        assert_eq!(with_tester(&before).differences(&before).len(), 1, "the tester is gone");
        let newer = Environment { libvirt: Some("11.3.0".into()), ..later };
        assert_eq!(before.differences(&newer), [r#"libvirt was "9.0.0" and is "11.3.0""#]);
    }

    #[test]
    fn another_setting_is_a_difference_and_another_amount_of_memory_in_use_is_none() {
        let with = |memory: MemoryState, halt_poll_ns| Environment {
            memory,
            settings: KernelSettings { halt_poll_ns, ..KernelSettings::default() },
            ..Environment::default()
        };
        let memory = MemoryState { swappiness: Some(60), swap_used_mib: Some(1), ..MemoryState::default() };
        let fuller = MemoryState {
            swap_used_mib: Some(9),
            ksm_pages_sharing: Some(7),
            huge_pages_free: Some(3),
            ..memory.clone()
        };
        let before = with(memory.clone(), Some(200_000));
        assert_eq!(before.differences(&with(fuller, Some(200_000))), Vec::<String>::new());
        let calmer = MemoryState { swappiness: Some(1), ksm_run: Some(1), ..memory };
        let told = [
            "memory.ksm_run was null and is 1",
            "memory.swappiness was 60 and is 1",
            "settings.halt_poll_ns was 200000 and is 0",
        ];
        assert_eq!(before.differences(&with(calmer.clone(), Some(0))), told);
        let tester = |memory: &MemoryState| {
            let tester = with(memory.clone(), None);
            Environment { tester: Some(Box::new(tester)), ..before.clone() }
        };
        let differ = tester(&before.memory).differences(&tester(&calmer));
        assert!(differ.contains(&"tester.memory.swappiness was 60 and is 1".to_owned()), "{differ:?}");
    }

    #[test]
    fn memory_is_in_mib() {
        assert_eq!(memory_mib("MemTotal:       24684092 kB\nMemFree: 1 kB\n"), Some(24105));
    }

    #[test]
    fn the_fingerprint_of_this_machine_survives_json() {
        let environment = Environment::collect("quick", "abc", Some("11.3.0".into()));
        assert!(environment.cpus > 0 && environment.memory_mib > 0 && !environment.kernel.is_empty());
        assert!(environment.profile_sha256.starts_with("ba7816bf"), "the digest of `abc`");
        assert!(!environment.kvm_usable || environment.virtualisation.is_some());
        let json = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&json).unwrap(), environment);
    }
}
