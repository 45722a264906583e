//! Two runs against each other: a table for the terminal, Markdown, and JSON lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::describe;
use super::table_line::line;
use super::terminal::{Terminal, wrapped};
use crate::answers::{self, Comparison, Measure, Metric, compare};
use crate::figures::TrialFigures;
use crate::profile::{Configuration, Experiment, Factor};

/// The columns of the table.
const COLUMNS: [&str; 6] = ["configuration", "metric", "base", "new", "change (95 % interval)", "verdict"];

/// One run, as far as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct ComparedRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was to be measured.
    pub experiment: &'a Experiment,
    /// All of its trials.
    pub trials: &'a [TrialFigures],
}

/// Two runs, compared.
#[derive(Clone, Debug)]
pub struct RunComparison<'a> {
    base: ComparedRun<'a>,
    new: ComparedRun<'a>,
    /// What differs between the machines and their software.
    differences: Vec<String>,
    /// In the order of metrics and configurations' ids.
    comparisons: Vec<Comparison>,
}

impl<'a> RunComparison<'a> {
    /// Compares the valid trials of two runs. `ratio` is the smallest change of a ratio that matters, such as 0.05; `points` that
    /// of a rate bias, in points.
    pub fn new(
        base: ComparedRun<'a>,
        new: ComparedRun<'a>,
        differences: Vec<String>,
        (ratio, points): (f64, f64),
    ) -> RunComparison<'a> {
        let threshold = |metric: &Metric| match metric.measure {
            Measure::Ratio => ratio,
            Measure::Points => points,
        };
        let (before, after) = (answers::values(base.trials), answers::values(new.trials));
        let comparisons = compare(&answers::metrics(), &before, &after, threshold);
        RunComparison { base, new, differences, comparisons }
    }

    /// For a terminal.
    pub fn to_terminal(&self, terminal: Terminal) -> String {
        let text = format!("base: {}\nnew:  {}\n", self.base.name, self.new.name);
        let notes: String = self.notes().iter().map(|note| format!("{note}\n")).collect();
        let table = if self.comparisons.is_empty() {
            String::new()
        } else {
            wrapped(&COLUMNS, self.rows(), terminal) + "\n"
        };
        text + &table + &notes
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {} against {}\n\n", self.new.name, self.base.name);
        if !self.comparisons.is_empty() {
            text += &(line(COLUMNS) + &line(["---", "---", "---:", "---:", "---:", "---"]));
            text += &self.rows().into_iter().map(line).collect::<String>();
            text.push('\n');
        }
        text + &self.notes().iter().map(|note| format!("- {note}\n")).collect::<String>()
    }

    /// One object a line: `runs` with what differs between them, then a `comparison` for each configuration and metric.
    pub fn to_json_lines(&self) -> String {
        let runs = json!({
            "type": "runs",
            "base": self.base.name,
            "new": self.new.name,
            "environment_differences": self.differences,
            "only_in_base": only_in(self.base, self.new),
            "only_in_new": only_in(self.new, self.base),
        });
        let lines = self.comparisons.iter().map(|one| self.object(one));
        std::iter::once(runs).chain(lines).map(|value| format!("{value}\n")).collect()
    }

    fn object(&self, one: &Comparison) -> Value {
        json!({
            "type": "comparison",
            "base_run": self.base.name,
            "new_run": self.new.name,
            "configuration": one.configuration,
            "label": self.label(&one.configuration),
            "metric": one.metric.key,
            "unit": one.metric.unit,
            "measure": one.metric.measure,
            "base": one.base,
            "new": one.new,
            "change": one.change,
            "low": one.interval.map(|(low, _)| low),
            "high": one.interval.map(|(_, high)| high),
            "is_within_one_boot": one.is_within_one_boot,
            "threshold": one.threshold,
            "verdict": one.verdict,
        })
    }

    /// The rows of the table: all metrics of a configuration together, in the order of the base run.
    fn rows(&self) -> Vec<[String; COLUMNS.len()]> {
        let ids = self.base.experiment.configurations.iter().map(Configuration::id);
        let of_configuration = |id: String| {
            let own = self.comparisons.iter().filter(move |one| one.configuration == id);
            own.map(|one| self.row(one)).collect::<Vec<_>>()
        };
        ids.flat_map(of_configuration).collect()
    }

    fn row(&self, one: &Comparison) -> [String; COLUMNS.len()] {
        let Metric { label, unit, .. } = &one.metric;
        let metric = if unit.is_empty() { label.clone() } else { format!("{label}, {unit}") };
        let why = if one.is_within_one_boot { " (one boot)" } else { "" };
        let verdict = format!("{}{why}", one.verdict.word());
        let (base, new) = (super::number::plain(one.base.mean), super::number::plain(one.new.mean));
        [self.label(&one.configuration), metric, base, new, one.change_in_words(), verdict]
    }

    /// A configuration in words; its id where nothing is swept.
    fn label(&self, id: &str) -> String {
        let mut factors: Vec<Factor> = self.base.experiment.factors.clone();
        factors.extend(
            self.new.experiment.factors.iter().filter(|new| !self.base.experiment.factors.contains(new)),
        );
        let known = [self.new, self.base].iter().find_map(|run| configurations(run).remove(id));
        let words = known.map(|configuration| describe(configuration, &factors)).unwrap_or_default();
        if words.is_empty() { id.to_owned() } else { words }
    }

    /// What has to be known beside the table.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.comparisons.is_empty() {
            notes.push("No configuration has valid trials in both runs.".to_owned());
        }
        if self.comparisons.iter().any(|one| one.is_within_one_boot) {
            notes.push(
                "One boot: its luck cannot be separated from a change (hint: `reprovision = \"block\"` in `[plan]`)."
                    .to_owned(),
            );
        }
        for (run, only) in
            [(self.base, only_in(self.base, self.new)), (self.new, only_in(self.new, self.base))]
        {
            if !only.is_empty() {
                let labels: Vec<String> =
                    only.iter().map(|id| format!("{} ({id})", self.label(id))).collect();
                notes.push(format!("Only in {}: {}.", run.name, labels.join("; ")));
            }
        }
        notes.extend(
            self.differences.iter().map(|difference| format!("The environments differ: {difference}.")),
        );
        notes
    }
}

/// Configurations with valid trials, by id.
fn configurations<'a>(run: &ComparedRun<'a>) -> BTreeMap<String, &'a Configuration> {
    let valid = run.trials.iter().filter(|trial| trial.valid().is_some());
    valid.map(|trial| (trial.configuration.id(), &trial.configuration)).collect()
}

/// Ids of the configurations that only `one` has.
fn only_in(one: ComparedRun, other: ComparedRun) -> Vec<String> {
    let others = configurations(&other);
    configurations(&one).into_keys().filter(|id| !others.contains_key(id)).collect()
}
