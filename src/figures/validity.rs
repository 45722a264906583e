//! Whether a trial's numbers count, and every reason why not.
//!
//! - dead: a netperf or its connection ended: not valid
//! - nothing moved at all: not valid
//! - starved guests and stalled flows, whose connections live: valid; they count as zero, and are marked (see `starved`)
//!
//! All reasons are collected, not just the first.

use super::outcome::MIN_COVERAGE_PERCENT;
use super::settled::MIN_WINDOW;
use super::udp_received::received;
use super::{Numbers, Outcome, Reason, background, packet_check};
use crate::profile::{Test, Timing};
use crate::raw::{RawFlow, RawTrial};
use crate::window::{self, Window};

/// The outcome of a trial: failed, or invalid for every reason found, or measured.
pub(super) fn judge(raw: &RawTrial, timing: &Timing, numbers: Option<&Numbers>) -> Outcome {
    if let Some(failure) = &raw.failure {
        return Outcome::Failed { stage: failure.stage, cause: failure.cause.clone() };
    }
    let checks = raw.checks.iter().filter(|check| !check.holds()).cloned().map(Reason::Check);
    let reasons: Vec<Reason> = flow_count(raw)
        .into_iter()
        .chain(numbers.map_or(vec![Reason::NoWindow], |numbers| of_numbers(raw, timing, numbers)))
        .chain(no_result(&raw.flows))
        .chain(exit_code(raw.configuration.test, &raw.flows))
        .chain(checks)
        .collect();
    if reasons.is_empty() { Outcome::Measured } else { Outcome::Invalid(reasons) }
}

fn of_numbers(raw: &RawTrial, timing: &Timing, numbers: &Numbers) -> Vec<Reason> {
    // Packets are counted by the host, or in the guests where none passes an interface of the host's.
    let counted = match raw.guests.iter().any(|guest| !guest.nic.is_empty()) {
        true => numbers.total.packet_check_ratio.is_some(),
        false => numbers.guests.iter().all(|guest| guest.to_target_packets.is_some()),
    };
    let covered =
        numbers.host.is_some() && numbers.guests.iter().all(|guest| guest.guest == 0 || guest.cpu.is_some());
    [
        short_window(raw, timing, numbers.window.length_s()),
        uncovered(raw, &numbers.window),
        (numbers.total.work <= 0.0).then_some(Reason::NothingMoved),
        (!covered || !counted).then_some(Reason::HostCounters),
    ]
    .into_iter()
    .flatten()
    .chain(packet_check::judge(&received(raw), numbers))
    .chain(background::judge(raw, numbers))
    .collect()
}

fn flow_count(raw: &RawTrial) -> Option<Reason> {
    let (expected, found) = (raw.configuration.flows, raw.flows.len() as u32);
    (expected != found).then_some(Reason::FlowCount { expected, found })
}

fn short_window(raw: &RawTrial, timing: &Timing, length_s: f64) -> Option<Reason> {
    let requested_s = timing.window.as_secs_f64();
    let first_to_end = window::first_to_end(&raw.flows).map(|(flow, _)| flow);
    (length_s < MIN_WINDOW * requested_s).then_some(Reason::ShortWindow {
        length_s,
        requested_s,
        first_to_end,
    })
}

/// Holes between interim results: netperf leaves none, so lines were lost. After the last one a live flow is stalled.
fn uncovered(raw: &RawTrial, window: &Window) -> Option<Reason> {
    let known = |flow: &RawFlow| (flow.flow, 100.0 * (1.0 - window.unknown_part(flow)));
    let sparse: Vec<(u32, f64)> =
        raw.flows.iter().map(known).filter(|(_, percent)| *percent < MIN_COVERAGE_PERCENT).collect();
    let worst_percent = sparse.iter().map(|(_, percent)| *percent).reduce(f64::min)?;
    Some(Reason::Uncovered { flows: sparse.into_iter().map(|(flow, _)| flow).collect(), worst_percent })
}

fn no_result(flows: &[RawFlow]) -> Option<Reason> {
    let silent: Vec<u32> = flows.iter().filter(|flow| flow.result.is_empty()).map(|flow| flow.flow).collect();
    (!silent.is_empty()).then_some(Reason::NoResult { flows: silent })
}

