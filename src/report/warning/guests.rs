//! Warnings of guests and flows that got less than others: always, for a time, or in turns.

use std::collections::BTreeMap;

use super::{Model, Warning, valid};
use crate::answers::{find_unfairness, shares};
use crate::figures::{Numbers, TrialFigures};
use crate::report::describe;

/// Starved guests that have a sentence each, where there are more.
const NAMED: usize = 3;

/// A guest that was starved.
struct StarvedGuest {
    guest: u32,
    trials: Vec<(u32, f64)>,
    window_s: f64,
}

impl StarvedGuest {
    fn longest_s(&self) -> f64 {
        self.trials.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max)
    }
}

/// One for each guest, the one that was starved longest first, and one for all the others where these are several.
pub(super) fn starved(model: &Model) -> Vec<Warning> {
    let mut guests: BTreeMap<u32, StarvedGuest> = BTreeMap::new();
    for (trial, numbers) in valid(model) {
        for own in numbers.starved_guests() {
            let empty = || StarvedGuest { guest: own.guest, trials: Vec::new(), window_s: 0.0 };
            let guest = guests.entry(own.guest).or_insert_with(empty);
            guest.trials.push((trial, own.starved_s));
            guest.window_s = guest.window_s.max(numbers.window.length_s());
        }
    }
    let mut all: Vec<StarvedGuest> = guests.into_values().collect();
    all.sort_by(|one, other| other.longest_s().total_cmp(&one.longest_s()));
    let others = if all.len() > NAMED + 1 { all.split_off(NAMED) } else { Vec::new() };
    let longest_s = others.first().map(StarvedGuest::longest_s);
    let one = |StarvedGuest { guest, trials, window_s }| Warning::Starved { guest, trials, window_s };
    let mut guests: Vec<u32> = others.iter().map(|other| other.guest).collect();
    guests.sort_unstable();
    let too = longest_s.map(|longest_s| Warning::StarvedToo { guests, longest_s });
    all.into_iter().map(one).chain(too).collect()
}

/// Flows of guests that were not starved themselves.
pub(super) fn stalled(model: &Model) -> Option<Warning> {
    let mut longest_s = 0.0_f64;
    let mut trials: Vec<(u32, Vec<u32>)> = Vec::new();
    for (trial, numbers) in valid(model) {
        let starved: Vec<u32> = numbers.starved_guests().map(|guest| guest.guest).collect();
        let own: Vec<_> =
            numbers.stalled_flows.iter().filter(|flow| !starved.contains(&flow.guest)).collect();
        longest_s = own.iter().map(|flow| flow.stalled_s).fold(longest_s, f64::max);
        trials.extend((!own.is_empty()).then(|| (trial, own.iter().map(|flow| flow.flow).collect())));
    }
    (!trials.is_empty()).then_some(Warning::Stalled { trials, longest_s })
}

/// Where all guests are alike.
pub(super) fn unfair(model: &Model) -> impl Iterator<Item = Warning> {
    let label = |trial: &TrialFigures| match describe(&trial.configuration, &model.experiment.factors) {
        levels if levels.is_empty() => "all trials".to_owned(),
        levels => levels,
    };
    find_unfairness(&shares(model.trials, label)).into_iter().map(Warning::Unfair)
}

pub(super) fn turns(model: &Model) -> Option<Warning> {
    let taken = |(trial, numbers): (u32, &Numbers)| {
        numbers.turns.filter(|turns| turns.are_taken()).map(|turns| (trial, turns))
    };
    let taken: Vec<_> = valid(model).filter_map(taken).collect();
    let most_percent = taken.iter().map(|(_, turns)| 100.0 * turns.size).reduce(f64::max)?;
    let trials = taken.into_iter().map(|(trial, turns)| (trial, turns.period_s)).collect();
    Some(Warning::Turns { trials, most_percent })
}
