//! Undoing a run: the same code for a run that ends and for `kvmfair clean` after a kill -9.
//!
//! A process belongs to a run only if it names the run's state directory or carries the run's variable; nothing else is
//! ever signalled. What is still there at the end is an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::journal::{self, Recorded, Undo};
use super::{LabError, RunId, State, control_group, elsewhere, nics, ovs, state, values};
use crate::backend::site::HostNic;
use crate::machine::local::RUN_VARIABLE;

/// Time for a process to go after SIGTERM, before SIGKILL. The machine may freeze for seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of one run's remains.
#[derive(Debug)]
pub struct Cleaned {
    /// The run.
    pub id: String,
    /// What was done, in words; empty if there was nothing but the directory.
    pub done: Vec<String>,
    /// What went wrong.
    pub error: Option<LabError>,
}

/// Undoes every run under these roots whose process is gone.
pub fn clean_all(roots: &[PathBuf]) -> Vec<Cleaned> {
    let clean = |(id, dir): (RunId, PathBuf)| {
        let name = id.to_string();
        match State::open(id, dir).and_then(undo) {
            Ok(done) => Cleaned { id: name, done, error: None },
            Err(error) => Cleaned { id: name, done: Vec::new(), error: Some(error) },
        }
    };
    roots.iter().flat_map(|root| state::all(root)).map(clean).collect()
}

/// Undoes a run, its processes first, then everything else from the last change on, and says what it did.
///
/// # Errors
/// [`LabError::Survivors`] names what is still there.
pub fn undo(state: State) -> Result<Vec<String>, LabError> {
    let mut done = Vec::new();
    // Nothing else can go while a process holds it, so processes come first wherever they stand in the journal.
    let Recorded { steps, unreadable } = journal::read(&state.dir);
    let (processes_first, rest): (Vec<Undo>, Vec<Undo>) =
        steps.into_iter().partition(|step| *step == Undo::Processes);
    for step in processes_first.iter().chain(&rest) {
        done.extend(undo_step(step, &state));
    }
    let (done_there, left_there) = elsewhere::undo(&state.id, &state.dir, &rest);
    done.extend(done_there);
    let (returned, unreturned) = put_back_all(&rest);
    done.extend(returned);
    let left: Vec<String> =
        processes(&state).into_iter().map(|(pid, name)| format!("process {pid} ({name})")).collect();
    let left = [left, remaining_cgroups(&state.id), unreturned, left_there, unreadable].concat();
    if left.is_empty() {
        state.remove()?;
        return Ok(done);
    }
    Err(LabError::Survivors(left))
}

fn undo_step(step: &Undo, state: &State) -> Vec<String> {
    match step {
        Undo::Processes => end_processes(state),
        Undo::Domain { name } => remove_cgroups(name),
        Undo::Cgroup { path } => match std::fs::remove_dir(path) {
            Ok(()) => vec![format!("removed the control group {}", path.display())],
            Err(_) => Vec::new(), // in use by somebody else's guests, or never made
        },
        Undo::Partition { path } if path.exists() && remove_cgroup(path) => {
            vec![format!("removed the control group {}", path.display())]
        }
        Undo::Partition { .. } => Vec::new(), // never made, or `remaining_cgroups` names it
        // See `put_back_all`.
        Undo::Value { .. }
        | Undo::Controller { .. }
        | Undo::Nic(_)
        | Undo::Merging { .. }
        | Undo::Ethtool { .. }
        | Undo::Tracing { .. } => Vec::new(),
        Undo::Elsewhere { .. } => Vec::new(), // see `elsewhere`
        Undo::Tree { path } => match std::fs::remove_dir_all(path) {
            Ok(()) => vec![format!("removed {}", path.display())],
            Err(_) => Vec::new(),
        },
    }
}

/// Puts back what was borrowed of the machine: what was done, each once, and what could not be.
fn put_back_all(steps: &[Undo]) -> (Vec<String>, Vec<String>) {
    let mut nics = BTreeSet::new();
    // A NIC is borrowed for each configuration anew; it comes home once.
    let once = |step: &&Undo| match step {
        Undo::Nic(nic) => nics.insert(nic.device.clone()),
        _ => true,
    };
    let (mut done, mut left) = (Vec::new(), Vec::new());
    left.extend(away(steps).into_iter().map(nics::restore).filter_map(Result::err));
    for step in steps.iter().filter(once) {
        match put_back(step) {
            // Each configuration notes anew what it changes.
            Ok(did) => done.extend(did.filter(|did| !done.contains(did))),
            Err(error) => left.push(error),
        }
    }
    (done, left.iter().map(ToString::to_string).collect())
}

