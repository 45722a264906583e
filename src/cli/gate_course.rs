//! A gate while it measures: what it judges, when, and what is measured again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::civil::Date;

use super::baseline::today;
use super::exit::{Exit, NotComparable};
use super::finished_run::{FinishedRun, values_of_runs};
use super::output::{counted, print_stderr};
use crate::answers::{
    Analysis, Baseline, FactDifference, Fingerprint, GateOutcome, JudgedMetric, Judgement, MeasuredValue,
    Metric, compare, values_of_figures,
};
use crate::host::Environment;
use crate::profile::{Configuration, Experiment, Gate};
use crate::raw::Accel;
use crate::results::Results;
use crate::run::bench::Guide;

/// A gate while it measures.
pub(super) struct GateCourse {
    pub baseline: Baseline,
    pub judged: Vec<JudgedMetric>,
    /// Whether the profile names its metrics: all of them have to be in the baseline then.
    names_metrics: bool,
    schedule: Vec<Analysis>,
    max_time: Option<Duration>,
    allow: Vec<String>,
    pub today: Date,
    pub judgement: Judgement,
    /// Blocks that are measured.
    pub blocks: usize,
    /// Differences from the baseline that were allowed.
    pub allowed: Vec<FactDifference>,
    started: Instant,
}

impl GateCourse {
    /// Before anything is measured.
    pub fn new(baseline: Baseline, judged: Vec<JudgedMetric>, gate: &Gate, allow: Vec<String>) -> GateCourse {
        GateCourse {
            baseline,
            judged,
            names_metrics: !gate.metrics.is_empty(),
            schedule: Analysis::schedule(gate.max_blocks as usize),
            max_time: gate.max_time,
            allow,
            today: today(),
            judgement: Judgement::default(),
            blocks: 0,
            allowed: Vec::new(),
            started: Instant::now(),
        }
    }

    /// The last analysis; a schedule has one.
    pub fn last_analysis(&self) -> Analysis {
        self.schedule.last().copied().unwrap_or(Analysis::ONCE)
    }

    fn judge(&mut self, new: &[MeasuredValue], analysis: Analysis) {
        let metrics: Vec<Metric> = self.judged.iter().map(|judged| judged.metric.clone()).collect();
        let base = self.baseline.values(&metrics, self.today);
        let threshold = |metric: &Metric| {
            let own = self.judged.iter().find(|judged| judged.metric.key == metric.key);
            own.map_or(f64::INFINITY, |judged| judged.threshold)
        };
        self.judgement.update(compare(&metrics, &base, new, threshold, analysis));
    }

    /// Judges finished runs, once.
    pub fn judge_finished(&mut self, runs: &[FinishedRun]) -> Result<()> {
        for run in runs {
            self.allow_or_refuse(&run.fingerprint(), run.experiment())?;
        }
        let figures: Vec<_> = self.judged.iter().map(|judged| judged.figure).collect();
        let values = values_of_runs(&figures, &runs.iter().collect::<Vec<_>>());
        self.blocks = values.iter().map(|value| value.block).collect::<BTreeSet<_>>().len();
        self.judge(&values, Analysis::ONCE);
        Ok(())
    }

    /// Notes what differs from the baseline.
    ///
    /// # Errors
    /// [`NotComparable`] with everything that is not allowed.
    fn allow_or_refuse(&mut self, now: &Fingerprint, experiment: &Experiment) -> Result<()> {
        let mut differences = self.baseline.fingerprint.differences(now);
        differences.extend(self.other_configurations(experiment));
        differences.extend(self.missing_metrics());
        let (allowed, refused): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(|difference| difference.is_allowed(&self.allow));
        let new = allowed.into_iter().filter(|one| !self.allowed.contains(one)).collect::<Vec<_>>();
        self.allowed.extend(new);
        if refused.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = refused.iter().map(|one| one.name.as_str()).collect();
        let hint = format!(
            "add `--allow {}` if that is what you test, else make a new baseline with `kvmfair baseline make`",
            names.join(",")
        );
        Err(NotComparable { differences: refused.iter().map(ToString::to_string).collect(), hint }.into())
    }

