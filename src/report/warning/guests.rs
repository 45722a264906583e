//! Warnings of guests and flows that got less than others: always, for a time, or in turns.

use std::collections::BTreeMap;

use super::{Model, Warning, valid};
use crate::answers::{find_unfairness, shares};
use crate::figures::{Numbers, TrialFigures};
use crate::report::describe;

/// One for each guest, the one that was starved longest first.
pub(super) fn starved(model: &Model) -> Vec<Warning> {
    let mut guests: BTreeMap<u32, (Vec<(u32, f64)>, f64)> = BTreeMap::new();
    for (trial, numbers) in valid(model) {
        for guest in numbers.starved_guests() {
            let (trials, window_s) = guests.entry(guest.guest).or_default();
            trials.push((trial, guest.starved_s));
            *window_s = window_s.max(numbers.window.length_s());
        }
    }
    let one = |(guest, (trials, window_s))| Warning::Starved { guest, trials, window_s };
    let mut all: Vec<Warning> = guests.into_iter().map(one).collect();
    let longest_s = |warning: &Warning| match warning {
        Warning::Starved { trials, .. } => trials.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max),
        _ => 0.0,
    };
    all.sort_by(|one, other| longest_s(other).total_cmp(&longest_s(one)));
    all
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
