//! Spread beyond noise: how far fair parties with this noise would be apart, and whether these are further.
//!
//! The spread of perfectly fair parties grows with their number: the range of n means with a noise of σ is d₂(n)·σ, 1.1 σ for two and
//! 4.7 σ for 64. So each spread stands beside this floor, and is judged by what lies beyond it.

use serde::{Deserialize, Serialize};

use super::Fairness;
use super::distribution::normal_cdf;
use super::layout::{Layout, average, p_of_squares};
use super::median;

/// Batches into which a course is cut: enough degrees of freedom, and long enough to be nearly independent.
const BATCHES: usize = 20;
/// Fewer values of a course say too little about its noise.
pub const FEWEST_SLICES: usize = 8;
/// A party whose noise is so many times that of the median party is starved or takes turns; it is no measure of everybody's noise.
const LARGEST_NOISE: f64 = 4.0;

/// Noise below this is that of floating point.
const ROUNDING: f64 = 1e-9;

/// The spread of some parties' rates in one trial, beside what their noise explains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Parties.
    pub parties: usize,
    /// 100·(max − min)/mean.
    pub bias_percent: f64,
    /// What `bias_percent` is on average for fair parties: 100·d₂(n)·noise.
    pub floor_bias_percent: f64,
    /// Population σ ÷ mean.
    pub cv: f64,
    /// What `cv` is for fair parties (root mean square): noise·√((n−1)/n).
    pub floor_cv: f64,
    /// Standard error of a party's mean, from batch means of its own course, relative to the mean of all.
    pub noise: f64,
    /// Probability of a spread like this, or a larger one, if all parties are equal.
    pub p: f64,
    /// Mean square between the parties and its degrees of freedom, relative.
    between: (f64, f64),
    /// Mean square of the noise and its degrees of freedom, relative.
    within: (f64, f64),
}

impl Spread {
    /// From the course of each party: its rates in consecutive slices of the window, all of one length.
    ///
    /// Noise is what is left of the batch means after the parties' and the batches' own means are taken out; correlation of
    /// neighbouring batches widens it by (1 + r)/(1 − r). `None` ("not judged") for fewer than two parties or
    /// `FEWEST_SLICES`, and if nobody moved anything.
    pub fn from_courses(courses: &[Vec<f64>]) -> Option<Spread> {
        let slices = courses.iter().map(Vec::len).min().filter(|slices| *slices >= FEWEST_SLICES)?;
        let count = slices.min(BATCHES);
        let length = slices / count;
        let batches = |course: &Vec<f64>| course.chunks_exact(length).take(count).map(average).collect();
        let layout = Layout::from_rows(&courses.iter().map(batches).collect::<Vec<Vec<f64>>>())?;
        let shares: Vec<f64> = courses.iter().map(|course| average(&course[..slices])).collect();
        let Fairness { bias_percent, cv, .. } = Fairness::from_shares(&shares)?;
        let squares = layout.noise_squares();
        let largest = LARGEST_NOISE * median(&squares)?;
        let square = average(&squares.iter().map(|own| own.min(largest)).collect::<Vec<_>>());
        let widening = widening(&layout)?;
        let within = (square * widening / layout.mean.powi(2), (layout.noise_degrees() / widening).max(1.0));
        let between = (layout.party_square() / layout.mean.powi(2), layout.party_degrees());
        let noise = Some((within.0 / count as f64).sqrt()).filter(|noise| *noise > ROUNDING).unwrap_or(0.0);
        let parties = courses.len();
        Some(Spread {
            parties,
            bias_percent,
            floor_bias_percent: 100.0 * expected_range(parties) * noise,
            cv,
            floor_cv: noise * (layout.party_degrees() / parties as f64).sqrt(),
            noise,
            p: p_of_squares(between, within)?,
            between,
            within,
        })
    }

    /// Points of bias beyond the floor. Below 0 for about half of all fair trials: averages and tests need the sign; people are shown
    /// 0 in its place.
    pub fn excess_bias_points(&self) -> f64 {
        self.bias_percent - self.floor_bias_percent
    }

    /// √max(0, CV² − floor²): variation beyond noise.
    pub fn excess_cv(&self) -> f64 {
        (self.cv.powi(2) - self.floor_cv.powi(2)).max(0.0).sqrt()
    }

