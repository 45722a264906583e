//! The window [A, B]: the time in which every flow of a trial was running. All figures come from it.
//!
//! Pure arithmetic on interim results. It judges nothing: whether a window is good enough is `figures::validity`'s matter.

use serde::{Deserialize, Serialize};

use crate::profile::Timing;
use crate::raw::{InterimResult, RawFlow};
use crate::stats;

/// Shorter waits are no stalls: on a busy machine a lost packet or a turn of the scheduler takes as long, s.
pub const SHORTEST_STALL_S: f64 = 1.0;

/// The time that every flow has in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// A, s of the tester's wall clock: for the common window a warm-up after the moment when every flow had completed a
    /// transaction; `figures` may let it begin later.
    pub start_s: f64,
    /// B: A + the requested length if all flows last that long, else the first flow's end less the cool-down; s.
    pub end_s: f64,
}

impl Window {
    /// The common window of all flows that printed anything; `None` if it would be empty.
    ///
    /// A flow without a single interim result cannot bound the window, and one that never completed a transaction cannot
    /// delay it; they count as zero in it.
    pub fn common(flows: &[RawFlow], timing: &Timing) -> Option<Window> {
        let moving = flows.iter().filter_map(first_completion).reduce(f64::max);
        let start_s = moving.or_else(|| starts(flows).reduce(f64::max))? + timing.warmup.as_secs_f64();
        let first_end = flows.iter().filter_map(end).reduce(f64::min)?;
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
        stats::total(self.shared_with(flow).map(|interval| interval.rate * self.overlap(interval)))
    }

    /// Mean rate of a flow in the window: Σ rate·overlap / (B−A). What no interval covers counts as zero.
    pub fn rate(&self, flow: &RawFlow) -> f64 {
        self.work(flow) / self.length_s()
    }

    /// Part of the window that a flow's interim intervals cover, 0 to 1.
    pub fn coverage(&self, flow: &RawFlow) -> f64 {
        stats::total(self.shared_with(flow).map(|interval| self.overlap(interval))) / self.length_s()
    }

    /// Part of the window that lies between two moments, 0 to 1.
    pub fn part_between(&self, start_s: f64, end_s: f64) -> f64 {
        (end_s.min(self.end_s) - start_s.max(self.start_s)).max(0.0) / self.length_s()
    }

    /// Part of the window of which nothing is known of a flow, 0 to 1: holes between its interim results, and what comes
    /// after the last one unless netperf ended well, so that it was alive and stalled.
    pub fn unknown_part(&self, flow: &RawFlow) -> f64 {
        let silent = match (flow.ended_well(), flow.intervals.last()) {
            (false, _) => 0.0,
            (true, Some(last)) => self.part_between(last.end_s, f64::MAX),
            (true, None) => 1.0,
        };
        (1.0 - self.coverage(flow) - silent).max(0.0)
    }

    /// Longest time without progress that overlaps the window, s, in its full length; an upper bound.
    ///
    /// netperf prints an interim line only when a transaction completes, so progress is known at the ends of intervals
    /// with a rate above zero. Between two of them no flow waited longer than its longest transaction, `longest_s`, if that
    /// is known. netperf never times a transaction that did not complete, so this bounds no time at the end of a flow. One
    /// that printed nothing is stalled for the whole window.
    pub fn longest_stall(&self, flow: &RawFlow, longest_s: Option<f64>) -> f64 {
        let first = flow.intervals.first().map_or(self.start_s, start);
        let progress = flow.intervals.iter().filter(|interval| interval.rate > 0.0).map(|i| i.end_s);
        let end = flow.intervals.last().map_or(self.end_s, |interval| interval.end_s.max(self.end_s));
        let mut since = first.min(self.start_s);
        let mut longest = 0.0_f64;
        for moment in progress.chain([end]) {
            if moment > self.start_s && since < self.end_s {
                let bound = longest_s.filter(|_| moment < end).unwrap_or(f64::INFINITY);
                longest = longest.max((moment - since).min(bound));
            }
            since = moment;
        }
        longest
    }

