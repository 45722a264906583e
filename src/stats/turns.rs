//! Parties that take turns: fair over the window, unfair over the length of a turn.
//!
//! Turns come back with a period. In a periodogram of what each party gets beside its mean and beside what all get, noise is
//! spread over all frequencies, turns stand out in one.

use serde::{Deserialize, Serialize};

use super::distribution::f_upper_tail;
use super::layout::Layout;

/// Fewer values of a course show no period.
const FEWEST: usize = 16;
/// Level at which noise may explain the strongest frequency of all.
const LEVEL: f64 = 1e-3;
/// Memory of ordinary noise makes low frequencies stronger, up to this many times for a correlation of 0.5 of neighbours.
const MEMORY: f64 = 3.0;
/// Smaller turns matter to nobody: standard deviation over the slices ÷ mean.
const SMALLEST: f64 = 0.1;

/// How some parties take turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turns {
    /// After how long the order comes back, s; no shorter than two slices. For two parties a turn is half of it.
    pub period_s: f64,
    /// Standard deviation of the parties' shares over the slices that this period makes ÷ mean share.
    pub size: f64,
    /// Probability that noise has so strong a period, at any of the frequencies.
    pub p: f64,
}

impl Turns {
    /// The strongest period in the courses of some parties: their rates in consecutive slices of `slice_s`, all as long as the
    /// shortest.
    ///
    /// `None` for fewer than two parties or sixteen slices, and where nobody moved anything.
    pub fn from_courses(courses: &[&[f64]], slice_s: f64) -> Option<Turns> {
        let slices = courses.iter().map(|course| course.len()).min().filter(|slices| *slices >= FEWEST)?;
        let rows: Vec<Vec<f64>> = courses.iter().map(|course| course[..slices].to_vec()).collect();
        let layout = Layout::from_rows(&rows).filter(|layout| layout.mean > 0.0)?;
        let powers = powers(&layout.residuals);
        let (strongest, power) =
            powers.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))?;
        let others = (powers.iter().sum::<f64>() - power) / (powers.len() as f64 - 1.0);
        let degrees = 2.0 * layout.party_degrees();
        let ratio = if power > 0.0 { power / others / MEMORY } else { 0.0 };
        let one = f_upper_tail(ratio, degrees, degrees * (powers.len() as f64 - 1.0))?;
        let values = (slices * courses.len()) as f64;
        Some(Turns {
            period_s: slices as f64 * slice_s / (strongest as f64 + 1.0),
            size: (2.0 * power / slices as f64 / values).sqrt() / layout.mean,
            p: (one * powers.len() as f64).min(1.0),
        })
    }

    /// Whether the parties take turns that noise does not explain and that are large enough to matter.
    pub fn are_taken(&self) -> bool {
        self.p < LEVEL && self.size >= SMALLEST
    }
}

/// |Σ x·e^(−2πikn/N)|² of all rows together, for k = 1 to ⌊N/2⌋ without the highest frequency, which has half the degrees of freedom.
fn powers(rows: &[Vec<f64>]) -> Vec<f64> {
    let length = rows.first().map_or(0, Vec::len);
    let waves: Vec<(f64, f64)> = (0..length)
        .map(|n| std::f64::consts::TAU * n as f64 / length as f64)
        .map(|angle| (angle.cos(), angle.sin()))
        .collect();
    let power = |row: &Vec<f64>, k: usize| {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (n, value) in row.iter().enumerate() {
            let (cos, sin) = waves[n * k % length];
            (real, imaginary) = (real + value * cos, imaginary + value * sin);
        }
        real * real + imaginary * imaginary
    };
    (1..length.div_ceil(2)).map(|k| rows.iter().map(|row| power(row, k)).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Source;

    /// Parties that each get everything for `turn` slices, in order, with noise.
    fn courses(parties: usize, slices: usize, turn: usize, share: f64, noise: f64) -> Vec<Vec<f64>> {
        let mut source = Source::seeded(7);
        let mut rate = |party: usize, slice: usize| {
            let is_its_turn = slice / turn % parties == party;
            let level = if is_its_turn { 1.0 + share * (parties as f64 - 1.0) } else { 1.0 - share };
            100.0 * (level + noise * source.normal()).max(0.0)
        };
        (0..parties).map(|party| (0..slices).map(|slice| rate(party, slice)).collect()).collect()
    }

    fn turns_in(courses: &[Vec<f64>]) -> Turns {
        Turns::from_courses(&courses.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0.25).unwrap()
    }

    #[test]
    fn two_parties_that_alternate_are_found_with_their_period() {
        let found = turns_in(&courses(2, 80, 4, 1.0, 0.05));
        assert!(found.are_taken() && (found.period_s - 2.0).abs() < 1e-9, "{found:?}");
        assert!(
            (found.size - 0.9).abs() < 0.02,
            "a square wave has 81 % of its power in its period: {found:?}"
        );
    }

    #[test]
    fn eight_parties_that_take_turns_are_found() {
        let found = turns_in(&courses(8, 120, 4, 1.0, 0.1));
        assert!(found.are_taken(), "{found:?}");
    }

    #[test]
    fn noise_has_no_turns_and_small_turns_do_not_matter() {
        assert!(!turns_in(&courses(4, 80, 4, 0.0, 0.5)).are_taken());
        assert!(!turns_in(&courses(2, 80, 4, 0.02, 0.01)).are_taken());
    }

    #[test]
    fn short_courses_one_party_and_nothing_moved_have_none() {
        assert_eq!(Turns::from_courses(&[&[1.0; 40]], 0.25), None);
        assert_eq!(Turns::from_courses(&[&[1.0; 15], &[1.0; 15]], 0.25), None);
        assert_eq!(Turns::from_courses(&[&[0.0; 40], &[0.0; 40]], 0.25), None);
    }
}
