//! The course of a window: it is cut into slices, to see whether it was steady and over what time it was fair.

use serde::{Deserialize, Serialize};

use crate::profile::Role;
use crate::profile::groups::of_guest;
use crate::raw::RawTrial;
use crate::stats::{self, Fairness, Spread, Turns};
use crate::window::Window;

/// Slices over which fairness is computed, s: half a second feels like a stall to people, half a minute is a batch job.
pub const SLICES_S: [f64; 4] = [0.5, 1.0, 5.0, 30.0];

/// Fairness of the guests' rates over slices of one length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JainAt {
    /// Length of a slice, s.
    pub slice_s: f64,
    /// Median over the slices of Jain's index.
    pub median: f64,
    /// 5th percentile over the slices: the unfair moments.
    pub p5: f64,
}

/// The rates of the measured guests over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Length of a slice, s: some interim intervals, since within one nothing is known.
    pub slice_s: f64,
    /// Number of each guest, and its rate in each whole slice, transactions/s or 10^6 bits/s.
    pub guests: Vec<(u32, Vec<f64>)>,
}

impl Course {
    /// Slices that a picture can show.
    const MOST: f64 = 120.0;

    pub(super) fn compute(raw: &RawTrial, window: &Window, interval_s: f64) -> Course {
        let intervals = (window.length_s() / interval_s / Self::MOST).ceil().max(1.0);
        let slice_s = intervals * interval_s;
        let rates = rates(raw, window, slice_s, &alone(raw));
        let course = |(index, guest)| (guest, rates.iter().map(|slice| slice[index]).collect());
        Course { slice_s, guests: measured(raw).into_iter().enumerate().map(course).collect() }
    }

    /// How far the guests are apart, beside what their noise explains.
    pub(super) fn spread(&self) -> Option<Spread> {
        let courses: Vec<Vec<f64>> = self.guests.iter().map(|(_, rates)| rates.clone()).collect();
        Spread::from_courses(&courses)
    }

    /// Whether the guests take turns within the window.
    pub(super) fn turns(&self) -> Option<Turns> {
        let courses: Vec<&[f64]> = self.guests.iter().map(|(_, rates)| rates.as_slice()).collect();
        Turns::from_courses(&courses, self.slice_s)
    }
}

/// Jain's index of the parties' rates per guest, over each length of slice that fits at least twice into the window and is no
/// shorter than an interim interval: within one, flows look steady. A slice in which no guest moved has none and is left
/// out.
pub(super) fn jain_over_time(
    raw: &RawTrial,
    window: &Window,
    interval_s: f64,
    parties: &[Vec<u32>],
) -> Vec<JainAt> {
    let of = |slice_s: f64| {
        let slices = rates(raw, window, slice_s, parties);
        let fairness = slices.iter().filter_map(|rates| Fairness::from_shares(rates));
        let mut indices: Vec<f64> = fairness.map(|fairness| fairness.jain).collect();
        indices.sort_by(f64::total_cmp);
        // Nearest rank.
        let p5 = *indices.get((0.05 * indices.len() as f64).ceil().max(1.0) as usize - 1)?;
        Some(JainAt { slice_s, median: stats::median(&indices)?, p5 })
    };
    let known = |slice_s: &f64| *slice_s >= interval_s && 2.0 * slice_s <= window.length_s();
    SLICES_S.into_iter().filter(known).filter_map(of).collect()
}

/// How long the total rate took to settle, s after the common window's start; 0 if it was steady from there on.
///
/// MSER-5 over slices of the interim interval, where it makes a difference ([`stats::settled`]). Undefined for windows of fewer
/// than twenty of them, and where noise hides it.
pub(super) fn settled_after_s(raw: &RawTrial, window: &Window, interval_s: f64) -> Option<f64> {
    let totals: Vec<f64> =
        slices(window, interval_s).map(|slice| raw.flows.iter().map(|flow| slice.rate(flow)).sum()).collect();
    Some(stats::settled(&totals)? as f64 * interval_s)
}

/// The mean rate of each party's guests in each slice.
pub(super) fn rates(raw: &RawTrial, window: &Window, slice_s: f64, parties: &[Vec<u32>]) -> Vec<Vec<f64>> {
    let rate = |slice: &Window, party: &Vec<u32>| {
        let own = raw.flows.iter().filter(|flow| party.contains(&flow.guest));
        stats::total(own.map(|flow| slice.rate(flow))) / party.len() as f64
    };
    slices(window, slice_s).map(|slice| parties.iter().map(|party| rate(&slice, party)).collect()).collect()
}

