//! A run's own directory: `<root>/<run id>/`, locked while its process lives.
//!
//! Everything that a run leaves outside its results is in here or carries its id, so that `clean` finds it.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::LabError;
use crate::directory::{Directory, FileError, WRITTEN_BY_OTHERS};

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

/// The file in it that is locked while the run's process lives, and has its number.
const LOCK: &str = "lock";
/// The mode of that file.
const PRIVATE: u32 = 0o600;
/// The longest number of a process, and more, bytes.
const LONGEST_NUMBER: u64 = 64;
/// Bits of a mode for other users.
const OTHERS: u32 = 0o077;

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
        // What cannot be cleaned is not begun.
        State::open(id, dir.clone()).inspect_err(|_| drop(fs::remove_dir_all(&dir)))
    }

    /// Takes over the directory of a run whose process is gone.
    ///
    /// # Errors
    /// [`LabError::Busy`] if its process lives; [`LabError::File`] if other users can have put there what they like.
    pub fn open(id: RunId, dir: PathBuf) -> Result<State, LabError> {
        let named = || format!("lock {}", dir.join(LOCK).display());
        let mut lock = own(&dir)?.append(LOCK, PRIVATE)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                (&lock).take(LONGEST_NUMBER).read_to_string(&mut owner).map_err(LabError::system(named()))?;
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
}

/// Whether the process of the run that works in this directory lives. The lock is held for a moment: not to be called for a
/// run that may just be taking it.
pub fn lives(dir: &Path) -> bool {
    let lock = own(dir).and_then(|dir| dir.append(LOCK, PRIVATE));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The runs that have a state directory under `root`, without those that must not be trusted.
pub fn all(root: &Path) -> Vec<(RunId, PathBuf)> {
    found(root).into_iter().filter_map(|(run, dir)| Some((run, dir.ok()?))).collect()
}

/// The same with those that must not be trusted, and why: whoever can write there can have anything undone.
pub fn found(root: &Path) -> Vec<(RunId, Result<PathBuf, FileError>)> {
    let names = Directory::open(root).and_then(|root| root.names()).unwrap_or_default();
    let mut names: Vec<String> = names.into_iter().filter(|name| is_of_a_run(root, name)).collect();
    names.sort();
    let checked = |name: String| {
        let dir = root.join(&name);
        Some((RunId::parse(&name)?, own(&dir).map(|_| dir)))
    };
    names.into_iter().filter_map(checked).collect()
}

/// A directory that nobody but this user and root can have written to, nor can have put in its place.
fn own(dir: &Path) -> Result<Directory, FileError> {
    let (root, name) = (dir.parent().unwrap_or(dir), dir.file_name().unwrap_or_default());
    let root = Directory::open(root)?;
    root.refuse_foreign()?;
    let own = root.subdirectory(&name.to_string_lossy())?;
    own.refuse_foreign()?;
    Ok(own)
}

/// A name of six letters is no proof, and what `clean` takes for a run's it removes. A run's directory is private, and
/// the first thing in it and the last to go is the lock. One with a lock that others can write to was made private once, or is
/// to pass for a run's.
fn is_of_a_run(root: &Path, name: &str) -> bool {
    let opened = RunId::parse(name).and_then(|_| Directory::open(root).ok()?.subdirectory(name).ok());
    let Some(dir) = opened else { return false };
    let is_number = |text: Vec<u8>| text.iter().all(u8::is_ascii_digit);
    let locked_once = dir.read(LOCK, LONGEST_NUMBER).is_ok_and(is_number);
    let is_empty = dir.names().is_ok_and(|names| names.is_empty());
    match dir.mode().unwrap_or(OTHERS) & OTHERS {
        0 => locked_once || is_empty,
        others => locked_once && others & WRITTEN_BY_OTHERS != 0,
    }
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

    #[test]
    fn a_directory_that_other_users_can_have_written_is_refused_by_name() {
        use std::os::unix::fs::{PermissionsExt, chown};
        let root = tempfile::tempdir().unwrap();
        let State { dir, id, .. } = State::create(root.path()).unwrap();
        let refused = || match &found(root.path())[..] {
            [(run, Err(FileError::Foreign { path, what }))] if *run == id => {
                Some((path.clone(), what.clone()))
            }
            _ => None,
        };
        assert!(refused().is_none() && all(root.path()).len() == 1);
        for place in [dir.as_path(), root.path()] {
            chown(place, Some(65534), None).unwrap();
            assert_eq!(refused(), Some((place.to_owned(), "belongs to user 65534".into())));
            chown(place, Some(0), None).unwrap();
            fs::set_permissions(place, PermissionsExt::from_mode(0o702)).unwrap();
            let what = "can be written by other users (mode 0702)";
            assert_eq!(refused(), Some((place.to_owned(), what.into())));
            assert!(State::open(id.clone(), dir.clone()).is_err() && !lives(&dir));
            fs::set_permissions(place, PermissionsExt::from_mode(0o700)).unwrap();
        }
        fs::set_permissions(root.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert!(State::create(root.path()).is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "a run that is refused leaves nothing");
        fs::set_permissions(root.path(), PermissionsExt::from_mode(0o1777)).unwrap();
        assert!(State::create(root.path()).is_ok(), "a directory such as /tmp");
    }
}
