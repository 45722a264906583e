//! Pings: latencies of those that were sent in the window, and how many of these were lost.
//!
//! A ping belongs to the window by the time at which it was sent. That time is the schedule's, whatever the answer does: by the time
//! of the answer, slow round trips would drop out at the end of the window, and others would come in at its begin.

use serde::{Deserialize, Serialize};

use super::final_result::result;
use super::latencies::Latencies;
use crate::raw::{RawFlow, RoundTrip};
use crate::stats;
use crate::window::Window;

/// Samples from which on a P99 is one: below, it would be the longest.
const FEWEST_OF_P99: usize = 100;
/// More pings than any trial has.
const MOST: f64 = 1e9;

/// Pings of a flow that were sent in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PingCounts {
    /// Sent. The times of those that were lost are interpolated between their neighbours'.
    pub sent: u64,
    /// Not answered until the end of the flow, which is at least the cool-down later.
    pub lost: u64,
}

impl PingCounts {
    /// What is lost of the pings of some flows, %; `None` unless it is known of each, and if none was sent.
    pub fn loss_percent(flows: impl Iterator<Item = Option<PingCounts>>) -> Option<f64> {
        let all = flows.collect::<Option<Vec<_>>>()?;
        let sum = |of: fn(&PingCounts) -> u64| all.iter().map(|own| of(own) as f64).sum::<f64>();
        let sent = sum(|own| own.sent);
        (sent > 0.0).then(|| 100.0 * sum(|own| own.lost) / sent)
    }

    /// Those of a flow; `None` if it was never answered.
    pub(super) fn compute(flow: &RawFlow, window: &Window) -> Option<PingCounts> {
        let mut answered: Vec<&RoundTrip> = flow.round_trips.iter().collect();
        answered.sort_by_key(|trip| trip.sequence);
        let (first, last) = (*answered.first()?, *answered.last()?);
        let pings = last.sequence.saturating_sub(first.sequence) as f64;
        let step_s = if pings > 0.0 { (last.sent_s() - first.sent_s()) / pings } else { 0.0 };
        let transmitted = result(flow, "TRANSMITTED").filter(|count| *count <= MOST).unwrap_or(0.0);
        let after = (transmitted - last.sequence as f64).max(0.0);
        let before = (first.sequence as f64 - 1.0).clamp(0.0, MOST);
        let gaps = answered.windows(2).map(|pair| {
            let missing = pair[1].sequence.saturating_sub(pair[0].sequence).saturating_sub(1) as f64;
            let step_s = (pair[1].sent_s() - pair[0].sent_s()) / (missing + 1.0);
            within(window, pair[0].sent_s(), step_s, missing)
        });
        let head = within(window, first.sent_s() - step_s * (before + 1.0), step_s, before);
        let lost = stats::total(gaps) + head + within(window, last.sent_s(), step_s, after);
        let inside = flow.round_trips.iter().filter(|trip| is_within(window, trip)).count() as u64;
        Some(PingCounts { sent: inside + lost as u64, lost: lost as u64 })
    }
}

/// How many of `count` moments, one each `step_s` after `from_s`, lie in the window.
fn within(window: &Window, from_s: f64, step_s: f64, count: f64) -> f64 {
    if count < 1.0 || step_s <= 0.0 {
        return 0.0;
    }
    let before = |at_s: f64| (((at_s - from_s) / step_s).ceil() - 1.0).clamp(0.0, count);
    before(window.end_s) - before(window.start_s)
}

fn is_within(window: &Window, trip: &RoundTrip) -> bool {
    (window.start_s..window.end_s).contains(&trip.sent_s())
}

/// Latencies of the pings of a flow that were sent in the window.
pub(super) fn latencies(flow: &RawFlow, window: &Window) -> Latencies {
    let inside = flow.round_trips.iter().filter(|trip| is_within(window, trip));
    let mut sorted: Vec<f64> = inside.map(|trip| trip.rtt_us).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(shortest), Some(longest)) = (sorted.first(), sorted.last()) else {
        return Latencies::default();
    };
    // Nearest rank.
    let percentile =
        |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let mean = stats::total(sorted.iter().copied()) / sorted.len() as f64;
    let squares = stats::total(sorted.iter().map(|us| (us - mean).powi(2)));
    Latencies {
        min_us: Some(*shortest),
        mean_us: Some(mean),
        p50_us: percentile(50),
        p90_us: percentile(90),
        p99_us: percentile(99).filter(|_| sorted.len() >= FEWEST_OF_P99),
        max_us: Some(*longest),
        sd_us: Some((squares / sorted.len() as f64).sqrt()),
    }
}