    /// Configurations that only the baseline or only the profile has.
    fn other_configurations(&self, experiment: &Experiment) -> Option<FactDifference> {
        let own: BTreeSet<String> = experiment.configurations.iter().map(Configuration::id).collect();
        let known: BTreeSet<String> =
            self.baseline.configurations.iter().map(|own| own.configuration.clone()).collect();
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            serde_json::json!(one.difference(other).collect::<Vec<_>>())
        };
        let name = "configurations".to_owned();
        (own != known).then(|| FactDifference { name, before: only(&known, &own), now: only(&own, &known) })
    }

    /// Metrics that the profile names and the baseline lacks.
    fn missing_metrics(&self) -> Option<FactDifference> {
        let has =
            |column: &str| self.baseline.configurations.iter().any(|own| own.metrics.contains_key(column));
        let columns = self.judged.iter().map(|judged| judged.metric.key.as_str());
        let missing: Vec<&str> = columns.filter(|column| self.names_metrics && !has(column)).collect();
        let difference = || FactDifference {
            name: "metrics".to_owned(),
            before: serde_json::json!([]),
            now: serde_json::json!(missing),
        };
        (!missing.is_empty()).then(difference)
    }

    /// Whether one more block would end in time, if it takes as long as those before.
    fn has_time(&self) -> bool {
        let elapsed = self.started.elapsed();
        let one_more = elapsed + elapsed / self.blocks.max(1) as u32;
        self.max_time.is_none_or(|limit| one_more <= limit)
    }

    /// The code of a complete run. Where too few trials are valid for a verdict, the run has failed.
    pub fn exit(&self, experiment: &Experiment) -> Exit {
        let known = |id: &String| self.baseline.configurations.iter().any(|own| own.configuration == *id);
        let compared = |id: &String| {
            let mut own =
                self.judgement.comparisons().iter().filter(|one| one.configuration == *id).peekable();
            own.peek().is_some() && own.all(|one| one.new.boots >= 2)
        };
        let mut expected = experiment.configurations.iter().map(Configuration::id).filter(known);
        match self.judgement.outcome() {
            GateOutcome::Worse => Exit::Worse,
            _ if !expected.all(|id| compared(&id)) => Exit::FailedTrials,
            GateOutcome::Inconclusive => Exit::Inconclusive,
            GateOutcome::Pass => Exit::Success,
        }
    }
}

impl Guide for GateCourse {
    fn adjust(&self, experiment: Experiment) -> Result<Experiment> {
        let first = self.schedule.first().map_or(1, |analysis| analysis.blocks) as u32;
        let mut experiment = experiment;
        experiment.timing.repeats = first;
        experiment.timing.precision = None;
        Ok(experiment)
    }

    fn begin(&mut self, experiment: &Experiment, environment: &Environment, accel: Accel) -> Result<()> {
        let now = Fingerprint::from_environment(&environment.comparable(), experiment, accel);
        self.allow_or_refuse(&now, experiment)
    }

    fn further(&mut self, results: &Results) -> Vec<Configuration> {
        let first = self.schedule.first().map_or(1, |analysis| analysis.blocks);
        self.blocks = (self.blocks + 1).max(first);
        let due = self.schedule.iter().find(|analysis| analysis.blocks == self.blocks).copied();
        if let Some(analysis) = due {
            let figures: Vec<_> = self.judged.iter().map(|judged| judged.figure).collect();
            self.judge(&values_of_figures(&figures, results.trials()), analysis);
        }
        let undecided = self.judgement.undecided();
        if self.blocks >= self.last_analysis().blocks || undecided.is_empty() {
            return Vec::new();
        }
        if !self.has_time() {
            let undecided = counted(undecided.len(), "configuration");
            print_stderr(&format!("max_time in [gate] is reached; {undecided} stay undecided\n"));
            return Vec::new();
        }
        let wanted = results.experiment().configurations.iter();
        wanted.filter(|configuration| undecided.contains(&configuration.id())).cloned().collect()
    }
}
