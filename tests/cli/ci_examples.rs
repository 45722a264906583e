//! The examples for CI: their YAML is YAML, and every kvmfair command in them is one that this version accepts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use kvmfair::cli::Cli;
use serde_norway::Value;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(example(name)).unwrap()
}

/// Every text below a key of this name.
fn scripts(value: &Value, keys: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping {
                match (key.as_str().is_some_and(|key| keys.contains(&key)), value) {
                    (true, Value::String(script)) => found.push(script.clone()),
                    (true, Value::Sequence(lines)) => {
                        found.extend(lines.iter().map(|line| line.as_str().unwrap().to_owned()));
                    }
                    _ => scripts(value, keys, found),
                }
            }
        }
        Value::Sequence(values) => values.iter().for_each(|value| scripts(value, keys, found)),
        _ => {}
    }
}

/// The shell of each example.
fn shell(name: &str) -> String {
    let text = read(name);
    let lines: Vec<String> = match name {
        "Jenkinsfile" => text
            .lines()
            .filter_map(|line| line.split_once("sh '"))
            .map(|(_, rest)| rest.split('\'').next().unwrap().to_owned())
            .collect(),
        "kvmfair-nightly.service" => text
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart=").or(line.strip_prefix("ExecStopPost=")))
            .map(|line| line.replace("/usr/local/bin/", ""))
            .collect(),
        "slurm.sh" => vec![text],
        _ => {
            let mut found = Vec::new();
            let keys = ["run", "script", "after_script"];
            scripts(&serde_norway::from_str(&text).unwrap(), &keys, &mut found);
            found
        }
    };
    // What the service fills in before the shell reads it.
    lines.join("\n").replace("${{ matrix.part }}", "2")
}

const WITH_SHELL: [&str; 5] =
    ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile", "kvmfair-nightly.service", "slurm.sh"];

#[test]
fn every_command_in_the_examples_is_accepted_by_the_shell_and_by_kvmfair() {
    let values =
        [("$PROFILE", "p.toml"), ("$BASELINE", "b.jsonl"), ("$SLURM_ARRAY_TASK_ID", "2"), ("\"", "")];
    for name in WITH_SHELL {
        let script = shell(name);
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
