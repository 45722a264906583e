//! Everything outside the results by which a run could be noticed after its end.
//!
//! Other runs may live on the same machine: only what belongs to the runs of one test counts, by their directory or id.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kvmfair::lab::{RunId, clean};

use super::{entries, name};

/// The kernel takes the devices of a namespace down some time after its last process ended.
const KERNEL: Duration = Duration::from_secs(20);

/// What was there before a test and bears no run's name.
pub struct Before {
    parents: Vec<PathBuf>,
    loads: Vec<PathBuf>,
}

impl Before {
    /// Looks.
    pub fn look() -> Before {
        Before { parents: parents(), loads: loads() }
    }
}

/// What is left of the runs `ids`, which worked below `place`; patient only with what the kernel removes by itself.
pub fn lasting(place: &Path, ids: &BTreeSet<String>, before: &Before) -> Vec<String> {
    let mut left =
        [processes(place), mounts(place, ids), directories(ids), groups(ids), empty_parents(before)].concat();
    let start = Instant::now();
    let mut slow = [interfaces(ids), taps(ids), unused_loads(before)].concat();
    while !slow.is_empty() && start.elapsed() < KERNEL {
        sleep(Duration::from_millis(500));
        slow = [interfaces(ids), taps(ids), unused_loads(before)].concat();
    }
    left.extend(slow);
    left
}

/// Processes that name the place, or were started with it in their environment.
fn processes(place: &Path) -> Vec<String> {
    let place = place.to_str().unwrap().as_bytes();
    let mentions = |path: String| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(place.len()).any(|window| window == place))
    };
    let pids = entries(Path::new("/proc")).into_iter().filter_map(|path| name(&path).parse::<i32>().ok());
    let belongs =
        |pid: &i32| ["cmdline", "environ"].into_iter().any(|f| mentions(format!("/proc/{pid}/{f}")));
    let describe = |pid: i32| {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("process {pid} ({})", comm.trim())
    };
    pids.filter(belongs).map(describe).collect()
}

fn mounts(place: &Path, ids: &BTreeSet<String>) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let ours = |line: &&str| {
        line.contains(place.to_str().unwrap()) || ids.iter().any(|id| line.contains(&format!("kf-{id}")))
    };
    table.lines().filter(ours).map(|line| format!("mount {line}")).collect()
}

/// Interfaces in this process's namespace, the machine's own.
fn interfaces(ids: &BTreeSet<String>) -> Vec<String> {
    let names = entries(Path::new("/sys/class/net")).into_iter().map(|path| name(&path));
    let ours = |name: &String| ids.iter().any(|id| name.starts_with(&format!("kf-{id}-")));
    names.filter(ours).map(|name| format!("interface {name}")).collect()
}

/// Directories of guests' files.
fn directories(ids: &BTreeSet<String>) -> Vec<String> {
    let places = ["/run", "/var/tmp"].map(Path::new);
    let dirs = ids.iter().flat_map(|id| places.map(|place| place.join(format!("kvmfair-{id}"))));
    dirs.filter(|dir| dir.exists()).map(|dir| format!("directory {}", dir.display())).collect()
}

/// Control groups at any depth.
fn groups(ids: &BTreeSet<String>) -> Vec<String> {
    let mut dirs = vec![PathBuf::from("/sys/fs/cgroup")];
    let mut found = Vec::new();
    while let Some(dir) = dirs.pop() {
        if ids.iter().any(|id| name(&dir).contains(&format!("kf-{id}"))) {
            found.push(format!("control group {}", dir.display()));
        }
        dirs.extend(entries(&dir).into_iter().filter(|path| path.is_dir() && !path.is_symlink()));
    }
    found
}

/// The groups that libvirt makes for all guests of a machine.
fn parents() -> Vec<PathBuf> {
    clean::machine_cgroups().into_iter().filter(|path| path.exists()).collect()
}

/// Those that were not there before, unless the guests of another run are in them.
fn empty_parents(before: &Before) -> Vec<String> {
    if somebody_runs() {
        return Vec::new();
    }
    let new = parents().into_iter().filter(|path| !before.parents.contains(path));
    new.map(|path| format!("control group {}", path.display())).collect()
}

/// Whether any process of any run lives on this machine.
fn somebody_runs() -> bool {
    let variable = |bytes: Vec<u8>| bytes.split(|b| *b == 0).any(|pair| pair.starts_with(b"KVMFAIR_RUN="));
    let carries = |path: PathBuf| fs::read(path.join("environ")).is_ok_and(variable);
    entries(Path::new("/proc")).into_iter().any(carries)
        || !groups(&BTreeSet::from([String::new()])).is_empty()
}

/// Device files of macvtaps, whose numbers come from a range of each run's own.
fn taps(ids: &BTreeSet<String>) -> Vec<String> {
    let first = |id: &String| kvmfair::lab::first_index(&RunId::parse(id).unwrap());
    let ranges: Vec<_> = ids.iter().map(first).map(|first| first..first + kvmfair::lab::INDICES).collect();
    let number = |path: &Path| name(path).strip_prefix("tap")?.parse::<u32>().ok();
    let ours = |path: &PathBuf| number(path).is_some_and(|n| ranges.iter().any(|range| range.contains(&n)));
    let devices = entries(Path::new("/dev")).into_iter().filter(ours);
    devices.map(|path| format!("device {}", path.display())).collect()
}

/// Where launchers keep netperf's output while it runs.
fn loads() -> Vec<PathBuf> {
    let all = ["/dev/shm", "/tmp"].map(Path::new).into_iter().flat_map(entries);
    all.filter(|path| name(path).starts_with("kvmfair-load.")).collect()
}

/// Those that no process has a file of: another run's are in use.
fn unused_loads(before: &Before) -> Vec<String> {
    let new = loads().into_iter().filter(|path| !before.loads.contains(path));
    let fds = |process: PathBuf| entries(&process.join("fd"));
    let open: Vec<PathBuf> = entries(Path::new("/proc"))
        .into_iter()
        .flat_map(fds)
        .filter_map(|fd| fs::read_link(fd).ok())
        .collect();
    let unused = new.filter(|dir| !open.iter().any(|file| file.starts_with(dir)));
    unused.map(|path| format!("directory {}", path.display())).collect()
}
