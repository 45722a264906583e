//! The fingerprint of a machine: what a reader has to know to judge the figures, kept beside them.
//!
//! Collected once per run. What cannot be determined is absent, never guessed; nothing here is an error. The host's name is
//! left out on purpose, because results are shared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::facts::Facts;
use super::memory::MemoryState;
use super::settings::KernelSettings;
use super::xl;

/// What the figures depend on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// kvmfair's own version.
    pub tool_version: String,
    /// SHA-256 of its program, hexadecimal. Figures of another build of a version are compared; a run is not resumed by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_sha256: Option<String>,
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
    /// Whether guests can run under KVM: the CPU has the flag *and* `/dev/kvm` opens. The file alone proves nothing.
    pub kvm_usable: bool,
    /// Whether the machine is itself a guest: guests are then nested, and a neighbour may take CPU time away.
    #[serde(default)]
    pub virtual_machine: bool,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Its memory when the run began.
    #[serde(default)]
    pub memory: MemoryState,
    /// Its kernel's settings when the run began, before the profile's own.
    #[serde(default)]
    pub settings: KernelSettings,
    /// Kernel release.
    pub kernel: String,
    /// The kernel's command line.
    pub kernel_cmdline: String,
    /// Frequency governor of the first CPU; absent where the machine has none.
    pub governor: Option<String>,
    /// The kernel's mitigations, by the vulnerability's name.
    pub mitigations: BTreeMap<String, String>,
    /// `1`, `2`, or `1+2` where both are mounted.
    pub cgroup_version: Option<String>,
    /// Version of every QEMU that ran guests.
    pub qemu: Option<String>,
    /// Version and build of each QEMU that the profile names, by its path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub emulators: BTreeMap<String, String>,
    /// Who QEMU ran as in the embedded lab; for root with the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qemu_user: Option<String>,
    /// Version of Xen, if it ran the guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xen: Option<String>,
    /// libvirt's version.
    pub libvirt: Option<String>,
    /// netperf's version, that of the tester.
    pub netperf: Option<String>,
    /// Version of iputils' ping, the tester's as netperf's is; absent where no configuration uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<String>,
    /// Open vSwitch with its datapath, and DPDK; absent where no configuration uses them.
    pub open_vswitch: Option<String>,
    /// Kernel of the guests; absent where no guest was booted, and for a cloud image, which brings its own.
    pub guest_kernel: Option<String>,
    /// File name and digest of the guests' cloud image; absent where they boot the appliance.
    pub guest_image: Option<String>,
    /// What had changed when the run was resumed all the same, a sentence each, by the time of that: seconds since 1970. All else
    /// here is as it was the last time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<i64, Vec<String>>,
    /// The tester, where it is another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tester: Option<Box<Environment>>,
}

impl Environment {
    /// The differences that make figures of two machines incomparable, each with both values. Dates, amounts of memory in
    /// use and QEMU's user are not among them, the tester's neither; settings are.
    pub fn differences(&self, other: &Environment) -> Vec<String> {
        let value = |environment: &Environment| {
            serde_json::to_value(environment.without_amounts()).unwrap_or_default()
        };
        let mut found = Vec::new();
        differ("", &value(self), &value(other), &mut found);
        found
    }

    /// What figures depend on, as JSON: without dates, amounts in use and the profile's own name and digest.
    pub fn comparable(&self) -> Value {
        let mut value = serde_json::to_value(self.without_amounts()).unwrap_or_default();
        let irrelevant = ["date", "profile", "profile_sha256"];
        irrelevant.iter().for_each(|key| drop(value.as_object_mut().and_then(|facts| facts.remove(*key))));
        if let Some(tester) = &self.tester {
            value["tester"] = tester.comparable();
        }
        value
    }

    fn without_amounts(&self) -> Environment {
        let tester = self.tester.as_ref().map(|tester| Box::new(tester.without_amounts()));
        Environment {
            date: String::new(),
            memory: self.memory.settings(),
            tester,
            tool_sha256: None,
            qemu_user: None,
            ..self.clone()
        }
    }

