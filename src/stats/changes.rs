//! Change points of a history: where the level of a figure moved, over runs as units, with single odd runs kept apart.
//!
//! A run is either of its segment, with normal noise around the level, or odd, anywhere with the same small density: a spike costs
//! a constant, however high, and moves no level. Segments are at least two runs long, so one odd run is never a new level.
//! Binary segmentation; a split stands if the logarithm of the likelihood gains more than noise explains.

use serde::Serialize;

use super::distribution::t_upper_tail;
use super::median;

/// Part of the runs that are odd.
const ODD: f64 = 0.05;
/// Density of an odd run ÷ that of an ordinary one on its level: uniform over 40 standard deviations.
const ODD_DENSITY: f64 = 0.06;
/// Shortest segment.
const SHORTEST: usize = 2;
/// Fewest runs of a history that is judged.
pub const FEWEST_RUNS: usize = 6;
/// Fewest runs of a new level that is confirmed.
const CONFIRMED: usize = 3;
/// Largest p of a split within a history. Calibrated by simulation: with all its splits, a history of 100 unchanged runs has a
/// false change in less than 2 %.
const LEVEL: f64 = 2e-4;
/// The same for the newest three runs, which is one place only. It falls with each further run
/// by [`LEVEL_FALLS`], no further than to `LEVEL`: what is found stays found.
const LEVEL_NEWEST: f64 = 8e-3;
/// See [`LEVEL_NEWEST`]; of a single pair of runs it is as low as of four runs.
const LEVEL_FALLS: f64 = 0.4;
/// The newest pair of runs is split off only if that gains more logarithm of the likelihood, by this, than a split elsewhere.
const PAIR_HANDICAP: f64 = 2.3;

/// How much larger these are in the first segmentation.
const GENEROUS: f64 = 10.0;

/// A level that moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangePoint {
    /// The first run of the new level.
    pub at: usize,
    /// Level before.
    pub before: f64,
    /// Level after.
    pub after: f64,
    /// Probability that noise makes a split as clear as this at this place.
    pub p: f64,
    /// Runs from the change on.
    pub runs: usize,
}

impl ChangePoint {
    /// Whether a change in one of so many histories, of which each is judged after every run, is more than a first sign: later runs may
    /// take that back.
    pub fn is_confirmed_among(&self, histories: usize) -> bool {
        let level = level_of_newest(self.runs) / histories.max(1) as f64;
        self.runs >= CONFIRMED && self.p < level.max(LEVEL)
    }
}

/// A history in segments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Segmentation {
    /// Level of each run's segment.
    pub levels: Vec<f64>,
    /// Where levels moved, in the order of time.
    pub changes: Vec<ChangePoint>,
    /// Runs that are odd in their own segment.
    pub odd: Vec<usize>,
    /// Standard deviation of the other runs around their levels.
    pub noise: f64,
}

impl Segmentation {
    /// From one value per run, in the order of time; logarithms where the figure is a rate or a latency.
    ///
    /// `None` for fewer than `FEWEST_RUNS` runs and what is not finite.
    pub fn from_history(values: &[f64]) -> Option<Segmentation> {
        if values.len() < FEWEST_RUNS || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        // A first, generous segmentation, so that noise is that of the runs around their levels.
        let first = noise_of_steps(values);
        let noise =
            FittedLevels::with_splits(values, &splits(values, first, GENEROUS), first).noise(values, first);
        let splits = splits(values, noise, 1.0);
        let FittedLevels { fits, levels } = FittedLevels::with_splits(values, &splits, noise);
        let is_odd = |run: &usize| ordinary_part((values[*run] - levels[*run]) / noise) < 0.5;
        let change = |(place, (at, p)): (usize, &(usize, f64))| ChangePoint {
            at: *at,
            before: fits[place].level,
            after: fits[place + 1].level,
            p: *p,
            runs: values.len() - at,
        };
        Some(Segmentation {
            changes: splits.iter().enumerate().map(change).collect(),
            odd: (0..values.len()).filter(is_odd).collect(),
            levels,
            noise,
        })
    }
}

/// Levels of all runs between given splits.
struct FittedLevels {
    fits: Vec<Fit>,
    levels: Vec<f64>,
}

