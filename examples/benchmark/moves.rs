//! A plan whose guests stay up against the same plan with a fresh boot for each trial, one after the other.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::bench::{self, Run};
use crate::numbers::{list, mean};
use crate::table::{Goal, Row};

const PROFILE: &str = include_str!("moves.toml");
/// How many of them the profile has.
const CONFIGURATIONS: u32 = 6;

/// What a trial takes beside its window, s each: means over the trials of a run.
struct Outside {
    /// From one trial's start to the next one's, less the window.
    all: f64,
    /// The same less what the profile and netperf ask for.
    ours: f64,
    /// Until the lab has come to the configuration.
    moving: f64,
    /// Trials.
    trials: usize,
}

/// Three ratios: of all seconds outside the window, of those that nobody asked for, and of the moves alone.
pub fn measure(binary: &Path, trials: u32) -> Result<Vec<Row>> {
    let repeats = trials.div_ceil(CONFIGURATIONS).max(1);
    let live = outside(&bench::run(binary, &profile(repeats, "never"))?)?;
    let fresh = outside(&bench::run(binary, &profile(repeats, "trial"))?)?;
    let row = |what: &str, goal: Goal, of: fn(&Outside) -> f64, how: &str| Row {
        what: format!("{what}, live ÷ fresh boot each time"),
        figure: of(&live) / of(&fresh),
        decimals: 3,
        unit: "",
        goal,
        how: format!("{how}: {:.2} s ÷ {:.2} s", of(&live), of(&fresh)),
    };
    let trials = format!(
        "virtio, 4, 2 or 1 guests of 96 MiB with two quotas, in random order; {} and {} trials; mean from one trial's start to \
         the next one's, less the window",
        live.trials, fresh.trials
    );
    Ok(vec![
        row("outside the window, per trial", Goal::AtMost(0.1), |of| of.all, &trials),
        row(
            "the same less what was asked for",
            Goal::None,
            |of| of.ours,
            "without warm-up, cool-down and netperf's settling of 1 s, which both have: moves, checks, flows set up and ended, \
             tables",
        ),
        row(
            "moves alone",
            Goal::None,
            |of| of.moving,
            "from a trial's start until guests, settings and wire are ready",
        ),
    ])
}

fn profile(repeats: u32, reprovision: &str) -> String {
    let repeated = PROFILE.replacen("[workload]\n", &format!("[workload]\nrepeats = {repeats}\n"), 1);
    format!("{repeated}\n[plan]\nreprovision = \"{reprovision}\"\n")
}

/// Of the trials after the first, which has to boot in either plan, as far as the next one's start is known.
fn outside(run: &Run) -> Result<Outside> {
    let asked = bench::asked_s(&run.experiment);
    let (mut all, mut moving) = (Vec::new(), Vec::new());
    for (index, pair) in run.trials.windows(2).enumerate().skip(1) {
        let raw = &run.raw[index];
        if let (Some(valid), Some(moved_s)) = (pair[0].valid(), raw.moved_s) {
            all.push(pair[1].started_s - pair[0].started_s - valid.window.length_s());
            moving.push(moved_s - raw.started_s);
        }
    }
    ensure!(!all.is_empty(), "too few trials of the profile `{}` could be measured", run.experiment.name);
    eprintln!("outside the window: {}; moves: {}", list(&all, 2), list(&moving, 2));
    Ok(Outside { all: mean(&all), ours: mean(&all) - asked, moving: mean(&moving), trials: all.len() })
}