/// NICs that are not back yet and have a value to get back: the kernel takes its time to give them back after the last
/// process of a namespace ended, and their files come with them.
fn away(steps: &[Undo]) -> Vec<&HostNic> {
    let mut seen = BTreeSet::new();
    let mut away = Vec::new();
    for step in steps {
        let Undo::Nic(nic) = step else { continue };
        if steps.iter().any(|step| lacks_file(step, nic)) && seen.insert(&nic.device) {
            away.push(nic);
        }
    }
    away
}

/// Whether a step writes into a file of this NIC that is not there.
fn lacks_file(step: &Undo, nic: &HostNic) -> bool {
    let Undo::Value { path, .. } = step else { return false };
    values::interface(path) == Some(&nic.name) && !path.exists()
}

/// Puts back one thing that was borrowed of the machine, and says what it did; other steps are not its business.
///
/// # Errors
/// [`LabError::System`] if the kernel refuses.
pub fn put_back(step: &Undo) -> Result<Option<String>, LabError> {
    let back = match step {
        Undo::Nic(nic) => nics::restore(nic).map(|()| format!("put the NIC {} back as it was", nic.name)),
        Undo::Merging { nic, on } => nics::restore(nic)
            .and_then(|()| ovs::merge_again(nic, on))
            .map(|()| format!("let the NIC {} merge packets as before", nic.name)),
        Undo::Ethtool { nic, argv } => {
            let words: Vec<&str> = argv.iter().map(String::as_str).collect();
            let told = words.iter().skip_while(|word| !word.starts_with('-')).skip(2); // after `sh -c … ethtool`
            let told =
                format!("gave the NIC {} back: {}", nic.name, told.copied().collect::<Vec<_>>().join(" "));
            nics::restore(nic).and_then(|()| nics::machine(&words)).map(|()| told)
        }
        Undo::Value { path, value } => {
            let told = format!("wrote {} back into {}", value.trim(), path.display());
            return Ok(values::write_back(path, value)?.then_some(told));
        }
        Undo::Controller { group, name } => {
            let told = format!("{} no longer hands the controller {name} down", group.display());
            return Ok(control_group::keep_back(group, name)?.then_some(told));
        }
        Undo::Tracing { path } if path.exists() => std::fs::remove_dir(path)
            .map_err(LabError::system(format!("remove {}", path.display())))
            .map(|()| format!("removed {}", path.display())),
        _ => return Ok(None),
    };
    back.map(Some)
}

/// Ends the run's processes: SIGTERM, then SIGKILL.
fn end_processes(state: &State) -> Vec<String> {
    let first = processes(state);
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let deadline = Instant::now() + PATIENCE;
        for (pid, _) in processes(state) {
            let _ = kill(Pid::from_raw(pid), signal); // gone already: just as well
        }
        while !processes(state).is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    first.into_iter().map(|(pid, name)| format!("ended process {pid} ({name})")).collect()
}

/// The processes that belong to a run: pid and name. Zombies do not count: they hold nothing any more.
fn processes(state: &State) -> Vec<(i32, String)> {
    let directory = format!("{}/", state.dir.display());
    let variable = format!("{RUN_VARIABLE}={}", state.id);
    let own = std::process::id() as i32;
    let belongs = |process: &procfs::process::Process| {
        let named = process.cmdline().is_ok_and(|words| words.iter().any(|word| word.contains(&directory)));
        named
            || std::fs::read(format!("/proc/{}/environ", process.pid))
                .is_ok_and(|bytes| bytes.split(|b| *b == 0).any(|pair| pair == variable.as_bytes()))
    };
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    all.filter(|process| process.pid != own && belongs(process))
        .filter_map(|process| process.stat().ok())
        .filter(|stat| stat.state != 'Z')
        .map(|stat| (stat.pid, stat.comm))
        .collect()
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
    let steps: Vec<Undo> = runs.iter().flat_map(|(_, dir)| journal::read(dir).steps).collect();
    let of_a_run = |path: &PathBuf| steps.contains(&Undo::Cgroup { path: path.clone() });
    machine_cgroups().into_iter().filter(|path| !path.exists() || of_a_run(path)).collect()
}

