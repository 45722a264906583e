//! Results of a run directory: all its trials, one after the other.

use anyhow::Result;

use super::kept::{self, Keeper};
use super::origin::provenance;
use super::table_files::TableFiles;
use super::{Results, RunDir, RunDirError, admission};
use crate::figures::{Course, Metric, TrialFigures};
use crate::foreign_text::visible;
use crate::host::Environment;
use crate::plan::Plan;
use crate::profile::Experiment;
use crate::raw::Accel;

impl Results {
    /// Reads a run directory.
    ///
    /// # Errors
    /// [`RunDirError`] if something in it is missing or of another version.
    pub fn read(dir: RunDir) -> Result<Results> {
        Results::load(dir, false)
    }

    /// Reads a run directory and writes its tables of single trials anew.
    ///
    /// # Errors
    /// As [`Results::read`]; if the run directory cannot be written.
    pub fn rewrite(dir: RunDir) -> Result<Results> {
        Results::load(dir, true)
    }

    fn load(dir: RunDir, rewrites: bool) -> Result<Results> {
        let (mut results, plan) = Results::open(dir)?;
        results.load_trials(&plan, rewrites)?;
        results.find_accel();
        Ok(results)
    }

    /// A run directory without its trials, and its plan.
    pub(super) fn open(dir: RunDir) -> Result<(Results, PlanAsRead), RunDirError> {
        let experiment: Experiment = dir.read_json("experiment.json")?;
        let environment: Environment = dir.read_json("environment.json")?;
        let read = PlanAsRead::new(&dir);
        let written = experiment.configurations.len() * experiment.timing.repeats as usize;
        let planned = read.plan.as_ref().map_or(written, |plan| plan.trials.len());
        let provenance = provenance(&dir, &environment, Accel::Tcg);
        Ok((Results::empty(dir, experiment, provenance, planned), read))
    }

    /// Takes what ran the guests' instructions from the trials.
    pub(super) fn find_accel(&mut self) {
        let readable = self.trials.iter().find(|trial| trial.started_s > 0.0);
        self.provenance.accel = readable.map_or(Accel::Tcg, |trial| trial.accel);
    }

    /// Takes all trials from the disk, and writes the tables of single trials on the way.
    pub(super) fn load_trials(&mut self, read: &PlanAsRead, rewrites: bool) -> Result<(), RunDirError> {
        let (dir, experiment, provenance) =
            (self.dir.clone(), self.experiment.clone(), self.provenance.clone());
        let create = || TableFiles::create(&dir, &kept::headers(&experiment, &provenance));
        let mut files = rewrites.then(create).transpose()?;
        self.trials.clear();
        self.courses.clear();
        self.drawn = None;
        let keeper = Keeper::new(&dir, &experiment, &provenance);
        let keeper = if rewrites { keeper } else { keeper.without_rows() };
        let lost = admission::read(&dir, &keeper, read.plan.as_ref(), |trial| {
            files.as_mut().map_or(Ok(()), |files| files.add(&trial.rows))?;
            self.put(trial.figures);
            Ok::<(), RunDirError>(())
        })?;
        let lost = read.damage.iter().chain(&lost);
        self.damage = lost.map(|sentence| visible(sentence).into()).collect();
        self.has_single_tables = rewrites;
        files.map_or(Ok(()), TableFiles::finish)
    }

    /// Puts a trial in its place, and drops the course of a less biased one.
    pub(super) fn put(&mut self, mut figures: TrialFigures) {
        self.forget_proofs(&mut figures);
        let bias = figures.valid().and(Metric::BiasRate.value(&figures)).unwrap_or(-1.0);
        let id = figures.configuration.id();
        let most = self.courses.get(&id).copied().filter(|(trial, _)| *trial != figures.trial);
        match most {
            Some((_, most)) if most > bias => forget_course(&mut figures),
            before => {
                let place = before.and_then(|(trial, _)| self.place(trial).ok());
                if let Some(place) = place {
                    forget_course(&mut self.trials[place]);
                }
                self.courses.insert(id, (figures.trial, bias));
            }
        }
        match self.place(figures.trial) {
            Ok(known) => self.trials[known] = figures,
            Err(gap) => self.trials.insert(gap, figures),
        }
    }

    /// Proofs stay where the lab is drawn from them: in the last valid trial with the most guests. All of a large run would fill
    /// the memory.
    fn forget_proofs(&mut self, figures: &mut TrialFigures) {
        let before = self.drawn.and_then(|trial| self.place(trial).ok());
        let most = before.map_or(0, |place| self.trials[place].configuration.vms);
        if figures.valid().is_none() || figures.configuration.vms < most {
            figures.checks = Vec::new();
            return;
        }
        if let Some(place) = before {
            self.trials[place].checks = Vec::new();
        }
        self.drawn = Some(figures.trial);
    }
}

/// The plan of a run.
pub(super) struct PlanAsRead {
    /// `None` if it cannot be read.
    pub plan: Option<Plan>,
    /// What is lost without it.
    damage: Option<String>,
}

impl PlanAsRead {
    pub fn new(dir: &RunDir) -> PlanAsRead {
        let lost = |error: RunDirError| {
            let (cause, hint) = (error.cause(), "hint: restore it from a copy of the run");
            format!("plan.json cannot be read: {cause}; trials that are missing are not noticed ({hint})")
        };
        match dir.read_json("plan.json") {
            Ok(plan) => PlanAsRead { plan: Some(plan), damage: None },
            Err(error) => PlanAsRead { plan: None, damage: Some(lost(error)) },
        }
    }
}

fn forget_course(figures: &mut TrialFigures) {
    if let Some(numbers) = &mut figures.numbers {
        numbers.course = Course::default();
    }
}
