//! A plan whose guests stay up against the same plan with a fresh boot for each trial, one after the other.

use std::path::Path;

use anyhow::{Context, Result, ensure};

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

/// The two ways from one trial to the next.
struct Ways {
    live: Outside,
    fresh: Outside,
}

/// Three ratios: of all seconds outside the window, of those that nobody asked for, and of the moves alone. With a cloud image
/// the first of them once more, of guests that boot it.
pub fn measure(binary: &Path, trials: u32, image: Option<&Path>) -> Result<Vec<Row>> {
    let repeats = trials.div_ceil(CONFIGURATIONS).max(1);
    let ways = Ways::measure(binary, &repeated(PROFILE, repeats))?;
    let trials = format!(
        "virtio, 4, 2 or 1 guests of 96 MiB with two quotas, in random order; {} and {} trials; mean from one trial's start to \
         the next one's, less the window",
        ways.live.trials, ways.fresh.trials
    );
    let mut rows = vec![
        ways.row("outside the window, per trial", Goal::AtMost(0.1), |of| of.all, &trials),
        ways.row(
            "the same less what was asked for",
            Goal::None,
            |of| of.ours,
            "without warm-up, cool-down and netperf's settling of 1 s, which both have: moves, checks, flows set up and ended, \
             tables",
        ),
        ways.row(
            "moves alone",
            Goal::None,
            |of| of.moving,
            "from a trial's start until guests, settings and wire are ready",
        ),
    ];
    if let Some(image) = image {
        let ways = Ways::measure(binary, &repeated(&booting(image)?, repeats))?;
        let how = format!(
            "2 or 1 guests of 512 MiB that boot a distribution's image; {} and {} trials",
            ways.live.trials, ways.fresh.trials
        );
        rows.push(ways.row(
            "outside the window, guests of a cloud image",
            Goal::AtMost(0.1),
            |of| of.all,
            &how,
        ));
    }
    Ok(rows)
}

impl Ways {
    fn measure(binary: &Path, profile: &str) -> Result<Ways> {
        let outside = |reprovision| outside(&bench::run(binary, &planned(profile, reprovision))?);
        Ok(Ways { live: outside("never")?, fresh: outside("trial")? })
    }

    fn row(&self, what: &str, goal: Goal, of: fn(&Outside) -> f64, how: &str) -> Row {
        let (live, fresh) = (of(&self.live), of(&self.fresh));
        Row {
            what: format!("{what}, live ÷ fresh boot each time"),
            figure: live / fresh,
            decimals: 3,
            unit: "",
            goal,
            how: format!("{how}: {live:.2} s ÷ {fresh:.2} s"),
        }
    }
}

fn repeated(profile: &str, repeats: u32) -> String {
    profile.replacen("[workload]\n", &format!("[workload]\nrepeats = {repeats}\n"), 1)
}

fn planned(profile: &str, reprovision: &str) -> String {
    format!("{profile}\n[plan]\nreprovision = \"{reprovision}\"\n")
}

/// The same with guests that boot an image, and fewer of them: they are large.
fn booting(image: &Path) -> Result<String> {
    let image = image.canonicalize().with_context(|| format!("there is no image {}", image.display()))?;
    let memory = format!("memory = \"512 MiB\"\nimage = {:?}", image.to_string_lossy());
    Ok(PROFILE.replace("memory = \"96 MiB\"", &memory).replace("vms = [4, 2, 1]", "vms = [2, 1]"))
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