/// The control groups whose name contains `name`, in every tree.
fn cgroups(name: &str) -> Vec<PathBuf> {
    let children =
        |dir: PathBuf| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let matches = |path: &PathBuf| path.is_dir() && path.to_string_lossy().contains(name);
    machine_cgroups().into_iter().flat_map(children).filter(matches).collect()
}

fn remaining_cgroups(id: &RunId) -> Vec<String> {
    cgroups(&format!("kf-{id}-")).iter().map(|path| format!("control group {}", path.display())).collect()
}

fn remove_cgroups(domain: &str) -> Vec<String> {
    let found = cgroups(&format!("-{domain}."));
    found
        .iter()
        .filter(|path| remove_cgroup(path))
        .map(|path| format!("removed the control group {}", path.display()))
        .collect()
}

/// Removes a control group and those in it, deepest first; the kernel needs a moment after the last process ended.
fn remove_cgroup(path: &Path) -> bool {
    let children = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    for child in children.filter(|child| child.is_dir()) {
        remove_cgroup(&child);
    }
    let deadline = Instant::now() + PATIENCE;
    while path.exists() && std::fs::remove_dir(path).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    !path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_carries_the_runs_variable_is_ended_and_another_is_not() {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        journal::Journal::open(&state.dir).unwrap().before(&Undo::Processes).unwrap();
        let sleeper =
            |id: &str| std::process::Command::new("sleep").arg("60").env(RUN_VARIABLE, id).spawn().unwrap();
        let mut ours = sleeper(&state.id.to_string());
        let mut foreign = sleeper("zzzzzz");
        // The kernel lets spawn return a moment before it shows the new program's environment.
        while processes(&state).is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let dir = state.dir.clone();
        let done = undo(state).unwrap();
        assert!(done.contains(&format!("ended process {} (sleep)", ours.id())), "{done:?}");
        assert!(ours.wait().unwrap().code().is_none());
        assert!(foreign.try_wait().unwrap().is_none());
        assert!(!dir.exists());
        foreign.kill().unwrap();
        foreign.wait().unwrap();
    }

    #[test]
    fn an_instance_of_tracing_that_cannot_be_removed_is_told() {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        let [instance, kept] = ["instance", "kept"].map(|name| root.path().join(name));
        std::fs::create_dir(&instance).unwrap();
        std::fs::create_dir_all(kept.join("below")).unwrap();
        let journal = journal::Journal::open(&state.dir).unwrap();
        for path in [&instance, &kept] {
            journal.before(&Undo::Tracing { path: path.clone() }).unwrap();
        }
        let error = undo(state).unwrap_err().to_string();
        assert!(!instance.exists() && error.contains(&format!("remove {}", kept.display())), "{error}");
    }

    #[test]
    fn a_line_that_cannot_be_read_survives_and_keeps_its_journal() {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        let (dir, tree) = (state.dir.clone(), root.path().join("tree"));
        std::fs::create_dir(&tree).unwrap();
        let line = serde_json::to_string(&Undo::Tree { path: tree.clone() }).unwrap();
        std::fs::write(dir.join("journal.jsonl"), format!("{{\"planet\":{{}}}}\n{line}\n")).unwrap();
        let error = undo(state).unwrap_err().to_string();
        assert!(error.contains("line 1 of ") && error.contains("journal.jsonl"), "{error}");
        assert!(!tree.exists() && dir.join("journal.jsonl").exists());
    }

    #[test]
    fn a_nic_comes_home_before_its_values_once_and_only_if_they_need_it() {
        let nic = |name: &str| {
            Undo::Nic(HostNic {
                name: name.into(),
                device: format!("device of {name}"),
                driver: String::new(),
                mac: String::new(),
                mtu: 1500,
                up: true,
                sriov: None,
            })
        };
        let value = |name: &str, file: &str| Undo::Value {
            path: format!("/sys/class/net/{name}/{file}").into(),
            value: "0".into(),
        };
        let steps = [
            value("kf-no-1", "mtu"),
            nic("kf-no-1"),
            nic("kf-no-1"),
            nic("kf-no-2"),
            value("lo", "mtu"),
            nic("lo"),
        ];
        let names: Vec<&str> = away(&steps).iter().map(|nic| nic.name.as_str()).collect();
        assert_eq!(names, ["kf-no-1"]);
    }
}
