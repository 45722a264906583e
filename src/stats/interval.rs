//! Confidence intervals over repeats.
//!
//! The unit of replication is the trial, never an interim result or a flow: those are correlated.

use super::Summary;
use super::distribution::t_quantile;

/// A mean with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Repeats behind it.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Half of the interval's width, t(0.975, R−1)·s/√R; undefined for fewer than two repeats.
    pub half_width: Option<f64>,
    /// Smallest repeat.
    pub min: f64,
    /// Largest repeat.
    pub max: f64,
}

impl Interval {
    /// Student's interval of the mean of independent repeats; `None` if there are none or one is not finite.
    pub fn from_repeats(repeats: &[f64]) -> Option<Interval> {
        let Summary { n, mean, sd, min, max, .. } = Summary::from_values(repeats)?;
        let half_width = sd.and_then(|sd| Some(t_quantile(0.975, n as f64 - 1.0)? * sd / (n as f64).sqrt()));
        Some(Interval { n, mean, half_width, min, max })
    }

    /// Whether half of its width is at most so many per cent of the mean.
    pub fn is_within(&self, percent: f64) -> bool {
        self.half_width.is_some_and(|half_width| half_width <= percent / 100.0 * self.mean.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_single_repeat_has_a_mean_but_no_interval() {
        let interval = Interval::from_repeats(&[7.0]).unwrap();
        assert_eq!((interval.mean, interval.half_width), (7.0, None));
    }

    #[test]
    fn the_interval_of_five_repeats_uses_t_2_776() {
        assert!((t_quantile(0.975, 4.0).unwrap() - 2.776).abs() < 5e-4);
        let interval = Interval::from_repeats(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!((interval.half_width.unwrap() - 2.7764 * 2.5_f64.sqrt() / 5.0_f64.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn ninety_five_of_a_hundred_intervals_hold_the_true_mean() {
        let mut source = crate::stats::simulation::Source::seeded(1908);
        let cases = 10_000;
        let hit = (0..cases).filter(|_| {
            let interval = Interval::from_repeats(&[(); 5].map(|()| 250.0 + 40.0 * source.normal())).unwrap();
            (interval.mean - 250.0).abs() <= interval.half_width.unwrap()
        });
        let coverage = hit.count() as f64 / f64::from(cases);
        assert!((coverage - 0.95).abs() < 0.01, "{coverage}");
    }

    /// Trials of a normal rate are added until the interval is ± 3 % of the mean, or there are fifteen: how many of 10,000 stop
    /// for it, and which part of the intervals of these hold the true mean.
    fn stopped_at_three_percent(repeats: usize, cv: f64) -> (f64, f64) {
        let mut source = crate::stats::simulation::Source::seeded(2014);
        let cases = 10_000;
        let (mut stopped, mut hit) = (0, 0);
        for _ in 0..cases {
            let mut trials: Vec<f64> = (0..repeats).map(|_| 1.0 + cv * source.normal()).collect();
            let precise = |trials: &[f64]| Interval::from_repeats(trials).unwrap().is_within(3.0);
            while trials.len() < 15 && !precise(&trials) {
                trials.push(1.0 + cv * source.normal());
            }
            let interval = Interval::from_repeats(&trials).unwrap();
            stopped += u32::from(precise(&trials));
            hit += u32::from(precise(&trials) && (interval.mean - 1.0).abs() <= interval.half_width.unwrap());
        }
        (f64::from(stopped) / f64::from(cases), f64::from(hit) / f64::from(stopped))
    }

    /// No promise: what looking at the interval to decide whether to go on costs. It is kept here so that what the warning and
    /// the README say of it stays true.
    #[test]
    fn intervals_that_stopped_for_being_precise_hold_the_mean_less_often_than_they_say() {
        let found = [(3, 0.01), (3, 0.03), (3, 0.05), (3, 0.08), (5, 0.03), (5, 0.05), (5, 0.08)]
            .map(|(repeats, cv)| (repeats, cv, stopped_at_three_percent(repeats, cv)));
        let expected = [
            (1.00, 0.95),
            (1.00, 0.92),
            (0.77, 0.88),
            (0.11, 0.63),
            (1.00, 0.94),
            (0.76, 0.90),
            (0.09, 0.71),
        ];
        for ((repeats, cv, (stopped, coverage)), expected) in found.into_iter().zip(expected) {
            // Three standard errors of a part of the fewest, about 900.
            let near = |a: f64, b: f64| (a - b).abs() < 0.05;
            assert!(
                near(stopped, expected.0) && near(coverage, expected.1),
                "{repeats} repeats, CV {cv}: {stopped} stopped, {coverage} of them hold the mean"
            );
        }
    }

    #[test]
    fn equal_repeats_have_an_interval_of_no_width() {
        assert_eq!(Interval::from_repeats(&[4.0; 3]).unwrap().half_width, Some(0.0));
    }

    proptest! {
        #[test]
        fn the_half_width_scales_with_the_values(values in prop::collection::vec(1.0..1e3_f64, 2..20), k in 0.1..100.0_f64) {
            let scaled: Vec<f64> = values.iter().map(|value| value * k).collect();
            let (a, b) = (Interval::from_repeats(&values).unwrap(), Interval::from_repeats(&scaled).unwrap());
            prop_assert!((a.half_width.unwrap() * k - b.half_width.unwrap()).abs() < 1e-6 * (1.0 + b.mean));
        }
    }
}
