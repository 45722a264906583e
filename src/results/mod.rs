//! The results of a run: raw trials -> tables and charts in its directory. `bench` adds trial by trial, `report` reads all at
//! once: the same code.
//!
//! - [`RunDir`], [`Writer`]: the directory, written atomically by one writer
//! - `loading`: [`Results::read`]; `trial_files`: the files of raw trials
//! - `admission`: raw trials as they are read back; damaged and unplanned ones are excluded
//! - `kept`: the figures of each trial, kept beside its raw file; `in_order`: read by all CPUs
//! - [`Export`]: all tables for other programs, piece by piece
//! - `table_files`: the tables of single trials, written row by row
//! - `attempts`: attempts at trials that failed
//! - [`merge`]: runs of one profile joined into one
//! - `origin`: the provenance of a run, from its environment
//! - `resumable`: whether a run can be resumed: by this kvmfair, on this machine
//! - `writing`: tables, charts and report, written anew; `views`: what others read of the results so far
//! - `due`: when the tables of all trials are written again
//!
//! Tables of single trials (flows, guests, CPUs …) are appended to. Those that compare trials are written anew: after each trial
//! of a short run, rarely in one of thousands. They may be behind on the disk; the raw trials never are.

mod admission;
mod attempts;
mod due;
mod export;
mod in_order;
mod kept;
mod loading;
pub mod merge;
mod origin;
mod resumable;
mod run_dir;
mod run_dir_error;
mod table_files;
mod trial_files;
mod views;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Result;

use crate::clock::wall_clock;
use crate::figures::{Outcome, TrialFigures};
use crate::host::Environment;
use crate::plan::Plan;
use crate::profile::Experiment;
use crate::raw::{Accel, RawTrial};
use crate::report::{Model, Provenance};
use admission::{ReadTrial, TrialReader};
use due::Due;
pub use export::Export;
use kept::Keeper;
use origin::provenance;
pub use resumable::refuse_other_machine;
use resumable::with_changes;
pub use run_dir::{RunDir, Writer};
pub use run_dir_error::RunDirError;
use trial_files::file_of_trial;
pub use views::Closing;

/// The results of a run so far. Whatever ends it, an error or a panic too, the tables catch up when the value goes.
pub struct Results {
    dir: RunDir,
    experiment: Experiment,
    provenance: Provenance,
    /// How many trials are planned so far.
    planned: usize,
    trials: Vec<TrialFigures>,
    /// Trials of the run that this one goes on with which are to be tried again: they stay in the tables until then.
    again: BTreeSet<u32>,
    due: Due,
    /// Whether trials are still added: a browser that shows the report reads it again.
    underway: bool,
    /// Whether the tables of single trials on the disk are those of `trials`.
    has_single_tables: bool,
    /// By configuration: its most biased trial, the only one that keeps its course, and that bias. One is drawn; all of a large
    /// run would fill the memory.
    courses: BTreeMap<String, (u32, f64)>,
    /// The trial whose lab is drawn, the only one that keeps its proofs.
    drawn: Option<u32>,
    /// What of the run is lost, a sentence each.
    damage: Vec<String>,
}

impl Results {
    /// Starts the results of a run: its environment and empty tables.
    ///
    /// # Errors
    /// If the run directory cannot be written.
    pub fn create(
        dir: RunDir,
        experiment: Experiment,
        environment: Environment,
        accel: Accel,
    ) -> Result<Results> {
        dir.write_json("environment.json", &environment)?;
        let provenance = provenance(&dir, &environment, accel);
        let planned = experiment.configurations.len() * experiment.timing.repeats as usize;
        let mut results = Results::empty(dir, experiment, provenance, planned);
        results.underway = true;
        results.write_tables()?;
        Ok(results)
    }