/// Each measured guest as a party of its own.
pub(super) fn alone(raw: &RawTrial) -> Vec<Vec<u32>> {
    measured(raw).into_iter().map(|guest| vec![guest]).collect()
}

/// The guests that carry measured flows.
pub(super) fn measured(raw: &RawTrial) -> Vec<u32> {
    let measured =
        |guest: &u32| of_guest(&raw.groups, *guest).is_none_or(|group| group.role == Role::Measured);
    (1..=raw.configuration.vms).filter(measured).collect()
}

/// Whole slices of a window.
fn slices(window: &Window, slice_s: f64) -> impl Iterator<Item = Window> {
    let start_s = window.start_s;
    let whole = (window.length_s() / slice_s + 1e-9) as u32;
    (0..whole).map(move |n| {
        let start_s = start_s + f64::from(n) * slice_s;
        Window { start_s, end_s: start_s + slice_s }
    })
}

/// The 5th percentile of Jain's index over slices of the length at this place in [`SLICES_S`].
pub(super) fn worst_slices(slices: &[JainAt], length: usize) -> Option<f64> {
    let at = slices.iter().find(|at| at.slice_s == SLICES_S[length]);
    at.map(|at| at.p5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    fn trial(rates: &[f64]) -> (RawTrial, Window) {
        let raw = fixture::trial(fixture::configuration("virtio", rates.len() as u32), rates);
        let window = Window::common(&raw.flows, &fixture::timing()).unwrap();
        (raw, window)
    }

    #[test]
    fn steady_guests_are_as_fair_over_moments_as_over_the_window() {
        let (raw, window) = trial(&[900.0, 1100.0]);
        let fairness = jain_over_time(&raw, &window, 0.5, &alone(&raw));
        assert_eq!(fairness.iter().map(|at| at.slice_s).collect::<Vec<_>>(), [0.5, 1.0, 5.0]);
        let expected = 2000.0_f64.powi(2) / (2.0 * (900.0_f64.powi(2) + 1100.0_f64.powi(2)));
        for at in fairness {
            assert!((at.median - expected).abs() < 1e-6 && (at.p5 - expected).abs() < 1e-6, "{at:?}");
        }
    }

    #[test]
    fn over_slices_shorter_than_an_interim_interval_fairness_is_not_known() {
        let (raw, window) = trial(&[900.0, 1100.0]);
        let fairness = jain_over_time(&raw, &window, 2.0, &alone(&raw));
        assert_eq!(fairness.iter().map(|at| at.slice_s).collect::<Vec<_>>(), [5.0]);
    }

    #[test]
    fn guests_that_take_turns_are_fair_over_long_and_unfair_over_short_times() {
        let (mut raw, window) = trial(&[1000.0, 1000.0]);
        for flow in &mut raw.flows {
            for interval in &mut flow.intervals {
                let first_half = (interval.end_s - 0.25 - window.start_s).rem_euclid(2.0) < 1.0;
                interval.rate *= if first_half == (flow.guest == 1) { 2.0 } else { 0.0 };
            }
        }
        let fairness = jain_over_time(&raw, &window, 0.5, &alone(&raw));
        assert!(fairness[0].median < 0.6, "{fairness:?}");
        assert!(fairness[2].median > 0.9, "{fairness:?}");
    }

    #[test]
    fn the_course_shows_who_stood_still_and_when() {
        let (mut raw, window) = trial(&[1000.0, 600.0]);
        for flow in raw.flows.iter_mut().filter(|flow| flow.guest == 2) {
            let second_half =
                |interval: &&mut crate::raw::InterimResult| interval.end_s - window.start_s > 5.1;
            flow.intervals.iter_mut().filter(second_half).for_each(|interval| interval.rate = 0.0);
        }
        let course = Course::compute(&raw, &window, 0.5);
        assert_eq!((course.slice_s, course.guests.len(), course.guests[1].0), (0.5, 2, 2));
        let expected = [[600.0; 10], [0.0; 10]].concat();
        assert!(
            course.guests[1].1.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-6)
        );
        assert_eq!(Course::compute(&raw, &window, 0.01).slice_s, 0.09);
    }

    #[test]
    fn a_rate_that_grows_at_first_settles_later() {
        let (mut raw, window) = trial(&[1000.0]);
        assert_eq!(settled_after_s(&raw, &window, 0.5), Some(0.0));
        for flow in &mut raw.flows {
            for interval in flow.intervals.iter_mut().filter(|i| i.end_s - window.start_s <= 2.6) {
                interval.rate *= 0.2;
            }
        }
        assert_eq!(settled_after_s(&raw, &window, 0.5), Some(2.5));
    }
}
