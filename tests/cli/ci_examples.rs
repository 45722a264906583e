//! The examples for CI: their YAML is YAML, every kvmfair command in them is one that this version accepts, and what needs no guests is
//! executed: the gate of each service on finished runs, and the merge of the parts. `tests/guests/ci.rs` executes the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use kvmfair::cli::Cli;
use serde_norway::Value;

use crate::support::ci::{example, read, shell};
use crate::support::finished::{Finished, QUIET, SMALL};
use crate::support::{Sandbox, entries};

const WITH_SHELL: [&str; 5] =
    ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile", "kvmfair-nightly.service", "slurm.sh"];

#[test]
fn every_command_in_the_examples_is_accepted_by_the_shell_and_by_kvmfair() {
    let values = [
        ("$PROFILE", "p.toml"),
        ("$BASELINE", "b.jsonl"),
        ("$SLURM_ARRAY_TASK_ID", "2"),
        ("$SLURM_ARRAY_TASK_COUNT", "5"),
        ("\"", ""),
    ];
    for name in WITH_SHELL {
        let script = shell(name, 2);
        let syntax = Command::new("sh").args(["-n", "-c", &script]).output().unwrap();
        assert!(syntax.status.success(), "{name}: {syntax:?}");
        let commands: Vec<&str> = script.lines().filter(|line| line.starts_with("kvmfair ")).collect();
        assert!(!commands.is_empty(), "{name} runs nothing");
        for command in commands {
            let command =
                values.iter().fold(command.to_owned(), |line, (name, value)| line.replace(name, value));
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{name}: {command}: {parsed:?}");
        }
    }
}

/// A directory like that of a CI job: the lab's profile, its baseline, and `kvmfair` in the path.
fn workspace() -> Sandbox {
    let place = Sandbox::new();
    let dir = place.out().with_file_name("lab");
    fs::create_dir(&dir).unwrap();
    let profile = PathBuf::from(place.profile("nightly", SMALL));
    fs::rename(&profile, dir.join("nightly.toml")).unwrap();
    let run = QUIET.write(&dir.join("nightly.toml"), &place.out());
    let run = run.to_str().unwrap();
    let made = place.kvmfair(&["baseline", "make", run, "--out", "lab/nightly.baseline.jsonl"]);
    assert!(made.status.success(), "{made:?}");
    place
}

/// Runs lines of an example in its shell, as the service does: the first that fails ends them.
fn execute(place: &Sandbox, script: &str) -> std::process::Output {
    let mut shell = place.shell(&format!("set -e\n{script}"));
    let gitlab = [("PROFILE", "lab/nightly.toml"), ("BASELINE", "lab/nightly.baseline.jsonl")];
    shell.envs(gitlab).output().unwrap()
}

#[test]
fn the_gate_of_each_service_passes_on_a_finished_run_and_turns_red_on_a_slower_one() {
    let place = workspace();
    let profile = place.out().with_file_name("lab").join("nightly.toml");
    for (rate, code) in [(1000.0, 0), (800.0, 6)] {
        let run = Finished { name: "after", rate, ..QUIET }.write(&profile, &place.out());
        for name in ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"] {
            let script = shell(name, 2);
            let gate = script.lines().find(|line| line.starts_with("kvmfair gate ")).unwrap();
            let junit = place.out().with_file_name("junit.xml");
            drop(fs::remove_file(&junit));
            let output = execute(&place, &format!("{gate} --run '{}'", run.display()));
            assert_eq!(output.status.code(), Some(code), "{name}: {output:?}");
            assert!(fs::read_to_string(junit).unwrap().contains("<testcase"), "{name}");
        }
    }
    let cleaned = execute(&place, "kvmfair clean");
    assert!(cleaned.status.success(), "{cleaned:?}");
}

#[test]
fn the_parts_of_a_matrix_are_joined_by_the_command_of_the_example() {
    let place = workspace();
    let lab = place.out().with_file_name("lab");
    for part in ["1/3", "2/3", "3/3"] {
        let own = Finished { name: "nightly", part: Some(part), ..QUIET };
        own.write(&lab.join("nightly.toml"), &place.out().with_file_name("parts"));
    }
    for (name, marker) in [("github-actions.yml", ""), ("slurm.sh", "# Then, when all have ended: ")] {
        let script = shell(name, 2);
        let is_merge = |line: &&str| line.starts_with(&format!("{marker}kvmfair merge "));
        let merge = script.lines().find(is_merge).unwrap().trim_start_matches(marker);
        let output = execute(&place, merge);
        assert!(output.status.success(), "{name}: {output:?}");
    }
    let merged = entries(&place.out().with_file_name("merged"));
    assert!(merged.len() == 2 && merged.iter().all(|run| run.join("report.md").exists()), "{merged:?}");
}

#[test]
fn the_jobs_of_a_service_never_run_side_by_side_on_the_host() {
    let github: Value = serde_norway::from_str(&read("github-actions.yml")).unwrap();
    assert_eq!(github["concurrency"], Value::from("vm-host"));
    let gitlab: Value = serde_norway::from_str(&read("gitlab-ci.yml")).unwrap();
    for job in ["check", "gate"] {
        assert_eq!(gitlab[job]["resource_group"], Value::from("vm-host"), "{job}");
    }
    assert!(read("Jenkinsfile").contains("disableConcurrentBuilds()"));
}

/// Where systemd is missing, nobody can tell.
#[test]
fn the_timer_has_a_time_that_systemd_knows() {
    let timer = read("kvmfair-nightly.timer");
    let time = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    if let Ok(checked) = Command::new("systemd-analyze").args(["calendar", time]).output() {
        assert!(checked.status.success(), "{checked:?}");
    }
}

/// The scripts name columns that a run has; they were run with pandas and DuckDB on the run in examples/quickstart.
#[test]
fn the_scripts_name_columns_and_metrics_that_a_run_has() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let columns = fs::read_to_string(run.join("columns.csv")).unwrap();
    for script in ["summary_pandas.py", "summary_duckdb.sql"] {
        let text = read(script);
        for name in ["total_rate_tps", "bias_rate_percent", "p99_latency_us"] {
            assert!(
                text.contains(name) && columns.contains(&format!("summary.metric,{name},")),
                "{script}: {name}"
            );
        }
        for name in ["configuration", "backend", "vms", "measured", "invalid", "failed"] {
            assert!(
                text.contains(name) && columns.contains(&format!("configurations,{name},")),
                "{script}: {name}"
            );
        }
    }
    let mut python = Command::new("python3");
    python.args(["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"]);
    let compiled = python.arg(example("summary_pandas.py")).output().unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
}
