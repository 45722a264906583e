//! `kvmfair baseline`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use jiff::civil::Date;

use super::exit::{Exit, NotComparable};
use super::finished_run::{FinishedRun, values_of_runs};
use super::output::counted;
use super::{Common, output};
use crate::answers::{
    Acceptance, Baseline, BaselineHeader, JudgedMetric, MeasuredValue, Reference, ReferenceValues,
    judged_metrics, rounded,
};
use crate::directory::parent_of;
use crate::profile::{Configuration, Gate};
use crate::report::{baseline, describe};

const EXAMPLES: &str = "\
Examples:
  kvmfair baseline make runs/my-lab-20260101T120000Z --out my-lab.jsonl
  kvmfair baseline show my-lab.jsonl
  kvmfair baseline accept my-lab.jsonl c1a2b3c4d p99_latency_us --run runs/slower --reason bug-4711";

/// The largest baseline or history that is read, bytes: a line for each configuration or run, of some KB.
const LARGEST: u64 = 1 << 30;

/// Make, show or edit a baseline: the trials that `kvmfair gate` compares with, as JSON lines to be committed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BaselineCommand {
    #[command(subcommand)]
    action: BaselineAction,
}

#[derive(Debug, clap::Subcommand)]
enum BaselineAction {
    /// Write the valid trials of finished runs as a baseline
    Make {
        /// The directories of the runs, all of one profile on one machine
        #[arg(required = true, value_parser = super::inputs::path)]
        runs: Vec<PathBuf>,
        /// The file to write
        #[arg(long, value_name = "FILE", value_parser = super::inputs::path)]
        out: PathBuf,
    },
    /// Show what a baseline holds; --json prints its lines
    Show {
        /// The baseline
        #[arg(value_parser = super::inputs::path)]
        file: PathBuf,
    },
    /// Accept a known change: the gate compares with the trials of the given runs until it expires
    Accept {
        /// The baseline
        #[arg(value_parser = super::inputs::path)]
        file: PathBuf,
        /// Id of the configuration, as in configurations.csv
        configuration: String,
        /// Column of the metric, such as p99_latency_us
        metric: String,
        /// The runs in which the change was measured
        #[arg(long = "run", required = true, value_name = "RUN", value_parser = super::inputs::path)]
        runs: Vec<PathBuf>,
        /// Why it is accepted
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Last day on which it is accepted, such as 2026-12-31
        #[arg(long, value_name = "DATE")]
        expires: Option<Date>,
    },
}

impl BaselineCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        common.print(&self.text(common.json)?)
    }

    /// Does what was asked; returns what is printed.
    pub(super) fn text(self, json: bool) -> Result<String> {
        Ok(match self.action {
            BaselineAction::Make { runs, out } => {
                let baseline = make(&runs)?;
                write(&out, baseline.to_lines().as_bytes())?;
                let configurations = counted(baseline.configurations.len(), "configuration");
                format!("{}: {configurations} of {}\n", out.display(), counted(runs.len(), "run"))
            }
            BaselineAction::Show { file } if json => read(&file)?.to_lines(),
            BaselineAction::Show { file } => {
                baseline::to_terminal(&read(&file)?, today(), output::terminal())
            }
            BaselineAction::Accept { file, configuration, metric, runs, reason, expires } => {
                let mut baseline = read(&file)?;
                let accepted = acceptance(&baseline, (&configuration, &metric), &runs, (reason, expires))?;
                baseline.accept(accepted);
                write(&file, baseline.to_lines().as_bytes())?;
                format!("{}: {metric} of {configuration} is accepted\n", file.display())
            }
        })
    }
}

/// The day on which accepted changes are judged to have expired.
pub(super) fn today() -> Date {
    jiff::Zoned::now().date()
}

/// Reads a baseline.
///
/// # Errors
/// With the file, line and column of what is damaged.
pub(super) fn read(path: &Path) -> Result<Baseline> {
    let text = read_named(path)?;
    Baseline::parse(&text).with_context(|| {
        format!(
            "failed to read the baseline {} (hint: restore it, or `kvmfair baseline make`)",
            path.display()
        )
    })
}

/// The text of a file that a user named.
pub(super) fn read_named(path: &Path) -> Result<String> {
    let (directory, name) = parent_of(path)?;
    String::from_utf8(directory.read(&name, LARGEST)?)
        .with_context(|| format!("{} is not a text (hint: name a file of JSON lines)", path.display()))
}

/// Writes a file that a user named, so that a reader sees the old content or the new, never a part.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let (directory, name) = parent_of(path)?;
    Ok(directory.write(&name, bytes)?)
}

