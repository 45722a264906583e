//! Fairness to guests that want different amounts: who is capped, or gets little even alone, is nobody's victim.

use std::collections::BTreeMap;

use super::{GroupFigures, GuestFigures, Numbers, TrialFigures, ValidTrials};
use crate::profile::{Configuration, Factor, Unit};
use crate::stats::{self, Estimate, Scale, demand_aware_jain};

/// Headers of the smallest packet that carries payload (Ethernet, IP, UDP), bytes: no load has less.
const HEADERS: u32 = 42;

/// Jain's index of the measured guests' rates ÷ their weighted max-min allocation, over the valid repeats.
///
/// A guest's demand is what it gets alone: the rate of the configuration with one guest, as many flows for it and otherwise
/// equal levels, in the same block or else over its valid repeats, if that guest is of the same group; and no more than the
/// cap on its NIC lets through. With other flows it wants another amount: one guest that has the flows of all says nothing. A
/// guest of which neither is known wants all there is, as closed-loop load does. Undefined if nothing is known of any guest,
/// and for fewer than two.
pub(super) fn jain_demand(configuration: &Configuration, trials: &[TrialFigures]) -> Option<Estimate> {
    let alone = |other: &Configuration| {
        let differs = |factor: &Factor| configuration.value(*factor) != other.value(*factor);
        let free = |factor: &Factor| matches!(factor, Factor::Vms | Factor::Flows);
        other.vms == 1 && !Factor::ALL.iter().filter(|factor| !free(factor)).any(differs)
    };
    let alone = RatesAlone::gather(trials.iter().filter(|trial| alone(&trial.configuration)));
    ValidTrials::new(configuration, trials).estimate(Scale::Index, |trial| of_trial(trial, &alone))
}

fn of_trial(trial: &TrialFigures, alone: &RatesAlone) -> Option<f64> {
    let numbers = trial.valid().filter(|numbers| numbers.total.unit.is_result())?;
    let measured: Vec<&GuestFigures> = numbers.guests.iter().filter(|guest| guest.is_measured()).collect();
    let demand = |guest: &&GuestFigures| {
        let cap = group(numbers, guest).and_then(|group| most(group, &trial.configuration));
        cap.into_iter().chain(alone.rate(guest, trial.repeat)).reduce(f64::min)
    };
    let demands: Vec<Option<f64>> = measured.iter().map(demand).collect();
    demands.iter().any(Option::is_some).then_some(())?;
    let demands: Vec<f64> = demands.into_iter().map(|demand| demand.unwrap_or(f64::INFINITY)).collect();
    let rates: Vec<f64> = measured.iter().map(|guest| guest.rate).collect();
    demand_aware_jain(&rates, &demands, &weights(numbers, &measured))
}

/// Rates by block of guests that had the host for themselves; by their group and flows.
struct RatesAlone<'t>(BTreeMap<(Option<&'t str>, u32), BTreeMap<u32, f64>>);

