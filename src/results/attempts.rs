//! Attempts at trials that came to nothing. They are never lost: what a further attempt replaces is kept beside it.

use std::fs;

use super::run_dir::{RunDir, io};
use super::run_dir_error::RunDirError;
use super::trial_files::{ENDING, file_of_trial};
use crate::raw::{RawTrial, Stage};

/// Where they are kept.
const ATTEMPTS: &str = "raw/attempts";

impl RunDir {
    /// How many attempts have been made at a trial, in this run and in those that it goes on with.
    ///
    /// # Errors
    /// [`RunDirError`] if the run directory cannot be read.
    pub fn attempts(&self, trial: u32) -> Result<u32, RunDirError> {
        let last = self.earlier(trial)?.map_or(0, |raw| raw.attempt);
        Ok(self.kept(trial).into_iter().fold(last, u32::max))
    }

    /// Keeps an attempt at a trial that is tried again: `raw/attempts/trial-<n>-<attempt>.zst`.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn write_attempt(&self, trial: &RawTrial) -> Result<(), RunDirError> {
        self.make(ATTEMPTS)?;
        self.write_raw(&file_of_attempt(trial.trial, trial.attempt), trial)
    }

    /// Moves what an earlier attempt left as the raw samples of a trial to the other attempts. A trial that was skipped left
    /// none.
    pub(super) fn set_aside(&self, trial: u32) -> Result<(), RunDirError> {
        let Some(raw) = self.earlier(trial)? else { return Ok(()) };
        if raw.failure.is_some_and(|failure| failure.stage == Stage::Skipped) {
            return Ok(());
        }
        self.make(ATTEMPTS)?;
        let kept = self.kept(trial);
        let free = (raw.attempt..).find(|attempt| !kept.contains(attempt)); // older versions counted from 1 again
        let to = self.path.join(file_of_attempt(trial, free.unwrap_or(raw.attempt)));
        fs::rename(self.path.join(file_of_trial(trial)), &to).map_err(io("move raw samples to", &to))
    }

    /// All attempts that are kept beside the trials.
    ///
    /// # Errors
    /// [`RunDirError`] if one cannot be read.
    pub(super) fn all_attempts(&self) -> Result<Vec<RawTrial>, RunDirError> {
        let entries = fs::read_dir(self.path.join(ATTEMPTS)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let names = names.filter(|name| name.ends_with(ENDING));
        names.map(|name| self.read_trial(&format!("{ATTEMPTS}/{name}"))).collect()
    }

    /// What is there of a trial.
    fn earlier(&self, trial: u32) -> Result<Option<RawTrial>, RunDirError> {
        let name = file_of_trial(trial);
        self.path.join(&name).exists().then(|| self.read_trial(&name)).transpose()
    }

    /// The numbers of a trial's attempts that are kept beside it.
    fn kept(&self, trial: u32) -> Vec<u32> {
        let first = format!("trial-{trial:04}-");
        let names = fs::read_dir(self.path.join(ATTEMPTS)).into_iter().flatten().flatten();
        let number = |entry: fs::DirEntry| {
            entry.file_name().to_str()?.strip_prefix(&first)?.strip_suffix(ENDING)?.parse().ok()
        };
        names.filter_map(number).collect()
    }
}

fn file_of_attempt(trial: u32, attempt: u32) -> String {
    format!("{ATTEMPTS}/trial-{trial:04}-{attempt}{ENDING}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::raw::Failure;

    fn run() -> (tempfile::TempDir, RunDir) {
        let base = tempfile::tempdir().unwrap();
        let run = RunDir::create(base.path(), "p", "t").unwrap();
        (base, run)
    }

    fn attempt(attempt: u32) -> RawTrial {
        let failed = fixture::failed(fixture::configuration("virtio", 1));
        RawTrial { trial: 7, attempt, ..failed }
    }

    fn kept(run: &RunDir, number: u32) -> RawTrial {
        run.read_trial(&file_of_attempt(7, number)).unwrap()
    }

    #[test]
    fn a_trial_that_is_tried_again_keeps_what_the_earlier_attempt_left() {
        let (_base, run) = run();
        assert_eq!(run.attempts(7).unwrap(), 0);
        for number in 1..=3 {
            run.write_trial(&attempt(number)).unwrap();
            assert_eq!(run.attempts(7).unwrap(), number);
        }
        assert_eq!([kept(&run, 1), kept(&run, 2)], [attempt(1), attempt(2)]);
        assert_eq!(run.read_trials().unwrap(), [attempt(3)]);
    }

    #[test]
    fn attempts_of_a_trial_that_was_broken_off_count() {
        let (_base, run) = run();
        run.write_attempt(&attempt(1)).unwrap();
        run.write_attempt(&attempt(10)).unwrap();
        assert_eq!(run.attempts(7).unwrap(), 10);
        assert_eq!([run.attempts(70).unwrap(), run.attempts(1).unwrap()], [0, 0]);
    }

    #[test]
    fn an_attempt_never_replaces_another_one() {
        let (_base, run) = run();
        let first = RawTrial { repeat: 9, ..attempt(1) };
        run.write_attempt(&first).unwrap();
        run.write_trial(&attempt(1)).unwrap();
        run.write_trial(&attempt(3)).unwrap();
        assert_eq!([kept(&run, 1), kept(&run, 2)], [first, attempt(1)]);
    }

    #[test]
    fn a_trial_that_was_skipped_is_no_attempt() {
        let (_base, run) = run();
        let failure = Some(Failure { stage: Stage::Skipped, cause: "no time".into() });
        run.write_trial(&RawTrial { failure, ..attempt(0) }).unwrap();
        assert_eq!(run.attempts(7).unwrap(), 0);
        run.write_trial(&attempt(1)).unwrap();
        assert_eq!(run.kept(7), Vec::<u32>::new());
    }
}