fn exit_code(test: Test, flows: &[RawFlow]) -> Option<Reason> {
    let broken: Vec<&RawFlow> = flows.iter().filter(|flow| flow.exit_code != Some(0)).collect();
    let message = broken.first()?.messages.lines().map(str::trim).find(|line| !line.is_empty());
    Some(Reason::ExitCode {
        test,
        flows: broken.iter().map(|flow| flow.flow).collect(),
        message: message.unwrap_or_default().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};

    fn two_guests() -> RawTrial {
        fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0])
    }

    /// What a reader is told about a trial.
    fn told(raw: &RawTrial) -> Vec<String> {
        match TrialFigures::compute(raw, &fixture::timing()).outcome {
            Outcome::Invalid(reasons) => reasons.iter().map(Reason::to_string).collect(),
            outcome => vec![outcome.word().into()],
        }
    }

    #[test]
    fn a_check_that_does_not_hold_invalidates() {
        let raw = fixture::wrong_driver(fixture::configuration("virtio", 2));
        assert_eq!(told(&raw), ["guest 1: driver of the test NIC: expected virtio_net, found e1000"]);
    }

    #[test]
    fn flows_that_end_early_make_the_window_too_short() {
        let mut raw = two_guests();
        raw.flows[2].intervals.truncate(16);
        assert_eq!(told(&raw), ["window of 5.0 s in place of 10.0 s (flow 3 ended first)"]);
    }

    #[test]
    fn a_flow_with_a_hole_in_its_reports_is_named() {
        let mut raw = two_guests();
        raw.flows[4].intervals.drain(10..14);
        assert_eq!(told(&raw), ["flow 5 did not report in the whole window (covered: 80 %)"]);
    }

    #[test]
    fn a_flow_that_never_reported_counts_as_zero_and_packets_show_that_it_moved() {
        let mut raw = two_guests();
        raw.flows[7].intervals.clear();
        assert_eq!(told(&raw), [WITNESS_OFF]);
        let numbers = TrialFigures::compute(&raw, &fixture::timing()).numbers.unwrap();
        assert_eq!((numbers.flows.len(), numbers.flows[7].rate), (8, 0.0));
    }

    const WITNESS_OFF: &str = "the host counted 1.14 packets per transaction and direction in place of 1";

    #[test]
    fn flows_that_never_ran_together_have_no_figures() {
        let mut raw = two_guests();
        raw.flows[0].intervals.truncate(2);
        let trial = TrialFigures::compute(&raw, &fixture::timing());
        assert_eq!(trial.outcome, Outcome::Invalid(vec![Reason::NoWindow]));
        assert_eq!(trial.numbers, None);
    }

    #[test]
    fn a_guest_that_nobody_counted_invalidates() {
        let mut raw = two_guests();
        raw.host.iter_mut().for_each(|sample| sample.targets.truncate(1));
        assert!(told(&raw).iter().any(|reason| reason.contains("counters")), "{:?}", told(&raw));
    }

    #[test]
    fn packet_counters_that_disagree_with_netperf_invalidate() {
        let mut raw = two_guests();
        raw.host.iter_mut().flat_map(|s| &mut s.targets).for_each(|target| target.from_target_packets *= 2);
        assert_eq!(told(&raw), ["the host counted 1.50 packets per transaction and direction in place of 1"]);
    }

    #[test]
    fn messages_of_several_packets_are_not_judged_by_packet_counters() {
        let mut raw = two_guests();
        raw.configuration.response_bytes = 64_000;
        raw.host.iter_mut().flat_map(|s| &mut s.targets).for_each(|target| target.from_target_packets *= 45);
        assert_eq!(told(&raw), ["measured"]);
    }

    #[test]
    fn netperfs_that_failed_are_named_with_what_the_first_one_said() {
        let mut raw = two_guests();
        for flow in &mut raw.flows[1..4] {
            flow.exit_code = Some(1);
            flow.result.clear();
            flow.messages = "\nconnection reset by peer\n".into();
        }
        raw.flows[7].exit_code = None;
        assert_eq!(
            told(&raw),
            [
                "no final result of flows 2–4",
                "netperf ended with an error: flows 2–4, 8: connection reset by peer"
            ]
        );
    }

    #[test]
    fn host_counters_that_do_not_cover_the_window_invalidate() {
        let mut raw = two_guests();
        raw.host.truncate(5);
        assert_eq!(told(&raw), ["the host's counters do not cover the window"]);
    }

    #[test]
    fn a_missing_flow_invalidates() {
        let mut raw = two_guests();
        raw.flows.pop();
        assert_eq!(told(&raw), ["7 flows ran in place of 8", WITNESS_OFF]);
    }

    #[test]
    fn a_failed_trial_is_failed_whatever_else_is_wrong() {
        assert_eq!(told(&fixture::failed(fixture::configuration("virtio", 2))), ["failed"]);
    }
}
