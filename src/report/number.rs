//! Numbers for readers: significant digits, never more than the interval allows.

use crate::stats::Interval;

/// `1234 ± 27`, `0.987 ± 0.012`; without an interval, four significant digits.
pub(super) fn with_interval(interval: &Interval) -> String {
    let decimals = decimals(interval);
    match interval.half_width {
        Some(half_width) => format!("{:.decimals$} ± {half_width:.decimals$}", interval.mean),
        None => format!("{:.decimals$}", interval.mean),
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
