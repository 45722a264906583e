//! A change of another machine as it is taken back there: lines of the journal -> one shell script. Pure.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::backend::site::HostNic;

/// What takes one change back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This command.
    Command {
        /// The command.
        argv: Vec<String>,
    },
    /// Writing this value back into a file of sysfs.
    Value {
        /// The file.
        path: PathBuf,
        /// What it said.
        value: String,
    },
    /// Leaving a NIC as it was.
    Nic(HostNic),
    /// Giving a NIC something back by a command of ethtool's, where it stands in the end.
    Ethtool {
        /// The NIC.
        nic: HostNic,
        /// The command.
        argv: Vec<String>,
    },
    /// Removing this directory with all that is in it.
    Tree {
        /// The directory.
        path: PathBuf,
    },
    /// Removing this instance of the kernel's tracing, and what it counts with it.
    Tracing {
        /// Its directory.
        path: PathBuf,
    },
    /// Destroying the guest of this name, through libvirt.
    Domain {
        /// Libvirt's name.
        name: String,
    },
}

/// The functions that the calls use.
const FUNCTIONS: &str = include_str!("undo.sh");

/// A script that takes changes back, in the order given. It says `done …` and `left …`.
pub fn script<'c>(changes: impl Iterator<Item = &'c Change>) -> String {
    changes.filter_map(call).fold(FUNCTIONS.to_owned(), |script, call| script + &call + "\n")
}

/// The same for all that a run may have left: its processes first, and at last whatever bears its name.
pub fn last_script<'c>(run: &str, changes: impl Iterator<Item = &'c Change>) -> String {
    let calls: String = changes.filter_map(call).map(|call| call + "\n").collect();
    format!("{FUNCTIONS}processes {run}\n{calls}survivors {run}\n")
}

fn call(change: &Change) -> Option<String> {
    let words: Vec<String> = match change {
        Change::Command { argv } => [&["undo".to_owned()][..], argv].concat(),
        Change::Ethtool { nic, argv } => [&["give_back".to_owned(), nic.name.clone()][..], argv].concat(),
        Change::Value { path, value } => ["value".into(), path.display().to_string(), value.clone()].into(),
        Change::Nic(nic) => {
            let state = if nic.up { "up" } else { "down" };
            let words = ["nic", &nic.name, &nic.device, &nic.driver, &nic.mtu.to_string(), state];
            words.map(str::to_owned).into()
        }
        Change::Tree { path } => vec!["tree".into(), path.display().to_string()],
        Change::Tracing { path } => vec!["tracing".into(), path.display().to_string()],
        Change::Domain { .. } => return None, // libvirt's work
    };
    Some(shell_words::join(words))
}

/// What a script did, and what it left, from what it said.
pub fn said(output: &str) -> (Vec<String>, Vec<String>) {
    let of =
        |word: &str| output.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect();
    (of("done "), of("left "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_take_apart_stays_one_word() {
        let tree = Change::Tree { path: "/run/x; rm -rf $HOME".into() };
        assert!(script([&tree].into_iter()).ends_with("tree '/run/x; rm -rf $HOME'\n"));
    }

    #[test]
    fn processes_come_first_and_the_look_for_survivors_last() {
        let change =
            Change::Command { argv: vec!["ip".into(), "link".into(), "delete".into(), "kf-a-b".into()] };
        let script = last_script("abc234", [&change].into_iter());
        let calls = "processes abc234\nundo ip link delete kf-a-b\nsurvivors abc234\n";
        assert!(script.ends_with(calls), "{script}");
    }

    #[test]
    fn what_was_done_and_what_was_left_are_told_apart() {
        let (done, left) = said("done removed /x\nnoise\nleft interface kf-a-b\n");
        assert_eq!((done, left), (vec!["removed /x".to_owned()], vec!["interface kf-a-b".to_owned()]));
    }

    #[test]
    fn what_a_nic_that_is_there_did_not_get_back_is_left_and_one_that_is_gone_took_it_along() {
        let ran = |name: &str, command: &str| {
            let word = String::new;
            let (device, driver, mac) = (word(), word(), word());
            let nic = HostNic { name: name.into(), device, driver, mac, mtu: 1500, up: true, sriov: None };
            let change = Change::Ethtool { nic, argv: vec![command.into()] };
            let ran = std::process::Command::new("sh").args(["-c", &script([&change].into_iter())]).output();
            said(&String::from_utf8_lossy(&ran.unwrap().stdout))
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
        let ran = std::process::Command::new("sh").args(["-c", &script(changes.iter())]).output().unwrap();
        let (done, left) = said(&String::from_utf8_lossy(&ran.stdout));
        assert_eq!(done, [format!("removed {}", instance.display())]);
        assert_eq!(left, [tree.display().to_string()]);
        assert!(tree.join("below").exists());
    }
}
