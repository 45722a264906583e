//! What runs of small profiles say of kvmfair: seconds outside the window, its own CPU, window and witness.

use std::path::Path;

use anyhow::Result;
use kvmfair::figures::Metric;

use crate::bench::{self, Run};
use crate::numbers::{list, median};
use crate::table::{Goal, Row};

/// Seconds of a trial that are not the window, where no guest had to boot.
pub fn around_the_window(binary: &Path) -> Result<Vec<Row>> {
    let run = bench::run(binary, include_str!("around.toml"))?;
    let timing = &run.experiment.timing;
    let asked = bench::asked_s(&run.experiment);
    let outside = outside_s(&run);
    let rest: Vec<f64> = outside.iter().map(|outside| outside - asked).collect();
    let how = format!(
        "virtio, 2 and 1 guests in turn, from one trial's start to the next one's, less the window; {} trials: {}",
        outside.len(),
        list(&outside, 2)
    );
    let parts = format!(
        "the same less warm-up {:.1} s, cool-down {:.1} s and netperf's settling ({asked:.2} s in all): move, checks, \
         setting up and ending the flows, writing the tables",
        timing.warmup.as_secs_f64(),
        timing.cooldown.as_secs_f64(),
    );
    let row = |what: &str, values: &[f64], how: String| Row {
        what: what.into(),
        figure: median(values),
        decimals: 2,
        unit: " s",
        goal: Goal::None,
        how,
    };
    Ok(vec![
        row("outside the window, per trial, guests stay up", &outside, how),
        row("of that, kvmfair's own", &rest, parts),
    ])
}

fn outside_s(run: &Run) -> Vec<f64> {
    let stays = |trial: u32| {
        let planned = run.plan.trials.iter().find(|planned| planned.trial == trial);
        planned.is_some_and(|planned| planned.transition.boot.is_empty() && !planned.transition.reattach)
    };
    let pairs = run.trials.windows(2).filter(|pair| stays(pair[0].trial));
    pairs
        .filter_map(|pair| {
            let window = pair[0].valid()?.window.length_s();
            Some(pair[1].started_s - pair[0].started_s - window)
        })
        .collect()
}

/// kvmfair's own CPU with four guests, and the packets that the host counted against netperf's transactions.
pub fn cpu_and_witness(binary: &Path) -> Result<Vec<Row>> {
    let run = bench::run(binary, include_str!("witness.toml"))?;
    let cpu: Vec<f64> = ["virtio", "e1000", "macvtap-bridge"]
        .into_iter()
        .flat_map(|backend| run.values(backend, Metric::OrchestratorCpu))
        .collect();
    let mut rows = vec![Row {
        what: "kvmfair's own CPU during the window, 4 guests".into(),
        figure: median(&cpu),
        decimals: 2,
        unit: " %",
        goal: Goal::AtMost(1.0),
        how: format!("of one core, median of the trials with guests: {}", list(&cpu, 2)),
    }];
    rows.extend(["virtio", "e1000", "macvtap-bridge", "baremetal"].map(|backend| {
        let ratios = run.values(backend, Metric::PacketCheck);
        Row {
            what: format!("witness ÷ netperf, {backend}"),
            figure: median(&ratios),
            decimals: 3,
            unit: "",
            goal: Goal::Near(1.0, 0.02),
            how: format!("packets on the host per transaction and direction, 8 flows: {}", list(&ratios, 4)),
        }
    }));
    Ok(rows)
}

/// The total of the common window against the sum of what each netperf says at its end.
pub fn naive_sum(binary: &Path) -> Result<Vec<Row>> {
    let run = bench::run(binary, include_str!("window.toml"))?;
    let row = |(backend, what): (&str, &str)| {
        let ratios: Vec<f64> =
            run.values(backend, Metric::Unsynchronised).iter().map(|inflation| 1.0 / inflation).collect();
        let starts: Vec<f64> = run
            .raw
            .iter()
            .zip(&run.trials)
            .filter(|(raw, _)| raw.configuration.backend.to_string() == backend)
            .filter_map(|(_, trial)| Some(trial.valid()?.total.start_spread_s))
            .collect();
        Row {
            what: format!("window ÷ naive sum, 128 flows, {what}"),
            figure: median(&ratios),
            decimals: 3,
            unit: "",
            goal: Goal::None,
            how: format!(
                "window of 8 s after 2 s of warm-up; trials: {}; flows started within {} s",
                list(&ratios, 3),
                list(&starts, 2)
            ),
        }
    };
    Ok([("baremetal", "bare metal"), ("virtio", "4 virtio guests of 128 MiB")].map(row).into())
}