    fn empty(dir: RunDir, experiment: Experiment, provenance: Provenance, planned: usize) -> Results {
        Results {
            dir,
            experiment,
            provenance,
            planned,
            trials: Vec::new(),
            again: BTreeSet::new(),
            due: Due::never(),
            underway: false,
            has_single_tables: false,
            courses: BTreeMap::new(),
            drawn: None,
            damage: Vec::new(),
        }
    }

    /// Goes on with the results of a run that was broken off: its valid trials stay, all others are to be measured. Accepted changes
    /// are kept in its environment.
    ///
    /// # Errors
    /// [`RunDirError`] as in [`Results::read`]; if the machine is not the one that began the run and this is not accepted.
    pub fn resume(
        dir: RunDir,
        environment: &Environment,
        accel: Accel,
        accepts_changes: bool,
    ) -> Result<Results> {
        let began: Environment = dir.read_json("environment.json")?;
        if !accepts_changes {
            refuse_other_machine(&began, environment)?;
        } else if let Some(changed) = with_changes(began, environment, wall_clock() as i64) {
            dir.write_json("environment.json", &changed)?;
        }
        let mut results = Results::read(dir)?;
        let failed = results.trials.iter().filter(|trial| trial.outcome != Outcome::Measured);
        results.again = failed.map(|trial| trial.trial).collect();
        results.underway = true;
        results.provenance.accel = accel; // a run broken off before its first trial cannot tell
        Ok(results)
    }

    /// Whether a trial has been tried, and is not to be tried again.
    pub fn has(&self, trial: u32) -> bool {
        self.place(trial).is_ok() && !self.again.contains(&trial)
    }

    /// Where a trial is, or belongs: they are in the order of their numbers.
    fn place(&self, trial: u32) -> Result<usize, usize> {
        self.trials.binary_search_by_key(&trial, |done| done.trial)
    }

    /// How many attempts have been made at a trial, in this run and in those that it goes on with.
    ///
    /// # Errors
    /// If the run directory cannot be read.
    pub fn attempts(&self, trial: u32) -> Result<u32> {
        Ok(self.dir.attempts(trial)?)
    }

    /// Keeps the plan, which may have grown.
    ///
    /// # Errors
    /// If the run directory cannot be written.
    pub fn plan(&mut self, plan: &Plan) -> Result<()> {
        self.planned = plan.trials.len();
        Ok(self.dir.write_json("plan.json", plan)?)
    }

    /// Keeps one more trial: appends to the tables of single trials, and writes the others anew where that is cheap enough. Tables
    /// that cannot be written do not end a run: its raw trials are kept, and [`Results::finish`] writes them again.
    ///
    /// # Errors
    /// If the raw trial cannot be kept.
    pub fn add(&mut self, raw: RawTrial) -> Result<TrialFigures> {
        self.dir.write_trial(&raw)?;
        let keeper = Keeper::new(&self.dir, &self.experiment, &self.provenance);
        let ReadTrial { figures, rows } = keeper.trial(&file_of_trial(raw.trial))?;
        self.again.remove(&figures.trial);
        // One that was tried again, or skipped by a run before this one, does not belong at the end.
        self.has_single_tables &= self.place(figures.trial) == Err(self.trials.len());
        self.due.behind = true;
        self.put(figures.clone());
        let begun = Instant::now();
        if let Err(error) = self.update_tables(&rows) {
            tracing::warn!("failed to write the tables, which are written again later: {error:#}");
            self.has_single_tables = false;
            self.due = Due { behind: true, ..Due::after(begun, Instant::now()) };
        }
        Ok(figures)
    }

    /// Brings the tables up to date with a trial that has these rows.
    fn update_tables(&mut self, rows: &[String]) -> Result<()> {
        if self.has_single_tables {
            for (table, rows) in kept::headers(&self.experiment, &self.provenance).iter().zip(rows) {
                self.dir.append(&table.file_name(), rows)?;
            }
        }
        if self.due.is_now(Instant::now()) {
            self.write_tables()?;
        }
        Ok(())
    }

