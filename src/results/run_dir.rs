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
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run_dir_error::RunDirError;
use crate::directory::{Directory, FileError, FileStamp, Replacement, is_temporary};
use crate::profile;

/// Raw samples in a file, bytes: a reader takes no more than 64 MiB of them when they are decompressed.
const LARGEST_RAW: u64 = 65 << 20;
/// A plan or an experiment, bytes: ten repeats of 65,536 configurations, the most that a profile has, take 0.85 GB.
const LARGEST_PLAN: u64 = 1 << 30;
/// Any other file that is read, bytes: environments, the parts of a merged run; they have some KB each.
const LARGEST_OTHER: u64 = 64 << 20;

/// Of a merged run: its parts.
pub(super) const MERGED: &str = "merged.json";

/// The mode of a file that others may read, before the umask.
const PUBLIC: u32 = 0o666;

/// The right to write a run directory: nobody else has it as long as the value lives.
#[derive(Debug)]
pub struct Writer {
    /// `None` on a file system without locks.
    lock: Option<File>,
}

impl Drop for Writer {
    /// Unlocks rather than closes: a process that is just being started has a copy of every descriptor until its exec, and would hold
    /// the lock for so long.
    fn drop(&mut self) {
        self.lock.iter().for_each(|lock| drop(lock.unlock()));
    }
}

/// A run directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    pub(super) files: Directory,
}

/// The largest file of this name that is read, bytes.
fn largest(name: &str) -> u64 {
    match name {
        "profile.toml" => profile::LARGEST,
        "plan.json" | "experiment.json" => LARGEST_PLAN,
        raw if raw.starts_with("raw/") => LARGEST_RAW,
        _ => LARGEST_OTHER,
    }
}