impl FittedLevels {
    fn with_splits(values: &[f64], splits: &[(usize, f64)], noise: f64) -> FittedLevels {
        let mut bounds = vec![0];
        bounds.extend(splits.iter().map(|(at, _)| *at));
        bounds.push(values.len());
        let fits: Vec<Fit> =
            bounds.windows(2).map(|ends| Fit::to(&values[ends[0]..ends[1]], noise)).collect();
        let of_segment = |(fit, ends): (&Fit, &[usize])| vec![fit.level; ends[1] - ends[0]];
        let levels = fits.iter().zip(bounds.windows(2)).flat_map(of_segment).collect();
        FittedLevels { fits, levels }
    }

    /// Standard deviation of ordinary runs around their levels, given a first guess of it.
    fn noise(&self, values: &[f64], guess: f64) -> f64 {
        let residuals = values.iter().zip(&self.levels).map(|(value, level)| value - level);
        let (squares, weights) = residuals.fold((0.0, 0.0), |(squares, weights), residual| {
            let ordinary = ordinary_part(residual / guess);
            (squares + ordinary * residual * residual, weights + ordinary)
        });
        let degrees = weights - self.fits.len() as f64;
        if degrees > 1.0 { (squares / degrees).sqrt().max(1e-3 * guess) } else { guess }
    }
}

/// The level of a segment and how well it explains its runs.
#[derive(Clone, Copy)]
struct Fit {
    level: f64,
    log_likelihood: f64,
}

impl Fit {
    /// The best of the fits that begin at the median and, where runs are few, at each of them.
    fn to(values: &[f64], noise: f64) -> Fit {
        const FEW: usize = 4;
        let starts = if values.len() <= FEW { values } else { &[] };
        let starts = starts.iter().copied().chain(median(values));
        let fits = starts.map(|start| Fit::begun_at(start, values, noise));
        let better = |a: Fit, b: Fit| if b.log_likelihood > a.log_likelihood { b } else { a };
        fits.reduce(better).unwrap_or(Fit { level: f64::NAN, log_likelihood: f64::NEG_INFINITY })
    }

    /// Expectation maximisation of the level.
    fn begun_at(start: f64, values: &[f64], noise: f64) -> Fit {
        const ROUNDS: usize = 8;
        let mut level = start;
        for _ in 0..ROUNDS {
            let (sum, weights) = values.iter().fold((0.0, 0.0), |(sum, weights), value| {
                let weight = ordinary_part((value - level) / noise);
                (sum + weight * value, weights + weight)
            });
            level = if weights > 0.0 { sum / weights } else { level };
        }
        let log_likelihood = values.iter().map(|value| log_density((value - level) / noise)).sum();
        Fit { level, log_likelihood }
    }
}

/// Densities of an ordinary and of an odd run, but for a common factor.
fn densities(residual: f64) -> (f64, f64) {
    ((1.0 - ODD) * (-0.5 * residual * residual).exp(), ODD * ODD_DENSITY)
}

fn log_density(residual: f64) -> f64 {
    let (ordinary, odd) = densities(residual);
    (ordinary + odd).ln()
}

/// The probability that a run with this residual is an ordinary one.
fn ordinary_part(residual: f64) -> f64 {
    let (ordinary, odd) = densities(residual);
    ordinary / (ordinary + odd)
}

/// Standard deviation from the steps between neighbours, which neither levels nor a few spikes spoil; never 0, so that a history
/// without noise has levels too.
fn noise_of_steps(values: &[f64]) -> f64 {
    const NORMAL: f64 = 0.6745 * std::f64::consts::SQRT_2;
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    (median(&steps).unwrap_or(0.0) / NORMAL).max(largest * 1e-9).max(f64::MIN_POSITIVE)
}

/// Where the values are split, in the order of time, each with its p; levels of the tests are multiplied by `generosity`.
fn splits(values: &[f64], noise: f64, generosity: f64) -> Vec<(usize, f64)> {
    let Some((at, p)) = best_split(values, noise, generosity) else { return Vec::new() };
    let (before, after) = values.split_at(at);
    let mut found = splits(before, noise, generosity);
    found.push((at, p));
    found.extend(splits(after, noise, generosity).into_iter().map(|(later, p)| (at + later, p)));
    found
}

