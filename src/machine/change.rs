//! A change of a machine, as the journal holds it, and as it is undone: changes -> one shell script. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host_nic::HostNic;

/// One change of a machine, as the journal holds it: all that is needed to undo it, on this machine or on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Processes of the run were started. They are ended before everything else.
    Processes,
    /// Something that this command undoes.
    Command {
        /// The command.
        argv: Vec<String>,
    },
    /// A file of `/sys` or `/proc/sys` was written.
    Value {
        /// The file.
        path: PathBuf,
        /// Its content before.
        value: String,
    },
    /// A NIC was borrowed.
    Nic(HostNic),
    /// A vDPA device was made.
    Vdpa {
        /// Its name.
        name: String,
    },
    /// A setting of a NIC was changed that a command of ethtool's gives back.
    Ethtool {
        /// The NIC.
        nic: HostNic,
        /// The command.
        argv: Vec<String>,
    },
    /// A directory of the run's own was made.
    Tree {
        /// The directory.
        path: PathBuf,
    },
    /// An instance of the kernel's tracing was made.
    Tracing {
        /// Its directory.
        path: PathBuf,
    },
    /// A guest of a libvirt daemon was started.
    Domain {
        /// Libvirt's name.
        name: String,
    },
    /// A guest of Xen's was started.
    XenDomain {
        /// Its name.
        name: String,
    },
    /// CPUs of a Xen host were taken out of Pool-0, for a cpupool of the run's own.
    Cpupool {
        /// Its name.
        name: String,
        /// The CPUs.
        cpus: BTreeSet<u32>,
    },
    /// A guest of the embedded libvirt was started, which leaves its control groups when its process is ended.
    GuestGroups {
        /// Libvirt's name.
        name: String,
    },
    /// libvirt made this control group for its first guest; it is removed if it is empty.
    Cgroup {
        /// Its directory.
        path: PathBuf,
    },
    /// A control group of the run's own was made.
    Partition {
        /// Its directory.
        path: PathBuf,
    },
    /// A controller was enabled in `cgroup.subtree_control` (v2).
    Controller {
        /// The group's directory.
        group: PathBuf,
        /// The controller: `cpu`.
        name: String,
    },
}

/// The functions that the calls use.
const FUNCTIONS: &str = include_str!("undo.sh");
/// What a watchdog runs after them.
const WATCHDOG: &str = include_str!("watchdog.sh");
/// The longest script, bytes: Linux takes no argument longer than 128 KiB.
const LONGEST_SCRIPT: usize = 96 << 10;

/// Where each interface has its files.
const NICS: &str = "/sys/class/net";

/// A script that undoes one change. It prints `done …` and `left …`.
pub fn script(change: &Change) -> String {
    format!("{FUNCTIONS}{}", calls(&[change]).concat())
}

/// Scripts that undo what a run changed on one machine, to be run one after the other: its processes first, then `changes` in
/// the order given. `directory` is the run's state directory, if that is on this machine. [`survivors`] comes after them.
pub fn scripts(run: &str, directory: Option<&str>, changes: &[&Change]) -> Vec<String> {
    let first = [&["processes", run][..], &Vec::from_iter(directory)].concat();
    let mut scripts = vec![FUNCTIONS.to_owned()];
    for call in [vec![line(first)], calls(changes)].concat() {
        match scripts.last_mut() {
            Some(script) if script.len() + call.len() < LONGEST_SCRIPT => script.push_str(&call),
            _ => scripts.push(format!("{FUNCTIONS}{call}")),
        }
    }
    scripts
}

/// A script that removes or names whatever still bears the run's name on one machine.
pub fn survivors(run: &str) -> String {
    format!("{FUNCTIONS}{}", line(["survivors", run]))
}

/// A script that makes the watchdogs of a run on one machine undo it, and waits for that. It comes before the other scripts.
pub fn watchdogs(run: &str) -> String {
    format!("{FUNCTIONS}{}", line(["watchdogs", run]))
}

