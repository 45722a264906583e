//! Undoing a run: the same code for a run that ends and for `kvmfair clean` after a kill -9, on this machine and on others.
//!
//! Guests of a daemon are destroyed through libvirt; everything else is undone by the scripts of [`change`], one machine after
//! another. Only processes that inherited the run's environment are ever signalled. What is still there at the end is an error.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{LabError, RunId, State, machines, namespaces, state};
use crate::directory::FileError;
use crate::libvirt::LibvirtError;
use crate::libvirt::daemon::{Daemon, LibvirtDriver};
use crate::machine::Machine;
use crate::machine::change::{self, Change};
use crate::machine::journal::{self, Entry, Recorded};
use crate::machine::login::Location;

/// Searches for guests of the run, each followed by a pause: what is there after the last is found as a process.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);
/// For one script: it waits for processes, control groups and NICs.
const SCRIPT_LIMIT: Duration = Duration::from_secs(300);

/// The result of cleaning one run.
#[derive(Debug)]
pub struct Cleaned {
    /// The run.
    pub id: String,
    /// What was done, in words; empty if there was nothing but the directory.
    pub done: Vec<String>,
    /// What went wrong.
    pub error: Option<LabError>,
}

/// Undoes every run under these roots whose process is gone. A directory that another user can have written to is left alone.
pub fn clean_all(roots: &[PathBuf]) -> Vec<Cleaned> {
    let clean = |(id, dir): (RunId, Result<PathBuf, FileError>)| {
        let name = id.to_string();
        match dir.map_err(LabError::from).and_then(|dir| State::open(id, dir)).and_then(undo) {
            Ok(done) => Cleaned { id: name, done, error: None },
            Err(error) => Cleaned { id: name, done: Vec::new(), error: Some(error) },
        }
    };
    roots.iter().flat_map(|root| state::found(root)).map(clean).collect()
}

/// Undoes a run, its processes first, then everything else from the last change on; returns what was done, in words. Must be
/// called where no runtime is at work.
///
/// # Errors
/// [`LabError::Survivors`] names what is still there.
pub fn undo(state: State) -> Result<Vec<String>, LabError> {
    let Recorded { entries, unreadable } = journal::read(&state.dir);
    let mut remains = Remains { done: Vec::new(), left: unreadable };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LabError::system("start a runtime"))?;
    let mut reached = Vec::new();
    for (place, changes) in by_machine(&entries) {
        let undone = runtime.block_on(undo_on(place, &state, &changes));
        reached.extend(undone.is_ok().then_some(place));
        remains.add(place, undone, &format!("{} changes", changes.len()));
    }
    // After all of them: what runs on one machine may be visible on another one that hosts it.
    for place in reached {
        remains.add(place, runtime.block_on(survivors_on(place, &state.id)), "the search for remains");
    }
    runtime.shutdown_background(); // libvirt may still owe an answer
    let Remains { done, left } = remains;
    if left.is_empty() {
        state.remove()?;
        return Ok(done);
    }
    Err(LabError::Survivors(left))
}

/// The changes of each machine, in the order in which they are undone. Each configuration notes its changes anew; each is
/// undone once.
fn by_machine(entries: &[Entry]) -> Vec<(&Location, Vec<&Change>)> {
    let mut machines: Vec<(&Location, Vec<&Change>)> = Vec::new();
    for Entry { machine, change } in entries {
        let index = machines.iter().position(|(other, _)| *other == machine).unwrap_or_else(|| {
            machines.push((machine, Vec::new()));
            machines.len() - 1
        });
        if !machines[index].1.contains(&change) {
            machines[index].1.push(change);
        }
    }
    // Nothing else can go while a process of this machine holds it.
    machines.sort_by_key(|(machine, _)| **machine != Location::Local);
    machines
}

/// What was undone of a run and what is left, in words.
struct Remains {
    done: Vec<String>,
    left: Vec<String>,
}

