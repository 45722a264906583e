//! Starved guests: their connections live, and they get next to nothing. They count as zero for that time; they are marked,
//! because a mean over the window hides when it was.
//!
//! A guest is starved in a slice of the window in which it moves less than a tenth of the mean guest of its group. The mean, and
//! not the median: where one guest takes everything, the median guest is starved itself. A guest is also starved while all of its
//! flows are stalled. What stops all guests together is no starvation: it is in `longest_stall_s` and in the host's hiccups.

use super::{Course, FlowFigures, GuestFigures};
use crate::stats;
use crate::window::SHORTEST_STALL_S;

/// Part of the mean guest's rate below which a guest is starved.
const NEXT_TO_NOTHING: f64 = 0.1;

/// Sets how long each measured guest was starved, s.
pub(super) fn mark(guests: &mut [GuestFigures], flows: &[FlowFigures], course: &Course) {
    let group = |number: u32| guests.iter().find(|guest| guest.guest == number).map(|guest| &guest.group);
    let beside = |own: u32, other: u32| own != other && group(own) == group(other);
    let stalled_s = |number: u32| {
        let own = flows.iter().filter(|flow| flow.guest == number).map(|flow| flow.stalled_s);
        own.reduce(f64::min).unwrap_or(0.0)
    };
    let common_s = match course.guests.len() {
        0 | 1 => 0.0,
        _ => course.guests.iter().map(|(number, _)| stalled_s(*number)).fold(f64::MAX, f64::min),
    };
    let of_guest = |guest: &GuestFigures| {
        let peers = course.guests.iter().filter(|(other, _)| beside(guest.guest, *other));
        let peers: Vec<&Vec<f64>> = peers.map(|(_, rates)| rates).collect();
        let own = course.guests.iter().find(|(number, _)| *number == guest.guest);
        let stalled_s = stalled_s(guest.guest) - common_s;
        own.map_or(stalled_s, |(_, own)| below_peers(own, &peers, course.slice_s).max(stalled_s)).max(0.0)
    };
    let found: Vec<f64> = guests.iter().map(of_guest).collect();
    guests.iter_mut().zip(found).for_each(|(guest, starved_s)| guest.starved_s = starved_s);
}

/// Time in which a guest moved next to nothing while the mean of it and its peers moved, in stretches of a second or more, s.
fn below_peers(own: &[f64], peers: &[&Vec<f64>], slice_s: f64) -> f64 {
    let is_starved = |(slice, rate): (usize, &f64)| {
        let all: Vec<f64> = peers.iter().filter_map(|peer| peer.get(slice).copied()).chain([*rate]).collect();
        !peers.is_empty() && *rate < NEXT_TO_NOTHING * stats::total(all.iter().copied()) / all.len() as f64
    };
    let starved: Vec<bool> = own.iter().enumerate().map(is_starved).collect();
    let stretches = starved.chunk_by(|a, b| a == b).filter(|stretch| stretch[0]);
    let lengths = stretches.map(|stretch| stretch.len() as f64 * slice_s);
    stats::total(lengths.filter(|length_s| *length_s >= SHORTEST_STALL_S - 1e-9))
}

#[cfg(test)]
mod tests {
    use crate::figures::{Numbers, Outcome, Reason, TrialFigures, fixture};

    use crate::profile::Timing;
    use crate::raw::RawTrial;

    /// Four guests with two flows each.
    fn four() -> RawTrial {
        fixture::trial(fixture::configuration("virtio", 4), &[1000.0; 4])
    }

    fn numbers(raw: &RawTrial) -> Numbers {
        let figures = TrialFigures::compute(raw, &fixture::timing());
        assert_eq!(figures.outcome, Outcome::Measured);
        figures.numbers.expect("a valid trial has numbers")
    }

