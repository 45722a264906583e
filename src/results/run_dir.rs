//! The run directory: everything of one run, written atomically by one writer.
//!
//! | file | what |
//! | --- | --- |
//! | `profile.toml` | the profile, byte for byte as it was used |
//! | `experiment.json`, `plan.json` | the profile after validation, and the ordered trials |
//! | `environment.json` | the machine and its software |
//! | `merged.json` | of a merged run: its sources with their blocks and machines |
//! | `raw/attempts/…` | raw samples of failed and invalid attempts at trials that were tried again |
//! | `raw/trial-0001.zst` … | raw samples of each trial, as [`crate::raw::encode`] describes; all below is made from them |
//! | `figures/trial-0001.zst` … | figures of each trial, a cache: may be removed at any time |
//! | `flows.csv`, `guests.csv`, `trials.csv`, `proofs.csv`, `summary.csv` … | figures; `columns.csv` is their data dictionary |
//! | `configurations.csv` | the levels of each configuration, by its id |
//! | `timeline.csv` | the course of each trial |
//! | `report.html`, `report.md`, `charts/*.svg`, `charts/*.png` | for people; the first is written anew during the run |
//! | `log.txt`, `libvirt.log` | what happened |
//! | `lock` | empty; locked while somebody writes |

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run_dir_error::RunDirError;

/// Of a merged run: its parts.
pub(super) const MERGED: &str = "merged.json";

/// The right to write a run directory: nobody else has it as long as the value lives.
#[derive(Debug)]
pub struct Writer {
    _lock: Option<File>,
}

/// A run directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    pub(super) path: PathBuf,
}

