//! What has to be undone, written and synced before it is done: one JSON line each.
//!
//! What lives in the run's namespaces needs no line: it goes with the last process in them. The journal is for the rest.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::LabError;
use super::change::Change;
use crate::backend::site::HostNic;
use crate::profile::HostPlace;

/// One thing to undo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// First of all, end every process that names the run's state directory or carries the run's variable.
    Processes,
    /// Remove the control groups of the guest of this name; its process goes with [`Undo::Processes`].
    Domain {
        /// Libvirt's name.
        name: String,
    },
    /// Remove this control group if it is empty: libvirt made it for its first guest.
    Cgroup {
        /// Its directory.
        path: PathBuf,
    },
    /// Remove this control group of the run's own with all that are in it.
    Partition {
        /// Its directory.
        path: PathBuf,
    },
    /// Write this value back into a file of sysfs.
    Value {
        /// The file.
        path: PathBuf,
        /// What it said.
        value: String,
    },
    /// Put a real NIC back where it was, as it was.
    Nic(HostNic),
    /// Take a change of a machine of the hardware lab back.
    Elsewhere {
        /// The machine.
        place: HostPlace,
        /// The change.
        change: Change,
    },
    /// Let a real NIC merge packets again, and end its promiscuous mode: a switch that was killed leaves it on.
    Merging {
        /// The NIC.
        nic: HostNic,
        /// What merged: `gro`, `lro`.
        on: Vec<String>,
    },
    /// Give a real NIC its interrupt coalescing back.
    Coalescing {
        /// The NIC.
        nic: HostNic,
        /// The command.
        argv: Vec<String>,
    },
    /// Remove this instance of the kernel's tracing; its files are the kernel's and go with it.
    Tracing {
        /// Its directory.
        path: PathBuf,
    },
    /// Remove this directory with all that is in it.
    Tree {
        /// The directory.
        path: PathBuf,
    },
}

/// The journal of one run; clones write to the same file.
#[derive(Clone, Debug)]
pub struct Journal {
    file: Arc<Mutex<File>>,
}

const NAME: &str = "journal.jsonl";

impl Journal {
    /// Opens the journal of a state directory.
    ///
    /// # Errors
    /// [`LabError::System`] if the file cannot be written.
    pub fn open(dir: &Path) -> Result<Journal, LabError> {
        let path = dir.join(NAME);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(LabError::system(format!("open {}", path.display())))?;
        Ok(Journal { file: Arc::new(Mutex::new(file)) })
    }

    /// Writes one line and waits until the disk has it. Only then may the change be made.
    ///
    /// # Errors
    /// [`LabError::System`] if the disk refuses; the change must not be made then.
    pub fn before(&self, undo: &Undo) -> Result<(), LabError> {
        let mut line = serde_json::to_string(undo).map_err(LabError::system("write the journal"))?;
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(LabError::system("write the journal"))
    }
}

/// What a state directory has to undo, last change first. A line cut short by a crash was never acted upon.
pub fn read(dir: &Path) -> Vec<Undo> {
    let Ok(file) = File::open(dir.join(NAME)) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let mut steps: Vec<Undo> = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_is_undone_first_and_a_torn_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        journal.before(&Undo::Processes).unwrap();
        journal.before(&Undo::Domain { name: "kf-abc234-g1".into() }).unwrap();
        journal.file.lock().unwrap().write_all(b"{\"domain\":{\"na").unwrap();
        assert_eq!(read(dir.path()), vec![Undo::Domain { name: "kf-abc234-g1".into() }, Undo::Processes]);
    }

    #[test]
    fn a_state_without_a_journal_has_nothing_to_undo() {
        assert_eq!(read(Path::new("/no/such/state")), vec![]);
    }
}
