//! Whether a series has settled: MSER-5 (White, Cobb and Spratt, "A comparison of five steady-state truncation heuristics",
//! 2000), and whether what it would leave out differs from the rest at all.
//!
//! MSER-5 says where to cut, not whether: of a series that is nothing but noise it leaves something out in 20 to 40 of a
//! hundred cases, the more the shorter it is, and what the data choose to leave out moves the mean.

use super::distribution::t_quantile;

/// Values that are averaged into one.
const BATCH: usize = 5;
/// A difference of the means that matters, relative: as precise as repeats are asked to be.
const MATERIAL: f64 = 0.03;
/// Two-sided level at which noise may explain a difference. MSER-5 chooses the place by the data, so that up to three steady series in
/// a hundred are called late, and five where neighbours correlate by 0.5.
const LEVEL: f64 = 0.01;

/// How many leading values of a series to leave out so that the mean of the rest is known best, a multiple of 5.
///
/// d* = argmin over d ≤ n/2 of Σ_{i>d}(z_i − z̄_d)² / (n−d)², z the means of batches of five. 0: it is stationary as it is.
/// Undefined for fewer than four batches, and for what is not finite.
pub fn mser5(series: &[f64]) -> Option<usize> {
    Some(BATCH * truncation(&batches(series))?)
}

/// After how many values a series had settled, a multiple of 5: where MSER-5 would cut it, if that makes a difference.
///
/// It does if the mean before is more than 3 % away from the mean after, and further than the noise after explains:
/// |z̄_a − z̄_b| > t(0.995, n_a−1)·s_a·√(1/n_a + 1/n_b), over batches; what comes before is no sample of that noise if it
/// still moves. Else it had settled from the start, 0. Where MSER-5 goes as far as it may look, half of the series, and noise
/// may explain a difference that matters, nobody can tell: undefined, as for fewer than four batches.
pub fn settled(series: &[f64]) -> Option<usize> {
    Some(BATCH * settled_batches(&batches(series))?)
}

fn settled_batches(batches: &[f64]) -> Option<usize> {
    let d = truncation(batches)?;
    let (before, after) = batches.split_at(d);
    match () {
        () if d == 0 || !is_material(before, after) => Some(0),
        () if is_beyond_noise(before, after) => Some(d),
        () => (d < batches.len() / 2).then_some(0),
    }
}

fn is_material(before: &[f64], after: &[f64]) -> bool {
    (mean(before) - mean(after)).abs() > MATERIAL * mean(after).abs()
}

fn is_beyond_noise(before: &[f64], after: &[f64]) -> bool {
    let (a, b) = (after.len() as f64, before.len() as f64);
    let sd = (super::summary::squared_deviations(after, mean(after)) / (a - 1.0)).sqrt();
    let t = t_quantile(1.0 - LEVEL / 2.0, after.len() as f64 - 1.0).unwrap_or(f64::INFINITY);
    (mean(before) - mean(after)).abs() > t * sd * (1.0 / a + 1.0 / b).sqrt()
}

fn batches(series: &[f64]) -> Vec<f64> {
    series.chunks_exact(BATCH).map(mean).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// d* of MSER-5, in batches.
fn truncation(batches: &[f64]) -> Option<usize> {
    if batches.len() < 4 || batches.iter().any(|mean| !mean.is_finite()) {
        return None;
    }
    let error = |d: usize| {
        let rest = &batches[d..];
        let n = rest.len() as f64;
        super::summary::squared_deviations(rest, mean(rest)) / (n * n)
    };
    // A hair of rounding must not prefer a later start.
    let better = |best: usize, d: usize| if error(d) < error(best) * (1.0 - 1e-9) { d } else { best };
    Some((0..=batches.len() / 2).fold(0, better))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::simulation::Source;

    #[test]
    fn a_steady_series_keeps_all_its_values() {
        assert_eq!(mser5(&[100.0; 60]), Some(0));
        assert_eq!(settled(&[100.0; 60]), Some(0));
    }

    #[test]
    fn a_slow_start_is_left_out() {
        let series: Vec<f64> = (0..80)
            .map(|i| if i < 15 { 20.0 + 5.0 * f64::from(i) } else { 100.0 + f64::from(i % 3) })
            .collect();
        assert_eq!(mser5(&series), Some(15));
        assert_eq!(settled(&series), Some(15));
    }

    #[test]
    fn too_few_values_say_nothing() {
        for of in [mser5, settled] {
            assert_eq!(of(&[1.0; 19]), None);
            assert_eq!(of(&[f64::NAN; 40]), None);
        }
    }

    #[test]
    fn a_start_that_is_off_by_less_than_matters_is_kept() {
        let off_by = |part: f64| [[100.0 * (1.0 - part); 10].as_slice(), &[100.0; 50]].concat();
        assert_eq!((mser5(&off_by(0.02)), settled(&off_by(0.02))), (Some(10), Some(0)));
        assert_eq!(settled(&off_by(0.04)), Some(10));
    }

    #[test]
    fn a_difference_at_the_search_limit_that_noise_may_explain_is_not_known() {
        let batches = |values: [f64; 4]| values.map(|value| [value; 5]).concat();
        assert_eq!(settled(&batches([80.0, 85.0, 100.0, 101.0])), None);
        assert_eq!(settled(&batches([20.0, 25.0, 100.0, 101.0])), Some(10));
    }

    /// Batches of noise of 13 % around a rate that grows in the first `growing` ones from nothing.
    fn noisy(source: &mut Source, n: usize, growing: usize) -> Vec<f64> {
        let level = |i: usize| ((i as f64 + 0.5) / growing as f64).min(1.0);
        (0..n).map(|i| level(i) * 100.0 + 13.0 * source.normal()).collect()
    }

    /// Part of 10,000 series that are said to have settled later than the first batch.
    fn late(seed: u64, n: usize, growing: usize) -> f64 {
        let mut source = Source::seeded(seed);
        let cases = 10_000;
        let late =
            (0..cases).filter(|_| settled_batches(&noisy(&mut source, n, growing)).is_some_and(|d| d > 1));
        late.count() as f64 / f64::from(cases)
    }

    #[test]
    fn noise_is_called_late_in_fewer_than_five_of_a_hundred_cases() {
        for n in [4, 6, 12, 24, 72] {
            let part = late(1999, n, 0);
            assert!(part < 0.05, "{n} batches: {part}");
        }
    }

    #[test]
    fn a_rate_that_grows_at_first_is_found_in_noise() {
        for (n, growing) in [(12, 4), (24, 6), (72, 12)] {
            let part = late(2000, n, growing);
            assert!(part > 0.9, "{n} batches: {part}");
        }
    }
}