/// The words that start the watchdog of a run; it waits so long for a line.
pub(super) fn watchdog(run: &str, limit: Duration) -> Vec<String> {
    let mark = format!("KVMFAIR_WATCHDOG={run}");
    let script = format!("{FUNCTIONS}{WATCHDOG}");
    ["env", &mark, "sh", "-c", &script, "watchdog", run, &limit.as_secs().to_string()]
        .map(str::to_owned)
        .into()
}

/// What undoes the changes of a machine, while they are made.
#[derive(Default)]
pub(super) struct Calls {
    borrowed: BTreeMap<String, HostNic>,
    made: HashSet<String>,
}

impl Calls {
    /// The call that undoes the next change, in one line; `None` if it was sent before, or the change has no call.
    pub(super) fn next(&mut self, change: &Change) -> Option<String> {
        self.borrow(change);
        let call = self.call(change)?;
        self.made.insert(call.clone()).then_some(call)
    }

    fn borrow(&mut self, change: &Change) {
        if let Some(nic) = change.nic() {
            self.borrowed.entry(nic.name.clone()).or_insert_with(|| nic.clone());
        }
    }

    /// A NIC that gets something back must be where it was, so one that is away comes first.
    fn call(&self, change: &Change) -> Option<String> {
        let away = self.borrowed.values().find(|nic| gives_back_to(change, &nic.name));
        let first = away.map(|nic| line(restore("return_nic", nic)).replace('\n', "; "));
        Some(first.unwrap_or_default() + &call(change)?)
    }
}

/// `changes` in the order in which they are undone.
fn calls(changes: &[&Change]) -> Vec<String> {
    let mut calls = Calls::default();
    changes.iter().rev().for_each(|change| calls.borrow(change));
    changes.iter().filter_map(|change| calls.call(change)).collect()
}

fn gives_back_to(change: &Change, name: &str) -> bool {
    match change {
        Change::Ethtool { nic, .. } => nic.name == name,
        Change::Value { path, .. } => interface(path) == Some(name),
        _ => false,
    }
}

fn call(change: &Change) -> Option<String> {
    let of_path = |function: &str, path: &Path| line([function, &path.to_string_lossy()]);
    Some(match change {
        Change::Processes => return None,     // ended first of all
        Change::Domain { .. } => return None, // destroyed through libvirt
        Change::Command { argv } => line(["undo"].into_iter().chain(argv.iter().map(String::as_str))),
        Change::Ethtool { nic, argv } => {
            line(["give_back", &nic.name].into_iter().chain(argv.iter().map(String::as_str)))
        }
        Change::Value { path, value } => line(["value", &path.to_string_lossy(), value]),
        Change::Nic(nic) => line(restore("nic", nic)),
        Change::Vdpa { name } => line(["vdpa_device", name]),
        Change::XenDomain { name } => line(["xen_domain", name]),
        Change::Cpupool { name, cpus } => {
            let cpus = cpus.iter().map(u32::to_string);
            line(["cpupool".to_owned(), name.clone()].into_iter().chain(cpus))
        }
        Change::Tree { path } => of_path("tree", path),
        Change::Tracing { path } => of_path("tracing", path),
        Change::GuestGroups { name } => line(["guest_groups", name]),
        Change::Cgroup { path } => of_path("empty_group", path),
        Change::Partition { path } => of_path("group", path),
        Change::Controller { group, name } => line(["controller", &group.to_string_lossy(), name]),
    })
}

fn restore(function: &str, nic: &HostNic) -> [String; 7] {
    let state = if nic.up { "up" } else { "down" };
    let words = [function, &nic.name, &nic.device, &nic.driver, &nic.mtu.to_string(), state, &nic.mac];
    words.map(str::to_owned)
}

/// A call, in one line: words with a line break are in single quotes.
fn line<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    shell_words::join(words).replace('\n', "'\"$nl\"'") + "\n"
}

/// What a script undid, and what it left, from its output.
pub fn outcome(output: &str) -> (Vec<String>, Vec<String>) {
    let lines =
        |word: &str| output.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect();
    (lines("done "), lines("left "))
}

