//! `kvmfair merge`

use std::path::PathBuf;

use anyhow::Result;

use super::{Common, closing, exit::Exit, findings, json::JsonEvent};
use crate::results::merge;

const EXAMPLES: &str = "\
Examples:
  kvmfair merge runs/part-1 runs/part-2 runs/part-3
  kvmfair merge --different-machines --out merged runs/node-*";

/// Join the parts of a run that `bench --partition` measured, on one machine or several.
///
/// The runs must have the same profile, byte for byte, and none of their repeats (blocks) in common. Every block is of one machine,
/// and levels are compared within a block, so a difference between machines is not in the answers. Machines and software that
/// differ are refused unless --different-machines allows them. The result is an ordinary run; `merged.json` in it has the source of
/// each block. The sources are only read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct MergeCommand {
    /// The directories of the runs
    #[arg(required = true, value_name = "RUN", value_parser = super::inputs::path)]
    runs: Vec<PathBuf>,
    /// Directory in which the directory of the merged run is created
    #[arg(long, default_value = "runs", value_name = "DIR", value_parser = super::inputs::path)]
    out: PathBuf,
    /// Join runs although the machines or their software differ; the differences are printed
    #[arg(long)]
    different_machines: bool,
}

impl MergeCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let sources = merge::read(&self.runs)?;
        let differences = merge::differences(&sources, self.different_machines)?;
        let (results, missing) = merge::merge(&sources, &self.out)?;
        if common.json {
            JsonEvent::start_of_run("merge", results.name().to_owned(), results.dir(), results.planned())
                .print()?;
        }
        let warnings = differences.into_iter().chain(missing);
        warnings.for_each(|warning| findings::warn(&warning, common));
        if common.json {
            return closing::print_closing(&results);
        }
        closing::print_summary(&results)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, inputs};
    use crate::figures::fixture;
    use crate::host::Environment;
    use crate::plan::PlannedTrial;
    use crate::profile::{Experiment, Factor};
    use crate::raw::{Accel, RawTrial};
    use crate::report::fixture as report_fixture;
    use crate::results::{Results, RunDir};

    /// Two backends in four blocks.
    fn experiment() -> Experiment {
        let configurations = ["virtio", "e1000"].map(|backend| fixture::configuration(backend, 2)).into();
        let mut experiment = report_fixture::experiment(configurations, &[Factor::Backend]);
        experiment.timing.repeats = 4;
        experiment
    }

    /// A trial as any machine would measure it; guests of a block have processes of their own.
    fn raw(planned: &PlannedTrial) -> RawTrial {
        let rates = [900.0, 1100.0].map(|rate| rate * (1.0 + 0.01 * f64::from(planned.repeat)));
        let raw = fixture::trial(planned.configuration.clone(), &rates);
        let mut raw = fixture::numbered(raw, planned.trial, planned.repeat);
        for guest in &mut raw.guests {
            guest.qemu_pid = Some((100 * planned.trial + guest.guest) as i32);
        }
        raw
    }

    /// A finished run of one part, or of all, on a machine with this kernel.
    fn run(base: &Path, name: &str, kernel: &str, part: Option<&str>) -> String {
        let experiment = experiment();
        let plan = inputs::plan(&experiment, Accel::Tcg, part.map(|part| part.parse().unwrap())).unwrap();
        let dir = RunDir::create(base, name, "t").unwrap();
        dir.write("profile.toml", b"name = \"backends\"").unwrap();
        dir.write_json("experiment.json", &experiment).unwrap();
        let environment = Environment {
            kernel: kernel.into(),
            profile: "backends".into(),
            profile_sha256: "a1".into(),
            ..Default::default()
        };
        let mut results = Results::create(dir.clone(), experiment, environment, Accel::Tcg).unwrap();
        results.plan(&plan).unwrap();
        plan.trials.iter().for_each(|planned| drop(results.add(raw(planned)).unwrap()));
        results.finish().unwrap();
        dir.path().display().to_string()
    }

    /// Joins runs; the directory of the merged one.
    fn merged(base: &Path, arguments: &[&str]) -> Result<std::path::PathBuf> {
        let out = base.join("merged");
        let fixed = ["kvmfair", "merge", "--json", "--out", out.to_str().unwrap()];
        let cli = Cli::try_parse_from([&fixed, arguments].concat())?;
        let Command::Merge(command) = cli.command else { panic!("another command") };
        let sources = merge::read(&command.runs)?;
        merge::differences(&sources, command.different_machines)?;
        Ok(merge::merge(&sources, &command.out)?.0.dir().to_owned())
    }

    /// A table without its first column, the run's name.
    fn rows(run: &Path, table: &str) -> Vec<String> {
        let text = std::fs::read_to_string(run.join(table)).unwrap();
        text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn the_joined_parts_are_the_run_that_was_split_and_can_be_read_again() {
        let base = tempfile::tempdir().unwrap();
        let whole = run(base.path(), "whole", "6.1.0", None);
        let parts = ["1/3", "2/3", "3/3"].map(|part| run(base.path(), "part", "6.1.0", Some(part)));
        let merged = merged(base.path(), &[&parts[2], &parts[0], &parts[1]]).unwrap();
        for table in ["trials.csv", "summary.csv", "configurations.csv", "guests.csv"] {
            assert_eq!(rows(&merged, table), rows(Path::new(&whole), table), "{table}");
        }
        let again = Results::read(RunDir::open(&merged).unwrap()).unwrap();
        assert!(again.all_measured() && merged.join("report.md").exists());
        let sources = std::fs::read_to_string(merged.join("merged.json")).unwrap();
        assert!(parts.iter().all(|part| sources.contains(part)), "{sources}");
    }

    #[test]
    fn a_merged_run_keeps_attempts_can_be_merged_again_and_is_not_resumed() {
        let base = tempfile::tempdir().unwrap();
        let kernels = ["6.1.0", "6.12.0", "6.1.0"];
        let mut parts = Vec::new();
        for (number, kernel) in (1..).zip(kernels) {
            parts.push(run(base.path(), "part", kernel, Some(&format!("{number}/3"))));
        }
        let dir = RunDir::open(Path::new(&parts[1])).unwrap();
        let first = dir.read_trials().unwrap().remove(0);
        let failed = fixture::failed(first.configuration.clone());
        dir.write_attempt(&RawTrial { attempt: 1, ..fixture::numbered(failed, first.trial, first.repeat) })
            .unwrap();
        let two = merged(base.path(), &["--different-machines", &parts[0], &parts[1]]).unwrap();
        let attempt = format!("raw/attempts/trial-{:04}-1.zst", first.trial);
        assert!(two.join(&attempt).exists());
        let refused = RunDir::open_to_resume(&two, || None, true).unwrap_err().to_string();
        assert!(refused.contains("merged run, which cannot be resumed (hint: "), "{refused}");
        let two = two.display().to_string();
        let refused = format!("{:#}", merged(base.path(), &[&parts[2], &two]).unwrap_err());
        assert!(refused.contains("kernel was \"6.1.0\" and is \"6.12.0\""), "{refused}");
        let all = merged(base.path(), &["--different-machines", &parts[2], &two]).unwrap();
        let trials = RunDir::open(&all).unwrap().read_trials().unwrap();
        let machines: std::collections::BTreeSet<u32> = trials.iter().map(|trial| trial.machine).collect();
        assert_eq!((trials.len(), machines.len()), (8, 3), "{machines:?}");
        assert!(all.join(&attempt).exists());
        let again = Results::read(RunDir::open(&all).unwrap()).unwrap();
        assert!(again.all_measured());
    }

    #[test]
    fn a_missing_part_is_named_and_the_run_is_not_complete() {
        let base = tempfile::tempdir().unwrap();
        let part = run(base.path(), "part", "6.1.0", Some("1/4"));
        let sources = merge::read(&[part.into()]).unwrap();
        let (results, missing) = merge::merge(&sources, &base.path().join("merged")).unwrap();
        assert!(!results.all_measured());
        let missing = missing.unwrap();
        assert!(
            missing.starts_with("no run has the repeats (blocks) ") && missing.contains("--resume PART"),
            "{missing}"
        );
    }

    #[test]
    fn unlike_runs_and_blocks_that_two_runs_have_are_refused_by_name() {
        let base = tempfile::tempdir().unwrap();
        let [one, two] = ["1/2", "2/2"].map(|part| run(base.path(), "part", "6.1.0", Some(part)));
        let other_kernel = run(base.path(), "newer", "6.12.0", Some("2/2"));
        let refused = |runs: &[&str]| format!("{:#}", merged(base.path(), runs).unwrap_err());
        let error = refused(&[&one, &other_kernel]);
        assert!(
            error.contains("kernel was \"6.1.0\" and is \"6.12.0\"") && error.contains(&other_kernel),
            "{error}"
        );
        assert!(merged(base.path(), &["--different-machines", &one, &other_kernel]).is_ok());
        let error = refused(&[&one, &two, &one]);
        assert!(
            error.contains("both have the repeats (blocks)") || error.contains("being written"),
            "{error}"
        );
        let error = refused(&[&two, &other_kernel]);
        assert!(error.contains("both have the repeats (blocks)") && error.contains(&two), "{error}");
        let environment = Path::new(&two).join("environment.json");
        let text = std::fs::read_to_string(&environment).unwrap().replace("\"a1\"", "\"b2\"");
        std::fs::write(&environment, text).unwrap();
        let error = refused(&[&one, &two]);
        assert!(
            error.contains("different profiles") && error.contains(&one) && error.contains(&two),
            "{error}"
        );
        assert!(refused(&["no-such-run"]).contains("is not a run directory"));
    }
}
