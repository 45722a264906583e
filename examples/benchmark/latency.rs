//! How long the commands take that measure nothing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::interrupt;
use crate::numbers::median;
use crate::table::{Goal, Row};

const RUNS: usize = 50;
/// The first runs read the binary from the disk.
const WARM_UP: usize = 3;

pub fn measure(binary: &Path) -> Result<Vec<Row>> {
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/density.toml");
    Ok(vec![
        row(binary, "kvmfair --help", &["--help"], 10.0)?,
        row(binary, "kvmfair plan profiles/density.toml", &["plan", profile], 50.0)?,
    ])
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