impl RunDir {
    /// Makes `<base>/<profile>-<time>/`, or the same with `-2`, `-3` … if another run took the name.
    ///
    /// # Errors
    /// [`RunDirError::File`] if it cannot be written.
    pub fn create(base: &Path, profile: &str, time: &str) -> Result<RunDir, RunDirError> {
        let refused = |path: &Path| FileError::system("create", path);
        fs::create_dir_all(base).map_err(refused(base))?;
        let names = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
        for suffix in names {
            let name = format!("{profile}-{time}{suffix}");
            let path = base.join(&name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused(&path)(error).into()),
                Ok(()) => {
                    let dir = RunDir { files: Directory::open(base)?.subdirectory(&name)? };
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
    /// [`RunDirError::NotARun`] if it has no raw trials; [`RunDirError::File`] if it is no directory, or `raw` is none.
    pub fn open(path: &Path) -> Result<RunDir, RunDirError> {
        let not_a_run = |error: FileError| match error.is_missing() {
            true => RunDirError::NotARun(path.to_owned()),
            false => error.into(),
        };
        let files = Directory::open(path).map_err(not_a_run)?;
        files.subdirectory("raw").map_err(not_a_run)?;
        Ok(RunDir { files })
    }

    /// Whether it was merged of several runs.
    pub(super) fn is_merged(&self) -> bool {
        self.has(MERGED)
    }

    /// Whether it has a file, or anything else, of this name.
    pub fn has(&self, name: &str) -> bool {
        self.files.has(name)
    }

    /// Takes the right to write, for as long as the value or the process lives, and removes what a killed writer left unfinished.
    /// Whoever only reads needs none.
    ///
    /// # Errors
    /// [`RunDirError::Busy`] if another process has it.
    pub fn lock(&self) -> Result<Writer, RunDirError> {
        let lock = self.files.append("lock", PUBLIC)?;
        let writer = match lock.try_lock() {
            Ok(()) => Writer { lock: Some(lock) },
            Err(TryLockError::WouldBlock) => return Err(RunDirError::Busy(self.path().to_owned())),
            // A file system without locks is no reason not to measure.
            Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Unsupported => {
                Writer { lock: None }
            }
            Err(TryLockError::Error(cause)) => {
                return Err(FileError::system("lock", &self.path().join("lock"))(cause).into());
            }
        };
        self.remove_unfinished();
        Ok(writer)
    }

    /// Temporary files of processes that were killed. One that cannot be removed does no harm.
    fn remove_unfinished(&self) {
        let parts = ["raw", "raw/attempts", "charts", "figures"].map(|part| self.files.subdirectory(part));
        for directory in parts.into_iter().flatten().chain([self.files.clone()]) {
            let names = directory.names().unwrap_or_default();
            names.iter().filter(|name| is_temporary(name)).for_each(|name| drop(directory.remove(name)));
        }
    }

    /// Removes the directory of a run that was refused before its first trial.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn remove(self) -> Result<(), RunDirError> {
        Ok(fs::remove_dir_all(self.path()).map_err(FileError::system("remove", self.path()))?)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.files.path()
    }

    /// Its name: the run's in every table.
    pub fn name(&self) -> String {
        let path = self.path().canonicalize().unwrap_or_else(|_| self.path().to_owned());
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Makes a directory in it, unless it is there.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn make(&self, name: &str) -> Result<(), RunDirError> {
        Ok(self.files.make(name)?)
    }

    /// A log, to be added to.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn log(&self, name: &str) -> Result<File, RunDirError> {
        Ok(self.files.append(name, PUBLIC)?)
    }

    /// Adds to the end of a file.
    ///
    /// # Errors
    /// [`RunDirError::File`]; a part may be written then.
    pub fn append(&self, name: &str, text: &str) -> Result<(), RunDirError> {
        let mut file = self.files.append(name, PUBLIC)?;
        let failed = FileError::system("append to", &self.path().join(name));
        Ok(file.write_all(text.as_bytes()).map_err(failed)?)
    }

    /// Writes a file so that a reader sees the old content or the new, never a part.
    ///
    /// # Errors
    /// [`RunDirError::File`]; the old content is still there then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunDirError> {
        Ok(self.files.write(name, bytes)?)
    }

    /// The same in parts.
    pub(super) fn replace(&self, name: &str) -> Result<Replacement, RunDirError> {
        Ok(self.files.replace(name)?)
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunDirError> {
        let text = serde_json::to_string_pretty(value).map_err(self.content(name))?;
        self.write(name, text.as_bytes())
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`RunDirError::Incomplete`] if there is none, [`RunDirError::Content`] if it is no text, [`RunDirError::File`]
    pub fn read(&self, name: &str) -> Result<String, RunDirError> {
        String::from_utf8(self.read_bytes(name)?).map_err(self.content(name))
    }

    /// Reads a value from JSON.
    ///
    /// # Errors
    /// [`RunDirError`] if the file is missing, damaged or of another version.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunDirError> {
        serde_json::from_slice(&self.read_bytes(name)?).map_err(self.content(name))
    }

    pub(super) fn read_bytes(&self, name: &str) -> Result<Vec<u8>, RunDirError> {
        self.files.read(name, largest(name)).map_err(self.incomplete(name))
    }

    pub(super) fn stamp(&self, name: &str) -> Result<FileStamp, RunDirError> {
        self.files.stamp(name).map_err(self.incomplete(name))
    }

    fn incomplete(&self, name: &str) -> impl FnOnce(FileError) -> RunDirError {
        move |error| match error.is_missing() {
            true => RunDirError::Incomplete { dir: self.path().to_owned(), file: name.to_owned() },
            false => error.into(),
        }
    }

    pub(super) fn content<E: ToString>(&self, name: &str) -> impl FnOnce(E) -> RunDirError {
        let path = self.path().join(name);
        move |cause| RunDirError::Content { path, cause: cause.to_string() }
    }
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
        // As a process has it that another thread is starting right now.
        let copy = writer.lock.as_ref().unwrap().try_clone().unwrap();
        drop(writer);
        assert!(other.lock().is_ok(), "the lock outlived its owner");
        drop(copy);
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
        assert_eq!(fs::read_dir(run.path()).unwrap().count(), 2, "report.md and raw");
    }
}
