//! What the data of a run cost: the size of raw files, and the time and memory of a report, of simulated trials.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kvmfair::figures::{Outcome, TrialFigures};
use kvmfair::host::Environment;
use kvmfair::plan;
use kvmfair::profile::{Configuration, Experiment, HostFacts, parse};
use kvmfair::raw::{self, Accel};
use kvmfair::results::RunDir;

use crate::interrupt;
use crate::simulated::{Shape, trial};
use crate::table::{Goal, Row};

const MIB: f64 = 1024.0 * 1024.0;
const HOST: HostFacts = HostFacts { memory_mib: 1 << 20, cpus: 64 };
/// The trials that goals are stated for.
const MANY: u32 = 10_000;
/// Of every trial that is reported: 20 s of 128 flows, a sample each 0.5 s.
const REPORTED: Shape = Shape { length_s: 24.0, interval_s: 0.5, host_cpus: 64 };
/// The largest trial of the study: 32 guests of 16 vCPUs for 190 s, with the shortest interval.
const LARGEST: Shape = Shape { length_s: 190.0, interval_s: 0.1, host_cpus: 64 };

const PROFILE: &str = r#"
schema = 1
name = "reported"

[guest]
vcpus = 1
memory = "256 MiB"

[workload]
flows = 128
warmup = "2 s"
window = "20 s"
cooldown = "2 s"
interval = "500 ms"
repeats = REPEATS

[sweep]
backend = ["virtio", "e1000"]
vms = [1, 2, 4, 8, 16]
"#;

/// Size and cost of the largest raw file.
pub fn raw_files() -> Result<Vec<Row>> {
    let configuration = Configuration { vms: 32, vcpus: 16, flows: 128, ..Configuration::default() };
    let largest = trial(&configuration, LARGEST, 1, 1);
    let json = serde_json::to_vec(&largest).context("failed to write JSON")?;
    let begun = Instant::now();
    let bytes = raw::encode(&largest)?;
    let wrote_s = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    ensure!(raw::decode(&bytes)? == largest, "the largest trial does not come back as it was");
    let read_s = begun.elapsed().as_secs_f64();
    let size = |bytes: &[u8]| bytes.len() as f64 / MIB;
    let how = format!(
        "32 guests x 16 vCPUs, 128 flows, 190 s, samples each 0.1 s, 64 host CPUs, simulated; JSON {:.1} MiB; written in \
         {wrote_s:.2} s after the window, read in {read_s:.2} s",
        size(&json)
    );
    let row = |what: &str, figure, unit, goal| Row {
        what: what.into(),
        figure,
        decimals: 2,
        unit,
        goal,
        how: how.clone(),
    };
    Ok(vec![
        row("raw file of the largest trial", size(&bytes), " MiB", Goal::AtMost(4.0)),
        row("the same ÷ its JSON", size(&bytes) / size(&json), "", Goal::AtMost(0.1)),
    ])
}

/// What a command took.
struct Cost {
    wall_s: f64,
    peak_mib: f64,
}

/// Reports of a run of so many trials, from raw data and from figures that are kept.
pub fn reports(binary: &Path, trials: u32) -> Result<Vec<Row>> {
    let scratch = tempfile::tempdir().context("failed to make a temporary directory")?;
    let run = write_run(scratch.path(), trials)?;
    let raw = cost(binary, "report", &[&run])?;
    let kept = cost(binary, "report", &[&run])?;
    let compared = cost(binary, "compare", &[&run, &run])?;
    let timeline = std::fs::metadata(run.join("timeline.csv")).context("no timeline.csv")?.len();
    let how = format!(
        "{trials} simulated trials x 128 flows, 24 s each; from raw data {:.2} s and {:.0} MiB, from kept figures {:.2} s and \
         {:.0} MiB; timeline.csv {:.1} MiB; compared with itself within {:.0} MiB",
        raw.wall_s,
        raw.peak_mib,
        kept.wall_s,
        kept.peak_mib,
        timeline as f64 / MIB,
        compared.peak_mib
    );
    let row = |what: String, figure, decimals, unit, goal| Row {
        what,
        figure,
        decimals,
        unit,
        goal,
        how: how.clone(),
    };
    let most_mib = raw.peak_mib.max(kept.peak_mib);
    let goal = |limit| if trials == MANY { Goal::AtMost(limit) } else { Goal::None };
    let time = |what: String, cost: &Cost, limit| row(what, cost.wall_s, 1, " s", goal(limit));
    Ok(vec![
        time(format!("report of {trials} trials from raw data"), &raw, 30.0),
        time(format!("report of {trials} trials from kept figures"), &kept, 3.0),
        time(format!("comparison of two runs of {trials} trials"), &compared, 2.0),
        row("report from kept figures ÷ from raw data".into(), kept.wall_s / raw.wall_s, 2, "", Goal::None),
        row(format!("memory of a report of {trials} trials"), most_mib, 0, " MiB", Goal::AtMost(300.0)),
    ])
}

/// A run directory as `bench` leaves one, without figures.
fn write_run(base: &Path, trials: u32) -> Result<std::path::PathBuf> {
    let profile = PROFILE.replace("REPEATS", &trials.div_ceil(10).to_string());
    let experiment: Experiment = parse(&profile, Path::new("reported.toml"), HOST)
        .map_err(|error| anyhow::anyhow!("the benchmark's profile is refused: {error}"))?;
    let dir = RunDir::create(base, "reported", "simulated")?;
    let plan = plan::plan(&experiment, Accel::Kvm, HOST.cpus);
    dir.write_json("experiment.json", &experiment)?;
    dir.write_json("environment.json", &Environment::default())?;
    dir.write_json("plan.json", &plan)?;
    for planned in plan.trials.iter().take(trials as usize) {
        interrupt::check()?;
        let raw = trial(&planned.configuration, REPORTED, planned.trial, planned.repeat);
        if planned.trial == 1 {
            let outcome = TrialFigures::compute(&raw, &experiment.timing).outcome;
            ensure!(outcome == Outcome::Measured, "the simulated trial does not count: {outcome:?}");
        }
        let name = format!("raw/trial-{:04}.zst", planned.trial);
        std::fs::write(dir.path().join(name), raw::encode(&raw)?).context("failed to write a trial")?;
    }
    Ok(dir.path().to_owned())
}

fn cost(binary: &Path, subcommand: &str, runs: &[&Path]) -> Result<Cost> {
    let begun = Instant::now();
    let mut command = Command::new(binary);
    command.arg(subcommand).args(runs).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().context("failed to start kvmfair")?;
    let mut peak_mib = 0.0_f64;
    loop {
        peak_mib = peak_mib.max(resident_mib(&child).unwrap_or(0.0));
        if let Some(status) = child.try_wait().context("failed to wait for kvmfair")? {
            let wall_s = begun.elapsed().as_secs_f64();
            return if status.success() {
                Ok(Cost { wall_s, peak_mib })
            } else {
                bail!("{subcommand} ended with {status}")
            };
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The most that the process held so far.
fn resident_mib(child: &Child) -> Option<f64> {
    let status = procfs::process::Process::new(child.id() as i32).ok()?.status().ok()?;
    status.vmhwm.map(|kib| kib as f64 / 1024.0)
}
