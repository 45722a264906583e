//! `kvmfair history`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::baseline::read_named;
use super::finished_run::{FinishedRun, values_of_runs};
use super::json::{self, JsonEvent};
use super::output::{counted, print};
use super::{Common, exit::Exit, output};
use crate::answers::{
    HistoryEntry, HistoryFigures, MeasuredValue, Metric, MetricHistory, courses, metrics, metrics_of_history,
    read_history, rounded,
};
use crate::directory::{Directory, parent_of};
use crate::figures;
use crate::report::chart::png;
use crate::report::{describe, history, history_chart};

const EXAMPLES: &str = "\
Examples:
  kvmfair history add my-lab.history.jsonl runs/my-lab-20260101T120000Z
  kvmfair history show my-lab.history.jsonl --charts charts
  kvmfair history check my-lab.history.jsonl --within 10";

/// Keep the figures of runs over months: where a level moved, and what changed in the environment there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryCommand {
    #[command(subcommand)]
    action: HistoryAction,
}

#[derive(Debug, clap::Subcommand)]
enum HistoryAction {
    /// Append finished runs, one JSON line each
    Add {
        /// The file; it is created if it does not exist
        #[arg(value_parser = super::inputs::path)]
        file: PathBuf,
        /// The directories of the runs, oldest first
        #[arg(required = true, value_parser = super::inputs::path)]
        runs: Vec<PathBuf>,
    },
    /// Show each figure's level, its changes, odd runs and bands
    Show {
        /// The file
        #[arg(value_parser = super::inputs::path)]
        file: PathBuf,
        /// Directory for a chart of each figure, as SVG and PNG
        #[arg(long, value_name = "DIR", value_parser = super::inputs::path)]
        charts: Option<PathBuf>,
    },
    /// Fail with exit code 6 if a level has changed for the worse; provisional changes never fail
    Check {
        /// The file
        #[arg(value_parser = super::inputs::path)]
        file: PathBuf,
        /// Number of newest runs in which a change counts
        #[arg(long, default_value_t = 10, value_name = "RUNS")]
        within: usize,
    },
}

impl HistoryCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let (exit, text) = self.outcome(common.json)?;
        match self.action {
            HistoryAction::Add { .. } => common.print(&text)?,
            _ => print(&text)?,
        };
        Ok(exit)
    }

    /// How the command ends, and what it prints.
    fn outcome(&self, json: bool) -> Result<(Exit, String)> {
        match &self.action {
            HistoryAction::Add { file, runs } => Ok((Exit::Success, add(file, runs)?)),
            HistoryAction::Show { file, charts } => {
                let runs = read(file)?;
                let courses = courses(&runs, &metrics_of_history(&runs));
                if let Some(dir) = charts {
                    draw(dir, &runs, &courses)?;
                }
                Ok((Exit::Success, shown(&runs, &courses, json)?))
            }
            HistoryAction::Check { file, within } => {
                let runs = read(file)?;
                let courses = courses(&runs, &metrics_of_history(&runs));
                let is_recent = |course: &MetricHistory| {
                    course.worse().any(|change| change.at + within >= course.runs.len())
                };
                let exit = if courses.iter().any(is_recent) { Exit::Worse } else { Exit::Success };
                Ok((exit, shown(&runs, &courses, json)?))
            }
        }
    }
}

fn shown(runs: &[HistoryEntry], courses: &[MetricHistory], is_json: bool) -> Result<String> {
    match is_json {
        true => json::lines(history::json_rows(runs, courses).into_iter().map(JsonEvent::History)),
        false => Ok(history::to_terminal(runs, courses, output::terminal())),
    }
}

fn read(file: &Path) -> Result<Vec<HistoryEntry>> {
    read_history(&read_named(file)?)
        .with_context(|| format!("failed to read the history {} (hint: restore it)", file.display()))
}

/// Appends runs. A file with a damaged line is left as it is.
fn add(file: &Path, paths: &[PathBuf]) -> Result<String> {
    let (directory, name) = parent_of(file)?;
    let known = if directory.has(&name) { read(file)? } else { Vec::new() };
    let mut lines = String::new();
    for path in paths {
        let run = FinishedRun::read(path)?;
        ensure!(
            known.iter().all(|entry| entry.run != run.name),
            "the run {} is in {} already (hint: leave it out)",
            run.name,
            file.display()
        );
        let entry = entry(&run);
        ensure!(!entry.configurations.is_empty(), "{} has no valid trial", path.display());
        lines += &entry.to_line();
    }
    let mut history = directory.append(&name, 0o666)?;
    let written = history.write_all(lines.as_bytes()).and_then(|()| history.sync_data());
    written.with_context(|| format!("failed to append to {}", file.display()))?;
    Ok(format!("{}: {} added\n", file.display(), counted(paths.len(), "run")))
}

