//! Numbers for people: significant digits, never more than the interval allows.

use super::Rounding;
use crate::stats::{Ends, Estimate};

/// Of the half-widths below and above the mean, the smaller may be so much less for `±` to stand for both.
const NEARLY_EQUAL: f64 = 0.9;

/// `1234 ± 27`; `27.4 (18.1 to 44.0)` where the ends are not equally far; `27.4 [18.1 to 44.0]` where they are no interval but the
/// smallest and largest value; `1000 (n=2)` of two values, `1000 (2 boots)` of several trials of two boots; a single value has four significant digits.
pub fn with_interval(value: &Estimate) -> String {
    estimate(value, Rounding::Significant)
}

/// Four significant digits.
pub fn plain(value: f64) -> String {
    rounded(value, Rounding::Significant)
}

/// A number as precise as its column is.
pub(super) fn rounded(value: f64, rounding: Rounding) -> String {
    match rounding {
        Rounding::Significant => format!("{value:.*}", significant(value, 4)),
        Rounding::FromZero => rounded(value.max(0.0), Rounding::Significant),
        Rounding::Decimals(decimals) => format!("{value:.decimals$}"),
        Rounding::Probability if value < 0.001 => "<0.001".into(),
        Rounding::Probability => format!("{value:.*}", significant(value, 2).max(2)),
    }
}

/// A figure over repeats as precise as its interval and its column are.
pub(super) fn estimate(value: &Estimate, rounding: Rounding) -> String {
    let value = if rounding == Rounding::FromZero { &value.at_least(0.0) } else { value };
    let Some((low, high)) = value.low_high.filter(|_| rounding != Rounding::Probability) else {
        return rounded(value.mean, rounding);
    };
    if value.telling_ends().is_none() {
        return of_two(value);
    }
    let (down, up) = (value.mean - low, high - value.mean);
    // The extremes of a few trials are rough.
    let digits = if value.ends == Ends::Extremes { 1 } else { 2 };
    let decimals = decimals(value.mean, down.max(up), digits);
    let [mean, low, high] = [value.mean, low, high].map(|number| format!("{number:.decimals$}"));
    let half = format!("{:.decimals$}", down.max(up));
    let is_zero = half.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    match value.ends {
        _ if low == high && value.min == value.max => mean,
        Ends::Extremes => format!("{mean} [{low} to {high}]"),
        _ if is_zero => format!("{mean} ± <{:.decimals$}", 10.0_f64.powi(-(decimals as i32))),
        _ if down.min(up) >= NEARLY_EQUAL * down.max(up) => format!("{mean} ± {half}"),
        _ => format!("{mean} ({low} to {high})"),
    }
}

/// Two values have no interval; their mean is as precise as they are apart.
fn of_two(value: &Estimate) -> String {
    let decimals = decimals(value.mean, value.max - value.min, 2);
    let values = if value.trials > 2 { "2 boots" } else { "n=2" };
    format!("{:.decimals$} ({values})", value.mean)
}

/// So many significant digits of the half-width, but not more than four of the mean.
fn decimals(mean: f64, half_width: f64, digits: i32) -> usize {
    let of_mean = significant(mean, 4);
    if half_width > 0.0 { significant(half_width, digits).min(of_mean) } else { of_mean }
}

/// Decimals that show `digits` significant digits of `value`; at most 6.
fn significant(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let magnitude = value.abs().log10().floor() as i32;
    (digits - 1 - magnitude).clamp(0, 6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Observation, Scale};

    fn shown(mean: f64, low: f64, high: f64) -> String {
        let (trials, boots, low_high, ends) = (5, 5, Some((low, high)), Ends::OverBoots);
        with_interval(&Estimate { trials, boots, mean, low_high, ends, min: low, max: high })
    }

    fn of_trials(values: &[f64], scale: Scale) -> String {
        let trials: Vec<_> =
            (0..).zip(values).map(|(boot, value)| Observation { boot, value: *value }).collect();
        with_interval(&Estimate::from_observations(&trials, scale).unwrap())
    }

    #[test]
    fn the_interval_decides_how_many_digits_the_mean_shows() {
        assert_eq!(shown(12345.678, 12345.678 - 67.8, 12345.678 + 67.8), "12346 ± 68");
        assert_eq!(shown(12.345678, 12.345678 - 0.678, 12.345678 + 0.678), "12.35 ± 0.68");
        assert_eq!(shown(12.345678, 12.345678 - 6.78, 12.345678 + 6.78), "12.3 ± 6.8");
        assert_eq!(shown(0.98712, 0.98712 - 0.0123, 0.98712 + 0.0123), "0.987 ± 0.012");
    }

    #[test]
    fn ends_that_are_not_equally_far_stand_in_brackets() {
        assert_eq!(shown(27.4, 18.2, 44.4), "27 (18 to 44)");
        assert_eq!(of_trials(&[18.1, 36.5, 27.6], Scale::Skewed), "27 [18 to 36]");
    }

    #[test]
    fn two_trials_have_a_mean_that_is_marked_and_one_has_no_interval() {
        assert_eq!(of_trials(&[980.0, 1020.0], Scale::Linear), "1000 (n=2)");
        assert_eq!(of_trials(&[99.831, 99.832], Scale::Percent), "99.83 (n=2)");
        assert_eq!(of_trials(&[12345.678], Scale::Log), "12346");
        assert_eq!(of_trials(&[0.0], Scale::Linear), "0");
    }

    #[test]
    fn an_interval_smaller_than_the_last_digit_is_not_shown_as_zero() {
        assert_eq!(shown(99.8312, 99.8302, 99.8322), "99.83 ± <0.01");
        assert_eq!(of_trials(&[5.0; 3], Scale::Linear), "5.000");
    }

    #[test]
    fn probabilities_and_what_is_beyond_noise_have_their_own_precision() {
        let p = |value| rounded(value, Rounding::Probability);
        assert_eq!([p(0.4412), p(0.0042), p(1e-9), p(1.0)], ["0.44", "0.0042", "<0.001", "1.00"]);
        let trials = [-1.5, -0.5, 0.8].map(|value| Observation { boot: (value * 10.0) as u32, value });
        let beyond = Estimate::from_observations(&trials, Scale::Linear).unwrap();
        assert!(estimate(&beyond, Rounding::FromZero).starts_with('0'), "{beyond:?}");
    }
}