impl Remains {
    /// Adds what one machine reported, or that `what` failed there.
    fn add(&mut self, place: &Location, reported: Result<(Vec<String>, Vec<String>), LabError>, what: &str) {
        let prefix = match place {
            Location::Local => String::new(),
            Location::Remote(login) => format!("{}: ", login.address),
        };
        match reported {
            Ok((done, left)) => {
                self.done.extend(done.iter().map(|text| format!("{prefix}{text}")));
                self.left.extend(left.iter().map(|text| format!("{prefix}{text}")));
            }
            Err(error) => self.left.push(format!("{prefix}{what}: {error}")),
        }
    }
}

async fn survivors_on(place: &Location, run: &RunId) -> Result<(Vec<String>, Vec<String>), LabError> {
    let machine = machines::open(place, "").await?;
    let script = change::survivors(&run.to_string());
    let output = machine.run_within(&["sh", "-c", &script], SCRIPT_LIMIT).await?;
    Ok(change::outcome(&output.stdout))
}

async fn undo_on(
    place: &Location,
    state: &State,
    changes: &[&Change],
) -> Result<(Vec<String>, Vec<String>), LabError> {
    // Without the run's name: the script ends the processes that carry it.
    let machine = machines::open(place, "").await?;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    machine.run_within(&["sh", "-c", &change::watchdogs(&state.id.to_string())], SCRIPT_LIMIT).await?;
    let is_domain = |change: &&&Change| matches!(change, Change::Domain { .. } | Change::XenDomain { .. });
    if let Some(domain) = changes.iter().find(is_domain) {
        // A libvirt that does not answer keeps nothing else from being undone.
        let on_xen = matches!(domain, Change::XenDomain { .. });
        match destroy(&machine, &state.id, &state.dir, on_xen).await {
            Ok(did) => done = did,
            Err(_) if on_xen => {} // the script ends them
            Err(error) => left.push(error.to_string()),
        }
    }
    if *place == Location::Local {
        namespaces::return_nics(changes.iter().filter_map(|change| change.nic())).await;
    }
    let directory = state.dir.to_string_lossy();
    let directory = (*place == Location::Local).then_some(&*directory);
    for script in change::scripts(&state.id.to_string(), directory, changes) {
        let output = machine.run_within(&["sh", "-c", &script], SCRIPT_LIMIT).await?;
        let (did, survivors) = change::outcome(&output.stdout);
        done.extend(did);
        left.extend(survivors);
    }
    Ok((done, left))
}