impl RunDir {
    /// Makes `<base>/<profile>-<time>/`, or the same with `-2`, `-3` … if another run took the name.
    ///
    /// # Errors
    /// [`RunDirError::Io`] if it cannot be written.
    pub fn create(base: &Path, profile: &str, time: &str) -> Result<RunDir, RunDirError> {
        fs::create_dir_all(base).map_err(io("create", base))?;
        let names = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
        for suffix in names {
            let path = base.join(format!("{profile}-{time}{suffix}"));
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io("create", &path)(error)),
                Ok(()) => {
                    let dir = RunDir { path };
                    dir.make("raw")?;
                    return Ok(dir);
                }
            }
        }
        Err(RunDirError::NotARun(base.to_owned()))
    }

    /// Opens a run directory that is there.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] if it has no raw trials.
    pub fn open(path: &Path) -> Result<RunDir, RunDirError> {
        if !path.join("raw").is_dir() {
            return Err(RunDirError::NotARun(path.to_owned()));
        }
        Ok(RunDir { path: path.to_owned() })
    }

    /// Opens a run directory to measure what is missing in it.
    ///
    /// # Errors
    /// [`RunDirError`] if it is no run, or none that can be resumed.
    pub fn open_to_resume(path: &Path) -> Result<RunDir, RunDirError> {
        let dir = RunDir::open(path)?;
        if dir.is_merged() {
            return Err(RunDirError::Merged(dir.path));
        }
        let needed = ["profile.toml", "experiment.json", "plan.json"];
        match needed.into_iter().find(|file| !dir.path.join(file).exists()) {
            Some(file) => Err(RunDirError::Incomplete { dir: dir.path, file: file.to_owned() }),
            None => Ok(dir),
        }
    }

    /// Whether it was merged of several runs.
    pub(super) fn is_merged(&self) -> bool {
        self.path.join(MERGED).exists()
    }

    /// Takes the right to write, for as long as the value or the process lives. Whoever only reads needs none.
    ///
    /// # Errors
    /// [`RunDirError::Busy`] if another process has it.
    pub fn lock(&self) -> Result<Writer, RunDirError> {
        let path = self.path.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Writer { _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(RunDirError::Busy(self.path.clone())),
            // A file system without locks is no reason not to measure.
            Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Unsupported => {
                Ok(Writer { _lock: None })
            }
            Err(TryLockError::Error(cause)) => Err(io("lock", &path)(cause)),
        }
    }

    /// Removes the directory of a run that was refused before its first trial.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn remove(self) -> Result<(), RunDirError> {
        fs::remove_dir_all(&self.path).map_err(io("remove", &self.path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name: the run's in every table.
    pub fn name(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Makes a directory in it, unless it is there.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn make(&self, name: &str) -> Result<(), RunDirError> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(io("create", &path))
    }

    /// Adds to the end of a file.
    ///
    /// # Errors
    /// [`RunDirError::Io`]; a part may be written then.
    pub fn append(&self, name: &str, text: &str) -> Result<(), RunDirError> {
        let path = self.path.join(name);
        let file = File::options().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(io("append to", &path))
    }

    /// Writes a file so that a reader sees the old content or the new, never a part.
    ///
    /// # Errors
    /// [`RunDirError::Io`]; the old content is still there then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunDirError> {
        let path = self.path.join(name);
        let partial = self.path.join(format!("{name}.partial"));
        let mut file = File::create(&partial).map_err(io("write", &partial))?;
        file.write_all(bytes).and_then(|()| file.sync_data()).map_err(io("write", &partial))?;
        fs::rename(&partial, &path).map_err(io("write", &path))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunDirError> {
        let text = serde_json::to_string_pretty(value).map_err(self.content(name))?;
        self.write(name, text.as_bytes())
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`RunDirError::Incomplete`] if there is none, [`RunDirError::Io`]
    pub fn read(&self, name: &str) -> Result<String, RunDirError> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(|cause| match cause.kind() {
            ErrorKind::NotFound => RunDirError::Incomplete { dir: self.path.clone(), file: name.to_owned() },
            _ => io("read", &path)(cause),
        })
    }

    /// Reads a value from JSON.
    ///
    /// # Errors
    /// [`RunDirError`] if the file is missing or of another version.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunDirError> {
        serde_json::from_str(&self.read(name)?).map_err(self.content(name))
    }

    pub(super) fn read_bytes(&self, name: &str) -> Result<Vec<u8>, RunDirError> {
        let path = self.path.join(name);
        fs::read(&path).map_err(io("read", &path))
    }

    pub(super) fn content<E: ToString>(&self, name: &str) -> impl FnOnce(E) -> RunDirError {
        let path = self.path.join(name);
        move |cause| RunDirError::Content { path, cause: cause.to_string() }
    }
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RunDirError {
    let path = path.to_owned();
    move |cause| RunDirError::Io { action, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_the_same_second_get_directories_of_their_own() {
        let base = tempfile::tempdir().unwrap();
        let first = RunDir::create(base.path(), "quickstart", "20260102T030405Z").unwrap();
        let second = RunDir::create(base.path(), "quickstart", "20260102T030405Z").unwrap();
        assert!(first.path().ends_with("quickstart-20260102T030405Z"));
        assert!(second.path().ends_with("quickstart-20260102T030405Z-2"));
    }

    #[test]
    fn a_run_directory_has_one_writer_and_any_number_of_readers() {
        let base = tempfile::tempdir().unwrap();
        let run = RunDir::create(base.path(), "p", "t").unwrap();
        let writer = run.lock().unwrap();
        let other = RunDir::open(run.path()).unwrap();
        let message = other.lock().unwrap_err().to_string();
        assert!(message.contains(&run.path().display().to_string()) && message.contains("hint"), "{message}");
        assert_eq!(other.read_trials().unwrap(), vec![]);
        drop(writer);
        // A process that another test is starting right now holds a copy of every descriptor until its exec.
        let free = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            other.lock().is_ok()
        });
        assert!(free, "the lock outlived its owner");
    }

    #[test]
    fn a_directory_without_raw_trials_is_no_run() {
        let base = tempfile::tempdir().unwrap();
        assert!(matches!(RunDir::open(base.path()), Err(RunDirError::NotARun(_))));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let base = tempfile::tempdir().unwrap();
        let run = RunDir::create(base.path(), "p", "t").unwrap();
        run.write("report.md", b"a long first text").unwrap();
        run.write("report.md", b"short").unwrap();
        assert_eq!(fs::read(run.path().join("report.md")).unwrap(), b"short");
        assert!(!run.path().join("report.md.partial").exists());
    }
}
