//! Whether a series has settled: MSER-5 (White, Cobb and Spratt, "A comparison of five steady-state truncation heuristics",
//! 2000).

/// Values that are averaged into one.
const BATCH: usize = 5;

/// How many leading values of a series to leave out so that the mean of the rest is known best, a multiple of 5.
///
/// d* = argmin over d ≤ n/2 of Σ_{i>d}(z_i − z̄_d)² / (n−d)², z the means of batches of five. 0: it is stationary as it is.
/// Undefined for fewer than four batches, and for what is not finite.
pub fn mser5(series: &[f64]) -> Option<usize> {
    let batches: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < 4 || batches.iter().any(|mean| !mean.is_finite()) {
        return None;
    }
    let error = |d: usize| {
        let rest = &batches[d..];
        let n = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / n;
        super::summary::squared_deviations(rest, mean) / (n * n)
    };
    // A hair of rounding must not prefer a later start.
    let better = |best: usize, d: usize| if error(d) < error(best) * (1.0 - 1e-9) { d } else { best };
    Some(BATCH * (0..=batches.len() / 2).fold(0, better))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_series_keeps_all_its_values() {
        assert_eq!(mser5(&[100.0; 60]), Some(0));
    }

    #[test]
    fn a_slow_start_is_left_out() {
        let series: Vec<f64> = (0..80)
            .map(|i| if i < 15 { 20.0 + 5.0 * f64::from(i) } else { 100.0 + f64::from(i % 3) })
            .collect();
        assert_eq!(mser5(&series), Some(15));
    }

    #[test]
    fn too_few_values_say_nothing() {
        assert_eq!(mser5(&[1.0; 19]), None);
        assert_eq!(mser5(&[f64::NAN; 40]), None);
    }
}
