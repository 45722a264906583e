//! `kvmfair gate`: a profile, or finished runs of it, against a baseline.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::bench::Measured;
use super::exit::Exit;
use super::finished_run::FinishedRun;
use super::gate_course::GateCourse;
use super::json::{self, JsonEvent};
use super::output::{print, print_stderr};
use super::{Common, baseline, bench, inputs, output, resume};
use crate::answers::{Comparison, judged_metrics, visible_changes};
use crate::figures::{Outcome, TrialFigures};
use crate::profile::{Diagnostic, Experiment, ProfileError, Reprovision};
use crate::report::gate::{GateReport, Judged};
use crate::report::{describe, gate, junit};
use crate::run::bench::Ending;

const EXAMPLES: &str = "\
Examples:
  kvmfair gate my-lab.toml --baseline my-lab.jsonl --junit gate.xml --markdown gate.md
  kvmfair gate my-lab.toml --baseline my-lab.jsonl --run runs/my-lab-20260201T120000Z --allow kernel";

/// Run a profile and judge it against a baseline: pass, worse or inconclusive, each with an exit code of its own.
///
/// Judges after 5, 10 and 15 blocks, each with new guests; only what is undecided is measured again. A false alarm in an
/// unchanged campaign of any size has a probability of at most 5 %. Finished runs are judged once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GateCommand {
    /// The profile; its section [gate] declares metrics, thresholds and bounds
    #[arg(value_parser = inputs::path)]
    profile: PathBuf,
    /// The baseline that `kvmfair baseline make` wrote
    #[arg(long, value_name = "FILE", value_parser = inputs::path)]
    baseline: PathBuf,
    /// Judge this finished run instead of running the profile; may be repeated
    #[arg(long = "run", value_name = "RUN", value_parser = inputs::path)]
    runs: Vec<PathBuf>,
    /// Facts that may differ from the baseline's because they are what is tested: kernel, qemu, settings …
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow: Vec<String>,
    /// Directory in which the run's directory is created
    #[arg(long, default_value = "runs", value_name = "DIR", value_parser = inputs::path)]
    out: PathBuf,
    /// Write the verdicts as JUnit XML
    #[arg(long, value_name = "FILE", value_parser = inputs::path)]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown, below 1 MiB
    #[arg(long, value_name = "FILE", value_parser = inputs::path)]
    markdown: Option<PathBuf>,
    /// Print annotations that point at the profile's lines
    #[arg(long, value_enum, value_name = "SERVICE")]
    annotations: Option<Annotations>,
}

/// Who reads annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Annotations {
    /// Workflow commands of GitHub Actions, at most ten
    Github,
}

/// Trials that were judged.
struct JudgedTrials {
    ending: Ending,
    experiment: Experiment,
    /// Directories of the runs.
    runs: Vec<String>,
    trials: Vec<TrialFigures>,
}

