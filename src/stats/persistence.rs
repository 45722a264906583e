//! Whether the same party loses in every repeat, and who: the parties against what is left after parties and repeats.

use serde::Serialize;

use super::distribution::t_upper_tail;
use super::family::holm;
use super::layout::{Layout, p_of_squares};

/// Level of the two tests together: at most so many fair runs are called unfair.
const LEVEL: f64 = 0.05;
/// The part of it that many parties leave for "they differ though none stands out"; of two, either both stand out or none.
const UNNAMED: f64 = 0.2;

/// How much the parties differ in all repeats alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Persistence {
    /// Repeats behind it.
    pub repeats: usize,
    /// Probability of such differences, or larger ones, if all parties are equal: F test of party against party × repeat.
    pub p: f64,
    /// Of each party, its mean ÷ the mean of the others − 1.
    pub deviations: Vec<f64>,
    /// Of each party, the probability that a fair one is so far below the others in any of these tests: one-sided t with Holm's
    /// correction.
    pub loser_p: Vec<f64>,
}

impl Persistence {
    /// From one row of shares per repeat; each is taken relative to its own repeat's mean.
    ///
    /// `None` ("too few repeats to tell") for fewer than two repeats or parties, for rows of different lengths, what is not finite,
    /// and a repeat in which nobody got anything.
    pub fn from_repeats(repeats: &[Vec<f64>]) -> Option<Persistence> {
        let relative = |row: &Vec<f64>| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            row.iter().map(|share| share / mean).collect::<Vec<f64>>()
        };
        let parties = repeats.first()?.len();
        let rows: Vec<Vec<f64>> = repeats.iter().map(relative).collect();
        if rows.iter().any(|row| row.len() != parties) {
            return None;
        }
        let by_party = |party: usize| rows.iter().map(|row| row[party]).collect();
        let layout = Layout::from_rows(&(0..parties).map(by_party).collect::<Vec<Vec<f64>>>())?;
        let noise = layout.noise_square();
        let degrees = layout.noise_degrees();
        let n = parties as f64;
        let error = (noise * (n - 1.0) / (n * rows.len() as f64)).sqrt();
        let tail = |own: &f64| match () {
            () if error > 0.0 => t_upper_tail((1.0 - own) / error, degrees),
            () => Some(if *own < 1.0 { 0.0 } else { 1.0 }),
        };
        let tails: Vec<f64> = layout.means.iter().map(tail).collect::<Option<_>>()?;
        Some(Persistence {
            repeats: rows.len(),
            p: p_of_squares((layout.party_square(), layout.party_degrees()), (noise, degrees))?,
            deviations: layout.means.iter().map(|own| own / ((n - own) / (n - 1.0)) - 1.0).collect(),
            loser_p: holm(&tails),
        })
    }

    /// The parties that lose in all repeats alike, the one with the largest loss first.
    pub fn losers(&self) -> Vec<usize> {
        let mut losers: Vec<usize> =
            (0..self.loser_p.len()).filter(|party| self.loser_p[*party] < self.named() * LEVEL).collect();
        losers.sort_by(|a, b| self.deviations[*a].total_cmp(&self.deviations[*b]));
        losers
    }

    /// Probability that either test calls fair parties this unfair, or more so.
    pub fn p_of_either(&self) -> f64 {
        let named = self.loser_p.iter().copied().fold(1.0, f64::min);
        (named / self.named()).min(self.p / (1.0 - self.named())).min(1.0)
    }

    /// The part of the level for tests that name a loser.
    fn named(&self) -> f64 {
        1.0 - UNNAMED * (1.0 - 2.0 / self.deviations.len() as f64)
    }

    /// Whether the same parties get less in all repeats, be it one that can be named or not.
    pub fn is_unfair(&self) -> bool {
        self.p_of_either() < LEVEL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_repeat_or_one_party_is_too_little_to_tell() {
        assert_eq!(Persistence::from_repeats(&[vec![1.0, 2.0]]), None);
        assert_eq!(Persistence::from_repeats(&[vec![1.0], vec![2.0]]), None);
        assert_eq!(Persistence::from_repeats(&[vec![0.0, 0.0], vec![1.0, 2.0]]), None);
        assert_eq!(Persistence::from_repeats(&[vec![1.0, 2.0], vec![1.0]]), None);
    }

    #[test]
    fn a_party_that_loses_in_each_repeat_is_named_with_what_it_loses() {
        let repeats =
            [vec![100.0, 101.0, 80.0, 99.0], vec![51.0, 50.0, 40.0, 49.0], vec![99.0, 100.0, 79.0, 101.0]];
        let found = Persistence::from_repeats(&repeats).unwrap();
        assert_eq!(found.losers(), [2]);
        assert!(found.p < 0.001 && (found.deviations[2] + 0.2).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn parties_that_lose_in_turn_lose_for_nobody() {
        let repeats = [vec![80.0, 100.0, 100.0], vec![100.0, 80.0, 100.0], vec![100.0, 100.0, 80.0]];
        assert!(!Persistence::from_repeats(&repeats).unwrap().is_unfair());
    }

    proptest! {
        #[test]
        fn the_scale_of_a_repeat_changes_nothing(rows in prop::collection::vec(prop::collection::vec(1.0..1e3_f64, 4), 2..7), k in 0.1..10.0_f64) {
            let mut scaled = rows.clone();
            scaled[0].iter_mut().for_each(|share| *share *= k);
            let (a, b) = (Persistence::from_repeats(&rows).unwrap(), Persistence::from_repeats(&scaled).unwrap());
            prop_assert!((a.p - b.p).abs() < 1e-6);
        }
    }
}