/// The clearest split among those below their level, and its p.
fn best_split(values: &[f64], noise: f64, generosity: f64) -> Option<(usize, f64)> {
    let last = values.len().checked_sub(SHORTEST)?;
    let whole = Fit::to(values, noise).log_likelihood;
    let gain = |at: usize| {
        let (before, after) = values.split_at(at);
        Fit::to(before, noise).log_likelihood + Fit::to(after, noise).log_likelihood - whole
    };
    let level = |at: usize| generosity * level_of_newest(values.len() - at);
    let tested = (SHORTEST..=last)
        .map(|at| (at, gain(at)))
        .map(|(at, gain)| (at, gain, p_of_gain(gain, values.len())));
    let handicap = |at: usize| if values.len() - at < CONFIRMED { PAIR_HANDICAP } else { 0.0 };
    let passed = tested.filter(|(at, _, p)| *p < level(*at));
    let best = passed.max_by(|a, b| (a.1 - handicap(a.0)).total_cmp(&(b.1 - handicap(b.0))))?;
    Some((best.0, best.2))
}

/// Largest p of a split that leaves so many runs behind it.
fn level_of_newest(runs: usize) -> f64 {
    let further = if runs < CONFIRMED { 1 } else { runs - CONFIRMED };
    (LEVEL_NEWEST * LEVEL_FALLS.powi(further.min(60) as i32)).max(LEVEL)
}

/// Twice the gain is the square of Student's t of the difference of the levels.
fn p_of_gain(gain: f64, runs: usize) -> f64 {
    let t = (2.0 * gain.max(0.0)).sqrt();
    2.0 * t_upper_tail(t, runs as f64 - 2.0).unwrap_or(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(levels: &[(usize, f64)]) -> Vec<f64> {
        let wiggle = [0.3, -0.5, 0.1, 0.6, -0.2, -0.4, 0.5, -0.1];
        let levels = levels.iter().flat_map(|(n, level)| vec![*level; *n]);
        levels.zip(wiggle.iter().cycle()).map(|(level, noise)| level + noise).collect()
    }

    #[test]
    fn a_short_history_is_not_judged() {
        assert_eq!(Segmentation::from_history(&[1.0; 5]), None);
        assert_eq!(Segmentation::from_history(&[f64::NAN; 20]), None);
    }

    #[test]
    fn a_steady_history_has_one_level() {
        assert_eq!(Segmentation::from_history(&[5.0; 30]).unwrap().changes, []);
        assert_eq!(Segmentation::from_history(&history(&[(30, 100.0)])).unwrap().changes, []);
    }

    #[test]
    fn a_step_is_found_where_it_happened_and_is_confirmed_by_its_third_run() {
        let after = |runs| Segmentation::from_history(&history(&[(20, 100.0), (runs, 90.0)])).unwrap();
        let state = |found: Segmentation| (found.changes[0].at, found.changes[0].is_confirmed_among(1));
        assert_eq!([state(after(2)), state(after(3))], [(20, false), (20, true)]);
        let found = Segmentation::from_history(&history(&[(20, 100.0), (12, 90.0), (9, 97.0)])).unwrap();
        assert_eq!(found.changes.iter().map(|change| change.at).collect::<Vec<_>>(), [20, 32]);
        assert!((found.changes[0].after - 90.0).abs() < 0.5 && found.changes[0].is_confirmed_among(500));
    }

    #[test]
    fn a_change_that_one_of_many_histories_shows_by_chance_is_confirmed_by_later_runs_only() {
        let change = |p, runs| ChangePoint { at: 20, before: 1.0, after: 0.9, p, runs };
        assert!(change(5e-3, 3).is_confirmed_among(1) && !change(5e-3, 3).is_confirmed_among(2));
        assert!(change(1e-4, 3).is_confirmed_among(80) && change(1e-4, 30).is_confirmed_among(80));
        assert!(!change(1e-9, 2).is_confirmed_among(1));
    }

    #[test]
    fn a_spike_is_an_odd_run_and_no_change() {
        let mut values = history(&[(30, 100.0)]);
        values[12] = 80.0;
        values[29] = 130.0;
        let found = Segmentation::from_history(&values).unwrap();
        assert_eq!((found.changes.len(), found.odd), (0, vec![12, 29]));
    }

    proptest! {
        #[test]
        fn segments_have_at_least_two_runs_and_moving_all_runs_changes_nothing(values in prop::collection::vec(-5.0..5.0_f64, 6..40), by in -50.0..50.0_f64) {
            let found = Segmentation::from_history(&values).unwrap();
            let mut bounds = vec![0];
            bounds.extend(found.changes.iter().map(|change| change.at));
            bounds.push(values.len());
            prop_assert!(bounds.windows(2).all(|ends| ends[1] >= ends[0] + 2));
            let moved: Vec<f64> = values.iter().map(|value| value + by).collect();
            prop_assert_eq!(found.changes.len(), Segmentation::from_history(&moved).unwrap().changes.len());
        }
    }
}