/// A run as one line.
fn entry(run: &FinishedRun) -> HistoryEntry {
    let metrics = metrics();
    let keys: Vec<&str> = metrics.iter().map(|metric| metric.key.as_str()).collect();
    let figures = figures::Metric::ALL.into_iter().filter(|figure| keys.contains(&figure.column()));
    let values = values_of_runs(&figures.collect::<Vec<_>>(), &[run]);
    let experiment = run.experiment();
    let of_configuration = |configuration: &crate::profile::Configuration| {
        let id = configuration.id();
        let label = describe(configuration, &experiment.factors);
        let mean = |metric: &Metric| Some((metric.key.clone(), rounded(mean(metric, &id, &values)?)));
        let metrics: BTreeMap<String, f64> = metrics.iter().filter_map(mean).collect();
        let label = if label.is_empty() { id.clone() } else { label };
        (!metrics.is_empty()).then_some(HistoryFigures { configuration: id, label, metrics })
    };
    let configurations = experiment.configurations.iter().filter_map(of_configuration).collect();
    HistoryEntry::new(run.name.clone(), run.environment.date.clone(), run.fingerprint(), configurations)
}

/// The mean of a metric's boots in a configuration.
fn mean(metric: &Metric, configuration: &str, values: &[MeasuredValue]) -> Option<f64> {
    let own =
        values.iter().filter(|value| value.configuration == configuration && value.metric == metric.key);
    metric.mean_of_boots(own)
}

/// Writes a chart of each figure: `total_rate_tps-c1a2b3c4d.svg` and `.png`.
fn draw(dir: &Path, runs: &[HistoryEntry], courses: &[MetricHistory]) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("failed to create {}", dir.display()))?;
    let charts = Directory::open(dir)?;
    for course in courses {
        let Some(svg) = history_chart::history_chart(runs, course) else { continue };
        let name = format!("{}-{}", course.metric.key, course.configuration);
        charts.write(&format!("{name}.svg"), svg.as_bytes())?;
        charts.write(&format!("{name}.png"), &png(&svg)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::fixture::run_of_boots;
    use crate::cli::{Cli, Command};

    /// How `history` ends, and what it prints.
    fn outcome(line: &[&str]) -> Result<(Exit, String)> {
        let cli = Cli::try_parse_from([&["kvmfair", "history"], line].concat())?;
        let Command::History(command) = cli.command else { panic!("another command") };
        command.outcome(cli.common.json)
    }

    /// A history of so many runs; those from the given one on are slower, on another kernel.
    fn file_of_runs(dir: &Path, runs: usize, slower_from: usize) -> String {
        let file = dir.join("h.jsonl").display().to_string();
        for number in 0..runs {
            let (kernel, level) = if number < slower_from { ("6.1.0", 1.0) } else { ("6.12.0", 0.8) };
            let level = level * (1.0 + 0.001 * (number % 3) as f64);
            let run = run_of_boots(dir, &format!("run{number:02}"), kernel, &[level]);
            outcome(&["add", &file, &run]).unwrap();
        }
        file
    }

    #[test]
    fn a_confirmed_change_for_the_worse_fails_the_check_and_is_named_with_its_environment() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_of_runs(dir.path(), 14, 8);
        let (exit, text) = outcome(&["check", &file]).unwrap();
        assert_eq!(exit, Exit::Worse, "{text}");
        assert!(text.contains("worse, confirmed (kernel was \"6.1.0\" and is \"6.12.0\")"), "{text}");
        assert_eq!(outcome(&["check", &file, "--within", "3"]).unwrap().0, Exit::Success);
        let charts = dir.path().join("charts");
        let (_, lines) = outcome(&["show", &file, "--charts", charts.to_str().unwrap(), "--json"]).unwrap();
        assert_eq!(charts.read_dir().unwrap().count(), 2 * lines.lines().count());
    }

    #[test]
    fn a_provisional_change_does_not_fail_the_check() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_of_runs(dir.path(), 10, 8);
        let (exit, text) = outcome(&["check", &file]).unwrap();
        assert!(exit == Exit::Success && text.contains("worse, provisional"), "{text}");
    }

    #[test]
    fn a_run_is_added_once_and_a_damaged_file_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let run = run_of_boots(dir.path(), "run", "6.1.0", &[1.0]);
        let file = dir.path().join("h.jsonl").display().to_string();
        outcome(&["add", &file, &run]).unwrap();
        let again = outcome(&["add", &file, &run]).unwrap_err().to_string();
        assert!(again.contains("run-t is in") && again.contains("already"), "{again}");
        std::fs::write(&file, "{\"schema\":1,\n").unwrap();
        let damaged = format!("{:#}", outcome(&["add", &file, &run]).unwrap_err());
        assert!(damaged.contains("h.jsonl") && damaged.contains("line 1, column"), "{damaged}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"schema\":1,\n");
    }
}