/// The baseline of finished runs.
fn make(paths: &[PathBuf]) -> Result<Baseline> {
    let runs = paths.iter().map(|path| FinishedRun::read(path)).collect::<Result<Vec<_>>>()?;
    let runs: Vec<&FinishedRun> = runs.iter().collect();
    let Some(first) = runs.first() else { bail!("no run was given") };
    let fingerprint = first.fingerprint();
    for run in &runs[1..] {
        let differences = fingerprint.differences(&run.fingerprint());
        if !differences.is_empty() {
            let hint = "a baseline is of one machine and one profile; make one for each".to_owned();
            let differences = differences.iter().map(ToString::to_string).collect();
            return Err(NotComparable { differences, hint }.into());
        }
    }
    let metrics = kept_metrics(&first.experiment().gate)?;
    let values = values_of_runs(&metrics.iter().map(|kept| kept.figure).collect::<Vec<_>>(), &runs);
    let mut configurations = Vec::new();
    for configuration in &first.experiment().configurations {
        let label = describe(configuration, &first.experiment().factors);
        configurations.extend(reference(configuration, label, &metrics, &values)?);
    }
    ensure!(
        !configurations.is_empty(),
        "no configuration has a valid trial (hint: `kvmfair bench --resume`)"
    );
    let environment = &first.environment;
    let names = runs.iter().map(|run| run.name.clone()).collect();
    let header = BaselineHeader::new(environment.profile.clone(), environment.profile_sha256.clone(), names);
    Ok(Baseline { header, fingerprint, configurations, accepted: Vec::new() })
}

/// The metrics of the profile's gate, and those that gates judge by default.
fn kept_metrics(gate: &Gate) -> Result<Vec<JudgedMetric>> {
    let unfit = |unfit: crate::answers::UnfitMetric| {
        anyhow::anyhow!("`{}` in [gate] cannot be judged (hint: {})", unfit.column, unfit.hint)
    };
    let mut all = judged_metrics(gate).map_err(unfit)?;
    for default in judged_metrics(&Gate::default()).map_err(unfit)? {
        if all.iter().all(|own| own.figure != default.figure) {
            all.push(default);
        }
    }
    Ok(all)
}

/// A configuration's trials; `None` if it has none.
fn reference(
    configuration: &Configuration,
    label: String,
    metrics: &[JudgedMetric],
    values: &[MeasuredValue],
) -> Result<Option<Reference>> {
    let id = configuration.id();
    let mut found = BTreeMap::new();
    for JudgedMetric { metric, .. } in metrics {
        let trials = trials(values, &id, &metric.key);
        if trials.is_empty() {
            continue;
        }
        let first = &trials[0].0;
        ensure!(
            trials.iter().any(|(boot, _)| boot != first),
            "all trials of configuration {id} ({label}) share one boot, whose luck cannot be told from a change (hint: \
             `reprovision = \"block\"` in [plan], or several runs)"
        );
        let (unit, direction, measure) = (metric.unit.clone(), metric.direction, metric.measure);
        found.insert(metric.key.clone(), ReferenceValues { unit, direction, measure, trials });
    }
    let label = if label.is_empty() { id.clone() } else { label };
    Ok((!found.is_empty()).then_some(Reference { configuration: id, label, metrics: found }))
}

/// A metric's trials in a configuration: boot and value.
fn trials(values: &[MeasuredValue], configuration: &str, metric: &str) -> Vec<(String, f64)> {
    let own = values.iter().filter(|value| value.configuration == configuration && value.metric == metric);
    own.map(|value| (value.boot.to_string(), rounded(value.value))).collect()
}

/// What is accepted of a metric in a configuration of the baseline.
fn acceptance(
    baseline: &Baseline,
    (id, column): (&str, &str),
    paths: &[PathBuf],
    (reason, expires): (String, Option<Date>),
) -> Result<Acceptance> {
    let Some(own) = baseline.configurations.iter().find(|own| own.configuration == id) else {
        bail!("the baseline has no configuration {id} (hint: `kvmfair baseline show` lists them)");
    };
    ensure!(
        own.metrics.contains_key(column),
        "the baseline has no {column} of configuration {id} (hint: it has {})",
        own.metrics.keys().cloned().collect::<Vec<_>>().join(", ")
    );
    ensure!(!reason.trim().is_empty(), "--reason is empty (hint: name the change, or its report)");
    let runs = paths.iter().map(|path| FinishedRun::read(path)).collect::<Result<Vec<_>>>()?;
    let figure = crate::figures::Metric::ALL.into_iter().filter(|metric| metric.column() == column);
    let values = values_of_runs(&figure.collect::<Vec<_>>(), &runs.iter().collect::<Vec<_>>());
    let trials = trials(&values, id, column);
    ensure!(!trials.is_empty(), "the runs have no valid trial of configuration {id} with a {column}");
    let (configuration, metric) = (id.to_owned(), column.to_owned());
    Ok(Acceptance { configuration, metric, reason, expires, trials })
}
