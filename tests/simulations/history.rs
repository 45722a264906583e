//! Histories: unchanged ones with spikes have no change, a step is found soon.

use kvmfair::stats::Segmentation;

use crate::random::{Random, part};

const NOISE: f64 = 0.02;

/// Unchanged runs, 3 % of which are off by `spike`.
fn unchanged(random: &mut Random, runs: usize, spike: f64) -> Vec<f64> {
    let mut run = || {
        let odd = if random.uniform() < 0.03 { spike * random.sign() } else { 0.0 };
        odd + NOISE * random.normal()
    };
    (0..runs).map(|_| run()).collect()
}

fn false_changes(count: usize, spike: f64) -> f64 {
    let mut random = Random::seeded(11);
    part(count, || {
        !Segmentation::from_history(&unchanged(&mut random, 100, spike)).unwrap().changes.is_empty()
    })
}

/// The same, judged after each run: (any change at any time, a confirmed one).
fn false_alarms(count: usize, spike: f64) -> (f64, f64) {
    let mut random = Random::seeded(12);
    let (mut any, mut confirmed) = (0, 0);
    for _ in 0..count {
        let runs = unchanged(&mut random, 100, spike);
        let changes: Vec<bool> = (6..=runs.len())
            .filter_map(|length| Segmentation::from_history(&runs[..length]))
            .flat_map(|found| found.changes.iter().map(|change| change.is_provisional).collect::<Vec<_>>())
            .collect();
        any += usize::from(!changes.is_empty());
        confirmed += usize::from(changes.contains(&false));
    }
    (any as f64 / count as f64, confirmed as f64 / count as f64)
}

/// A step of 5 % after `before` runs is found after one of the next `within` runs.
fn steps_found(count: usize, before: usize, within: usize, spike: f64) -> f64 {
    let mut random = Random::seeded(13);
    part(count, || {
        let mut runs = unchanged(&mut random, before, spike);
        let step = -0.05 * random.sign();
        (0..within).any(|_| {
            runs.push(step + NOISE * random.normal());
            let found = Segmentation::from_history(&runs).unwrap();
            found.changes.iter().any(|change| change.at.abs_diff(before) <= 2)
        })
    })
}

#[test]
fn unchanged_histories_have_few_changes_and_steps_are_found() {
    let (false_changes, found) = (false_changes(60, 0.1), steps_found(100, 30, 3, 0.1));
    assert!(false_changes < 0.1 && found > 0.7, "{false_changes} {found}");
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_false_changes_and_steps() {
    println!("100 unchanged runs, 2 % noise, 3 % of the runs spikes: series with a false change, %");
    for spike in [0.0, 0.05, 0.1, 0.3] {
        let (any, confirmed) = false_alarms(150, spike);
        println!(
            "spikes of {:3.0} %: at the end {:4.1}; judged after each run: any {:4.1}, confirmed {:4.1}",
            100.0 * spike,
            100.0 * false_changes(3000, spike),
            100.0 * any,
            100.0 * confirmed
        );
    }
    println!("a 5 % step at 2 % noise found, %, within 2, 3, 4, 5 runs");
    for before in [10, 20, 30, 50, 97] {
        let found = [2, 3, 4, 5].map(|within| 100.0 * steps_found(1000, before, within, 0.1));
        println!("after {before:2} runs: {found:5.1?}");
    }
}
