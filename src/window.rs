//! The window [A, B]: the time in which every flow of a trial was running. All figures come from it.
//!
//! Pure arithmetic on interim results. It judges nothing: whether a window is good enough is `figures::validity`'s matter.

use serde::Serialize;

use crate::profile::Timing;
use crate::raw::{InterimResult, RawFlow};
use crate::stats;

/// The time that every flow has in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Window {
    /// A, s of the tester's wall clock: for the common window the start of the last flow's first interim interval plus the
    /// warm-up; `figures` may let it begin later.
    pub start_s: f64,
    /// B: A + the requested length if all flows last that long, else the first flow's end less the cool-down; s.
    pub end_s: f64,
}

impl Window {
    /// The common window of all flows that printed anything; `None` if it would be empty.
    ///
    /// A flow without a single interim result cannot bound the window; it counts as zero in it.
    pub fn common(flows: &[RawFlow], timing: &Timing) -> Option<Window> {
        let start_s = starts(flows).reduce(f64::max)? + timing.warmup.as_secs_f64();
        let first_end = flows.iter().filter_map(last_end).reduce(f64::min)?;
        let wanted = start_s + timing.window.as_secs_f64();
        let end_s = if wanted <= first_end { wanted } else { first_end - timing.cooldown.as_secs_f64() };
        (end_s > start_s).then_some(Window { start_s, end_s })
    }

    /// B − A, s.
    pub fn length_s(&self) -> f64 {
        self.end_s - self.start_s
    }

    /// Work done by a flow in the window: Σ rate·overlap (transactions, or 10^6 bits).
    pub fn work(&self, flow: &RawFlow) -> f64 {
        stats::total(flow.intervals.iter().map(|interval| interval.rate * self.overlap(interval)))
    }

    /// Mean rate of a flow in the window: Σ rate·overlap / (B−A). What no interval covers counts as zero.
    pub fn rate(&self, flow: &RawFlow) -> f64 {
        self.work(flow) / self.length_s()
    }

    /// Part of the window that a flow's interim intervals cover, 0 to 1.
    pub fn coverage(&self, flow: &RawFlow) -> f64 {
        stats::total(flow.intervals.iter().map(|interval| self.overlap(interval))) / self.length_s()
    }

    /// Part of the window that lies between two moments, 0 to 1.
    pub fn part_between(&self, start_s: f64, end_s: f64) -> f64 {
        (end_s.min(self.end_s) - start_s.max(self.start_s)).max(0.0) / self.length_s()
    }

    /// Longest time without progress that overlaps the window, s, in its full length.
    ///
    /// netperf prints an interim line only when a transaction completes, so progress is known at the ends of intervals
    /// with a rate above zero. A flow that never stalls shows the interim interval itself; one that printed nothing is
    /// stalled for the whole window.
    pub fn longest_stall(&self, flow: &RawFlow) -> f64 {
        let first = flow.intervals.first().map_or(self.start_s, start);
        let progress = flow.intervals.iter().filter(|interval| interval.rate > 0.0).map(|i| i.end_s);
        let end = flow.intervals.last().map_or(self.end_s, |interval| interval.end_s.max(self.end_s));
        let mut since = first.min(self.start_s);
        let mut longest = 0.0_f64;
        for moment in progress.chain([end]) {
            if moment > self.start_s && since < self.end_s {
                longest = longest.max(moment - since);
            }
            since = moment;
        }
        longest
    }

    /// Length that an interval shares with the window, s.
    fn overlap(&self, interval: &InterimResult) -> f64 {
        (interval.end_s.min(self.end_s) - start(interval).max(self.start_s)).max(0.0)
    }
}

/// Time from the first flow's start to the last one's, s; `None` without flows.
pub fn start_spread(flows: &[RawFlow]) -> Option<f64> {
    Some(starts(flows).reduce(f64::max)? - starts(flows).reduce(f64::min)?)
}