async fn destroy(
    machine: &Machine,
    run: &RunId,
    directory: &Path,
    on_xen: bool,
) -> Result<Vec<String>, LabError> {
    let refused = |error: LibvirtError| {
        LabError::system("destroy the guests of the run")(std::io::Error::other(error.to_string()))
    };
    let driver = if on_xen { LibvirtDriver::Xen } else { LibvirtDriver::Qemu };
    let opened = Daemon::open(machine, driver, directory).await;
    let daemon = opened.map_err(refused)?;
    let mut done = Vec::new();
    // One that the daemon was still starting when the run was killed may start after it was destroyed.
    for _ in 0..ATTEMPTS {
        let guests = daemon.hypervisor.names(format!("kf-{run}-")).await.map_err(refused)?;
        if guests.is_empty() {
            break;
        }
        for guest in guests {
            daemon.hypervisor.destroy(&guest).await.map_err(refused)?;
            done.push(format!("destroyed the guest {guest}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(done)
}

/// Directories under which libvirt keeps its guests' control groups: one per v1 controller, or the v2 tree.
pub fn machine_cgroups() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let children = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let trees: Vec<PathBuf> = if root.join("cgroup.controllers").exists() {
        vec![root.to_owned()]
    } else {
        children.filter(|path| path.is_dir()).collect()
    };
    let machines = |tree: PathBuf| [tree.join("machine"), tree.join("machine.slice")];
    trees.into_iter().flat_map(machines).collect()
}

/// Those of [`machine_cgroups`] that this run has to remove if it is the last: the ones that libvirt will make for it, and
/// the ones that it made for another run that is not over yet.
pub fn parent_cgroups(state: &State) -> Vec<PathBuf> {
    let runs = state.dir.parent().map(state::all).unwrap_or_default();
    let entries: Vec<Entry> = runs.iter().flat_map(|(_, dir)| journal::read(dir).entries).collect();
    let of_a_run = |path: &PathBuf| entries.contains(&Entry::local(Change::Cgroup { path: path.clone() }));
    machine_cgroups().into_iter().filter(|path| !path.exists() || of_a_run(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::local::RUN_VARIABLE;

    fn run_with(root: &Path, changes: &[Change]) -> State {
        let state = State::create(root).unwrap();
        let journal = journal::Journal::open(&state.dir).unwrap();
        changes.iter().for_each(|change| journal.before(&Entry::local(change.clone())).unwrap());
        state
    }

    #[test]
    fn processes_that_inherited_the_run_s_environment_are_ended_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let state = run_with(root.path(), &[Change::Processes]);
        let dir = state.dir.clone();
        let run = state.id.to_string();
        let sleeper = |name: &str, value: &str, words: &[&str]| {
            std::process::Command::new(words[0]).args(&words[1..]).env(name, value).spawn().unwrap()
        };
        let directory = dir.to_string_lossy();
        let mut ours = [(RUN_VARIABLE, &*run), ("TMPDIR", &*directory)]
            .map(|(name, value)| sleeper(name, value, &["sleep", "60"]));
        let lock = format!("{directory}/lock");
        let mut foreign = [
            sleeper(RUN_VARIABLE, "zzzzzz", &["sleep", "60"]),
            sleeper(RUN_VARIABLE, "", &["tail", "-f", &lock]), // reads in the run's directory
        ];
        // The kernel lets spawn return a moment before it shows the new program's environment.
        let has_environment = |pid: u32| {
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| !environment.is_empty())
        };
        while !ours.iter().chain(&foreign).all(|child| has_environment(child.id())) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = undo(state).unwrap();
        for child in &mut ours {
            assert!(done.contains(&format!("ended process {} (sleep)", child.id())), "{done:?}");
            assert!(child.wait().unwrap().code().is_none());
        }
        assert!(!dir.exists());
        for child in &mut foreign {
            assert!(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    #[test]
    fn an_instance_of_tracing_that_cannot_be_removed_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let [instance, kept] = ["instance", "kept"].map(|name| root.path().join(name));
        std::fs::create_dir(&instance).unwrap();
        std::fs::create_dir_all(kept.join("below")).unwrap();
        let state =
            run_with(root.path(), &[&instance, &kept].map(|path| Change::Tracing { path: path.clone() }));
        let error = undo(state).unwrap_err().to_string();
        assert!(!instance.exists() && error.contains(&kept.display().to_string()), "{error}");
    }

    #[test]
    fn a_line_that_cannot_be_read_survives_and_keeps_its_journal() {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        let (dir, tree) = (state.dir.clone(), root.path().join("tree"));
        std::fs::create_dir(&tree).unwrap();
        let line = serde_json::to_string(&Entry::local(Change::Tree { path: tree.clone() })).unwrap();
        std::fs::write(dir.join("journal.jsonl"), format!("{{\"planet\":{{}}}}\n{line}\n")).unwrap();
        let error = undo(state).unwrap_err().to_string();
        assert!(error.contains("line 1 of ") && error.contains("journal.jsonl"), "{error}");
        assert!(!tree.exists() && dir.join("journal.jsonl").exists());
    }

    #[test]
    fn changes_are_undone_once_and_together_for_each_machine() {
        let tree = |path: &str| Change::Tree { path: path.into() };
        let entries = ["/b", "/a", "/b"].map(|path| Entry::local(tree(path)));
        let (b, a) = (tree("/b"), tree("/a"));
        assert_eq!(by_machine(&entries), vec![(&Location::Local, vec![&b, &a])]);
    }
}