/// Longest time without an answer that overlaps the window, in its full length, s. After the last answer it lasts at least to the
/// window's end.
pub(super) fn longest_wait_s(flow: &RawFlow, window: &Window) -> f64 {
    let answers = flow.round_trips.iter().map(|trip| trip.answered_s);
    let mut since =
        flow.round_trips.first().map_or(window.start_s, |first| first.sent_s().min(window.start_s));
    let mut longest = 0.0_f64;
    for moment in answers.chain([window.end_s]) {
        if moment > window.start_s && since < window.end_s {
            longest = longest.max(moment - since);
        }
        since = since.max(moment);
    }
    longest
}

/// Mean over all answered pings of some flows, of each of which the mean is known, µs.
pub(super) fn mean_us(flows: impl Iterator<Item = (PingCounts, f64)>) -> Option<f64> {
    let sums = flows.map(|(pings, mean)| ((pings.sent - pings.lost) as f64, mean));
    let (answered, sum) = sums.fold((0.0, 0.0), |sum, (count, mean)| (sum.0 + count, sum.1 + count * mean));
    (answered > 0.0).then(|| sum / answered)
}

/// The mean latency of a guest's pings in each whole slice of the window; `None` if one of them has no answer.
pub(super) fn course(flows: &[RawFlow], guest: u32, window: &Window, slice_s: f64) -> Option<Vec<f64>> {
    let slices = (window.length_s() / slice_s + 1e-9).floor() as usize;
    let mut sums = vec![(0.0, 0.0); slices];
    for trip in flows.iter().filter(|flow| flow.guest == guest).flat_map(|flow| &flow.round_trips) {
        let slice = ((trip.sent_s() - window.start_s) / slice_s).floor();
        if let Some(sum) = sums.get_mut(slice as usize).filter(|_| slice >= 0.0) {
            *sum = (sum.0 + 1.0, sum.1 + trip.rtt_us);
        }
    }
    sums.into_iter().map(|(count, sum)| (count > 0.0).then(|| sum / count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Metric, Numbers, Outcome, Reason, TrialFigures, fixture};
    use crate::raw::RawTrial;

    fn numbers(raw: &RawTrial) -> Numbers {
        let figures = TrialFigures::compute(raw, &fixture::timing());
        assert_eq!(figures.outcome, Outcome::Measured);
        figures.numbers.unwrap()
    }

    fn value(raw: &RawTrial, metric: Metric) -> Option<f64> {
        metric.value(&TrialFigures::compute(raw, &fixture::timing()))
    }

    /// Of 400 pings of the window, every hundredth takes 9 ms.
    fn one_in_a_hundred(_: u32, number: u64) -> Option<f64> {
        Some(if number.is_multiple_of(100) { 9_000.0 } else { 200.0 + (number % 10) as f64 })
    }

    #[test]
    fn mean_p99_and_longest_are_of_the_pings_that_were_sent_in_the_window() {
        let raw = fixture::pings(2, |guest, number| match number {
            1 | 500.. => Some(1e6), // before the window, which ends 2 + 10 s after the first, and after it
            number => one_in_a_hundred(guest, number),
        });
        let total = numbers(&raw).total;
        assert_eq!((total.median_p99_latency_us, total.max_latency_us), (Some(209.0), Some(9_000.0)));
        assert!((total.mean_latency_us.unwrap() - 292.5).abs() < 0.5, "{:?}", total.mean_latency_us);
        assert_eq!(total.loss_percent, Some(0.0));
        let flow = numbers(&raw).flows[0].clone();
        assert_eq!(flow.pings, Some(PingCounts { sent: 400, lost: 0 }));
        assert_eq!((flow.latency.p50_us, flow.latency.min_us), (Some(205.0), Some(200.0)));
    }

    #[test]
    fn what_has_no_answer_is_lost_and_no_sample_wherever_it_is() {
        let lost = |lost: std::ops::Range<u64>| {
            fixture::pings(1, move |_, number| (!lost.contains(&number)).then_some(100.0))
        };
        // The window has numbers 81 to 480.
        for (range, expected) in [(90..100, 10), (71..91, 10), (1..91, 10), (471..561, 10), (491..561, 0)] {
            let raw = lost(range.clone());
            let figures = TrialFigures::compute(&raw, &fixture::timing());
            let flow = &figures.numbers.unwrap().flows[0];
            let lost = flow.pings.map(|pings| (pings.sent, pings.lost));
            assert_eq!(lost, Some((400, expected)), "{range:?}");
            assert_eq!(flow.latency.max_us, Some(100.0));
        }
    }

    #[test]
    fn the_longest_stall_is_the_longest_time_without_an_answer() {
        let stall_s = |lost: &std::ops::Range<u64>| {
            let raw = fixture::pings(1, |_, number| (!lost.contains(&number)).then_some(100.0));
            value(&raw, Metric::LongestStall).unwrap()
        };
        for (lost, expected_s) in
            [(0..0, 0.025), (200..220, 0.525), (70..90, 0.525), (1..70, 0.025), (471..561, 0.274)]
        {
            assert!((stall_s(&lost) - expected_s).abs() < 1.5e-3, "{lost:?}: {}", stall_s(&lost));
        }
    }

    #[test]
    fn a_p99_of_fewer_than_a_hundred_pings_is_not_given() {
        let mut raw = fixture::pings(1, one_in_a_hundred);
        raw.flows[0].round_trips.retain(|trip| trip.sequence.is_multiple_of(5));
        let latency =
            latencies(&raw.flows[0], &Window { start_s: fixture::START, end_s: fixture::START + 10.0 });
        assert_eq!((latency.p99_us, latency.max_us), (None, Some(9_000.0)));
    }

    #[test]
    fn pings_have_latencies_their_bias_with_a_floor_and_losses_and_no_figure_of_rates() {
        let raw = fixture::pings(2, |guest, number| {
            Some(f64::from(guest) * (100.0 + (number * 7919 % 101) as f64 / 10.0))
        });
        let with =
            [Metric::MeanLatency, Metric::P99Latency, Metric::MaxLatency, Metric::Loss, Metric::PacketCheck];
        assert!(with.into_iter().all(|metric| value(&raw, metric).is_some()));
        assert!((value(&raw, Metric::BiasLatency).unwrap() - 200.0 / 3.0).abs() < 0.1);
        let floor = value(&raw, Metric::FloorBiasLatency).unwrap();
        assert!((0.001..5.0).contains(&floor), "{floor}");
        for metric in Metric::ALL.into_iter().filter(|metric| !metric.applies(crate::profile::Test::PING)) {
            assert_eq!(value(&raw, metric), None, "{}", metric.column());
        }
        assert_eq!(value(&raw, Metric::BiasRate), None);
    }

    #[test]
    fn the_floor_of_latency_is_not_judged_where_a_guest_was_not_answered_for_a_slice() {
        let raw =
            fixture::pings(2, |guest, number| (guest == 1 || !(200..230).contains(&number)).then_some(100.0));
        assert_eq!(value(&raw, Metric::FloorBiasLatency), None);
        assert!(value(&raw, Metric::BiasLatency).is_some());
    }

    #[test]
    fn packets_that_are_not_there_for_the_pings_make_a_trial_invalid() {
        let mut raw = fixture::pings(2, one_in_a_hundred);
        assert!((value(&raw, Metric::PacketCheck).unwrap() - 1.0).abs() < 0.01);
        raw.host.iter_mut().flat_map(|sample| &mut sample.targets).for_each(|target| {
            (target.from_target_packets, target.to_target_packets) = (0, 0);
        });
        let Outcome::Invalid(reasons) = TrialFigures::compute(&raw, &fixture::timing()).outcome else {
            panic!("valid without a packet");
        };
        assert_eq!(
            reasons.iter().map(Reason::to_string).collect::<Vec<_>>(),
            ["the host counted 0.00 packets per answered ping and direction in place of 1"]
        );
    }

    #[test]
    fn pings_that_cannot_have_been_are_raw_data_that_cannot_be_true() {
        let outcome = |change: fn(&mut RoundTrip)| {
            let mut raw = fixture::pings(1, one_in_a_hundred);
            change(&mut raw.flows[0].round_trips[3]);
            match TrialFigures::compute(&raw, &fixture::timing()).outcome {
                Outcome::Invalid(reasons) => reasons[0].to_string(),
                outcome => panic!("{outcome:?}"),
            }
        };
        for change in [
            (|trip: &mut RoundTrip| trip.rtt_us = -1.0) as fn(&mut RoundTrip),
            |trip| trip.rtt_us = f64::NAN,
            |trip| trip.answered_s = 1e300,
            |trip| trip.sequence = u64::MAX,
        ] {
            assert!(
                outcome(change).starts_with("raw data that cannot be true: flow 1: ping "),
                "{}",
                outcome(change)
            );
        }
    }
}
