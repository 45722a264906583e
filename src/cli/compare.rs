//! `kvmfair compare`

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::finished_run::FinishedRun;
use super::json::{self, JsonEvent};
use super::output::print;
use super::{Common, exit::Exit, output};
use crate::report::comparison::RunComparison;

const EXAMPLES: &str = "\
Examples:
  kvmfair compare runs/my-lab-20260101T120000Z runs/my-lab-20260201T120000Z
  kvmfair compare --format markdown runs/before runs/after > comparison.md";

/// Compare finished runs with a base run: better, same, worse or inconclusive.
///
/// Configurations are matched by their id. A change is better or worse if a test with Holm's correction over all comparisons
/// finds it at 5 % and the estimate is beyond the threshold. The unit is a boot of the guests: each run needs at least two.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareCommand {
    /// The directory of the run to compare with
    #[arg(value_parser = super::inputs::path)]
    base: PathBuf,
    /// The directories of the runs that are judged
    #[arg(required = true, value_parser = super::inputs::path)]
    new: Vec<PathBuf>,
    /// How the comparison is printed; --json prints one object on each line
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Smallest change of a rate, a latency or a cost that matters, in percent
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT")]
    threshold: f64,
    /// Smallest change of the rate bias beyond noise that matters, in points
    #[arg(long, default_value_t = 2.0, value_name = "POINTS")]
    points: f64,
}

/// For whom the comparison is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table for the terminal
    Table,
    /// A table in Markdown
    Markdown,
}

impl CompareCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        print(&self.text(common.json)?)
    }

    /// What is printed.
    fn text(&self, is_json: bool) -> Result<String> {
        let CompareCommand { threshold, points, .. } = self;
        ensure!(
            *threshold > 0.0 && *threshold < 100.0,
            "--threshold must be more than 0 and less than 100, got {threshold}"
        );
        ensure!(*points > 0.0, "--points must be more than 0, got {points}");
        let base = FinishedRun::read(&self.base)?;
        let runs = self.new.iter().map(|path| FinishedRun::read(path));
        let texts = runs.map(|new| {
            let new = new?;
            let compared = RunComparison::new(
                base.compared(),
                new.compared(),
                base.differences(&new),
                (threshold / 100.0, *points),
            );
            Ok(match self.format {
                _ if is_json => json::lines(events(&compared))?,
                Format::Table => compared.to_terminal(output::terminal()),
                Format::Markdown => compared.to_markdown(),
            })
        });
        let between = if is_json { "" } else { "\n" };
        Ok(texts.collect::<Result<Vec<String>>>()?.join(between))
    }
}

/// The runs, then each comparison.
fn events(compared: &RunComparison) -> impl Iterator<Item = JsonEvent> {
    let rows = compared.json_rows().into_iter().map(JsonEvent::Comparison);
    std::iter::once(JsonEvent::Runs(compared.runs())).chain(rows)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::fixture::run;
    use crate::cli::{Cli, Command};

    /// What a command line prints.
    fn text(line: &[&str]) -> Result<String> {
        let cli = Cli::try_parse_from([&["kvmfair", "compare"], line].concat())?;
        let Command::Compare(command) = cli.command else { panic!("another command") };
        command.text(cli.common.json)
    }

    /// What is printed of two runs: virtio loses a fifth, e1000 stays, one backend is in each run only.
    fn compared(arguments: &[&str]) -> String {
        let base = tempfile::tempdir().unwrap();
        let before = [("virtio", [900.0, 1100.0]), ("e1000", [400.0, 420.0]), ("macvtap-vepa", [10.0, 20.0])];
        let after = [("virtio", [700.0, 900.0]), ("e1000", [400.0, 420.0]), ("macvtap-bridge", [30.0, 40.0])];
        let before = run(base.path(), "before", "6.1.0", &before);
        let after = run(base.path(), "after", "6.12.0", &after);
        text(&[arguments, &[&before, &after]].concat()).unwrap()
    }

    #[test]
    fn a_run_that_is_not_there_and_a_threshold_that_cannot_be_are_named() {
        let place = tempfile::tempdir().unwrap();
        let empty = place.path().to_str().unwrap();
        for (line, message) in [
            (&["no-run", empty][..], "there is no directory no-run"),
            (&[empty, empty], "is not a run directory"),
            (&["--threshold", "0", empty, empty], "--threshold must be more than 0"),
            (&["--points", "0", empty, empty], "--points must be more than 0"),
        ] {
            let error = text(line).unwrap_err().to_string();
            assert!(error.contains(message), "{line:?}: {error}");
        }
    }

    #[test]
    fn two_runs_are_compared_with_verdicts_and_their_differences_are_named() {
        insta::assert_snapshot!(compared(&["--format", "markdown"]));
    }

    #[test]
    fn the_table_for_a_terminal_says_the_same() {
        let text = compared(&[]);
        for word in ["verdict", "worse", "same", "Only in before-t: macvtap-vepa", "kernel was"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn each_line_of_json_has_a_type() {
        let text = compared(&["--json"]);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["type"], "runs");
        assert_eq!(lines[0]["environment_differences"].as_array().unwrap().len(), 1);
        assert!(lines.len() > 1 && lines[1..].iter().all(|line| line["type"] == "comparison"));
        let rate =
            |line: &&serde_json::Value| line["metric"] == "total_rate_tps" && line["label"] == "virtio";
        let virtio = lines.iter().find(rate).unwrap();
        assert_eq!((&virtio["verdict"], &virtio["base"]["boots"]), (&"worse".into(), &5.into()));
        assert!((virtio["change"].as_f64().unwrap() - 0.8).abs() < 1e-3, "{virtio}");
    }
}
