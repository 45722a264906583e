//! Control groups of a run's own on this machine: one holds all guests of a group of the profile, below the group that
//! libvirt makes for the guests of the machine. libvirt calls it a partition and wants it to be there.

use std::fs;
use std::path::{Path, PathBuf};

use super::{LabError, RunId};
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::profile::groups::CpuSettings;

const ROOT: &str = "/sys/fs/cgroup";
/// The file of a v2 group that names the controllers which the groups in it have.
const SUBTREE_CONTROL: &str = "cgroup.subtree_control";
/// The v1 controllers that libvirt puts guests into.
const CONTROLLERS: [&str; 9] =
    ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "net_cls", "perf_event"];
/// The kernel's weight of a group that nobody gave one: v1 and v2.
const DEFAULT_SHARES: (u64, u64) = (1024, 100);

/// A control group that was made.
#[derive(Debug)]
pub struct ControlGroup {
    /// Its directory in the tree that has the cpu controller.
    pub cpu: PathBuf,
    v2: bool,
}

/// Whether this machine has cgroup v2 alone.
pub fn is_v2() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// The weight of a group that nobody gave one.
pub fn default_shares(v2: bool) -> u64 {
    if v2 { DEFAULT_SHARES.1 } else { DEFAULT_SHARES.0 }
}

/// libvirt's name of a run's control group.
pub fn partition(run: &str, group: &str) -> String {
    format!("/machine/kf-{run}-{group}")
}

/// The trees in which guests have groups.
fn trees() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if is_v2() {
        return vec![root.to_owned()];
    }
    let mut trees: Vec<PathBuf> =
        CONTROLLERS.iter().chain(&["unified"]).map(|name| root.join(name)).collect();
    trees.retain(|tree| tree.is_dir());
    trees.iter_mut().for_each(|tree| *tree = tree.canonicalize().unwrap_or_else(|_| tree.clone()));
    trees.sort();
    trees.dedup(); // several controllers may be mounted together
    trees
}

impl ControlGroup {
    /// Makes the group of a run in every tree, after noting in the journal how it goes. The groups above it are noted
    /// already: they may be libvirt's.
    ///
    /// # Errors
    /// [`LabError::System`] with the directory that was refused.
    pub fn make(journal: &Journal, run: &RunId, group: &str) -> Result<ControlGroup, LabError> {
        let name = format!("kf-{run}-{group}.partition"); // libvirt adds the last word by itself
        for tree in trees() {
            let machine = tree.join("machine");
            make(journal, &tree, &machine)?;
            let path = machine.join(&name);
            journal.before(&Entry::local(Change::Partition { path: path.clone() }))?;
            make(journal, &machine, &path)?;
        }
        let cpu = if is_v2() { PathBuf::from(ROOT) } else { Path::new(ROOT).join("cpu") };
        Ok(ControlGroup { cpu: cpu.join("machine").join(name), v2: is_v2() })
    }

    /// Gives the group its weight and quota, or the kernel's defaults.
    ///
    /// # Errors
    /// [`LabError::System`] with the file that was refused.
    pub fn set(&self, cpu: &CpuSettings) -> Result<(), LabError> {
        let shares = cpu.shares.map_or(default_shares(self.v2), u64::from).to_string();
        let period = cpu.period_us().to_string();
        if self.v2 {
            let quota = cpu.quota_us.map_or("max".into(), |quota| quota.to_string());
            write(&self.cpu, "cpu.weight", &shares)?;
            return write(&self.cpu, "cpu.max", &format!("{quota} {period}"));
        }
        write(&self.cpu, "cpu.shares", &shares)?;
        write(&self.cpu, "cpu.cfs_period_us", &period)?;
        write(&self.cpu, "cpu.cfs_quota_us", &cpu.quota_us.map_or("-1".into(), |quota| quota.to_string()))
    }
}

/// Makes one group. A new cpuset has no CPU of its own, and v2 hands controllers down only where it is told to.
fn make(journal: &Journal, parent: &Path, path: &Path) -> Result<(), LabError> {
    if !path.is_dir() {
        let made = fs::create_dir(path);
        made.map_err(LabError::system(format!("make the control group {}", path.display())))?;
    }
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if let (Ok(own), Ok(above)) =
            (fs::read_to_string(path.join(file)), fs::read_to_string(parent.join(file)))
            && own.trim().is_empty()
            && !is_v2()
        {
            write(path, file, above.trim())?;
        }
    }
    if is_v2() {
        enable_controllers(journal, parent)?;
        enable_controllers(journal, path)?;
    }
    Ok(())
}

/// Hands the controllers that guests need down to the groups in this one, after noting those that were not. One that the
/// group does not have itself stays away: whether guests got what they were to get is read back in every trial.
fn enable_controllers(journal: &Journal, group: &Path) -> Result<(), LabError> {
    let (has, enabled) = (words(group, "cgroup.controllers")?, words(group, SUBTREE_CONTROL)?);
    for name in ["cpu", "cpuset"].map(str::to_owned) {
        if has.contains(&name) && !enabled.contains(&name) {
            journal
                .before(&Entry::local(Change::Controller { group: group.to_owned(), name: name.clone() }))?;
            write(group, SUBTREE_CONTROL, &format!("+{name}"))?;
        }
    }
    Ok(())
}

fn words(group: &Path, file: &str) -> Result<Vec<String>, LabError> {
    let path = group.join(file);
    let text = fs::read_to_string(&path).map_err(LabError::system(format!("read {}", path.display())))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn write(group: &Path, file: &str, value: &str) -> Result<(), LabError> {
    let path = group.join(file);
    fs::write(&path, value).map_err(LabError::system(format!("write {value} into {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::journal;

    #[test]
    fn only_controllers_that_were_not_enabled_are_noted() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let group = dir.path().join("group");
        fs::create_dir(&group).unwrap();
        let [has, enabled] = ["cgroup.controllers", SUBTREE_CONTROL].map(|file| group.join(file));
        for (controllers, before, noted) in [
            ("cpuset cpu io memory", "cpu memory", vec!["cpuset"]),
            ("cpu io", "", vec!["cpu"]),
            ("cpu cpuset", "cpuset cpu", vec![]),
        ] {
            fs::write(&has, controllers).unwrap();
            fs::write(&enabled, before).unwrap();
            let known = journal::read(dir.path()).entries.len();
            enable_controllers(&journal, &group).unwrap();
            let entries = journal::read(dir.path()).entries;
            let of =
                |name: &str| Entry::local(Change::Controller { group: group.clone(), name: name.into() });
            assert_eq!(
                entries[..entries.len() - known],
                noted.iter().map(|name| of(name)).collect::<Vec<_>>()
            );
            let written = noted.last().map_or(before.to_owned(), |name| format!("+{name}"));
            assert_eq!(fs::read_to_string(&enabled).unwrap(), written);
        }
    }
}
