//! The tables of a run as Python sees them: pandas and DuckDB infer the types that `columns.csv` names, and join on `configuration`.

use std::path::{Path, PathBuf};
use std::process::Command;

use kvmfair::host::Environment;
use kvmfair::profile::{Experiment, HostFacts, parse};
use kvmfair::results::{Results, RunDir};
use kvmfair::{backend, profile, raw};

#[allow(dead_code)] // shared with the unit tests of figures
#[path = "../src/figures/fixture.rs"]
mod fixture;

const PROFILE: &str = r#"
schema = 1
name = "dataframes"

[guest]
vcpus = 1
memory = "96 MiB"

[workload]
flows = 8
warmup = "2 s"
window = "10 s"
cooldown = "1 s"
interval = "500 ms"
repeats = 2

[sweep]
backend = ["virtio", "e1000"]
vms = [1, 2]
test = ["TCP_RR", "TCP_STREAM"]
"#;

/// A run of made-up trials, written as `bench` writes one: trial by trial, one of them failed and one invalid.
fn run(base: &Path) -> PathBuf {
    let facts = HostFacts { memory_mib: 65_536, cpus: 4 };
    let experiment = parse(PROFILE, Path::new("dataframes.toml"), facts).unwrap();
    let dir = RunDir::create(base, "dataframes", "20260102T030405Z").unwrap();
    let path = dir.path().to_owned();
    dir.write_json("experiment.json", &experiment).unwrap();
    let trials = trials(&experiment);
    let mut results = Results::create(dir, experiment, Environment::default(), raw::Accel::Kvm).unwrap();
    for trial in trials {
        results.add(trial).unwrap();
    }
    results.finish().unwrap();
    path
}

fn trials(experiment: &Experiment) -> Vec<raw::RawTrial> {
    let mut trials = Vec::new();
    for repeat in 1..=2 {
        for configuration in &experiment.configurations {
            let number = trials.len() as u32 + 1;
            let rate = 1000.0 + 7.0 * f64::from(number);
            let raw = match number {
                3 => fixture::failed(configuration.clone()),
                6 => fixture::wrong_driver(configuration.clone()),
                _ => fixture::trial(configuration.clone(), &[rate, 1.1 * rate]),
            };
            trials.push(fixture::numbered(raw, number, repeat));
        }
    }
    trials
}

/// The output of a program that must succeed.
#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_table_of_a_run_loads_with_its_types_and_joins_its_configurations() {
    let base = tempfile::tempdir().unwrap();
    let run = run(base.path());
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dataframes");
    let python = output(&mut Command::new(here.join("environment.sh")));
    let tables = output(Command::new(python.trim()).arg(here.join("load.py")).arg(&run));
    for table in ["trials: 16 rows", "summary: ", "flows: ", "timeline: ", "proofs: "] {
        assert!(tables.contains(table) && !tables.contains(&format!("{table}0 rows")), "{tables}");
    }
}