    fn starved_s(raw: &RawTrial) -> Vec<f64> {
        numbers(raw).guests.iter().map(|guest| (guest.starved_s * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn a_starved_guest_is_valid_counts_as_zero_and_is_marked_with_its_time() {
        let mut raw = four();
        fixture::starve(&mut raw, 3, 3.0, 11.5);
        let numbers = numbers(&raw);
        assert_eq!(starved_s(&raw), [0.0, 0.0, 8.5, 0.0]);
        assert!((numbers.guests[2].rate - 150.0).abs() < 1e-6, "{}", numbers.guests[2].rate);
        assert!(
            numbers.guests[2].is_starved(&numbers.window) && !numbers.guests[1].is_starved(&numbers.window)
        );
        assert!(numbers.spread.is_some_and(|spread| spread.p < 1e-6 && spread.excess_bias_points() > 50.0));
    }

    #[test]
    fn a_stalled_flow_is_marked_though_its_guest_moves_on() {
        let mut raw = four();
        fixture::stall(&mut raw, 5, 4.0, 9.0);
        let numbers = numbers(&raw);
        assert_eq!((numbers.flows[4].stalled_s, numbers.flows[3].stalled_s), (5.0, 0.0));
        assert_eq!(starved_s(&raw), [0.0; 4]);
        assert_eq!(numbers.stalled_flows.iter().map(|stalled| stalled.flow).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn a_guest_alone_is_starved_while_all_its_flows_are_stalled() {
        let mut raw = fixture::trial(fixture::configuration("virtio", 1), &[1000.0]);
        fixture::starve(&mut raw, 1, 4.0, 9.0);
        assert_eq!(starved_s(&raw), [5.0]);
    }

    #[test]
    fn a_guest_is_compared_with_those_of_its_group() {
        let mut raw = fixture::trial(fixture::configuration("virtio", 4), &[2000.0, 2000.0, 20.0, 20.0]);
        assert_eq!(starved_s(&raw), [0.0, 0.0, 10.0, 10.0]);
        raw.groups = vec![fixture::members("fast", 1, 2), fixture::members("capped", 3, 2)];
        assert_eq!(starved_s(&raw), [0.0; 4]);
    }

    #[test]
    fn where_one_guest_takes_everything_all_others_are_starved() {
        let raw = fixture::trial(fixture::configuration("virtio", 4), &[2000.0, 20.0, 20.0, 20.0]);
        assert_eq!(starved_s(&raw), [0.0, 10.0, 10.0, 10.0]);
    }

    #[test]
    fn what_stops_all_guests_together_starves_none_and_only_the_one_that_stands_longer() {
        let mut raw = four();
        (1..=4).for_each(|guest| fixture::starve(&mut raw, guest, 5.0, 9.0));
        assert_eq!(numbers(&raw).flows[0].stalled_s, 4.0);
        assert_eq!(starved_s(&raw), [0.0; 4]);
        fixture::starve(&mut raw, 2, 9.0, 11.0);
        assert_eq!(starved_s(&raw), [0.0, 2.0, 0.0, 0.0]);
    }

    #[test]
    fn where_nothing_moved_at_all_the_trial_is_not_valid() {
        let mut raw = four();
        (1..=4).for_each(|guest| fixture::starve(&mut raw, guest, 0.0, 14.0));
        let outcome = |raw: &RawTrial, timing: &Timing| TrialFigures::compute(raw, timing).outcome;
        assert_eq!(outcome(&raw, &fixture::timing()), Outcome::Invalid(vec![Reason::NothingMoved]));
    }

    #[test]
    fn a_netperf_whose_connection_ended_makes_the_trial_invalid_and_is_named() {
        let mut raw = four();
        fixture::starve(&mut raw, 2, 4.0, 14.0);
        for flow in &mut raw.flows[2..4] {
            (flow.exit_code, flow.messages) = (Some(1), "recv_data failed: Connection reset by peer".into());
        }
        let Outcome::Invalid(reasons) = TrialFigures::compute(&raw, &fixture::timing()).outcome else {
            panic!("a dead connection is not valid");
        };
        let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
        assert_eq!(
            reasons,
            ["netperf ended with an error: flows 3–4: recv_data failed: Connection reset by peer"]
        );
    }
}
