//! Fair runs are called fair at any number of guests; losers are found and named.

use kvmfair::stats::{Persistence, Spread, kendall_p};

use crate::random::{Random, part};

const GUESTS: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Half-second slices of a window of 30 s.
const SLICES: usize = 60;

/// Guests' courses in one trial: `noise` of a guest's mean over the window, with memory from slice to slice; the guest with
/// index 1 has `first` of a share. What all guests have in common moves by 5 %.
fn trial(random: &mut Random, guests: usize, noise: f64, memory: f64, first: f64) -> Vec<Vec<f64>> {
    let slice_noise = noise * (SLICES as f64 * (1.0 - memory) / (1.0 + memory)).sqrt();
    let common = random.course(SLICES, 0.5);
    let mut guest = |index: usize| {
        let share = if index == 1 { first } else { 1.0 };
        let own = random.course(SLICES, memory);
        let slices = own.iter().zip(&common);
        slices
            .map(|(own, common)| 100.0 * share * (1.0 + slice_noise * own) * (1.0 + 0.05 * common))
            .map(|x| x.max(0.0))
            .collect()
    };
    (0..guests).map(&mut guest).collect()
}

/// Fair runs of five trials that are called unfair within the window at 1 %.
fn unfair_in_the_window(count: usize, guests: usize, noise: f64, memory: f64) -> f64 {
    let mut random = Random::seeded(1);
    part(count, || {
        let trials =
            (0..5).filter_map(|_| Spread::from_courses(&trial(&mut random, guests, noise, memory, 1.0)));
        Spread::pooled_p(&trials.collect::<Vec<_>>()).is_some_and(|p| p < 0.01)
    })
}

/// Mean bias, mean floor, in percent, of fair trials.
fn bias_and_floor(count: usize, guests: usize, noise: f64) -> (f64, f64) {
    let mut random = Random::seeded(2);
    let spreads: Vec<Spread> = (0..count)
        .filter_map(|_| Spread::from_courses(&trial(&mut random, guests, noise, 0.0, 1.0)))
        .collect();
    let mean = |value: fn(&Spread) -> f64| spreads.iter().map(value).sum::<f64>() / spreads.len() as f64;
    (mean(|spread| spread.bias_percent), mean(|spread| spread.floor_bias_percent))
}

/// Five repeats of guests whose rate has a noise of `noise`; guest 1 has `first` of a share.
fn repeats(random: &mut Random, guests: usize, noise: f64, first: f64) -> Vec<Vec<f64>> {
    let mut rate = |guest: usize| (if guest == 1 { first } else { 1.0 }) * (1.0 + noise * random.normal());
    (0..5).map(|_| (0..guests).map(&mut rate).collect()).collect()
}

fn persistent_in_fair_runs(count: usize, guests: usize, noise: f64) -> f64 {
    let mut random = Random::seeded(3);
    part(count, || Persistence::from_repeats(&repeats(&mut random, guests, noise, 1.0)).unwrap().is_unfair())
}

fn kendall_in_fair_runs(count: usize, guests: usize) -> f64 {
    let mut random = Random::seeded(4);
    part(count, || kendall_p(&repeats(&mut random, guests, 0.05, 1.0)).unwrap() < 0.05)
}

/// (found unfair, found and named).
fn loser_found(count: usize, guests: usize, noise: f64, first: f64) -> (f64, f64) {
    let mut random = Random::seeded(5);
    let (mut found, mut named) = (0, 0);
    for _ in 0..count {
        let result = Persistence::from_repeats(&repeats(&mut random, guests, noise, first)).unwrap();
        found += usize::from(result.is_unfair());
        named += usize::from(result.losers().first() == Some(&1));
    }
    (found as f64 / count as f64, named as f64 / count as f64)
}

#[test]
fn fair_runs_are_rarely_called_unfair() {
    for guests in [2, 8, 64] {
        let count = 300 / guests.max(8) * 8;
        let window = unfair_in_the_window(count, guests, 0.05, 0.3);
        let repeats = persistent_in_fair_runs(400, guests, 0.05);
        assert!(window < 0.06 && repeats < 0.09, "{guests} guests: {window} {repeats}");
    }
}

#[test]
fn the_floor_is_the_bias_of_fair_guests() {
    for guests in [2, 16, 64] {
        let (bias, floor) = bias_and_floor(100, guests, 0.05);
        assert!((bias / floor - 1.0).abs() < 0.25, "{guests} guests: {bias} {floor}");
    }
}

#[test]
fn a_loser_is_found_and_named() {
    for guests in [4, 16, 64] {
        let (_, named) = loser_found(300, guests, 0.05, 0.9);
        assert!(named > 0.75, "{guests} guests: {named}");
    }
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_fair_runs_by_guests_and_noise() {
    println!(
        "\nFair runs (R = 5) called unfair, %: within the window (at 1 %), by the memory of neighbouring slices; over repeats:\n"
    );
    println!(
        "| guests | noise | memory 0 | 0.3 | 0.6 | over repeats | Kendall p < 5 % | bias, % | floor, % |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for guests in GUESTS {
        for noise in [0.01, 0.05, 0.1] {
            let count = (40_000 / guests).min(4000);
            let window =
                [0.0, 0.3, 0.6].map(|memory| 100.0 * unfair_in_the_window(count, guests, noise, memory));
            let over = 100.0 * persistent_in_fair_runs(4000, guests, noise);
            let kendall = 100.0 * kendall_in_fair_runs(1000, guests);
            let (bias, floor) = bias_and_floor(count, guests, noise);
            let [none, some, much] = window;
            println!(
                "| {guests} | {:.0} % | {none:.1} | {some:.1} | {much:.1} | {over:.1} | {kendall:.1} | {bias:.2} | {floor:.2} |",
                100.0 * noise
            );
        }
    }
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_losers_by_guests_and_loss() {
    println!(
        "\nA persistent loser at 5 % noise, R = 5, %:\n\n| guests | loses | found | found and named |\n| --- | --- | --- | --- |"
    );
    for guests in GUESTS {
        for loss in [0.05, 0.1, 0.2] {
            let (found, named) = loser_found(4000, guests, 0.05, 1.0 - loss);
            println!("| {guests} | {:.0} % | {:.1} | {:.1} |", 100.0 * loss, 100.0 * found, 100.0 * named);
        }
    }
}