    /// The fingerprint of the machine with these facts.
    pub fn from_facts(facts: &Facts, profile: &str, profile_text: &str) -> Environment {
        let text = |name: &str| facts.text(name).map(str::to_owned);
        let version = |program| facts.version(program).map(str::to_owned);
        let mitigations = facts.like("/sys/devices/system/cpu/vulnerabilities/", "").into_iter();
        Environment {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            tool_sha256: None,
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            profile: profile.into(),
            profile_sha256: sha256(profile_text),
            cpu_model: facts.cpu("model name").map(str::to_owned),
            cpus: xl::cpus(facts).unwrap_or_else(|| facts.cpus().unwrap_or(0) as u32),
            kvm_usable: facts.kvm_usable(),
            virtualisation: facts.virtualisation().map(str::to_owned),
            virtual_machine: facts.is_guest() && !xl::is_dom0(facts), // what Xen itself runs on, dom0 cannot tell
            memory_mib: facts.memory_mib().unwrap_or(0),
            memory: MemoryState::from_facts(facts),
            settings: KernelSettings::from_facts(facts),
            kernel: text("/proc/sys/kernel/osrelease").unwrap_or_default(),
            kernel_cmdline: text("/proc/cmdline").unwrap_or_default(),
            governor: text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            mitigations: mitigations.map(|(name, state)| (name.to_owned(), state.to_owned())).collect(),
            cgroup_version: cgroup_version(facts.text("/proc/self/mounts").unwrap_or_default())
                .map(str::to_owned),
            qemu: version("qemu"),
            netperf: version("netperf"),
            ping: version("ping"),
            ..Environment::default()
        }
    }
}

/// Descends into objects that both sides have, so that each sentence names a single setting.
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

fn cgroup_version(mounts: &str) -> Option<&'static str> {
    let mounted = |kind| mounts.lines().any(|line| line.split(' ').nth(2) == Some(kind));
    match (mounted("cgroup"), mounted("cgroup2")) {
        (true, true) => Some("1+2"),
        (true, false) => Some("1"),
        (false, true) => Some("2"),
        (false, false) => None,
    }
}

/// SHA-256 of bytes, hexadecimal.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(libvirt: Option<String>) -> Environment {
        let machine = crate::machine::Machine::local();
        let facts = crate::machine::blocking::wait(crate::host::gather(&machine)).unwrap().unwrap();
        Environment { libvirt, ..Environment::from_facts(&facts, "quick", "abc") }
    }

    #[test]
    fn a_xen_host_has_all_its_cpus_and_is_not_the_virtual_machine_that_dom0_is() {
        let text =
            [include_str!("../../tests/fixtures/xen/dom0.txt"), "/proc/cpuinfo:flags : fpu hypervisor\n"];
        let environment = Environment::from_facts(&Facts::parse(&text.concat()), "quick", "abc");
        assert_eq!((environment.cpus, environment.virtual_machine), (2, false));
        let other = Environment::from_facts(&Facts::parse(text[1]), "quick", "abc");
        assert!(other.virtual_machine);
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
        let before = local(Some("9.0.0".into()));
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
        let expected = [
            "memory.ksm_run was null and is 1",
            "memory.swappiness was 60 and is 1",
            "settings.halt_poll_ns was 200000 and is 0",
        ];
        assert_eq!(before.differences(&with(calmer.clone(), Some(0))), expected);
        let tester = |memory: &MemoryState| {
            let tester = with(memory.clone(), None);
            Environment { tester: Some(Box::new(tester)), ..before.clone() }
        };
        let differ = tester(&before.memory).differences(&tester(&calmer));
        assert!(differ.contains(&"tester.memory.swappiness was 60 and is 1".to_owned()), "{differ:?}");
    }

    #[test]
    fn the_fingerprint_of_this_machine_survives_json() {
        let environment = local(Some("11.3.0".into()));
        assert!(environment.cpus > 0 && environment.memory_mib > 0 && !environment.kernel.is_empty());
        assert!(environment.profile_sha256.starts_with("ba7816bf"), "the digest of `abc`");
        assert!(!environment.kvm_usable || environment.virtualisation.is_some());
        let json = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&json).unwrap(), environment);
    }
}
