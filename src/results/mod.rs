//! The results of a run: raw trials -> tables and charts in its directory. `bench` adds trial by trial, `report` reads all at
//! once: the same code.
//!
//! - [`RunDir`], [`Writer`]: the directory, written atomically by one writer
//! - `admission`: raw trials as they are read back; damaged and unplanned ones are excluded
//! - `attempts`: attempts at trials that failed
//! - [`merge`]: runs of one profile joined into one
//! - `origin`: the provenance of a run, from its environment
//! - `views`: what others read of the results so far
//! - `due`: when the tables of all trials are written again
//!
//! Tables of single trials (flows, guests, CPUs …) are appended to. Those that compare trials are written anew: after each trial
//! of a short run, rarely in one of thousands. They may be behind on the disk; the raw trials never are.

mod admission;
mod attempts;
mod due;
pub mod merge;
mod origin;
mod run_dir;
mod run_dir_error;
mod views;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::figures::{Outcome, TrialFigures, timeline};
use crate::host::Environment;
use crate::plan::Plan;
use crate::profile::Experiment;
use crate::raw::{Accel, RawTrial};
use crate::report::chart::{charts, png};
use crate::report::{self, Model, Provenance, tables};
use crate::table::{FORMATS, Table};
use due::Due;
use origin::provenance;
pub use run_dir::{RunDir, Writer};
pub use run_dir_error::RunDirError;
pub use views::Closing;

