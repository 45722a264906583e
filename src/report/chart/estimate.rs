//! A value as charts show it: with the ends of its interval, which need not be equally far.

use crate::stats::{Interval, Ratio};

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub mean: f64,
    /// Lower and upper end; undefined for a single trial, and where they say nothing.
    pub ends: Option<(f64, f64)>,
    /// Whether there is an interval that says nothing: too few repeats.
    pub untold: bool,
}

impl Estimate {
    /// A value that nobody measured twice.
    pub fn exact(mean: f64) -> Estimate {
        Estimate { mean, ends: None, untold: false }
    }

    fn of(mean: f64, ends: Option<(f64, f64)>, telling: bool) -> Estimate {
        Estimate { mean, ends: ends.filter(|_| telling), untold: !telling }
    }

    /// The upper end, or the value itself.
    pub fn high(&self) -> f64 {
        self.ends.map_or(self.mean, |ends| ends.1)
    }
}

impl From<Interval> for Estimate {
    fn from(interval: Interval) -> Estimate {
        let Interval { mean, half_width, .. } = interval;
        Estimate::of(mean, half_width.map(|half| (mean - half, mean + half)), interval.is_telling())
    }
}

impl From<Ratio> for Estimate {
    fn from(ratio: Ratio) -> Estimate {
        Estimate::of(ratio.ratio, ratio.low.zip(ratio.high), ratio.is_telling())
    }
}

/// Where a scale from zero should end: at the largest mean, or at an interval's end that is not far beyond it.
pub(super) fn reach<'e>(values: impl IntoIterator<Item = &'e Estimate>) -> f64 {
    /// How far an interval may stretch the scale beyond the largest mean.
    const INTERVAL_REACH: f64 = 1.4;
    let (mut mean, mut high) = (0.0_f64, 0.0_f64);
    for value in values {
        (mean, high) = (mean.max(value.mean), high.max(value.high()));
    }
    mean.max(high.min(INTERVAL_REACH * mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_says_nothing_has_no_ends_and_stretches_no_scale() {
        let wide = Estimate::from(Interval::of(&[1.0, 9.0]).unwrap());
        assert_eq!((wide.ends, wide.untold, reach([&wide])), (None, true, 5.0));
        let ratio = Estimate::from(Ratio::of(&[(1.0, 0.1), (1.0, 3.0)]).unwrap());
        assert!(ratio.ends.is_none() && ratio.untold);
        let narrow = Estimate::from(Interval::of(&[4.9, 5.1]).unwrap());
        assert!(narrow.ends.is_some() && !narrow.untold);
    }
}