    /// Keeps an attempt beside the tables if it came to nothing; `None` if it was measured and should be added.
    ///
    /// # Errors
    /// If the run directory cannot be written.
    pub fn set_aside(&self, raw: &RawTrial) -> Result<Option<TrialFigures>> {
        let figures = TrialFigures::compute(raw, &self.experiment.timing);
        if figures.outcome == Outcome::Measured {
            return Ok(None);
        }
        self.dir.write_attempt(raw)?;
        Ok(Some(figures))
    }

    /// What renderers read.
    pub fn model(&self) -> Model<'_> {
        Model { damage: &self.damage, ..Model::new(&self.experiment, &self.provenance, &self.trials) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::figures::fixture;
    use crate::report::fixture as report_fixture;

    /// Results of no trial yet, whose tables took so long to write.
    fn results(base: &Path, took: Duration) -> Results {
        let (experiment, provenance, _) = report_fixture::run();
        let dir = RunDir::create(base, "p", "t").unwrap();
        let due = Due { took, ..Due::never() };
        let mut results = Results::empty(dir, experiment, provenance, 9);
        (results.due, results.underway) = (due, true);
        results
    }

    fn trial(number: u32) -> RawTrial {
        fixture::numbered(
            fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]),
            number,
            number,
        )
    }

    /// Rows of `trials.csv`; `None` without the file.
    fn rows(dir: &RunDir) -> Option<usize> {
        Some(dir.read("trials.csv").ok()?.lines().count() - 1)
    }

    #[test]
    fn tables_that_cost_nothing_are_written_after_each_trial() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::ZERO);
        results.add(trial(1)).unwrap();
        assert_eq!(rows(&results.dir), Some(1));
    }

    #[test]
    fn tables_of_single_trials_are_appended_to_and_come_out_as_if_written_at_once() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::from_secs(3600));
        results.write_tables().unwrap();
        let dir = results.dir.clone();
        let header = dir.read("flows.csv").unwrap();
        results.due = Due { took: Duration::from_secs(3600), ..Due::never() };
        for number in 1..=3 {
            results.add(trial(number)).unwrap();
        }
        let appended = dir.read("flows.csv").unwrap();
        assert!(appended.starts_with(&header) && appended.lines().count() == 1 + 3 * 8, "{appended}");
        results.write_tables().unwrap();
        assert_eq!(dir.read("flows.csv").unwrap(), appended);
    }

    /// A run of six trials on the disk, one of them failed, with its report.
    fn reported(base: &Path) -> RunDir {
        let dir = RunDir::create(base, "p", "t").unwrap();
        let experiment = report_fixture::run().0;
        dir.write_json("experiment.json", &experiment).unwrap();
        let mut results =
            Results::create(dir.clone(), experiment, Environment::default(), Accel::Tcg).unwrap();
        for number in [1, 2, 4, 5, 6] {
            results.add(trial(number)).unwrap();
        }
        let failed = fixture::failed(fixture::configuration("virtio", 2));
        results.add(fixture::numbered(failed, 3, 3)).unwrap();
        results.finish().unwrap();
        dir
    }

    /// Every file of the report by name.
    fn files(dir: &RunDir) -> BTreeMap<String, Vec<u8>> {
        let files = ["", "charts"].map(|part| std::fs::read_dir(dir.path().join(part)).unwrap());
        let files = files.into_iter().flatten().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.is_file());
        files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
    }

    #[test]
    fn the_picture_of_the_lab_has_the_cpus_that_guests_were_pinned_to_whatever_trial_came_last() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::create(base.path(), "p", "t").unwrap();
        let experiment = report_fixture::run().0;
        dir.write_json("experiment.json", &experiment).unwrap();
        let mut results =
            Results::create(dir.clone(), experiment, Environment::default(), Accel::Tcg).unwrap();
        for number in [2, 1, 3] {
            let mut raw = trial(number);
            let found = number.to_string();
            let what = "guest 1: CPUs of vCPU 0".to_owned();
            raw.checks = vec![crate::raw::Check { what, expected: found.clone(), found }];
            results.add(raw).unwrap();
        }
        results.finish().unwrap();
        let drawn = || dir.read("charts/lab.svg").unwrap().replace('\u{a0}', " ");
        assert!(drawn().contains("on CPU 3"), "{}", drawn());
        assert_eq!(results.trials.iter().filter(|trial| !trial.checks.is_empty()).count(), 1);
        drop(results);
        Results::rewrite(dir.clone()).unwrap().finish().unwrap();
        assert!(drawn().contains("on CPU 3"), "{}", drawn());
    }

    fn kept(dir: &RunDir, trial: u32) -> PathBuf {
        dir.path().join(format!("figures/trial-{trial:04}.zst"))
    }

    #[test]
    fn a_report_from_kept_figures_is_the_one_from_raw_data_and_the_one_of_bench() {
        let base = tempfile::tempdir().unwrap();
        let dir = reported(base.path());
        let benchs = files(&dir);
        Results::rewrite(dir.clone()).unwrap().finish().unwrap();
        assert!(files(&dir) == benchs, "from kept figures");
        std::fs::remove_dir_all(dir.path().join("figures")).unwrap();
        Results::rewrite(dir.clone()).unwrap().finish().unwrap();
        assert!(files(&dir) == benchs, "from raw data");
        assert!(kept(&dir, 6).exists());
    }

    #[test]
    fn kept_figures_that_are_damaged_or_of_another_trial_are_computed_anew() {
        let base = tempfile::tempdir().unwrap();
        let dir = reported(base.path());
        let before = files(&dir);
        let whole = std::fs::read(kept(&dir, 1)).unwrap();
        std::fs::copy(kept(&dir, 1), kept(&dir, 2)).unwrap();
        std::fs::write(kept(&dir, 4), &whole[..whole.len() / 2]).unwrap();
        std::fs::write(kept(&dir, 5), b"{}").unwrap();
        let mut flipped = std::fs::read(kept(&dir, 6)).unwrap();
        flipped[40] ^= 1;
        std::fs::write(kept(&dir, 6), flipped).unwrap();
        Results::rewrite(dir.clone()).unwrap().finish().unwrap();
        assert!(files(&dir) == before);
        assert_ne!(std::fs::read(kept(&dir, 2)).unwrap(), whole, "kept again");
    }

    #[test]
    fn kept_figures_never_stand_for_raw_data_that_changed_or_broke() {
        let base = tempfile::tempdir().unwrap();
        let dir = reported(base.path());
        dir.write_raw(&file_of_trial(1), &RawTrial { attempt: 7, ..trial(1) }).unwrap();
        dir.write(&file_of_trial(2), b"broken").unwrap();
        let read = Results::read(dir.clone()).unwrap();
        assert_eq!(read.trials()[0].attempt, 7);
        assert!(read.place(2).is_err() || read.trials()[1].numbers.is_none());
    }

    #[test]
    fn kept_figures_are_not_used_for_raw_data_that_changed_though_length_and_time_are_the_same() {
        let base = tempfile::tempdir().unwrap();
        let dir = reported(base.path());
        let raw = |trial: u32| dir.path().join(file_of_trial(trial));
        let stamps = [1, 2].map(|trial| dir.stamp(&file_of_trial(trial)).unwrap());
        assert_eq!(stamps[0], dir.stamp(&file_of_trial(1)).unwrap());
        assert_ne!(stamps[0], stamps[1]);
        let time = std::fs::metadata(raw(2)).unwrap().modified().unwrap();
        let mut bytes = std::fs::read(raw(2)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(raw(2), bytes).unwrap();
        std::fs::File::options().write(true).open(raw(2)).unwrap().set_modified(time).unwrap();
        assert_ne!(dir.stamp(&file_of_trial(2)).unwrap(), stamps[1]);
        let read = Results::read(dir.clone()).unwrap();
        assert!(read.place(2).is_err() || read.trials()[1].numbers.is_none(), "a damaged trial is no trial");
    }

    #[test]
    fn tables_that_cannot_be_written_end_no_run_and_are_complete_once_they_can() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::ZERO);
        results.add(trial(1)).unwrap();
        let in_the_way = results.dir.path().join("trials.csv");
        std::fs::remove_file(&in_the_way).unwrap();
        std::fs::create_dir(&in_the_way).unwrap();
        for number in 2..=3 {
            results.add(trial(number)).unwrap();
        }
        let error = results.finish().unwrap_err().to_string();
        assert!(error.contains("trials.csv must be a regular file, got a directory"), "{error}");
        std::fs::remove_dir(&in_the_way).unwrap();
        results.finish().unwrap();
        assert_eq!((rows(&results.dir), results.dir.read_trials().unwrap().len()), (Some(3), 3));
    }

    #[test]
    fn only_the_most_biased_trial_of_a_configuration_keeps_its_course() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::from_secs(3600));
        for (number, rate) in [(1, 950.0), (2, 600.0), (3, 800.0)] {
            let raw = fixture::trial(fixture::configuration("virtio", 2), &[rate, 1100.0]);
            results.add(fixture::numbered(raw, number, number)).unwrap();
        }
        let has_course = |trial: &TrialFigures| !trial.valid().unwrap().course.guests.is_empty();
        assert_eq!(results.trials.iter().map(has_course).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn whatever_of_the_report_was_removed_is_written_again() {
        let base = tempfile::tempdir().unwrap();
        let dir = reported(base.path());
        let before = files(&dir);
        let is_drawn = |file: &&String| !file.ends_with(".json") && !file.ends_with("lock");
        before.keys().filter(is_drawn).for_each(|file| std::fs::remove_file(file).unwrap());
        std::fs::remove_dir(dir.path().join("charts")).unwrap();
        Results::rewrite(dir.clone()).unwrap().finish().unwrap();
        assert!(files(&dir) == before);
    }

    #[test]
    fn tables_that_cost_much_wait_and_catch_up_when_the_run_is_over_however_it_ended() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::from_secs(3600));
        let dir = results.dir.clone();
        for number in 1..=2 {
            results.add(trial(number)).unwrap();
        }
        assert_eq!(
            (rows(&dir), dir.read_trials().unwrap().len()),
            (None, 2),
            "only the raw trials are there"
        );
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _results = results;
            panic!("the run");
        }));
        assert!(panicked.is_err());
        assert_eq!(rows(&dir), Some(2));
    }

    #[test]
    fn a_failed_trial_of_a_run_that_goes_on_stays_in_the_tables_until_it_has_been_tried_again() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::create(base.path(), "p", "t").unwrap();
        let (experiment, environment) = (report_fixture::run().0, Environment::default());
        dir.write_json("experiment.json", &experiment).unwrap();
        let mut first = Results::create(dir.clone(), experiment, environment.clone(), Accel::Tcg).unwrap();
        let failed = fixture::numbered(fixture::failed(fixture::configuration("virtio", 2)), 2, 2);
        for raw in [trial(1), failed, trial(3)] {
            first.add(raw).unwrap();
        }
        drop(first);
        let mut resumed = Results::resume(dir.clone(), &environment, Accel::Tcg, false).unwrap();
        assert_eq!([1, 2, 3, 4].map(|number| resumed.has(number)), [true, false, true, false]);
        resumed.write_tables().unwrap();
        assert_eq!(rows(&dir), Some(3));
        resumed.add(RawTrial { attempt: resumed.attempts(2).unwrap() + 1, ..trial(2) }).unwrap();
        assert!(resumed.has(2));
        resumed.write_tables().unwrap();
        let table = dir.read("trials.csv").unwrap();
        assert_eq!((rows(&dir), table.contains("failed")), (Some(3), false), "{table}");
        let warnings = resumed.closing().warnings.join("\n");
        assert!(warnings.contains("trial 2 the most (2)"), "{warnings}");
    }
}
