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
    /// A share of CPU time near its bound of 100 %.
    Percent,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Rate, Kind::Latency, Kind::Longest, Kind::Jain, Kind::Percent];

    fn scale(self) -> Scale {
        match self {
            Kind::Rate | Kind::Latency => Scale::Log,
            Kind::Longest => Scale::Skewed,
            Kind::Jain => Scale::Index,
            Kind::Percent => Scale::Percent,
        }
    }

    /// Of a trial in a boot with this luck, a standard normal number.
    fn value(self, random: &mut Random, luck: f64) -> f64 {
        match self {
            Kind::Rate => 100.0 * (0.1 * luck + 0.1 * random.normal()).exp(),
            Kind::Latency => 100.0 * (0.3 * luck + 0.3 * random.normal()).exp(),
            Kind::Longest => {
                (0.2 * luck).exp() * (0..100).map(|_| -random.uniform().ln()).fold(0.0, f64::max)
            }
            Kind::Jain => {
                let spread = 0.12 * (0.3 * luck).exp();
                let shares: Vec<f64> = (0..8).map(|_| 1.0 + spread * random.normal()).collect();
                let (sum, squares) = shares.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
                sum * sum / (8.0 * squares)
            }
            Kind::Percent => 100.0 / (1.0 + (0.5 * luck + 0.5 * random.normal() - 2.0).exp()),
        }
    }

    /// The mean of so many trials of a boot with this luck.
    fn mean(self, random: &mut Random, luck: f64, trials: usize) -> f64 {
        (0..trials).map(|_| self.value(random, luck)).sum::<f64>() / trials as f64
    }

    fn truth(self) -> f64 {
        let mut random = Random::seeded(31);
        let mut one = || {
            let luck = random.normal();
            self.value(&mut random, luck)
        };
        (0..400_000).map(|_| one()).sum::<f64>() / 400_000.0
    }
}

/// Coverage of the truth of all boots with so many trials in each of several boots.
fn coverage(count: usize, kind: Kind, truth: f64, boots: u32, trials: usize) -> f64 {
    let mut random = Random::seeded(32);
    part(count, || {
        let mut observations = Vec::new();
        for boot in 0..boots {
            let luck = random.normal();
            observations
                .extend((0..trials).map(|_| Observation { boot, value: kind.value(&mut random, luck) }));
        }
        holds(&observations, kind, truth)
    })
}

/// Coverage of a boot's own truth with five trials in it.
fn coverage_of_one_boot(count: usize, kind: Kind) -> f64 {
    let mut random = Random::seeded(35);
    part(count, || {
        let luck = random.normal();
        let trials = (0..5).map(|_| Observation { boot: 0, value: kind.value(&mut random, luck) });
        let trials: Vec<Observation> = trials.collect();
        let truth = kind.mean(&mut random, luck, 2000);
        holds(&trials, kind, truth)
    })
}

fn holds(trials: &[Observation], kind: Kind, truth: f64) -> bool {
    let (low, high) = Estimate::from_observations(trials, kind.scale()).unwrap().low_high.unwrap();
    low <= truth && truth <= high
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
    for kind in [Kind::Latency, Kind::Jain, Kind::Percent] {
        let (five, one) = (coverage(1000, kind, kind.truth(), 5, 1), coverage_of_one_boot(300, kind));
        assert!(five > 0.91 && one > 0.9, "{kind:?}: {five} {one}");
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
        "\n95 % intervals that hold the truth, %; boots differ as much as trials (fewer than 5 units of Longest and Jain: extremes):\n"
    );
    println!(
        "| figure | 1 boot × 5 trials (its own truth) | 5 boots × 1 | 5 boots × 3 | 2 × 1 | 3 × 1 | 10 × 1 | 15 × 1 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for kind in Kind::ALL {
        let truth = kind.truth();
        let of = |(boots, trials)| 100.0 * coverage(20_000, kind, truth, boots, trials);
        let found = [(5, 1), (5, 3), (2, 1), (3, 1), (10, 1), (15, 1)].map(of);
        let cells: Vec<String> = found.iter().map(|percent| format!("{percent:.1}")).collect();
        let own = 100.0 * coverage_of_one_boot(3000, kind);
        println!("| {kind:?} | {own:.1} | {} |", cells.join(" | "));
    }
    println!("\nA rate, 2 % between boots + 2 % between trials, %:\n");
    println!("| boots × trials | holds the truth of its own boots | of all boots |\n| --- | --- | --- |");
    for (boots, trials) in [(1, 3), (1, 5), (2, 3), (3, 3), (5, 1), (5, 3)] {
        let (own, all) = nested_coverage(20_000, boots, trials);
        println!("| {boots} × {trials} | {:.1} | {:.1} |", 100.0 * own, 100.0 * all);
    }
    println!("\nA difference promised to be found in 90 %: found, %:\n");
    println!("| 3 boots | 5 | 10 | 15 |\n| --- | --- | --- | --- |");
    let found =
        [3, 5, 10, 15].map(|boots| format!("{:.1}", 100.0 * promised_difference_found(20_000, boots)));
    println!("| {} |", found.join(" | "));
}