impl GateCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        ensure!(
            self.profile.as_os_str() != "-",
            "gate reads the profile from a file (hint: write standard input to one)"
        );
        let (text, experiment) = inputs::load(&self.profile)?;
        let mut course = self.course(&text, &experiment)?;
        let power = visible_changes(&course.baseline, &course.judged, course.today, course.last_analysis());
        match common.json {
            true => print_stderr(&gate::power(&power)),
            false => drop(print(&gate::power(&power))?),
        }
        let judged = if self.runs.is_empty() {
            new_guests_for_each_block(&self, &text, &experiment)?;
            self.measure(&mut course, common)?
        } else {
            super::logging::start(common.verbose, None);
            self.finished(&mut course)?
        };
        if judged.ending == Ending::Interrupted {
            print_stderr(&format!(
                "interrupted: nothing is judged; the trials are in {}\n",
                judged.runs.join(", ")
            ));
            return Ok(Exit::Interrupted);
        }
        let report = GateReport { power, ..self.report(&course, &judged) };
        self.write(&report, &text, common)?;
        Ok(course.exit(&judged.experiment))
    }

    /// Runs the profile until everything is decided, or the gate's bounds are reached.
    fn measure(&self, course: &mut GateCourse, common: &Common) -> Result<JudgedTrials> {
        let bench = bench::BenchCommand::of_profile(self.profile.clone(), self.out.clone(), "gate");
        let Measured { ending, results, unwritten } = bench.measure(common, course)?;
        if let Some(error) = unwritten {
            print_stderr(&format!("error: {:#}\n", resume::not_reported(error, results.dir())));
        }
        let runs = vec![results.dir().display().to_string()];
        let (experiment, trials) = (results.experiment().clone(), results.trials().to_vec());
        Ok(JudgedTrials { ending, experiment, runs, trials })
    }

    /// Judges the finished runs of the command line.
    fn finished(&self, course: &mut GateCourse) -> Result<JudgedTrials> {
        let runs = self.runs.iter().map(|path| FinishedRun::read(path)).collect::<Result<Vec<_>>>()?;
        course.judge_finished(&runs)?;
        Ok(JudgedTrials {
            ending: Ending::Complete,
            experiment: runs[0].experiment().clone(),
            runs: self.runs.iter().map(|path| path.display().to_string()).collect(),
            trials: runs.iter().flat_map(|run| run.results.trials().to_vec()).collect(),
        })
    }

    /// Whether it makes a run of its own.
    pub(super) fn makes_run(&self) -> bool {
        self.runs.is_empty()
    }

    /// What is judged, before anything is measured.
    fn course(&self, text: &str, experiment: &Experiment) -> Result<GateCourse> {
        let judged = judged_metrics(&experiment.gate).map_err(|unfit| {
            let place = text.find(&format!("\"{}", unfit.column)).unwrap_or(0);
            let message = format!("`{}` cannot be judged by a gate", unfit.column);
            let at = Diagnostic::new(message).at(place + 1..place + 1 + unfit.column.len(), "");
            ProfileError::new(&self.profile, text, at.hint(unfit.hint))
        })?;
        let baseline = baseline::read(&self.baseline)?;
        Ok(GateCourse::new(baseline, judged, &experiment.gate, self.allow.clone()))
    }

    fn report(&self, course: &GateCourse, finished: &JudgedTrials) -> GateReport {
        let experiment = &finished.experiment;
        let label = |id: &str| {
            let known = experiment.configurations.iter().find(|own| own.id() == id);
            let words = known.map(|own| describe(own, &experiment.factors)).unwrap_or_default();
            if words.is_empty() { id.to_owned() } else { words }
        };
        let judged = |one: &Comparison| {
            let accepted =
                course.baseline.acceptance(&one.configuration, &one.metric.key, course.today).cloned();
            Judged { label: label(&one.configuration), comparison: one.clone(), accepted }
        };
        GateReport {
            profile: self.profile.display().to_string(),
            baseline: self.baseline.display().to_string(),
            runs: finished.runs.clone(),
            blocks: course.blocks,
            power: Vec::new(),
            allowed: course.allowed.clone(),
            judged: course.judgement.comparisons().iter().map(judged).collect(),
            problems: (finished.trials.iter())
                .filter_map(|trial| problem(trial, &label(&trial.configuration.id())))
                .collect(),
            outcome: course.judgement.outcome(),
        }
    }

    fn write(&self, report: &GateReport, text: &str, common: &Common) -> Result<()> {
        if let Some(path) = &self.junit {
            baseline::write(path, junit::junit(report).as_bytes())?;
        }
        if let Some(path) = &self.markdown {
            baseline::write(path, report.to_markdown().as_bytes())?;
        }
        if common.json {
            JsonEvent::Gate(report.summary()).print()?;
            json::print(report.json_rows().into_iter().map(JsonEvent::Comparison))?;
        } else {
            print(&report.to_terminal(output::terminal()))?;
        }
        if self.annotations == Some(Annotations::Github) {
            print_stderr(&report.to_github(text));
        }
        Ok(())
    }
}

