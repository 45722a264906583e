//! A value as charts show it: with the ends of its interval, which need not be equally far.

use crate::stats::{Interval, Ratio};

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub mean: f64,
    /// Lower and upper end; undefined for a single trial.
    pub ends: Option<(f64, f64)>,
}

impl Estimate {
    /// A value that nobody measured twice.
    pub fn exact(mean: f64) -> Estimate {
        Estimate { mean, ends: None }
    }

    /// The upper end, or the value itself.
    pub fn high(&self) -> f64 {
        self.ends.map_or(self.mean, |ends| ends.1)
    }
}

impl From<Interval> for Estimate {
    fn from(Interval { mean, half_width, .. }: Interval) -> Estimate {
        Estimate { mean, ends: half_width.map(|half| (mean - half, mean + half)) }
    }
}

impl From<Ratio> for Estimate {
    fn from(ratio: Ratio) -> Estimate {
        Estimate { mean: ratio.ratio, ends: ratio.low.zip(ratio.high) }
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
