//! Two runs against each other: a table for the terminal, Markdown, and JSON lines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::describe;
use super::terminal::Terminal;
use crate::answers::{self, Analysis, ComparedSide, Comparison, Measure, Metric, Verdict, compare};
use crate::figures::TrialFigures;
use crate::profile::{Configuration, Experiment, Factor};
use crate::table::{Cell, Column, ColumnType, Table};

/// The columns of the table.
const COLUMNS: [(&str, ColumnType); 6] = [
    ("configuration", ColumnType::Text),
    ("metric", ColumnType::Text),
    ("base", ColumnType::Real),
    ("new", ColumnType::Real),
    ("change (95 % interval)", ColumnType::Text),
    ("verdict", ColumnType::Text),
];

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
    /// Configurations with valid trials of each, by id.
    known: [BTreeMap<String, &'a Configuration>; 2],
}

/// Two runs that were compared, for scripts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparedRuns {
    /// Name of the run compared with.
    base: String,
    /// Name of the run that is judged.
    new: String,
    /// What differs between the machines and their software.
    environment_differences: Vec<String>,
    /// Ids of configurations that only the base run has.
    only_in_base: Vec<String>,
    /// Ids of configurations that only the new run has.
    only_in_new: Vec<String>,
}

/// One figure of one configuration in two runs, for scripts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComparisonRow {
    /// Name of the run compared with.
    base_run: String,
    /// Name of the run that is judged.
    new_run: String,
    /// Id of the configuration.
    configuration: String,
    /// The configuration in words.
    label: String,
    /// Column of the figure.
    metric: String,
    /// Its unit.
    unit: String,
    /// Whether `change` is a ratio (new ÷ base) or a difference in points (new − base).
    measure: Measure,
    /// The figure in the base run.
    base: ComparedSide,
    /// The figure in the new run.
    new: ComparedSide,
    /// New against base.
    change: f64,
    /// Lower end of the interval of `change`; null where there is none.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// Whether a run has one boot only, whose luck cannot be separated from a change.
    is_within_one_boot: bool,
    /// The smallest change that matters.
    threshold: f64,
    /// What was decided.
    verdict: Verdict,
}

impl ComparisonRow {
    /// The row of a comparison; `label` is its configuration in words.
    pub(super) fn new(base_run: &str, new_run: &str, label: String, one: &Comparison) -> ComparisonRow {
        ComparisonRow {
            base_run: base_run.to_owned(),
            new_run: new_run.to_owned(),
            configuration: one.configuration.clone(),
            label,
            metric: one.metric.key.clone(),
            unit: one.metric.unit.clone(),
            measure: one.metric.measure,
            base: one.base,
            new: one.new,
            change: one.change,
            low: one.interval.map(|(low, _)| low),
            high: one.interval.map(|(_, high)| high),
            is_within_one_boot: one.is_within_one_boot,
            threshold: one.threshold,
            verdict: one.verdict,
        }
    }
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
        let comparisons = compare(&answers::metrics(), &before, &after, threshold, Analysis::ONCE);
        let known = [base, new].map(|run| configurations(&run));
        RunComparison { base, new, differences, comparisons, known }
    }

    /// For a terminal.
    pub fn to_terminal(&self, terminal: Terminal) -> String {
        let text = format!("base: {}\nnew:  {}\n", self.base.name, self.new.name);
        let notes: String = self.notes().iter().map(|note| format!("{note}\n")).collect();
        let table =
            if self.comparisons.is_empty() { String::new() } else { self.table().to_terminal(terminal) };
        text + &table + &notes
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {} against {}\n\n", self.new.name, self.base.name);
        if !self.comparisons.is_empty() {
            text += &(self.table().to_markdown() + "\n");
        }
        text + &self.notes().iter().map(|note| format!("- {note}\n")).collect::<String>()
    }

    /// The runs, with what differs between them.
    pub fn runs(&self) -> ComparedRuns {
        ComparedRuns {
            base: self.base.name.to_owned(),
            new: self.new.name.to_owned(),
            environment_differences: self.differences.clone(),
            only_in_base: self.only_in_base(),
            only_in_new: self.only_in_new(),
        }
    }

    /// One row for each configuration and metric.
    pub fn json_rows(&self) -> Vec<ComparisonRow> {
        self.comparisons.iter().map(|one| self.json_row(one)).collect()
    }

    fn json_row(&self, one: &Comparison) -> ComparisonRow {
        ComparisonRow::new(self.base.name, self.new.name, self.label(&one.configuration), one)
    }

    fn table(&self) -> Table {
        let column = |(name, kind): (&'static str, ColumnType)| Column::plain(name, kind, "");
        Table { name: "comparison", columns: COLUMNS.map(column).to_vec(), rows: self.rows() }
    }

    /// The rows of the table: all metrics of a configuration together, in the order of the base run.
    fn rows(&self) -> Vec<Vec<Cell>> {
        let ids = self.base.experiment.configurations.iter().map(Configuration::id);
        let of_configuration = |id: String| {
            let own = self.comparisons.iter().filter(move |one| one.configuration == id);
            own.map(|one| self.row(one)).collect::<Vec<_>>()
        };
        ids.flat_map(of_configuration).collect()
    }

    fn row(&self, one: &Comparison) -> Vec<Cell> {
        let Metric { label, unit, .. } = &one.metric;
        let metric = if unit.is_empty() { label.clone() } else { format!("{label}, {unit}") };
        let why = if one.is_within_one_boot { " (one boot)" } else { "" };
        let verdict = format!("{}{why}", one.verdict.word());
        let means = [one.base.mean, one.new.mean].map(|mean| Cell::real(Some(mean)));
        let names = [self.label(&one.configuration), metric].map(Cell::text);
        let result = [one.change_in_words(), verdict].map(Cell::text);
        names.into_iter().chain(means).chain(result).collect()
    }

    /// A configuration in words; its id where nothing is swept.
    fn label(&self, id: &str) -> String {
        let mut factors: Vec<Factor> = self.base.experiment.factors.clone();
        factors.extend(
            self.new.experiment.factors.iter().filter(|new| !self.base.experiment.factors.contains(new)),
        );
        let known = self.known.iter().rev().find_map(|known| known.get(id).copied());
        let words = known.map(|configuration| describe(configuration, &factors)).unwrap_or_default();
        if words.is_empty() { id.to_owned() } else { words }
    }

    /// Ids of the configurations that only the base run has.
    fn only_in_base(&self) -> Vec<String> {
        let [base, new] = &self.known;
        base.keys().filter(|id| !new.contains_key(*id)).cloned().collect()
    }

    fn only_in_new(&self) -> Vec<String> {
        let [base, new] = &self.known;
        new.keys().filter(|id| !base.contains_key(*id)).cloned().collect()
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
        for (run, only) in [(self.base, self.only_in_base()), (self.new, self.only_in_new())] {
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