/// The interface that a file belongs to, if it does to one.
pub fn interface(path: &Path) -> Option<&str> {
    path.strip_prefix(NICS).ok()?.iter().next()?.to_str()
}

impl Change {
    /// The NIC that it borrowed or set.
    pub fn nic(&self) -> Option<&HostNic> {
        match self {
            Change::Nic(nic) | Change::Ethtool { nic, .. } => Some(nic),
            _ => None,
        }
    }

    /// What of a machine's own it changed, in words; `None` for what is the run's own.
    pub fn of_machine(&self) -> Option<String> {
        match self {
            Change::Value { path, .. } if interface(path).is_some_and(|nic| nic.starts_with("kf-")) => None,
            Change::Value { path, value } => Some(format!("{} was {}", path.display(), value.trim())),
            Change::Nic(nic) | Change::Ethtool { nic, .. } => Some(format!("the NIC {}", nic.name)),
            Change::Tracing { path } => Some(format!("tracing in {}", path.display())),
            Change::Cpupool { name, .. } => Some(format!("the cpupool {name}")),
            // Its addresses are in dom0's own network, where the next run needs them.
            Change::XenDomain { name } => Some(format!("the guest {name}")),
            Change::Partition { path } => Some(format!("the control group {}", path.display())),
            Change::Controller { group, name } => {
                Some(format!("the controller {name} is enabled in {}", group.display()))
            }
            Change::Processes
            | Change::Command { .. }
            | Change::Vdpa { .. } // its NIC has a line of its own
            | Change::Tree { .. }
            | Change::Domain { .. }
            | Change::GuestGroups { .. }
            | Change::Cgroup { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(script: &str) -> (Vec<String>, Vec<String>) {
        let ran = std::process::Command::new("sh").args(["-c", script]).output().unwrap();
        outcome(&String::from_utf8_lossy(&ran.stdout))
    }

    #[test]
    fn a_name_that_a_shell_would_take_apart_stays_one_word() {
        let tree = Change::Tree { path: "/run/x; rm -rf $HOME".into() };
        assert!(script(&tree).ends_with("tree '/run/x; rm -rf $HOME'\n"));
    }

    #[test]
    fn processes_come_first_and_the_search_for_survivors_has_a_script_of_its_own() {
        let change =
            Change::Command { argv: vec!["ip".into(), "link".into(), "delete".into(), "kf-a-b".into()] };
        let script = scripts("abc234", Some("/run/x"), &[&change]).concat();
        let calls = "processes abc234 /run/x\nundo ip link delete kf-a-b\n";
        assert!(script.ends_with(calls), "{script}");
        assert!(survivors("abc234").ends_with("survivors abc234\n"));
    }

    #[test]
    fn what_was_done_and_what_was_left_are_distinguished() {
        let (done, left) = outcome("done removed /x\nnoise\nleft interface kf-a-b\n");
        assert_eq!((done, left), (vec!["removed /x".to_owned()], vec!["interface kf-a-b".to_owned()]));
    }

    #[test]
    fn what_a_nic_that_is_there_did_not_get_back_is_left_and_one_that_is_gone_took_it_along() {
        let ran = |name: &str, command: &str| {
            let word = String::new;
            let (device, driver, mac) = (word(), word(), word());
            let nic = HostNic { name: name.into(), device, driver, mac, mtu: 1500, up: true, sriov: None };
            let change = Change::Ethtool { nic, argv: vec![command.into()] };
            undone(&script(&change))
        };
        assert_eq!(ran("lo", "false"), (vec![], vec!["a setting of the NIC lo".to_owned()]));
        assert_eq!(ran("lo", "true"), (vec!["gave the NIC lo a setting back".to_owned()], vec![]));
        assert_eq!(ran("no-such-nic", "false"), (vec![], vec![]));
    }

    #[test]
    fn an_instance_of_tracing_is_removed_without_its_files_which_are_the_kernel_s() {
        let root = tempfile::tempdir().unwrap();
        let [instance, tree] = ["instance", "tree"].map(|name| root.path().join(name));
        std::fs::create_dir(&instance).unwrap();
        std::fs::create_dir_all(tree.join("below")).unwrap();
        let changes = [&instance, &tree].map(|path| Change::Tracing { path: path.clone() });
        let (done, left) = undone(&changes.iter().map(script).collect::<String>());
        assert_eq!(done, [format!("removed {}", instance.display())]);
        assert_eq!(left, [tree.display().to_string()]);
        assert!(tree.join("below").exists());
    }

    fn value(path: &Path, value: &str) -> Change {
        Change::Value { path: path.to_owned(), value: value.into() }
    }

    #[test]
    fn a_value_that_went_with_its_device_is_nothing_to_undo() {
        for gone in ["/sys/class/net/no-such-nic/queues/rx-0/rps_cpus", "/sys/no/such/device/value"] {
            assert_eq!(undone(&script(&value(Path::new(gone), "f"))), (vec![], vec![]));
        }
    }

    #[test]
    fn a_value_whose_interface_is_there_without_the_file_is_left() {
        let lost = "/sys/class/net/lo/queues/rx-999/rps_cpus";
        let left = format!("the value of {lost}: lo is there without it");
        assert_eq!(undone(&script(&value(Path::new(lost), "f\n"))), (vec![], vec![left]));
    }

    #[test]
    fn a_value_whose_file_is_there_is_written_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (done, left) = undone(&script(&value(file.path(), "7\n")));
        assert_eq!(done, [format!("wrote 7 back into {}", file.path().display())]);
        assert_eq!((left, std::fs::read_to_string(file.path()).unwrap()), (vec![], "7\n".to_owned()));
    }

    #[test]
    fn a_nic_returns_before_its_values_and_only_if_something_is_given_back_to_it() {
        let nic = |name: &str| {
            let (name, driver, mac) = (name.to_owned(), String::new(), String::new());
            Change::Nic(HostNic {
                device: format!("bus-{name}"),
                name,
                driver,
                mac,
                mtu: 1500,
                up: true,
                sriov: None,
            })
        };
        let changes = [value(Path::new("/sys/class/net/eth1/mtu"), "0"), nic("eth1"), nic("eth2")];
        let script = scripts("abc234", None, &changes.iter().collect::<Vec<_>>()).concat();
        let calls: Vec<&str> = script.strip_prefix(FUNCTIONS).unwrap().lines().collect();
        assert!(calls[1].starts_with("return_nic eth1 ") && calls[1].contains("; value /sys"), "{calls:?}");
        assert!(calls[2].starts_with("nic eth1 ") && calls[3].starts_with("nic eth2 "), "{calls:?}");
        let mut noted = Calls::default();
        let noted: Vec<String> = changes.iter().rev().chain(&changes).filter_map(|c| noted.next(c)).collect();
        let undone: String = noted.into_iter().rev().collect();
        assert_eq!(undone.lines().collect::<Vec<_>>(), calls[1..], "noted one by one, each once");
    }

    #[test]
    fn a_value_of_several_lines_is_written_back_by_a_call_of_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = value(file.path(), "it's\n\n'two'\n");
        assert_eq!(Calls::default().next(&lines).unwrap().matches('\n').count(), 1);
        undone(&script(&lines));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "it's\n\n'two'\n");
    }

