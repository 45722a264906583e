//! What others read of the results so far.

use std::path::Path;

use super::Results;
use crate::answers::{Answer, RunFinding};
use crate::figures::{Metric, Outcome, SummaryRow, TrialFigures, boots, summarise};
use crate::profile::{Configuration, Experiment};
use crate::report::Model;
use crate::report::terminal::Terminal;
use crate::report::{self, tables};
use crate::table::Row;

impl Results {
    /// Configurations of which the profile wants further repeats. Those that never gave a valid trial are given up.
    pub fn imprecise(&self) -> Vec<Configuration> {
        let Some(precision) = self.experiment.timing.precision else { return Vec::new() };
        let rows = summarise(&self.experiment.configurations, &self.trials);
        let wants = |row: &SummaryRow| {
            let tried = row.measured + row.invalid + row.failed;
            let rate = row.get(Metric::total(row.configuration.test));
            row.measured > 0
                && tried < precision.max_repeats
                && !rate.is_some_and(|rate| rate.is_within(precision.half_width_percent))
        };
        rows.into_iter().filter(wants).map(|row| row.configuration).collect()
    }

    /// The summary for a terminal.
    pub fn table(&self, terminal: Terminal) -> String {
        report::terminal::summary(&self.model(), terminal)
    }

    /// The summary for scripts.
    pub fn closing(&self) -> Closing {
        let model = self.model();
        Closing {
            warnings: report::warnings(&model).iter().map(ToString::to_string).collect(),
            answers: report::answers(&model).to_vec(),
            findings: report::findings(&model).to_vec(),
            configurations: tables::configurations(&model).to_objects(),
            summary: tables::summary(&model).to_objects(),
        }
    }

    /// The row of a trial in `trials.csv`, as far as the trials so far decide it: only all repeats show an outlier.
    pub fn trial_row(&self, trial: &TrialFigures) -> Row {
        let model = Model::new(&self.experiment, &self.provenance, std::slice::from_ref(trial));
        let mut row = tables::trials(&model).to_objects().pop().unwrap_or_default();
        let boot = boots(&self.trials).get(&trial.trial).copied();
        row.0.insert("boot".into(), boot.into());
        row
    }

    /// The run's name: that of its directory.
    pub fn name(&self) -> &str {
        &self.provenance.run
    }

    /// How many trials are planned so far.
    pub fn planned(&self) -> usize {
        self.planned
    }

    /// The trials so far, in the order of the plan.
    pub fn trials(&self) -> &[TrialFigures] {
        &self.trials
    }

    /// What was to be measured.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Where the results are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Whether every trial of the plan is there and valid.
    pub fn all_measured(&self) -> bool {
        self.trials.len() == self.planned
            && self.trials.iter().all(|trial| trial.outcome == Outcome::Measured)
    }
}

/// What a run shows, for scripts.
#[derive(Clone, Debug)]
pub struct Closing {
    /// For people.
    pub warnings: Vec<String>,
    /// What the swept factors do.
    pub answers: Vec<Answer>,
    /// What the numbers of guests show.
    pub findings: Vec<RunFinding>,
    /// The rows of `configurations.csv`.
    pub configurations: Vec<Row>,
    /// The rows of `summary.csv`.
    pub summary: Vec<Row>,
}
