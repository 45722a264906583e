//! The files of raw trials in a run directory.

use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use crate::host::Environment;
use crate::raw::{self, RawFileError, RawTrial};

/// The ending of the files of raw trials.
pub(super) const ENDING: &str = ".zst";
/// The ending that they had up to format 3.
const EARLIER: &str = ".json";

impl RunDir {
    /// Keeps the raw samples of a trial. Those of an earlier attempt at it stay with its attempts.
    ///
    /// # Errors
    /// [`RunDirError`] if the run directory cannot be written, or the earlier attempt cannot be read.
    pub fn write_trial(&self, trial: &RawTrial) -> Result<(), RunDirError> {
        self.set_aside(trial.trial)?;
        self.write_raw(&file_of_trial(trial.trial), trial)
    }

    pub(super) fn write_raw(&self, name: &str, trial: &RawTrial) -> Result<(), RunDirError> {
        let bytes = raw::encode(trial).map_err(self.content(name))?;
        self.write(name, &bytes)
    }

    /// All raw trials, in the order of the plan.
    ///
    /// # Errors
    /// [`RunDirError`] if one is missing its format or is of another one.
    pub fn read_trials(&self) -> Result<Vec<RawTrial>, RunDirError> {
        self.trials()?.collect()
    }

    /// The same one by one: all trials of a large run would not fit into memory.
    ///
    /// # Errors
    /// As above.
    pub fn trials(
        &self,
    ) -> Result<impl ExactSizeIterator<Item = Result<RawTrial, RunDirError>>, RunDirError> {
        let names = self.trial_names()?;
        Ok(names.into_iter().map(|name| self.read_trial(&format!("raw/{name}"))))
    }

    /// The files of all raw trials, in the order of their numbers, with the number that each name has; 0 for none.
    ///
    /// # Errors
    /// As above.
    pub(super) fn trial_files(&self) -> Result<Vec<(String, u32)>, RunDirError> {
        let number = |name: &str| name.strip_prefix("trial-")?.strip_suffix(ENDING)?.parse().ok();
        let file = |name: String| (format!("raw/{name}"), number(&name).unwrap_or(0));
        Ok(self.trial_names()?.into_iter().map(file).collect())
    }

    fn trial_names(&self) -> Result<Vec<String>, RunDirError> {
        let is_trial =
            |name: &String| name.starts_with("trial-") && (name.ends_with(ENDING) || name.ends_with(EARLIER));
        let mut names: Vec<String> =
            self.files.subdirectory("raw")?.names()?.into_iter().filter(is_trial).collect();
        names.sort_by_key(|name| (name.len(), name.clone())); // 10000 comes after 9999
        Ok(names)
    }

    pub(super) fn read_trial(&self, name: &str) -> Result<RawTrial, RunDirError> {
        self.decode_trial(name, &self.read_bytes(name)?)
    }

    /// The raw trial in the bytes of a file.
    ///
    /// # Errors
    /// [`RunDirError::Format`] for one of another version, [`RunDirError::Content`] for one that is damaged.
    pub(super) fn decode_trial(&self, name: &str, bytes: &[u8]) -> Result<RawTrial, RunDirError> {
        if name.ends_with(EARLIER) {
            return Err(self.other_format(name, "format 3 or an earlier one (JSON)".into()));
        }
        raw::decode(bytes).map_err(|error| match error {
            RawFileError::Format(format) => self.other_format(name, format!("format {format}")),
            damaged => self.content(name)(damaged),
        })
    }

    fn other_format(&self, name: &str, found: String) -> RunDirError {
        let environment: Option<Environment> = self.read_json("environment.json").ok();
        let version = environment.map(|environment| format!("kvmfair {}", environment.tool_version));
        let writer = version.unwrap_or_else(|| "the kvmfair".into());
        RunDirError::Format { path: self.path().join(name), found, writer }
    }
}

pub(super) fn file_of_trial(trial: u32) -> String {
    format!("raw/trial-{trial:04}{ENDING}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_of_another_format_is_refused_with_the_version_that_reads_it() {
        let base = tempfile::tempdir().unwrap();
        let run = RunDir::create(base.path(), "p", "t").unwrap();
        let environment = Environment { tool_version: "9.8.7".into(), ..Environment::default() };
        run.write_json("environment.json", &environment).unwrap();
        let trial = crate::figures::fixture::trial(Default::default(), &[1.0]);
        run.write_trial(&RawTrial { format: 99, ..trial }).unwrap();
        let message = run.read_trials().unwrap_err().to_string();
        assert!(message.contains("trial-0001.zst") && message.contains("format 99"), "{message}");
        assert!(message.contains("kvmfair 9.8.7"), "{message}");
        std::fs::remove_file(run.path().join("raw/trial-0001.zst")).unwrap();
        run.write("raw/trial-0001.json", b"{\"format\": 3}").unwrap();
        let message = run.read_trials().unwrap_err().to_string();
        assert!(message.contains("trial-0001.json") && message.contains("format 3"), "{message}");
    }

    #[test]
    fn trials_are_read_in_the_order_of_their_numbers_however_many_there_are() {
        let base = tempfile::tempdir().unwrap();
        let run = RunDir::create(base.path(), "p", "t").unwrap();
        let raw = crate::figures::fixture::trial(Default::default(), &[1.0]);
        for trial in [10_000, 9_999, 1_000, 20] {
            run.write_trial(&RawTrial { trial, ..raw.clone() }).unwrap();
        }
        let read: Vec<u32> = run.read_trials().unwrap().iter().map(|trial| trial.trial).collect();
        assert_eq!(read, [20, 1_000, 9_999, 10_000]);
    }
}