impl<'t> RatesAlone<'t> {
    fn gather(trials: impl Iterator<Item = &'t TrialFigures>) -> RatesAlone<'t> {
        let mut rates = BTreeMap::<_, BTreeMap<u32, f64>>::new();
        for trial in trials {
            let guests = trial.valid().into_iter().flat_map(|numbers| &numbers.guests);
            if let Some(guest) = guests.into_iter().find(|guest| guest.is_measured() && guest.rate > 0.0) {
                let kind = rates.entry((guest.group.as_deref(), guest.flows)).or_default();
                kind.entry(trial.repeat).or_insert(guest.rate);
            }
        }
        RatesAlone(rates)
    }

    /// Of the guest of the same group with as many flows: in the same block, or else over all.
    fn rate(&self, guest: &GuestFigures, repeat: u32) -> Option<f64> {
        let rates = self.0.get(&(guest.group.as_deref(), guest.flows))?;
        let mean = || stats::total(rates.values().copied()) / rates.len() as f64;
        Some(rates.get(&repeat).copied().unwrap_or_else(mean))
    }
}

/// What the cap on a guest's NIC lets through at most, in the unit of its rate.
fn most(group: &GroupFigures, configuration: &Configuration) -> Option<f64> {
    let bits = group.bandwidth_bps? as f64;
    let larger = configuration.request_bytes.max(configuration.response_bytes);
    Some(match configuration.test.unit() {
        Unit::Megabits => bits / 1e6,
        Unit::Transactions | Unit::RoundTrips => bits / (8.0 * f64::from(larger + HEADERS)),
    })
}

/// Shares where somebody waited for a CPU; else everybody weighs the same.
fn weights(numbers: &Numbers, guests: &[&GuestFigures]) -> Vec<f64> {
    let weight = |guest: &&GuestFigures| {
        let group = group(numbers, guest)?;
        Some(group.expected_share_percent? / f64::from(group.guests))
    };
    let weights: Option<Vec<f64>> = guests.iter().map(weight).collect();
    weights.filter(|_| numbers.sharing.contended == Some(true)).unwrap_or_else(|| vec![1.0; guests.len()])
}

fn group<'n>(numbers: &'n Numbers, guest: &GuestFigures) -> Option<&'n GroupFigures> {
    let name = guest.group.as_deref()?;
    numbers.sharing.groups.iter().find(|group| group.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Metric, fixture};

    use crate::profile::groups::Members;

    fn members(name: &str, first: u32, guests: u32, bandwidth_bps: Option<u64>) -> Members {
        Members { bandwidth_bps, ..fixture::members(name, first, guests) }
    }

    /// Four flows for each guest.
    fn trial(repeat: u32, rates: &[f64], groups: Vec<Members>) -> TrialFigures {
        with_flows(4 * rates.len() as u32, repeat, rates, groups)
    }

    fn with_flows(flows: u32, repeat: u32, rates: &[f64], groups: Vec<Members>) -> TrialFigures {
        let guests = fixture::configuration("virtio", rates.len() as u32);
        let mut raw = fixture::trial(Configuration { flows, ..guests }, rates);
        raw.groups = groups;
        TrialFigures::compute(&fixture::numbered(raw, repeat, repeat), &fixture::timing())
    }

    fn jain(trials: &[TrialFigures]) -> Option<f64> {
        jain_demand(&trials[0].configuration, trials).map(|interval| interval.mean)
    }

    #[test]
    fn without_anything_known_of_what_guests_want_it_is_undefined() {
        assert_eq!(jain(&[trial(1, &[100.0, 300.0], vec![])]), None);
    }

    #[test]
    fn guests_that_are_alike_are_as_fair_as_their_rates() {
        let trials = [trial(1, &[100.0, 300.0], vec![]), trial(1, &[390.0], vec![])];
        assert!((jain(&trials).unwrap() - Metric::JainRate.value(&trials[0]).unwrap()).abs() < 1e-9);
        assert_eq!(jain(&trials[1..]), None, "one guest is fair to nobody");
    }

    #[test]
    fn a_guest_that_had_the_flows_of_all_says_nothing_of_what_one_wants() {
        let shared = trial(1, &[100.0, 300.0], vec![]);
        assert_eq!(jain(&[shared.clone(), with_flows(8, 1, &[390.0], vec![])]), None);
        assert!(jain(&[shared, with_flows(4, 1, &[390.0], vec![])]).is_some());
    }

    #[test]
    fn a_guest_that_gets_no_more_alone_is_no_victim() {
        let first = |guests| vec![members("slow", 1, 1, None), members("others", 2, guests, None)];
        let alone = trial(1, &[100.0], vec![members("slow", 1, 1, None)]);
        let shared = trial(1, &[100.0, 300.0, 300.0], first(2));
        assert!((jain(&[shared.clone(), alone.clone()]).unwrap() - 1.0).abs() < 1e-9);
        let victim = trial(1, &[50.0, 325.0, 325.0], first(2));
        assert!(jain(&[victim, alone]).unwrap() < 0.95);
        assert_eq!(jain(&[shared]), None);
    }

    #[test]
    fn a_cap_on_the_nic_bounds_what_a_guest_wants() {
        let bytes = 1 + HEADERS;
        let capped =
            vec![members("capped", 1, 1, Some(u64::from(8 * bytes * 100))), members("others", 2, 1, None)];
        assert!((jain(&[trial(1, &[100.0, 700.0], capped.clone())]).unwrap() - 1.0).abs() < 1e-9);
        assert!(jain(&[trial(1, &[20.0, 780.0], capped)]).unwrap() < 0.8);
    }

    #[test]
    fn the_baseline_of_the_same_block_comes_before_the_mean_of_all() {
        let slow = |repeat, rate| trial(repeat, &[rate], vec![members("slow", 1, 1, None)]);
        let groups = vec![members("slow", 1, 1, None), members("others", 2, 1, None)];
        let shared = [trial(1, &[100.0, 400.0], groups.clone()), trial(3, &[150.0, 400.0], groups)];
        let trials = [shared[0].clone(), shared[1].clone(), slow(1, 100.0), slow(2, 200.0)];
        assert!((jain(&trials).unwrap() - 1.0).abs() < 1e-9);
    }
}
