//! Attempts at trials that came to nothing. They are never lost: what a further attempt replaces is kept beside it.

use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use super::trial_files::{ENDING, file_of_trial};
use crate::raw::{RawTrial, Stage};

/// Where they are kept.
const ATTEMPTS: &str = "raw/attempts";
/// What is added to the name of a file that cannot be read.
const DAMAGED: &str = "damaged";

impl RunDir {
    /// How many attempts have been made at a trial, in this run and in those that it goes on with.
    ///
    /// # Errors
    /// [`RunDirError`] if the run directory cannot be read.
    pub fn attempts(&self, trial: u32) -> Result<u32, RunDirError> {
        let last = match self.earlier(trial)? {
            Earlier::Readable(raw) => raw.attempt,
            Earlier::None | Earlier::Damaged => 0,
        };
        Ok(self.kept(trial).into_iter().fold(last, u32::max))
    }

    /// Keeps an attempt at a trial that is tried again: `raw/attempts/trial-<n>-<attempt>.zst`.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn write_attempt(&self, trial: &RawTrial) -> Result<(), RunDirError> {
        self.make(ATTEMPTS)?;
        self.write_raw(&file_of_attempt(trial.trial, trial.attempt), trial)
    }

    /// Moves what an earlier attempt left as the raw samples of a trial to the other attempts. A trial that was skipped left
    /// none.
    pub(super) fn set_aside(&self, trial: u32) -> Result<(), RunDirError> {
        let kept = self.kept(trial);
        let to = match self.earlier(trial)? {
            Earlier::None => return Ok(()),
            Earlier::Readable(raw) if was_skipped(&raw) => return Ok(()),
            Earlier::Readable(raw) => {
                let free = (raw.attempt..).find(|attempt| !kept.contains(attempt)); // older versions counted from 1 again
                file_of_attempt(trial, free.unwrap_or(raw.attempt))
            }
            Earlier::Damaged => {
                let name = |number: u32| format!("{ATTEMPTS}/trial-{trial:04}{ENDING}.{DAMAGED}-{number}");
                (1..).map(name).find(|name| !self.has(name)).unwrap_or_default()
            }
        };
        self.make(ATTEMPTS)?;
        Ok(self.files.rename(&file_of_trial(trial), &to)?)
    }

    /// All attempts that are kept beside the trials.
    ///
    /// # Errors
    /// [`RunDirError`] if one cannot be read.
    pub(super) fn all_attempts(&self) -> Result<Vec<RawTrial>, RunDirError> {
        let names = self.attempt_names().into_iter().filter(|name| name.ends_with(ENDING));
        names.map(|name| self.read_trial(&format!("{ATTEMPTS}/{name}"))).collect()
    }

    /// What is there of a trial. A file that is damaged, or none, is no reason not to measure the trial again.
    fn earlier(&self, trial: u32) -> Result<Earlier, RunDirError> {
        let name = file_of_trial(trial);
        if !self.has(&name) {
            return Ok(Earlier::None);
        }
        match self.read_trial(&name) {
            Ok(raw) => Ok(Earlier::Readable(Box::new(raw))),
            Err(error) if error.is_of_one_file() => Ok(Earlier::Damaged),
            Err(error) => Err(error),
        }
    }

    fn attempt_names(&self) -> Vec<String> {
        self.files.subdirectory(ATTEMPTS).and_then(|attempts| attempts.names()).unwrap_or_default()
    }

    /// The numbers of a trial's attempts that are kept beside it.
    fn kept(&self, trial: u32) -> Vec<u32> {
        let first = format!("trial-{trial:04}-");
        let number = |name: String| name.strip_prefix(&first)?.strip_suffix(ENDING)?.parse().ok();
        self.attempt_names().into_iter().filter_map(number).collect()
    }
}

fn was_skipped(raw: &RawTrial) -> bool {
    raw.failure.as_ref().is_some_and(|failure| failure.stage == Stage::Skipped)
}

/// What is there of a trial.
enum Earlier {
    None,
    Readable(Box<RawTrial>),
    Damaged,
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
    fn a_damaged_file_is_kept_beside_the_trial_that_replaces_it() {
        let (_base, run) = run();
        for (number, damage) in [(1, "cut"), (2, "flipped")] {
            run.write(&file_of_trial(7), damage.as_bytes()).unwrap();
            assert_eq!(run.attempts(7).unwrap(), 0);
            run.write_trial(&attempt(1)).unwrap();
            assert_eq!(run.read_trials().unwrap(), [attempt(1)]);
            let kept = run.read(&format!("raw/attempts/trial-0007.zst.damaged-{number}")).unwrap();
            assert_eq!(kept, damage);
        }
        assert_eq!(run.all_attempts().unwrap(), []);
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
