//! Answers and findings count boots where blocks share them: boots' luck passes for no difference and no loser.

use kvmfair::answers::{
    Direction, LevelPair, Measure, MeasuredValue, Metric, Shares, answer, find_unfairness,
};

use crate::random::{Random, part};

/// The boots of both levels in five blocks.
struct Layout {
    name: &'static str,
    base: [u32; 5],
    new: [u32; 5],
}

const LAYOUTS: [Layout; 5] = [
    Layout { name: "a boot for each block", base: [1, 2, 3, 4, 5], new: [11, 12, 13, 14, 15] },
    Layout { name: "three boots of each level", base: [1, 1, 2, 2, 3], new: [11, 11, 12, 12, 13] },
    Layout { name: "boots across blocks", base: [1, 2, 2, 3, 3], new: [11, 11, 12, 12, 13] },
    Layout { name: "three boots of both levels", base: [1, 1, 2, 2, 3], new: [1, 1, 2, 2, 3] },
    Layout { name: "one boot of each level", base: [1; 5], new: [11; 5] },
];

/// How often an answer about equal levels shows a difference, holds the truth of all boots, and that of its own boots.
#[derive(Default, Debug)]
struct Found {
    shown: f64,
    all: f64,
    own: f64,
}

/// A rate with 5 % between blocks, 2 % between boots and 2 % between trials; the levels are equal.
fn equal_levels(count: usize, layout: &Layout) -> Found {
    let mut random = Random::seeded(61);
    let mut found = Found::default();
    for _ in 0..count {
        let luck: Vec<f64> = (0..20).map(|_| 0.02 * random.normal()).collect();
        let mut values = Vec::new();
        let mut own = 0.0;
        for block in 0..5 {
            let common = 0.05 * random.normal();
            for (id, boot, sign) in [("a", layout.base[block], -1.0), ("b", layout.new[block], 1.0)] {
                own += sign * luck[boot as usize] / 5.0;
                let logarithm = common + luck[boot as usize] + 0.02 * random.normal();
                let value = 1000.0 * f64::exp(logarithm);
                let (configuration, metric) = (id.to_owned(), rate().key);
                values.push(MeasuredValue { configuration, metric, block: block as u32, boot, value });
            }
        }
        let one = &answer(&[rate()], &[pair()], &values)[0];
        let (low, high) = one.interval.expect("five blocks");
        found.shown += f64::from(one.is_shown());
        found.all += f64::from((low..=high).contains(&1.0));
        found.own += f64::from((low..=high).contains(&own.exp()));
    }
    let part = |of: f64| of / count as f64;
    Found { shown: part(found.shown), all: part(found.all), own: part(found.own) }
}

fn rate() -> Metric {
    let text = |text: &str| text.to_owned();
    Metric {
        key: text("total_rate_tps"),
        label: text("total rate"),
        unit: text("1/s"),
        direction: Direction::Higher,
        measure: Measure::Ratio,
    }
}

fn pair() -> LevelPair {
    let level = |name: &str, id: &str| (name.to_owned(), id.to_owned());
    LevelPair {
        factor: "backend".to_owned(),
        base: level("e1000", "a"),
        new: level("virtio", "b"),
        context: String::new(),
    }
}

/// Five trials of eight guests that each boot treats differently by 3 %, beside 3 % between trials: how often one loses for good.
fn losers_by_luck(count: usize, boots: [u32; 5]) -> f64 {
    let mut random = Random::seeded(62);
    part(count, || {
        let luck: Vec<[f64; 8]> = (0..6).map(|_| [(); 8].map(|()| 0.03 * random.normal())).collect();
        let mut trial =
            |boot: &u32| luck[*boot as usize].map(|own| 1.0 + own + 0.03 * random.normal()).to_vec();
        let repeats = boots.iter().map(&mut trial).collect();
        let (configuration, label) = (String::new(), String::new());
        let guests = (1..=8).collect();
        let own = Shares {
            configuration,
            label,
            guests,
            repeats,
            boots: boots.to_vec(),
            spreads: vec![],
            beside: vec![],
        };
        !find_unfairness(&[own]).is_empty()
    })
}

#[test]
fn the_luck_of_boots_is_no_difference_between_levels() {
    for layout in &LAYOUTS[..4] {
        let Found { shown, all, .. } = equal_levels(1000, layout);
        assert!(shown < 0.075 && all > 0.925, "{}: {shown} {all}", layout.name);
    }
    let one_boot = equal_levels(1000, &LAYOUTS[4]);
    assert!((one_boot.own - 0.95).abs() < 0.025, "{one_boot:?}");
}

#[test]
fn the_luck_of_boots_makes_no_persistent_losers() {
    let found = losers_by_luck(1000, [1, 1, 2, 2, 3]);
    assert!(found < 0.075, "{found}");
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_answers_of_shared_boots() {
    println!("\nEqual levels, five blocks, 5 % between blocks, 2 % between boots, 2 % between trials; %:\n");
    println!("| boots | a difference is shown | the interval holds the truth | that of its own boots |");
    println!("| --- | --- | --- | --- |");
    for layout in &LAYOUTS {
        let found = equal_levels(20_000, layout);
        let [shown, all, own] = [found.shown, found.all, found.own].map(|part| 100.0 * part);
        println!("| {} | {shown:.1} | {all:.1} | {own:.1} |", layout.name);
    }
    println!("\nEight fair guests with 3 % luck of each boot: a persistent loser is named, %:\n");
    println!("| five boots | three boots | one boot (marked) |\n| --- | --- | --- |");
    let found = [[1, 2, 3, 4, 5], [1, 1, 2, 2, 3], [1; 5]].map(|boots| 100.0 * losers_by_luck(20_000, boots));
    println!("| {:.1} | {:.1} | {:.1} |", found[0], found[1], found[2]);
}
