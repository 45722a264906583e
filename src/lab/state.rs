//! A run's own directory: `<root>/<run id>/`, locked while its process lives.
//!
//! Everything that a run leaves outside its results is in here or carries its id, so that `clean` finds it.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::LabError;

/// Names a run's files, guests and interfaces: six letters and digits, short enough for interface names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(String);

/// What ids are made of: no letters that are easily confused.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl RunId {
    /// A fresh one, at random.
    pub fn fresh() -> RunId {
        RunId((0..6).map(|_| LETTERS[rand::random_range(0..LETTERS.len())] as char).collect())
    }

    /// Reads one from a file name; `None` if it was not made by kvmfair.
    pub fn parse(text: &str) -> Option<RunId> {
        let fits = text.len() == 6 && text.bytes().all(|b| LETTERS.contains(&b));
        fits.then(|| RunId(text.to_owned()))
    }

    /// Name of a guest.
    pub fn domain(&self, guest: u32) -> String {
        format!("kf-{self}-g{guest}")
    }

    /// A number of the run's own, so that two runs do not choose the same interface index.
    pub fn number(&self) -> u32 {
        self.0.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 1_000_000
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the state of a lab on this machine alone is kept: in memory, as a boot takes away all that it would undo.
const OF_THIS_MACHINE: &str = "/run/kvmfair";
/// Where the state of a hardware lab is kept: a boot of this machine undoes nothing on the others.
/// What keys are in it open guests of this run alone, and are worth nothing without them.
const OF_OTHERS: &str = "/var/lib/kvmfair";

/// Where a new run keeps its state, unless `KVMFAIR_STATE_DIR` names another directory; `others` if it changes other machines.
pub fn root(others: bool) -> PathBuf {
    from_environment().unwrap_or_else(|| PathBuf::from(if others { OF_OTHERS } else { OF_THIS_MACHINE }))
}

/// Everywhere that a run may have kept its state.
pub fn roots() -> Vec<PathBuf> {
    from_environment()
        .map_or_else(|| [OF_THIS_MACHINE, OF_OTHERS].map(PathBuf::from).into(), |root| vec![root])
}

fn from_environment() -> Option<PathBuf> {
    let root = PathBuf::from(std::env::var_os("KVMFAIR_STATE_DIR")?);
    Some(std::path::absolute(&root).unwrap_or(root))
}

/// The file in it that is locked while the run's process lives.
const LOCK: &str = "lock";

/// An open state directory; the lock ends with the value, the directory does not.
#[derive(Debug)]
pub struct State {
    /// The run.
    pub id: RunId,
    /// Its directory.
    pub dir: PathBuf,
    lock: File,
}

impl State {
    /// Makes the directory of a new run, readable by its owner only.
    ///
    /// # Errors
    /// [`LabError::System`] if the root cannot be written.
    pub fn create(root: &Path) -> Result<State, LabError> {
        let id = RunId::fresh();
        let dir = root.join(id.to_string());
        let private = |path: &Path| -> std::io::Result<()> {
            use std::os::unix::fs::DirBuilderExt;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
        };
        private(&dir).map_err(LabError::system(format!("create the state directory {}", dir.display())))?;
        State::open(id, dir)
    }

    /// Takes over the directory of a run whose process is gone.
    ///
    /// # Errors
    /// [`LabError::Busy`] if its process lives.
    pub fn open(id: RunId, dir: PathBuf) -> Result<State, LabError> {
        let path = dir.join(LOCK);
        let named = || format!("lock {}", path.display());
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(LabError::system(named()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                lock.read_to_string(&mut owner).map_err(LabError::system(named()))?;
                return Err(LabError::Busy(id.to_string(), owner));
            }
            Err(TryLockError::Error(cause)) => return Err(LabError::system(named())(cause)),
        }
        lock.set_len(0).map_err(LabError::system(named()))?;
        write!(lock, "{}", std::process::id()).map_err(LabError::system(named()))?;
        Ok(State { id, dir, lock })
    }

    /// Keeps the lock for as long as the process lives: called where the value itself cannot be carried along.
    pub fn hold(self) -> (RunId, PathBuf, File) {
        (self.id, self.dir, self.lock)
    }

    /// Removes the directory, its lock last: an interrupted removal leaves a directory that `clean` still finds.
    ///
    /// # Errors
    /// [`LabError::System`] if something in it cannot be removed.
    pub fn remove(self) -> Result<(), LabError> {
        let refused = || LabError::system(format!("remove {}", self.dir.display()));
        for entry in fs::read_dir(&self.dir).map_err(refused())?.flatten() {
            if entry.file_name() != LOCK {
                let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let path = entry.path();
                if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) }.map_err(refused())?;
            }
        }
        fs::remove_dir_all(&self.dir).map_err(refused())
    }

    /// The root that libvirt's embedded driver works in.
    pub fn libvirt_root(&self) -> PathBuf {
        self.dir.join("libvirt")
    }
}

/// Whether the process of the run that works in this directory lives. The lock is held for a moment: not to be called for a
/// run that may just be taking it.
pub fn lives(dir: &Path) -> bool {
    let lock = File::open(dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The runs that have a state directory under `root`.
pub fn all(root: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut runs: Vec<_> = entries
        .filter_map(|entry| Some((RunId::parse(entry.file_name().to_str()?)?, entry.path())))
        .filter(|(_, dir)| made_by_a_run(dir))
        .collect();
    runs.sort_by(|a, b| a.1.cmp(&b.1));
    runs
}

/// A name of six letters is no proof, and what `clean` takes for a run's it removes. A run's directory is private, and
/// the first thing in it and the last to go is the lock.
fn made_by_a_run(dir: &Path) -> bool {
    let private =
        fs::symlink_metadata(dir).is_ok_and(|meta| meta.is_dir() && meta.permissions().mode() & 0o077 == 0);
    let empty = || fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    let locked_once = || {
        fs::read_to_string(dir.join(LOCK)).is_ok_and(|owner| owner.bytes().all(|byte| byte.is_ascii_digit()))
    };
    private && (locked_once() || empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_in_use_is_not_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let state = State::create(root.path()).unwrap();
        let (id, dir) = all(root.path()).pop().unwrap();
        assert_eq!(id, state.id);
        assert!(matches!(State::open(id.clone(), dir.clone()), Err(LabError::Busy(..))));
        drop(state);
        // A process that another test is starting right now holds a copy of every descriptor until its exec.
        let free = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            State::open(id.clone(), dir.clone()).is_ok()
        });
        assert!(free, "the lock outlived its owner");
    }

    #[test]
    fn clean_searches_wherever_a_run_keeps_its_state_and_that_of_other_machines_outlives_a_boot() {
        assert!([false, true].iter().all(|others| roots().contains(&root(*others))));
        assert!(
            from_environment().is_some()
                || (root(true).starts_with("/var/lib") && root(false).starts_with("/run"))
        );
    }

    #[test]
    fn directories_that_no_run_made_are_not_runs() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("foreign")).unwrap();
        assert_eq!(all(root.path()), vec![]);
        assert_eq!(RunId::parse("ABCDEF"), None);
    }
}
