//! The window of a trial, from where its rate had settled: the one place that decides it.
//!
//! The common window begins a warm-up after the last flow did. Where the rate was still moving then (MSER-5, and by more than
//! noise explains), the window begins where it had settled, if enough is left; all figures of the trial and its timeline are
//! of that. What is read only before and after the window is of the time between; see `machines`.

use super::{Steadiness, course};
use crate::profile::Timing;
use crate::raw::RawTrial;
use crate::window::Window;

/// Shortest acceptable window as a part of the requested one.
pub(super) const MIN_WINDOW: f64 = 0.8;
/// Interim intervals that MSER-5 averages into one: it cannot tell times apart that differ by less.
const BATCH: f64 = 5.0;

/// Interim intervals in a window below which MSER-5 cannot judge it: four batches.
const FEWEST_INTERVALS: f64 = 4.0 * BATCH;

/// A window and how it came to begin there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settled {
    /// The window of all figures.
    pub window: Window,
    /// When the total rate was steady, s after the end of the warm-up; `None` where that cannot be told.
    pub after_s: Option<f64>,
    /// Whether it was steady, or why that was not judged.
    pub steadiness: Steadiness,
    /// How much later than the end of the warm-up the window begins, s.
    pub advanced_s: f64,
}

impl Settled {
    /// Of a trial with the rates of what arrived; `None` if its flows never ran together.
    pub fn detect(raw: &RawTrial, timing: &Timing) -> Option<Settled> {
        let common = Window::common(&raw.flows, timing)?;
        if !raw.configuration.test.unit().is_result() {
            let steadiness = Steadiness::OpenLoop;
            return Some(Settled { window: common, after_s: None, steadiness, advanced_s: 0.0 });
        }
        let after_s = course::settled_after_s(raw, &common, timing.interval.as_secs_f64());
        let steadiness = match after_s {
            Some(after_s) if settled_late(after_s, timing) => Steadiness::Settling,
            Some(_) => Steadiness::Steady,
            None if common.length_s() + 1e-9 < FEWEST_INTERVALS * timing.interval.as_secs_f64() => {
                Steadiness::TooShort
            }
            None => Steadiness::TooNoisy,
        };
        let whole = Settled { window: common, after_s, steadiness, advanced_s: 0.0 };
        let Some(late_s) = after_s.filter(|after_s| settled_late(*after_s, timing)) else {
            return Some(whole);
        };
        let window = Window { start_s: common.start_s + late_s, ..common };
        let enough = window.length_s() >= MIN_WINDOW * timing.window.as_secs_f64();
        Some(if enough { Settled { window, advanced_s: late_s, ..whole } } else { whole })
    }
}

/// Whether a rate settled later after the warm-up than the method's resolution, s.
pub fn settled_late(after_s: f64, timing: &Timing) -> bool {
    after_s > BATCH * timing.interval.as_secs_f64() + 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Numbers, Outcome, TrialFigures, fixture, timeline};
    use std::time::Duration;

    /// Batches of five are 0.625 s long.
    fn timing() -> Timing {
        Timing { interval: Duration::from_millis(125), ..fixture::timing() }
    }

    /// Two guests that are slow for so long after the warm-up of 2 s, and unevenly so.
    fn slow_for(seconds: f64) -> RawTrial {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        for flow in &mut raw.flows {
            let until_s = fixture::START + 2.0 + seconds;
            for interval in flow.intervals.iter_mut().filter(|interval| interval.end_s <= until_s) {
                interval.rate *= 0.2 * f64::from(flow.guest);
            }
        }
        raw.configuration.response_bytes = 64_000; // several packets: the packet check, whose counters are steady, is not asked
        let early = |at_s: f64| (at_s - fixture::START + 1.0).min(3.0 + seconds);
        raw.host_cpus = 8;
        raw.host.iter_mut().for_each(|sample| sample.cpu.user += 3.0 * early(sample.at_s));
        raw
    }

    fn numbers(raw: &RawTrial, timing: &Timing) -> Numbers {
        TrialFigures::compute(raw, timing).numbers.expect("the flows ran together")
    }

    #[test]
    fn every_figure_is_of_the_window_from_where_the_rate_had_settled() {
        let raw = slow_for(1.5);
        let mut found = numbers(&raw, &timing());
        assert_eq!((found.total.settled_after_s, found.total.window_advanced_s), (Some(1.875), 1.875));
        assert!((found.total.rate - 2000.0).abs() < 1e-6 && found.total.rate_fairness.unwrap().cv < 1e-9);
        // As if the profile had asked for just that.
        let second = Duration::from_secs(1);
        let exact = Timing { warmup: second.mul_f64(3.875), window: second.mul_f64(8.125), ..timing() };
        (found.total.settled_after_s, found.total.window_advanced_s) = (Some(0.0), 0.0);
        found.total.steadiness = Steadiness::Steady;
        assert_eq!(found, numbers(&raw, &exact));
        assert_eq!(timeline(&raw, &timing(), 100_000), timeline(&raw, &exact, 100_000));
    }

    #[test]
    fn a_window_that_is_shorter_by_a_fifth_at_most_still_counts() {
        let outcome = |seconds| {
            let figures = TrialFigures::compute(&slow_for(seconds), &timing());
            let numbers = figures.numbers.unwrap();
            (figures.outcome, numbers.window.length_s(), numbers.total.window_advanced_s)
        };
        assert_eq!(outcome(1.5), (Outcome::Measured, 8.125, 1.875));
        assert_eq!(outcome(2.5), (Outcome::Measured, 10.0, 0.0));
    }

    #[test]
    fn a_rate_that_settles_within_one_batch_keeps_its_window() {
        let found = numbers(&slow_for(0.5), &timing()).total;
        assert_eq!((found.settled_after_s, found.window_advanced_s), (Some(0.625), 0.0));
    }
}