    #[test]
    fn a_guest_of_xen_s_and_its_cpupool_go_and_its_cpus_are_given_back_once() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        // A pool cannot be destroyed before the guest in it.
        let xl = r#"#!/bin/sh
cd "${0%/*}" || exit
case $1 in
domid | cpupool-list) [ -e "$2" ] ;;
destroy) rm "$2" ;;
cpupool-destroy) [ ! -e kf-abc234-g1 ] && rm "$2" ;;
cpupool-cpu-add) [ ! -e "cpu$3" ] && touch "cpu$3" ;;
esac"#;
        std::fs::write(path("xl"), xl).unwrap();
        std::fs::set_permissions(path("xl"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        ["kf-abc234-g1", "kf-abc234"].iter().for_each(|name| std::fs::write(path(name), "").unwrap());
        let guest = Change::XenDomain { name: "kf-abc234-g1".into() };
        let pool = Change::Cpupool { name: "kf-abc234".into(), cpus: [2, 3].into() };
        let undo = || {
            let scripts = [script(&guest), script(&pool)].concat();
            undone(&format!("PATH={}:$PATH\n{scripts}", root.path().display()))
        };
        let did = [
            "destroyed the guest kf-abc234-g1",
            "destroyed the cpupool kf-abc234",
            "gave CPU 2 back to Pool-0",
            "gave CPU 3 back to Pool-0",
        ];
        assert_eq!(undo(), (did.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(undo(), (vec![], vec![]), "a second time there is nothing to undo");
    }

    #[test]
    fn scripts_of_thousands_of_changes_stay_below_the_kernel_s_limit_and_lose_none() {
        let changes: Vec<Change> =
            (0..9000).map(|n| Change::GuestGroups { name: format!("kf-abc234-g{n}") }).collect();
        let scripts = scripts("abc234", None, &changes.iter().collect::<Vec<_>>());
        assert!(scripts.len() > 1 && scripts.iter().all(|script| script.len() < 128 << 10));
        assert_eq!(scripts.concat().matches("\nguest_groups kf-").count(), 9000);
    }

    #[test]
    fn a_controller_that_a_group_below_still_needs_stays_enabled() {
        let root = tempfile::tempdir().unwrap();
        let (group, below) = (root.path().join("group"), root.path().join("group/below"));
        std::fs::create_dir_all(&below).unwrap();
        let file = group.join("cgroup.subtree_control");
        std::fs::write(&file, "cpu").unwrap();
        std::fs::write(below.join("cgroup.subtree_control"), "cpu").unwrap();
        let undo =
            |name: &str| undone(&script(&Change::Controller { group: group.clone(), name: name.into() }));
        assert_eq!(undo("cpu"), (vec![], vec![]));
        assert_eq!(
            (undo("cpuset").1, std::fs::read_to_string(&file).unwrap()),
            (vec![], "-cpuset\n".to_owned())
        );
        let gone = Change::Controller { group: root.path().join("gone"), name: "cpu".into() };
        assert_eq!(undone(&script(&gone)), (vec![], vec![]));
    }

    #[test]
    fn a_control_group_is_removed_with_those_below_it_and_one_with_others_files_is_left() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("group");
        std::fs::create_dir_all(group.join("a/b")).unwrap();
        let (done, left) = undone(&script(&Change::Partition { path: group.clone() }));
        assert_eq!((done, left), (vec![format!("removed the control group {}", group.display())], vec![]));
        std::fs::create_dir(&group).unwrap();
        std::fs::write(group.join("file"), "").unwrap();
        assert_eq!(undone(&script(&Change::Cgroup { path: group.clone() })), (vec![], vec![]));
        assert!(group.exists());
    }

    #[test]
    fn a_nic_gets_its_mac_its_mtu_and_its_state_back_on_any_machine() {
        if !nix::unistd::geteuid().is_root() {
            return; // only root makes namespaces
        }
        let (mac, empty) = ("02:00:00:00:00:07".to_owned(), String::new());
        let (device, driver) = (empty.clone(), empty);
        let nic = HostNic { name: "v0".into(), device, driver, mac, mtu: 1400, up: false, sriov: None };
        let script = format!(
            "mount -t sysfs sysfs /sys\nip link add v0 address 02:00:00:00:00:08 type veth peer name v1\n\
             ip link set v0 up\n{}cd /sys/class/net/v0\necho $(cat address mtu) $(($(cat flags) & 1))\n",
            script(&Change::Nic(nic))
        );
        let ran =
            std::process::Command::new("unshare").args(["-n", "-m", "sh", "-c", &script]).output().unwrap();
        let output = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(output, "done put the NIC v0 back as it was\n02:00:00:00:00:07 1400 0\n", "{ran:?}");
    }
}