    /// Probability of spreads like these, or larger ones, in these trials together if all parties are equal in each.
    pub fn pooled_p(trials: &[Spread]) -> Option<f64> {
        let pooled = |square: fn(&Spread) -> (f64, f64)| {
            let degrees: f64 = trials.iter().map(|trial| square(trial).1).sum();
            let squares: f64 = trials.iter().map(|trial| square(trial).0 * square(trial).1).sum();
            (squares / degrees, degrees)
        };
        if trials.is_empty() {
            return None;
        }
        p_of_squares(pooled(|trial| trial.between), pooled(|trial| trial.within))
    }
}

/// How much wider correlated batches make the noise of a mean: (1 + r)/(1 − r), r the median over the parties of the correlation of
/// neighbouring batches, corrected for its bias of −1/b. Never below 1.
fn widening(layout: &Layout) -> Option<f64> {
    let correlation = |row: &Vec<f64>| {
        let squares: f64 = row.iter().map(|r| r * r).sum();
        let neighbours: f64 = row.windows(2).map(|pair| pair[0] * pair[1]).sum();
        (squares > 0.0).then(|| neighbours / squares)
    };
    let known: Vec<f64> = layout.residuals.iter().filter_map(correlation).collect();
    if known.is_empty() {
        return Some(1.0);
    }
    let r = (median(&known)? + 1.0 / layout.occasions as f64).min(0.9);
    Some(((1.0 + r) / (1.0 - r)).max(1.0))
}

/// d₂(n), the expected range of n standard normal values: ∫ 1 − Φ(x)ⁿ − (1 − Φ(x))ⁿ dx (Tippett, 1925).
pub fn expected_range(n: usize) -> f64 {
    const STEPS: i32 = 240;
    const END: f64 = 8.0;
    if n < 2 {
        return 0.0;
    }
    let height = |x: f64| {
        let below = normal_cdf(x);
        1.0 - below.powi(n as i32) - (1.0 - below).powi(n as i32)
    };
    let width = 2.0 * END / f64::from(STEPS);
    (1..STEPS).map(|step| height(f64::from(step) * width - END)).sum::<f64>() * width
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_expected_range_is_that_of_printed_tables() {
        for (n, d2) in [(2, 1.128), (5, 2.326), (10, 3.078), (25, 3.931)] {
            assert!((expected_range(n) - d2).abs() < 1e-3, "{n}");
        }
        assert_eq!(expected_range(1), 0.0);
    }

    #[test]
    fn short_courses_one_party_and_nothing_moved_are_not_judged() {
        assert_eq!(Spread::from_courses(&[vec![1.0; 30]]), None);
        assert_eq!(Spread::from_courses(&[vec![1.0; 7], vec![1.0; 7]]), None);
        assert_eq!(Spread::from_courses(&[vec![0.0; 30], vec![0.0; 30]]), None);
    }

    #[test]
    fn equal_courses_are_fair_and_unequal_ones_without_noise_are_not() {
        let equal = Spread::from_courses(&[vec![5.0; 30], vec![5.0; 30]]).unwrap();
        assert_eq!((equal.p, equal.floor_bias_percent), (1.0, 0.0));
        assert_eq!(Spread::from_courses(&[vec![5.0; 30], vec![4.0; 30]]).unwrap().p, 0.0);
    }

    #[test]
    fn a_guest_that_is_starved_for_most_of_the_window_does_not_pass_as_noise() {
        let mut courses: Vec<Vec<f64>> =
            (0..8).map(|g| (0..60).map(|i| 100.0 + f64::from((i * 7 + g * 3) % 5)).collect()).collect();
        courses[3][4..].fill(0.0);
        let spread = Spread::from_courses(&courses).unwrap();
        assert!(spread.p < 1e-6 && spread.excess_bias_points() > 50.0, "{spread:?}");
    }

    proptest! {
        #[test]
        fn scaling_and_order_of_the_parties_change_nothing(courses in prop::collection::vec(prop::collection::vec(1.0..1e3_f64, 24), 2..9), k in 0.01..100.0_f64) {
            let spread = Spread::from_courses(&courses).unwrap();
            let other: Vec<Vec<f64>> = courses.iter().rev().map(|c| c.iter().map(|x| x * k).collect()).collect();
            let other = Spread::from_courses(&other).unwrap();
            prop_assert!((spread.p - other.p).abs() < 1e-6);
            prop_assert!((spread.floor_bias_percent - other.floor_bias_percent).abs() < 1e-6);
            prop_assert!((0.0..=1.0).contains(&spread.p));
        }
    }
}