/// Rows of `timeline.csv` for one trial, at most about.
const ROWS_OF_TRIAL: usize = 20_000;
/// The same of a run: some 20 MB. Of many trials, slices are longer.
const ROWS_OF_RUN: usize = 500_000;

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
        let (trials, again, due) = (Vec::new(), BTreeSet::new(), Due::never());
        let mut results = Results { dir, experiment, provenance, planned, trials, again, due };
        results.write_tables()?;
        Ok(results)
    }

    /// Goes on with the results of a run that was broken off: its valid trials stay, all others are to be measured.
    ///
    /// # Errors
    /// [`RunDirError`] as in [`Results::read`]; if the machine is not the one that began the run.
    pub fn resume(dir: RunDir, environment: &Environment, accel: Accel) -> Result<Results> {
        let before: Environment = dir.read_json("environment.json")?;
        let differs = before.differences(environment);
        ensure!(
            differs.is_empty(),
            "this machine is not as it was when the run began: {} (hint: begin a new run)",
            differs.join("; ")
        );
        let mut results = Results::read(dir)?;
        let failed = results.trials.iter().filter(|trial| trial.outcome != Outcome::Measured);
        results.again = failed.map(|trial| trial.trial).collect();
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

    /// Reads a run directory.
    ///
    /// # Errors
    /// [`RunDirError`] if something in it is missing or of another version.
    pub fn read(dir: RunDir) -> Result<Results> {
        let experiment: Experiment = dir.read_json("experiment.json")?;
        let environment: Environment = dir.read_json("environment.json")?;
        let plan = dir.read_json::<Plan>("plan.json").ok();
        let trials = admission::read(&dir, &experiment, plan.as_ref())?;
        let readable = trials.iter().find(|trial| trial.started_s > 0.0);
        let accel = readable.map_or(Accel::Tcg, |trial| trial.accel);
        let written = experiment.configurations.len() * experiment.timing.repeats as usize;
        let planned = plan.map_or(written, |plan| plan.trials.len());
        let (provenance, again, due) = (provenance(&dir, &environment, accel), BTreeSet::new(), Due::never());
        Ok(Results { dir, experiment, provenance, planned, trials, again, due })
    }

    /// Keeps the plan, which may have grown.
    ///
    /// # Errors
    /// If the run directory cannot be written.
    pub fn plan(&mut self, plan: &Plan) -> Result<()> {
        self.planned = plan.trials.len();
        Ok(self.dir.write_json("plan.json", plan)?)
    }

    /// Keeps one more trial: appends to the tables of single trials, and writes the others anew where that is cheap enough.
    ///
    /// # Errors
    /// If the run directory cannot be written.
    pub fn add(&mut self, raw: RawTrial) -> Result<TrialFigures> {
        self.dir.write_trial(&raw)?;
        let figures = TrialFigures::compute(&raw, &self.experiment.timing);
        self.again.remove(&figures.trial);
        self.due.behind = true;
        match self.place(figures.trial) {
            Err(end) if end == self.trials.len() => {
                self.trials.push(figures.clone());
                self.append(&figures)?;
            }
            // A trial that was tried again, or skipped by a run before this one.
            place => {
                match place {
                    Ok(known) => self.trials[known] = figures.clone(),
                    Err(gap) => self.trials.insert(gap, figures.clone()),
                }
                self.write(tables::per_trial(&self.experiment, &self.provenance, &self.trials))?;
            }
        }
        if self.due.is_now(Instant::now()) {
            self.write_comparisons()?;
        }
        Ok(figures)
    }

    /// Adds the last trial to the tables of single trials.
    fn append(&self, last: &TrialFigures) -> Result<()> {
        let one = std::slice::from_ref(last);
        for table in tables::per_trial(&self.experiment, &self.provenance, one) {
            self.dir.append(&table.file_name(), &table.to_csv_rows())?;
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

    /// Writes tables, report and charts.
    ///
    /// # Errors
    /// If a chart cannot be drawn or the run directory cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        self.write_tables()?;
        self.write_timeline()?;
        let model = self.model();
        let charts = charts(&model)?;
        self.dir.make("charts")?;
        for chart in &charts {
            self.dir.write(&format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
            let png = png(&chart.svg).with_context(|| format!("failed to draw {}", chart.name))?;
            self.dir.write(&format!("charts/{}.png", chart.name), &png)?;
        }
        Ok(self.dir.write("report.md", report::markdown::report(&model, &charts).as_bytes())?)
    }

    /// The course of every trial. Read from the disk again, one by one: only figures are kept in memory.
    fn write_timeline(&self) -> Result<()> {
        let (raws, model) = (self.dir.trials()?, self.model());
        let limit = ROWS_OF_TRIAL.min(ROWS_OF_RUN / raws.len().max(1));
        let mut text = tables::timeline(&model, None).to_csv();
        for raw in raws {
            // What is excluded has no course.
            let Ok(raw) = raw else { continue };
            let is_known = self.trials.iter().any(|t| t.trial == raw.trial && t.numbers.is_some());
            if !is_known {
                continue;
            }
            let points = timeline(&raw, &self.experiment.timing, limit);
            let trial = (raw.trial, &raw.configuration, points);
            text.push_str(&tables::timeline(&model, Some(trial)).to_csv_rows());
        }
        Ok(self.dir.write("timeline.csv", text.as_bytes())?)
    }

    fn write_tables(&mut self) -> Result<()> {
        self.write(tables::per_trial(&self.experiment, &self.provenance, &self.trials))?;
        self.write([tables::columns(&self.model())])?;
        self.write_comparisons()
    }

    /// The tables that are made of all trials.
    fn write_comparisons(&mut self) -> Result<()> {
        let begun = Instant::now();
        for table in tables::of_all_trials(&self.model()) {
            for format in FORMATS {
                let name = format!("{}.{}", table.name, format.extension);
                self.dir.write(&name, (format.render)(&table).as_bytes())?;
            }
        }
        self.due = Due::after(begun, Instant::now());
        Ok(())
    }

    fn write(&self, tables: impl IntoIterator<Item = Table>) -> Result<()> {
        for table in tables {
            self.dir.write(&table.file_name(), table.to_csv().as_bytes())?;
        }
        Ok(())
    }

    fn model(&self) -> Model<'_> {
        Model::new(&self.experiment, &self.provenance, &self.trials)
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        if self.due.behind
            && let Err(error) = self.write_tables()
        {
            tracing::warn!("failed to write the tables (hint: `kvmfair report`): {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::figures::fixture;
    use crate::report::fixture as report_fixture;

    /// Results of no trial yet, whose tables took so long to write.
    fn results(base: &Path, took: Duration) -> Results {
        let (experiment, provenance, _) = report_fixture::run();
        let dir = RunDir::create(base, "p", "t").unwrap();
        let (planned, trials) = (9, Vec::new());
        let due = Due { took, ..Due::never() };
        Results { dir, experiment, provenance, planned, trials, again: BTreeSet::new(), due }
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

    #[test]
    fn the_report_is_written_again_although_the_charts_directory_was_removed() {
        let base = tempfile::tempdir().unwrap();
        let mut results = results(base.path(), Duration::ZERO);
        results.add(trial(1)).unwrap();
        results.finish().unwrap();
        let charts = results.dir.path().join("charts");
        std::fs::remove_dir_all(&charts).unwrap();
        results.finish().unwrap();
        assert!(charts.read_dir().unwrap().count() > 0);
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
        let mut resumed = Results::resume(dir.clone(), &environment, Accel::Tcg).unwrap();
        assert_eq!([1, 2, 3, 4].map(|number| resumed.has(number)), [true, false, true, false]);
        resumed.write_tables().unwrap();
        assert_eq!(rows(&dir), Some(3));
        resumed.add(RawTrial { attempt: resumed.attempts(2).unwrap() + 1, ..trial(2) }).unwrap();
        assert!(resumed.has(2));
        resumed.write_tables().unwrap();
        let table = dir.read("trials.csv").unwrap();
        assert_eq!((rows(&dir), table.contains("failed")), (Some(3), false), "{table}");
        assert!(resumed.closing().warnings[0].contains("trial 2 the most (2)"));
    }
}
