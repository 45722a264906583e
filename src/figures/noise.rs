//! What noise alone gives equal parties: of guests' CPU times and of groups' rates. That of guests' rates is in `course`.

use super::course::{measured, rates};
use super::pings;
use crate::raw::{HostSample, RawTrial, TargetCounters};
use crate::stats::Spread;
use crate::window::Window;

/// Spread of the measured guests' CPU times beside what their noise explains, from one of the host's samples to the next. After a
/// hiccup samples follow each other at once: what lies between two of them says nothing, and would count as much as the others.
pub(super) fn cpu_spread(raw: &RawTrial, window: &Window) -> Option<Spread> {
    let within = |sample: &&HostSample| (window.start_s..=window.end_s).contains(&sample.at_s);
    let mut samples: Vec<&HostSample> = raw.host.iter().filter(within).collect();
    let length_s = samples.last()?.at_s - samples.first()?.at_s;
    let usual_s = length_s / samples.len() as f64;
    samples.dedup_by(|next, kept| next.at_s - kept.at_s <= usual_s / 2.0);
    let used = |sample: &HostSample, guest: u32| sample.targets.get(guest as usize - 1).map(cpu_s);
    let course = |guest: u32| {
        let slice = |pair: &[&HostSample]| {
            Some((used(pair[1], guest)? - used(pair[0], guest)?) / (pair[1].at_s - pair[0].at_s))
        };
        samples.windows(2).map(slice).collect()
    };
    let courses = measured(raw).into_iter().map(course).collect::<Option<Vec<Vec<f64>>>>()?;
    Spread::from_courses(&courses)
}

fn cpu_s(counters: &TargetCounters) -> f64 {
    counters.vcpu_s + counters.emulator_s + counters.vhost_s
}

/// Spread of the mean latencies of the measured guests' pings beside what their noise explains.
pub(super) fn latency_spread(raw: &RawTrial, window: &Window, slice_s: f64) -> Option<Spread> {
    if !raw.configuration.test.is_ping() {
        return None;
    }
    let course = |guest| pings::course(&raw.flows, guest, window, slice_s);
    Spread::from_courses(&measured(raw).into_iter().map(course).collect::<Option<Vec<_>>>()?)
}

/// Spread of the measured groups' rates per guest beside what their noise explains. `parties` are the guests of each.
pub(super) fn group_spread(
    raw: &RawTrial,
    window: &Window,
    slice_s: f64,
    parties: &[Vec<u32>],
) -> Option<Spread> {
    let slices = rates(raw, window, slice_s, parties);
    let course = |party: usize| slices.iter().map(|rates| rates[party]).collect();
    Spread::from_courses(&(0..parties.len()).map(course).collect::<Vec<Vec<f64>>>())
}

#[cfg(test)]
mod tests {
    use crate::figures::{Metric, TrialFigures, fixture};
    use crate::raw::RawTrial;

    /// Four guests whose CPU times and rates vary from second to second, by turns of the parties' own.
    fn uneven() -> RawTrial {
        let mut raw = fixture::trial(fixture::configuration("virtio", 4), &[1000.0; 4]);
        let wave = |guest: usize, at_s: f64| 1.0 + 0.1 * (at_s * (1.9 + guest as f64)).sin();
        for (guest, index) in (0..4).map(|guest| (guest + 1, guest)) {
            let mut used = 0.0;
            for sample in &mut raw.host {
                used += 0.2 * wave(index, sample.at_s);
                sample.targets[index].vcpu_s = used;
            }
            for flow in raw.flows.iter_mut().filter(|flow| flow.guest == guest as u32) {
                flow.intervals.iter_mut().for_each(|interval| interval.rate *= wave(index, interval.end_s));
            }
        }
        raw
    }

    fn value(raw: &RawTrial, metric: Metric) -> f64 {
        metric.value(&TrialFigures::compute(raw, &fixture::timing())).expect("the metric is defined")
    }

    #[test]
    fn guests_whose_cpu_time_varies_have_a_floor_of_their_cpu_bias_and_steady_ones_have_none() {
        let floor = value(&uneven(), Metric::FloorBiasCpu);
        assert!((0.5..20.0).contains(&floor), "{floor}");
        let steady = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        assert!(value(&steady, Metric::FloorBiasCpu) < 1e-6);
        assert!(value(&steady, Metric::BiasCpu) > 5.0);
    }

    #[test]
    fn samples_that_follow_each_other_at_once_are_no_noise_of_cpu_time() {
        let mut raw = uneven();
        let before = value(&raw, Metric::FloorBiasCpu);
        for place in [9, 6] {
            let mut soon = raw.host[place].clone();
            soon.at_s += if place == 9 { 0.001 } else { 0.0 };
            soon.targets[0].vcpu_s += 0.01;
            raw.host.insert(place + 1, soon);
        }
        let after = value(&raw, Metric::FloorBiasCpu);
        assert!((after - before).abs() < 0.05 * before, "{before} {after}");
    }

    #[test]
    fn the_floor_of_latency_is_that_of_the_rate_in_a_closed_loop() {
        let raw = uneven();
        assert_eq!(value(&raw, Metric::FloorBiasLatency), value(&raw, Metric::FloorBiasRate));
    }

    #[test]
    fn groups_have_a_floor_of_their_own_that_more_guests_in_each_make_smaller() {
        let mut raw = uneven();
        let guests = value(&raw, Metric::FloorBiasRate);
        raw.groups = vec![fixture::members("gold", 1, 2), fixture::members("silver", 3, 2)];
        let groups = value(&raw, Metric::GroupsFloorBiasRate);
        assert!(groups > 0.0 && groups < guests, "{groups} {guests}");
    }
}
