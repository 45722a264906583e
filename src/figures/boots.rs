//! Boots: the lives of sets of guests. Trials of one boot share its luck, so they are no independent repeats.

use std::collections::BTreeMap;

use super::TrialFigures;

/// The number of each trial's boot, from 1 in the order of the trials. Two trials are of one boot if every guest that both had
/// was the same process. Trials without guests have none.
pub fn boots<'t>(trials: impl IntoIterator<Item = &'t TrialFigures>) -> BTreeMap<u32, u32> {
    let mut known: Vec<(u32, &[i32], u32)> = Vec::new();
    let mut numbers = BTreeMap::new();
    let mut last = 0;
    for trial in trials.into_iter().filter(|trial| !trial.processes.is_empty()) {
        let own = trial.processes.as_slice();
        let same = |other: &&(u32, &[i32], u32)| {
            other.0 == trial.machine && other.1.iter().zip(own).all(|(a, b)| a == b)
        };
        let number = known.iter().rev().find(same).map_or(last + 1, |(_, _, number)| *number);
        last = last.max(number);
        if known.last().is_none_or(|last| *last != (trial.machine, own, number)) {
            known.push((trial.machine, own, number));
        }
        numbers.insert(trial.trial, number);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    #[test]
    fn trials_whose_guests_are_the_same_processes_are_of_one_boot() {
        let trial = |number: u32, processes: &[i32]| {
            let raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1000.0]);
            let figures = TrialFigures::compute(&raw, &fixture::timing());
            TrialFigures { trial: number, processes: processes.to_vec(), ..figures }
        };
        let trials = [
            trial(1, &[10, 11]),
            trial(2, &[10]),
            trial(3, &[]),
            trial(4, &[20, 21]),
            trial(5, &[20, 21, 22]),
        ];
        let numbers: Vec<_> = boots(&trials).into_iter().collect();
        assert_eq!(numbers, [(1, 1), (2, 1), (4, 2), (5, 2)]);
        let of_another_machine = TrialFigures { machine: 1, ..trial(6, &[20, 21]) };
        let numbers = boots(&[trial(4, &[20, 21]), of_another_machine, trial(7, &[20])]);
        assert_eq!(numbers.into_values().collect::<Vec<_>>(), [1, 2, 1]);
    }
}
