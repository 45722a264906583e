//! A run of a profile with the real binary, and its raw trials.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kvmfair::figures::{Metric, Outcome, TrialFigures};
use kvmfair::load::command::settle;
use kvmfair::plan::Plan;
use kvmfair::profile::Experiment;
use kvmfair::raw::RawTrial;
use kvmfair::results::RunDir;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::interrupt;

/// What a run left.
pub struct Run {
    pub experiment: Experiment,
    pub plan: Plan,
    pub raw: Vec<RawTrial>,
    pub trials: Vec<TrialFigures>,
}

/// Runs a profile in a directory that is gone afterwards. Trials that failed or are invalid are left out of the figures
/// and named on standard error; it is an error only if none is left.
pub fn run(binary: &Path, profile: &str) -> Result<Run> {
    let scratch = tempfile::tempdir().context("failed to make a temporary directory")?;
    let file = scratch.path().join("profile.toml");
    std::fs::write(&file, profile).context("failed to write a profile")?;
    let mut command = Command::new(binary);
    command.arg("bench").arg(&file).arg("--out").arg(scratch.path());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    wait(command.spawn().context("failed to start kvmfair")?)?;
    let entries = std::fs::read_dir(scratch.path()).context("failed to read the temporary directory")?;
    let made = entries.flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    read(&RunDir::open(&made.context("kvmfair made no run directory")?)?)
}

fn read(directory: &RunDir) -> Result<Run> {
    let experiment: Experiment = directory.read_json("experiment.json")?;
    let plan: Plan = directory.read_json("plan.json")?;
    let raw = directory.read_trials()?;
    let trials: Vec<_> = raw.iter().map(|trial| TrialFigures::compute(trial, &experiment.timing)).collect();
    for trial in trials.iter().filter(|trial| trial.outcome != Outcome::Measured) {
        eprintln!("trial {} does not count: {:?}", trial.trial, trial.outcome);
    }
    if !trials.iter().any(|trial| trial.valid().is_some()) {
        bail!("no trial of the profile `{}` could be measured", experiment.name);
    }
    Ok(Run { experiment, plan, raw, trials })
}

/// Waits; a signal to us becomes one to kvmfair, which then takes its lab down.
fn wait(mut child: Child) -> Result<()> {
    let mut told = false;
    while child.try_wait().context("failed to wait for kvmfair")?.is_none() {
        if interrupt::came() && !told {
            kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).ok();
            told = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    interrupt::check()
}

/// What a profile and netperf ask of each trial outside its window, s.
pub fn asked_s(experiment: &Experiment) -> f64 {
    let (timing, trial) = (&experiment.timing, &experiment.configurations[0]);
    (timing.warmup + timing.cooldown + settle(trial.test, trial.flows)).as_secs_f64()
}

impl Run {
    /// A metric of every valid trial of a backend.
    pub fn values(&self, backend: &str, metric: Metric) -> Vec<f64> {
        let valid = self.trials.iter().filter(|trial| trial.valid().is_some());
        valid
            .filter(|trial| trial.configuration.backend.to_string() == backend)
            .filter_map(|trial| metric.value(trial))
            .collect()
    }
}