    /// How long a flow completed nothing in the window, s, in stalls of at least [`SHORTEST_STALL_S`]; a lower bound.
    ///
    /// netperf ends an interim interval with the first transaction that completes after `interval_s`: what a longer one has
    /// beyond that is a single wait. After the last interim result nothing completed.
    pub fn stalled(&self, flow: &RawFlow, interval_s: f64) -> f64 {
        let wait = |interval: &InterimResult| match () {
            () if interval.rate <= 0.0 => Some((start(interval), interval.end_s)),
            () if interval.length_s >= 2.0 * interval_s => {
                Some((start(interval) + interval_s, interval.end_s))
            }
            () => None,
        };
        let reported = flow.intervals.last().map_or(self.start_s, |last| last.end_s);
        let silent = (reported < self.end_s).then_some((reported, self.end_s));
        let mut stalls: Vec<(f64, f64)> = Vec::new();
        for (from, to) in flow.intervals.iter().filter_map(wait).chain(silent) {
            match stalls.last_mut().filter(|last| from - last.1 < 1e-3) {
                Some(last) => last.1 = to,
                None => stalls.push((from, to)),
            }
        }
        let long = stalls.iter().filter(|(from, to)| to - from >= SHORTEST_STALL_S);
        stats::total(long.map(|(from, to)| self.part_between(*from, *to))) * self.length_s()
    }

    /// How coarse the window's borders are: the median length of the interim intervals that they cut ÷ the window's length.
    ///
    /// A cut interval counts by its part in the window, as if its rate were steady. A change of pace within it may move the
    /// rate of a flow by up to this part; guests and trials average that over their flows. `None` without interim results.
    pub fn resolution(&self, flows: &[RawFlow]) -> Option<f64> {
        let cut = |at_s: f64| {
            let around = move |interval: &&InterimResult| start(interval) <= at_s && at_s < interval.end_s;
            flows.iter().filter_map(move |flow| flow.intervals.iter().find(around))
        };
        let lengths: Vec<f64> = cut(self.start_s).chain(cut(self.end_s)).map(|i| i.length_s).collect();
        Some(stats::median(&lengths)? / self.length_s())
    }

    /// The interim results that may share time with the window; they follow each other. A course looks at each of hundreds of slices.
    fn shared_with<'f>(&self, flow: &'f RawFlow) -> impl Iterator<Item = &'f InterimResult> {
        let first = flow.intervals.partition_point(|interval| interval.end_s <= self.start_s);
        let end_s = self.end_s;
        flow.intervals[first..].iter().take_while(move |interval| start(interval) < end_s)
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
    let ends = flows.iter().filter_map(|flow| Some((flow.flow, end(flow)?)));
    ends.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn starts(flows: &[RawFlow]) -> impl Iterator<Item = f64> {
    flows.iter().filter_map(|flow| flow.intervals.first().map(start))
}

/// When a flow had completed its first transaction, s, known to one interim interval: the begin of the first one with several
/// transactions, or the end of an earlier one with a single transaction, which was what netperf waited for. `None` if it
/// never did.
fn first_completion(flow: &RawFlow) -> Option<f64> {
    let first = flow.intervals.iter().find(|interval| interval.rate > 0.0)?;
    Some(if first.rate * first.length_s < 1.5 { first.end_s } else { start(first) })
}