/// The flow that ended first, and when, s: it is the one that bounds a short window.
pub fn first_to_end(flows: &[RawFlow]) -> Option<(u32, f64)> {
    let ends = flows.iter().filter_map(|flow| Some((flow.flow, last_end(flow)?)));
    ends.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn starts(flows: &[RawFlow]) -> impl Iterator<Item = f64> {
    flows.iter().filter_map(|flow| flow.intervals.first().map(start))
}

fn last_end(flow: &RawFlow) -> Option<f64> {
    flow.intervals.last().map(|interval| interval.end_s)
}

fn start(interval: &InterimResult) -> f64 {
    interval.end_s - interval.length_s
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// A flow whose intervals follow each other from `start`, given as (length, rate).
    fn flow(start: f64, intervals: &[(f64, f64)]) -> RawFlow {
        let mut end_s = start;
        let intervals = intervals.iter().map(|&(length_s, rate)| {
            end_s += length_s;
            InterimResult { end_s, length_s, rate }
        });
        RawFlow {
            flow: 1,
            guest: 1,
            intervals: intervals.collect(),
            result: Default::default(),
            exit_code: Some(0),
            messages: String::new(),
        }
    }

    fn timing(warmup: u64, window: u64, cooldown: u64) -> Timing {
        let s = Duration::from_secs;
        let interval = Duration::from_millis(500);
        Timing {
            warmup: s(warmup),
            window: s(window),
            cooldown: s(cooldown),
            interval,
            repeats: 1,
            precision: None,
        }
    }

    #[test]
    fn the_window_starts_a_warm_up_after_the_last_flow_did() {
        let flows = [flow(0.0, &[(20.0, 1.0)]), flow(3.0, &[(20.0, 1.0)])];
        assert_eq!(Window::common(&flows, &timing(2, 10, 1)), Some(Window { start_s: 5.0, end_s: 15.0 }));
        assert_eq!(start_spread(&flows), Some(3.0));
    }

    #[test]
    fn a_flow_that_ends_early_shortens_the_window_by_the_cool_down_too() {
        let flows = [flow(0.0, &[(9.0, 1.0)]), flow(0.0, &[(20.0, 1.0)])];
        assert_eq!(Window::common(&flows, &timing(2, 10, 1)), Some(Window { start_s: 2.0, end_s: 8.0 }));
        assert_eq!(first_to_end(&flows), Some((1, 9.0)));
    }

    #[test]
    fn flows_that_never_ran_together_have_no_window() {
        let flows = [flow(0.0, &[(3.0, 1.0)]), flow(5.0, &[(3.0, 1.0)])];
        assert_eq!(Window::common(&flows, &timing(1, 10, 1)), None);
        assert_eq!(Window::common(&[], &timing(1, 10, 1)), None);
    }

    #[test]
    fn intervals_count_by_the_part_that_lies_in_the_window() {
        let window = Window { start_s: 1.0, end_s: 5.0 };
        let flow = flow(0.0, &[(2.0, 100.0), (2.0, 200.0), (2.0, 400.0)]);
        assert_eq!(window.work(&flow), 100.0 + 400.0 + 400.0);
        assert_eq!(window.rate(&flow), 225.0);
        assert_eq!(window.coverage(&flow), 1.0);
    }

    #[test]
    fn what_no_interval_covers_counts_as_zero() {
        let window = Window { start_s: 0.0, end_s: 10.0 };
        let flow = flow(0.0, &[(4.0, 100.0)]);
        assert_eq!((window.rate(&flow), window.coverage(&flow)), (40.0, 0.4));
    }

    #[test]
    fn a_long_interval_is_a_stall_even_where_it_leaves_the_window() {
        let window = Window { start_s: 2.0, end_s: 6.0 };
        assert_eq!(window.longest_stall(&flow(0.0, &[(0.5, 9.0), (5.0, 1.0), (1.0, 9.0)])), 5.0);
        assert_eq!(window.longest_stall(&flow(0.0, &[(1.5, 9.0), (0.5, 9.0), (4.0, 9.0)])), 4.0);
    }

    #[test]
    fn intervals_without_progress_are_one_stall() {
        let window = Window { start_s: 0.0, end_s: 6.0 };
        assert_eq!(window.longest_stall(&flow(0.0, &[(1.0, 9.0), (1.0, 0.0), (1.0, 0.0), (3.0, 5.0)])), 5.0);
    }

    #[test]
    fn a_flow_that_stopped_is_stalled_to_the_end_of_the_window() {
        let window = Window { start_s: 0.0, end_s: 10.0 };
        assert_eq!(window.longest_stall(&flow(0.0, &[(1.0, 9.0), (1.0, 9.0)])), 8.0);
        assert_eq!(window.longest_stall(&flow(0.0, &[])), 10.0);
    }

    proptest! {
        #[test]
        fn a_steady_flow_keeps_its_rate_in_any_window(
            cuts in prop::collection::vec(0.1..1.5_f64, 20..40), rate in 1.0..1e5_f64, from in 0.0..1.0_f64
        ) {
            let steady: Vec<(f64, f64)> = cuts.iter().map(|length| (*length, rate)).collect();
            let window = Window { start_s: from, end_s: from + 1.0 };
            prop_assert!((window.rate(&flow(0.0, &steady)) - rate).abs() < 1e-6 * rate);
        }

        #[test]
        fn work_of_adjacent_windows_adds_up(
            intervals in prop::collection::vec((0.1..1.5_f64, 0.0..1e4_f64), 10..40), cut in 0.2..0.8_f64
        ) {
            let flow = flow(0.0, &intervals);
            let end_s = flow.intervals.last().unwrap().end_s;
            let work = |start_s, end_s| Window { start_s, end_s }.work(&flow);
            let whole = work(0.0, end_s);
            prop_assert!((work(0.0, cut * end_s) + work(cut * end_s, end_s) - whole).abs() < 1e-6 * (1.0 + whole));
        }
    }
}
