//! Intervals hold the truth as often as they promise; the plan of repeats gives the precision that it promised.

use kvmfair::stats::{Components, Estimate, Observation, Repeats, Scale};

use crate::random::{Random, part};

/// What a trial measures: a figure of a boot's luck and a trial's luck.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A rate with 10 % of noise.
    Rate,
    /// A latency with 40 % of noise.
    Latency,
    /// The longest of 100 waits.
    Longest,
    /// Jain's index of eight guests.
    Jain,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Rate, Kind::Latency, Kind::Longest, Kind::Jain];

    fn scale(self) -> Scale {
        match self {
            Kind::Rate | Kind::Latency => Scale::Log,
            Kind::Longest => Scale::Skewed,
            Kind::Jain => Scale::Index,
        }
    }

    fn value(self, random: &mut Random) -> f64 {
        match self {
            Kind::Rate => 100.0 * (0.1 * random.normal()).exp(),
            Kind::Latency => 100.0 * (0.4 * random.normal()).exp(),
            Kind::Longest => (0..100).map(|_| -random.uniform().ln()).fold(0.0, f64::max),
            Kind::Jain => {
                let shares: Vec<f64> = (0..8).map(|_| 1.0 + 0.15 * random.normal()).collect();
                let (sum, squares) = shares.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
                sum * sum / (8.0 * squares)
            }
        }
    }

    fn truth(self) -> f64 {
        let mut random = Random::seeded(31);
        (0..400_000).map(|_| self.value(&mut random)).sum::<f64>() / 400_000.0
    }
}

/// Coverage with one trial in each of `boots` boots.
fn coverage(count: usize, kind: Kind, truth: f64, boots: u32) -> f64 {
    let mut random = Random::seeded(32);
    part(count, || {
        let trials: Vec<Observation> =
            (0..boots).map(|boot| Observation { boot, value: kind.value(&mut random) }).collect();
        let (low, high) = Estimate::from_observations(&trials, kind.scale()).unwrap().low_high.unwrap();
        low <= truth && truth <= high
    })
}

/// A rate with 2 % between boots and 2 % between trials: (holds the truth of its own boots, holds the truth).
fn nested_coverage(count: usize, boots: u32, trials: usize) -> (f64, f64) {
    let mut random = Random::seeded(33);
    let (mut own, mut all) = (0, 0);
    for _ in 0..count {
        let mut observations = Vec::new();
        let mut truths = Vec::new();
        for boot in 0..boots {
            let level = 100.0 * (0.02 * random.normal()).exp();
            truths.push(level);
            observations.extend(
                (0..trials).map(|_| Observation { boot, value: level * (0.02 * random.normal()).exp() }),
            );
        }
        let (low, high) = Estimate::from_observations(&observations, Scale::Log).unwrap().low_high.unwrap();
        let holds = |truth: f64| usize::from(low <= truth && truth <= high);
        own += holds(truths.iter().sum::<f64>() / truths.len() as f64);
        all += holds(100.0);
    }
    (own as f64 / count as f64, all as f64 / count as f64)
}

/// The part of runs in which a difference of the size that is promised to be found in 90 % is significant.
fn promised_difference_found(count: usize, boots: usize) -> f64 {
    let mut random = Random::seeded(34);
    let truth = Components { boot: 0.0004, trial: 0.0004, boots, separate: true };
    let size = truth.smallest_difference(Repeats { boots, trials_per_boot: 1 }, 0.9).unwrap();
    let noise = 0.0008_f64.sqrt();
    part(count, || {
        let base: Vec<f64> = (0..boots).map(|_| noise * random.normal()).collect();
        let new: Vec<f64> = (0..boots).map(|_| size + noise * random.normal()).collect();
        kvmfair::stats::Difference::welch(&base, &new).unwrap().p_two_sided() < 0.05
    })
}

#[test]
fn intervals_of_rates_hold_the_truth_at_one_and_at_five_boots() {
    let (_, five) = nested_coverage(2000, 5, 1);
    let (own, _) = nested_coverage(2000, 1, 5);
    assert!((five - 0.95).abs() < 0.02 && (own - 0.95).abs() < 0.02, "{five} {own}");
}

#[test]
fn intervals_of_skewed_and_bounded_figures_hold_the_truth() {
    for kind in [Kind::Latency, Kind::Jain] {
        let found = coverage(1000, kind, kind.truth(), 5);
        assert!(found > 0.91, "{kind:?}: {found}");
    }
}

#[test]
fn a_difference_that_is_promised_to_be_seen_is_seen() {
    for boots in [3, 5, 10] {
        let found = promised_difference_found(1000, boots);
        assert!((0.8..0.97).contains(&found), "{boots}: {found}");
    }
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_coverage_of_intervals() {
    println!(
        "95 % intervals that hold the truth, %, one trial in each of 2, 3, 5, 10, 15 boots (fewer than 5 of Longest and Jain: extremes)"
    );
    for kind in Kind::ALL {
        let truth = kind.truth();
        let found = [2, 3, 5, 10, 15].map(|boots| 100.0 * coverage(20_000, kind, truth, boots));
        println!("{kind:?}: {found:5.1?}");
    }
    println!(
        "a rate, 2 % between boots + 2 % between trials: holds the truth of its own boots, of all boots, %"
    );
    for (boots, trials) in [(1, 3), (1, 5), (2, 3), (3, 3), (5, 1), (5, 3)] {
        let (own, all) = nested_coverage(20_000, boots, trials);
        println!("{boots} boots × {trials} trials: {:5.1} {:5.1}", 100.0 * own, 100.0 * all);
    }
    println!("a difference promised to be found in 90 %: found, %, with 3, 5, 10, 15 boots");
    println!("{:5.1?}", [3, 5, 10, 15].map(|boots| 100.0 * promised_difference_found(20_000, boots)));
}
