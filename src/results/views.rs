//! What others read of the results so far.

use std::path::Path;

use serde_json::{Value, json};

use super::Results;
use crate::answers::Answer;
use crate::figures::{Metric, Outcome, SummaryRow, TrialFigures, summarise};
use crate::profile::{Configuration, Experiment};
use crate::report::terminal::Terminal;
use crate::report::{self, tables};

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

    /// The summary for scripts: `configurations.csv` and `summary.csv` with their columns as keys, and the warnings.
    pub fn json(&self) -> Value {
        let model = self.model();
        json!({
            "run": self.provenance.run,
            "directory": self.dir.path(),
            "complete": self.all_measured(),
            "answers": report::answers(&model).iter().map(answer).collect::<Vec<_>>(),
            "warnings": report::warnings(&model).iter().map(ToString::to_string).collect::<Vec<_>>(),
            "configurations": tables::configurations(&model).to_json(),
            "summary": tables::summary(&model).to_json(),
        })
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

/// An answer with its sentence.
fn answer(answer: &Answer) -> Value {
    let mut value = json!(answer);
    value["sentence"] = answer.to_string().into();
    value
}
