//! How long the commands take that measure nothing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::interrupt;
use crate::numbers::{list, median};
use crate::table::{Goal, Row};

const RUNS: usize = 50;
/// Runs of a plan that takes its time.
const PLANS: usize = 7;
/// The first runs read the binary from the disk.
const WARM_UP: usize = 3;

pub fn measure(binary: &Path) -> Result<Vec<Row>> {
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/density.toml");
    Ok(vec![
        row(binary, "kvmfair --help", &["--help"], 5.0)?,
        row(binary, "kvmfair plan profiles/density.toml", &["plan", profile], 14.0)?,
        planning(binary)?,
    ])
}

/// A plan of very many configurations, as a table on standard output.
fn planning(binary: &Path) -> Result<Row> {
    let (once, five) = (plans(binary, 1)?, plans(binary, 5)?);
    Ok(Row {
        what: "`kvmfair plan` of 10 000 configurations".into(),
        figure: median(&once),
        decimals: 2,
        unit: " s",
        goal: Goal::AtMost(1.0),
        how: format!(
            "100 MTUs x 100 request sizes in random order, read, checked, planned and printed; runs: {}; with 5 repeats \
             (50 000 trials) {:.2} s",
            list(&once, 2),
            median(&five)
        ),
    })
}

/// Seconds of each run.
fn plans(binary: &Path, repeats: u32) -> Result<Vec<f64>> {
    let levels = |first: u32| (first..first + 100).collect::<Vec<_>>();
    let text = format!(
        "schema = 1\nname = \"many\"\nnetwork.backend = \"virtio\"\nworkload.flows = 1\n\
         workload.repeats = {repeats}\n[sweep]\nmtu = {:?}\nrequest = {:?}\n",
        levels(1401),
        levels(1)
    );
    let file = tempfile::NamedTempFile::new().context("failed to make a temporary file")?;
    std::fs::write(file.path(), text).context("failed to write a profile")?;
    let path = file.path().to_string_lossy();
    (0..PLANS).map(|_| interrupt::check().and_then(|()| Ok(one(binary, &["plan", &path])? / 1e3))).collect()
}

fn row(binary: &Path, typed: &str, arguments: &[&str], goal_ms: f64) -> Result<Row> {
    let (mut times, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..WARM_UP + RUNS {
        interrupt::check()?;
        times.push(one(binary, arguments)?);
        floor.push(one(Path::new("true"), &[])?);
    }
    let (times, floor) = (&times[WARM_UP..], &floor[WARM_UP..]);
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Row {
        what: format!("`{typed}`"),
        figure: median(times),
        decimals: 1,
        unit: " ms",
        goal: Goal::AtMost(goal_ms),
        how: format!(
            "median of {RUNS} runs from start to exit; the quickest took {least:.1} ms; `true` between them {:.1} ms",
            median(floor)
        ),
    })
}

fn one(binary: &Path, arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new(binary);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("failed to start {}", binary.display()))?;
    let took = begun.elapsed();
    if !status.success() {
        bail!("{} {} ended with {status}", binary.display(), arguments.join(" "));
    }
    Ok(took.as_secs_f64() * 1e3)
}
