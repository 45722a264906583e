//! Numbers for readers: significant digits, never more than the interval allows.

use crate::stats::{Interval, Ratio};

/// What stands in place of an interval that says nothing.
const TOO_FEW: &str = "too few repeats";

/// `1234 ± 27`, `0.987 ± 0.012`; without an interval, four significant digits; `12.34 (too few repeats)`.
pub(super) fn with_interval(interval: &Interval) -> String {
    if interval.is_telling() {
        return around_zero(interval);
    }
    format!("{} ({TOO_FEW})", around_zero(&Interval { half_width: None, ..*interval }))
}

/// The same of what is best when it is 0, such as an error: its interval is not judged by its mean.
pub(super) fn around_zero(interval: &Interval) -> String {
    let decimals = decimals(interval);
    match interval.half_width {
        Some(half_width) => format!("{:.decimals$} ± {half_width:.decimals$}", interval.mean),
        None => format!("{:.decimals$}", interval.mean),
    }
}

/// Four significant digits.
pub(super) fn plain(value: f64) -> String {
    let decimals = significant(value, 4);
    format!("{value:.decimals$}")
}

/// `0.73 (0.61 to 0.87)` of what `of` makes of a ratio and its ends; `0.73 (too few repeats)`.
pub(super) fn with_ends(ratio: &Ratio, of: fn(f64) -> f64) -> String {
    let value = of(ratio.ratio);
    match ratio.low.zip(ratio.high) {
        _ if !ratio.is_telling() => format!("{value:.2} ({TOO_FEW})"),
        Some((low, high)) => {
            let (low, high) = (of(low).min(of(high)), of(low).max(of(high)));
            format!("{value:.2} ({low:.2} to {high:.2})")
        }
        None => format!("{value:.2}"),
    }
}

/// Two significant digits of the half-width, but not more than four of the mean.
fn decimals(interval: &Interval) -> usize {
    let of_mean = significant(interval.mean, 4);
    match interval.half_width {
        Some(half_width) if half_width > 0.0 => significant(half_width, 2).min(of_mean),
        _ => of_mean,
    }
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

    fn shown(mean: f64, half_width: Option<f64>) -> String {
        with_interval(&Interval { n: 5, mean, half_width, min: mean, max: mean })
    }

    #[test]
    fn the_interval_decides_how_many_digits_the_mean_shows() {
        assert_eq!(shown(12345.678, Some(67.8)), "12346 ± 68");
        assert_eq!(shown(12.345678, Some(0.678)), "12.35 ± 0.68");
        assert_eq!(shown(12.345678, Some(6.78)), "12.3 ± 6.8");
        assert_eq!(shown(0.98712, Some(0.0123)), "0.987 ± 0.012");
    }

    #[test]
    fn an_interval_that_says_nothing_is_not_shown_in_numbers() {
        assert_eq!(shown(12.345678, Some(70.0)), "12.35 (too few repeats)");
        assert_eq!(
            around_zero(&Interval { n: 3, mean: 0.001, half_width: Some(0.01), min: 0.0, max: 0.0 }),
            "0.001 ± 0.010"
        );
    }

    #[test]
    fn ratios_have_ends_or_too_few_repeats() {
        let ratio = |low, high| Ratio { n: 2, ratio: 0.75, low, high };
        let lost = |part: f64| 100.0 * (1.0 - part);
        assert_eq!(with_ends(&ratio(Some(0.5), Some(1.125)), |part| part), "0.75 (0.50 to 1.12)");
        assert_eq!(with_ends(&ratio(Some(0.5), Some(1.125)), lost), "25.00 (-12.50 to 50.00)");
        assert_eq!(with_ends(&ratio(Some(1e-9), Some(4.6e9)), lost), "25.00 (too few repeats)");
        assert_eq!(with_ends(&ratio(None, None), lost), "25.00");
    }

    #[test]
    fn without_an_interval_four_digits_are_shown() {
        assert_eq!(shown(12345.678, None), "12346");
        assert_eq!(shown(12.345678, None), "12.35");
        assert_eq!(shown(0.0, None), "0");
    }

    #[test]
    fn a_tiny_interval_does_not_blow_up_the_mean() {
        assert_eq!(shown(12.345678, Some(0.000_01)), "12.35 ± 0.00");
        assert_eq!(shown(5.0, Some(0.0)), "5.000 ± 0.000");
    }
}