/// A trial that was not measured, in words.
fn problem(trial: &TrialFigures, label: &str) -> Option<String> {
    let why = match &trial.outcome {
        Outcome::Measured => return None,
        Outcome::Invalid(reasons) => {
            format!("invalid: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Outcome::Failed { cause, .. } => format!("failed: {cause}"),
    };
    Some(format!("trial {} ({label}) {why}", trial.trial))
}

/// Refuses a profile whose guests live longer than a block.
fn new_guests_for_each_block(command: &GateCommand, text: &str, experiment: &Experiment) -> Result<()> {
    let has_guests = experiment.configurations.iter().any(|configuration| configuration.vms > 0);
    if !has_guests || experiment.reprovision != Reprovision::Never {
        return Ok(());
    }
    let place = text.find("reprovision").or_else(|| text.find("[plan]")).unwrap_or(text.trim_end().len());
    let message = "a gate needs new guests in each block: the luck of one boot cannot be told from a change";
    let at = Diagnostic::new(message).at(place..place, "");
    let hint = "write reprovision = \"block\" in [plan], and make the baseline from such a run";
    Err(ProfileError::new(&command.profile, text, at.hint(hint)).into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::fixture::{failed_run, run_of_boots};
    use crate::cli::{Cli, Command, failure};

    const QUIET: [f64; 6] = [1.0, 1.001, 0.999, 1.002, 0.998, 1.0];

    /// A directory with a profile and the baseline of a quiet run.
    struct Place {
        dir: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Place {
            let place = Place { dir: tempfile::tempdir().unwrap() };
            place.profile("plan.reprovision = \"block\"");
            let before = run_of_boots(place.path(), "before", "6.1.0", &QUIET);
            place.baseline(&["make", &before, "--out", &place.file("b.jsonl")]);
            place
        }

        fn path(&self) -> &Path {
            self.dir.path()
        }

        fn file(&self, name: &str) -> String {
            self.path().join(name).display().to_string()
        }

        fn profile(&self, more: &str) {
            let least = "schema = 1\nname = \"backends\"\nworkload.flows = 8\nguest.vms = 2\nnetwork.backend = \"virtio\"\n";
            std::fs::write(self.path().join("p.toml"), format!("{least}{more}\n")).unwrap();
        }

        /// How `baseline` ends.
        fn baseline(&self, line: &[&str]) -> Exit {
            let cli = Cli::try_parse_from([&["kvmfair", "baseline"], line].concat()).unwrap();
            let Command::Baseline(command) = cli.command else { panic!("another command") };
            command.text(false).map_or_else(|error| failure::report(&error, false), |_| Exit::Success)
        }

        /// How `gate` of finished runs ends, and what it prints.
        fn gate(&self, line: &[&str]) -> (Exit, String) {
            let (profile, baseline) = (self.file("p.toml"), self.file("b.jsonl"));
            let fixed = ["kvmfair", "gate", &profile, "--baseline", &baseline];
            let cli = Cli::try_parse_from([&fixed, line].concat()).unwrap();
            let Command::Gate(command) = cli.command else { panic!("another command") };
            match decide(&command) {
                Ok((exit, report)) => (exit, report.to_markdown()),
                Err(error) => (failure::report(&error, false), format!("{error:#}")),
            }
        }

        /// The same of virtio with these factors of its rates.
        fn judged(&self, boots: &[f64]) -> (Exit, String) {
            let name = format!("after-{}", boots.iter().sum::<f64>());
            let run = run_of_boots(self.path(), &name, "6.1.0", boots);
            self.gate(&["--run", &run])
        }
    }

    fn decide(command: &GateCommand) -> Result<(Exit, GateReport)> {
        let (text, experiment) = inputs::load(&command.profile)?;
        let mut course = command.course(&text, &experiment)?;
        if command.runs.is_empty() {
            new_guests_for_each_block(command, &text, &experiment)?;
        }
        let judged = command.finished(&mut course)?;
        Ok((course.exit(&judged.experiment), command.report(&course, &judged)))
    }

    #[test]
    fn each_way_to_end_has_an_exit_code_of_its_own() {
        let place = Place::new();
        let (exit, text) = place.judged(&QUIET);
        assert_eq!(exit, Exit::Success, "{text}");
        let (exit, text) = place.judged(&QUIET.map(|rate| 0.8 * rate));
        assert!(exit == Exit::Worse && text.contains("| virtio | Total rate"), "{text}");
        let (exit, text) = place.judged(&[0.8, 1.2, 1.0, 1.1]);
        assert_eq!(exit, Exit::Inconclusive, "{text}");
        let (exit, text) = place.judged(&[1.0]);
        assert_eq!(exit, Exit::FailedTrials, "one boot: {text}");
        let (exit, text) = place.gate(&["--run", &failed_run(place.path(), "failed", "6.1.0")]);
        assert!(exit == Exit::FailedTrials && text.contains("trial 1 (virtio) failed: guest 2"), "{text}");
    }

    #[test]
    fn another_kernel_is_not_comparable_until_it_is_allowed() {
        let place = Place::new();
        let run = run_of_boots(place.path(), "after", "6.12.0", &QUIET);
        let (exit, text) = place.gate(&["--run", &run]);
        assert_eq!(exit, Exit::NotComparable);
        assert!(
            text.contains("kernel was \"6.1.0\" and is \"6.12.0\"") && text.contains("--allow kernel"),
            "{text}"
        );
        let (exit, text) = place.gate(&["--run", &run, "--allow", "qemu,kernel"]);
        assert!(exit == Exit::Success && text.contains("Allowed: kernel was"), "{text}");
    }

    #[test]
    fn an_unchanged_run_is_never_worse() {
        let place = Place::new();
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            1.0 + 0.01 * ((state >> 33) as f64 / f64::from(u32::MAX >> 1) - 0.5)
        };
        for _ in 0..8 {
            let boots: Vec<f64> = (0..5).map(|_| noise()).collect();
            let (exit, text) = place.judged(&boots);
            assert!(exit == Exit::Success || exit == Exit::Inconclusive, "{text}");
        }
    }

    #[test]
    fn an_accepted_change_is_green_until_it_changes_again() {
        let place = Place::new();
        let slower = run_of_boots(place.path(), "slower", "6.1.0", &QUIET.map(|rate| 0.8 * rate));
        let (exit, text) = place.gate(&["--run", &slower]);
        assert_eq!(exit, Exit::Worse, "{text}");
        let file = place.file("b.jsonl");
        let text = std::fs::read_to_string(&file).unwrap();
        let baseline = crate::answers::Baseline::parse(&text).unwrap();
        let id = baseline.configurations[0].configuration.clone();
        for metric in baseline.configurations[0].metrics.keys() {
            let line = ["accept", &file, &id, metric, "--run", &slower, "--reason", "bug-4711"];
            assert_eq!(place.baseline(&line), Exit::Success);
        }
        let (exit, text) = place.gate(&["--run", &slower]);
        assert!(exit == Exit::Success && text.contains("bug-4711"), "{text}");
        let (exit, text) = place.judged(&QUIET.map(|rate| 0.6 * rate));
        assert_eq!(exit, Exit::Worse, "{text}");
    }

    #[test]
    fn what_cannot_be_judged_is_refused_with_its_place_and_the_next_step() {
        let place = Place::new();
        place.profile("gate.metrics = [\"total_rate_tp\"]");
        let (exit, text) = place.gate(&[]);
        assert!(
            exit == Exit::InvalidProfile && text.contains("p.toml:6:18") && text.contains("total_rate_tps"),
            "{text}"
        );
        place.profile("");
        let (exit, text) = place.gate(&[]);
        assert!(exit == Exit::InvalidProfile && text.contains("reprovision = \"block\""), "{text}");
        std::fs::write(place.file("b.jsonl"), "{\"type\":").unwrap();
        let (exit, text) = place.gate(&[]);
        assert!(
            exit == Exit::Internal && text.contains("b.jsonl") && text.contains("line 1, column 8"),
            "{text}"
        );
    }
}