/// When a flow ended: with its last interim result or, if netperf ended well and measured longer, as long after its begin as
/// that.
fn end(flow: &RawFlow) -> Option<f64> {
    let last_s = flow.intervals.last()?.end_s;
    let elapsed_s = flow.result.get("ELAPSED_TIME").and_then(|text| text.trim().parse::<f64>().ok());
    let ended_s =
        elapsed_s.filter(|s| s.is_finite() && flow.ended_well()).map(|s| start(&flow.intervals[0]) + s);
    Some(ended_s.unwrap_or(last_s).max(last_s))
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
            result: [("THROUGHPUT".to_owned(), "1".to_owned())].into(),
            exit_code: Some(0),
            messages: String::new(),
            round_trips: vec![],
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
        assert_eq!(window.longest_stall(&flow(0.0, &[(0.5, 9.0), (5.0, 1.0), (1.0, 9.0)]), None), 5.0);
        assert_eq!(window.longest_stall(&flow(0.0, &[(1.5, 9.0), (0.5, 9.0), (4.0, 9.0)]), None), 4.0);
    }

    #[test]
    fn intervals_without_progress_are_one_stall() {
        let window = Window { start_s: 0.0, end_s: 6.0 };
        let flow = flow(0.0, &[(1.0, 9.0), (1.0, 0.0), (1.0, 0.0), (3.0, 5.0)]);
        assert_eq!(window.longest_stall(&flow, None), 5.0);
    }

    #[test]
    fn a_flow_that_stopped_is_stalled_to_the_end_of_the_window() {
        let window = Window { start_s: 0.0, end_s: 10.0 };
        assert_eq!(window.longest_stall(&flow(0.0, &[(1.0, 9.0), (1.0, 9.0)]), Some(0.1)), 8.0);
        assert_eq!(window.longest_stall(&flow(0.0, &[]), None), 10.0);
    }

    #[test]
    fn a_stall_is_no_longer_than_the_longest_transaction() {
        let window = Window { start_s: 1.0, end_s: 6.0 };
        let flow = flow(0.0, &[(0.5, 900.0); 14]);
        assert_eq!(window.longest_stall(&flow, Some(0.002)), 0.002);
        assert_eq!(window.longest_stall(&flow, Some(0.9)), 0.5);
    }

    #[test]
    fn the_warm_up_begins_when_the_last_flow_has_its_first_answer() {
        let slow = [(1.0, 1.0), (0.5, 900.0), (20.0, 900.0)];
        let flows = [flow(0.0, &[(0.5, 900.0), (20.0, 900.0)]), flow(0.25, &slow)];
        assert_eq!(Window::common(&flows, &timing(2, 10, 1)), Some(Window { start_s: 3.25, end_s: 13.25 }));
        let never = [flow(0.0, &[(0.5, 900.0), (20.0, 900.0)]), flow(0.25, &[(0.5, 0.0), (20.0, 0.0)])];
        assert_eq!(Window::common(&never, &timing(2, 10, 1)), Some(Window { start_s: 2.0, end_s: 12.0 }));
    }

    #[test]
    fn a_flow_that_is_alive_and_stalled_does_not_end_the_window() {
        let window = Window { start_s: 2.0, end_s: 12.0 };
        let steady = flow(0.0, &[(0.5, 900.0); 26]);
        let mut stalled = flow(0.0, &[(0.5, 900.0); 8]);
        stalled.result.insert("ELAPSED_TIME".into(), "13.00".into());
        assert_eq!(Window::common(&[steady.clone(), stalled.clone()], &timing(2, 10, 1)), Some(window));
        assert_eq!((window.stalled(&stalled, 0.5), window.unknown_part(&stalled)), (8.0, 0.0));
        stalled.exit_code = Some(1);
        assert!(window.unknown_part(&stalled) > 0.79);
        assert!(Window::common(&[steady, stalled], &timing(2, 10, 1)).unwrap().end_s < 12.0);
    }

    #[test]
    fn only_waits_of_a_second_are_stalls_and_what_an_interval_is_longer_than_asked_is_one_wait() {
        let window = Window { start_s: 1.0, end_s: 11.0 };
        let of = |intervals: &[(f64, f64)]| window.stalled(&flow(0.0, intervals), 0.5);
        assert_eq!(of(&[(0.5, 900.0); 24]), 0.0);
        assert_eq!(of(&[&[(0.5, 900.0); 8][..], &[(3.5, 9.0)], &[(0.5, 900.0); 20]].concat()), 3.0);
        assert_eq!(of(&[&[(0.5, 900.0); 8][..], &[(1.25, 9.0)], &[(0.5, 900.0); 20]].concat()), 0.0);
        assert_eq!(of(&[&[(0.5, 900.0); 6][..], &[(0.5, 0.0); 4], &[(0.5, 900.0); 20]].concat()), 2.0);
        assert_eq!(of(&[&[(0.5, 900.0); 6][..], &[(0.5, 0.0); 1], &[(0.5, 900.0); 20]].concat()), 0.0);
    }

    #[test]
    fn the_resolution_is_the_length_of_the_intervals_at_the_borders() {
        let window = Window { start_s: 2.1, end_s: 6.1 };
        assert!((window.resolution(&[flow(0.0, &[(0.25, 9.0); 40])]).unwrap() - 0.0625).abs() < 1e-9);
        assert_eq!(window.resolution(&[flow(0.0, &[])]), None);
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
