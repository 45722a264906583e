//! Finished runs for tests of the commands that read them.

use std::path::Path;

use crate::figures::fixture;
use crate::host::Environment;
use crate::profile::Factor;
use crate::raw::{Accel, RawTrial};
use crate::report::fixture as report_fixture;
use crate::results::{Results, RunDir};

/// Two guests in one boot for each of the factors of their rates.
fn trials(backend: &str, rates: [f64; 2], boots: &[f64]) -> Vec<RawTrial> {
    let trial = |(boot, factor): (u32, &f64)| {
        let mut raw = fixture::trial(fixture::configuration(backend, 2), &rates.map(|rate| rate * factor));
        raw.repeat = boot;
        for guest in &mut raw.guests {
            guest.qemu_pid = Some((100 * boot + guest.guest) as i32);
        }
        raw
    };
    (1..).zip(boots).map(trial).collect()
}

/// A finished run of such backends: five boots, each 1 % faster than the one before.
pub(super) fn run(base: &Path, name: &str, kernel: &str, backends: &[(&str, [f64; 2])]) -> String {
    let boots = [1.01, 1.02, 1.03, 1.04, 1.05];
    let trials = backends.iter().flat_map(|(backend, rates)| trials(backend, *rates, &boots));
    run_of_trials(base, name, kernel, trials.collect())
}

/// A finished run of virtio in one boot for each of these factors of its rates.
pub(super) fn run_of_boots(base: &Path, name: &str, kernel: &str, boots: &[f64]) -> String {
    run_of_trials(base, name, kernel, trials("virtio", [900.0, 1100.0], boots))
}

/// A finished run in which no trial was measured.
pub(super) fn failed_run(base: &Path, name: &str, kernel: &str) -> String {
    run_of_trials(base, name, kernel, vec![fixture::failed(fixture::configuration("virtio", 2))])
}

fn run_of_trials(base: &Path, name: &str, kernel: &str, trials: Vec<RawTrial>) -> String {
    let mut configurations = Vec::new();
    for trial in &trials {
        if !configurations.contains(&trial.configuration) {
            configurations.push(trial.configuration.clone());
        }
    }
    let experiment = report_fixture::experiment(configurations, &[Factor::Backend]);
    let dir = RunDir::create(base, name, "t").unwrap();
    dir.write_json("experiment.json", &experiment).unwrap();
    let environment = Environment {
        kernel: kernel.into(),
        profile: "backends".into(),
        profile_sha256: "00".into(),
        ..Environment::default()
    };
    let mut results = Results::create(dir.clone(), experiment, environment, Accel::Tcg).unwrap();
    for (number, raw) in (1..).zip(trials) {
        results.add(RawTrial { trial: number, ..raw }).unwrap();
    }
    dir.path().display().to_string()
}
