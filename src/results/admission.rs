//! Raw trials as they are read back: one that is damaged, or that the plan does not have, is excluded with its reason, and the
//! rest of the run is reported.

use std::collections::BTreeMap;

use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use crate::figures::TrialFigures;
use crate::plan::{Plan, PlannedTrial};
use crate::profile::Experiment;
use crate::raw::{Accel, RawTrial};

/// The figures of all trials in a directory, in the order of their numbers.
///
/// # Errors
/// [`RunDirError`] if the directory cannot be read, or is of another version.
pub(super) fn read(
    dir: &RunDir,
    experiment: &Experiment,
    plan: Option<&Plan>,
) -> Result<Vec<TrialFigures>, RunDirError> {
    let mut trials = Vec::new();
    let planned: BTreeMap<u32, &PlannedTrial> =
        plan.iter().flat_map(|plan| &plan.trials).map(|planned| (planned.trial, planned)).collect();
    for (number, raw) in dir.trial_numbers()?.into_iter().zip(dir.trials()?) {
        let number = number.unwrap_or(0);
        let planned = planned.get(&number).copied();
        match raw {
            Ok(raw) => trials.push(admit(number, raw, experiment, plan.is_some(), planned)),
            Err(RunDirError::Content { cause, .. }) => trials.extend(unreadable(number, planned, &cause)),
            Err(error) => return Err(error),
        }
    }
    Ok(trials)
}

/// The figures of a trial that was read.
fn admit(
    number: u32,
    raw: RawTrial,
    experiment: &Experiment,
    is_planned: bool,
    planned: Option<&PlannedTrial>,
) -> TrialFigures {
    let what = match planned {
        _ if raw.trial != number => format!("the file of trial {number} has trial {}", raw.trial),
        None if is_planned => format!("the plan has no trial {number}"),
        Some(planned) if planned.repeat != raw.repeat || planned.configuration != raw.configuration => {
            "the plan has another configuration or repeat for it".to_owned()
        }
        _ => return TrialFigures::compute(&raw, &experiment.timing),
    };
    let (repeat, configuration) = match planned {
        Some(planned) => (planned.repeat, planned.configuration.clone()),
        None => (raw.repeat, raw.configuration),
    };
    TrialFigures::excluded(number, repeat, configuration, raw.accel, what)
}

/// A trial whose file cannot be read; `None` if the plan does not know it either.
fn unreadable(number: u32, planned: Option<&PlannedTrial>, cause: &str) -> Option<TrialFigures> {
    let Some(planned) = planned else {
        tracing::warn!("the file of trial {number} cannot be read, and the plan has no such trial: {cause}");
        return None;
    };
    let (repeat, configuration) = (planned.repeat, planned.configuration.clone());
    let what = format!("its file cannot be read: {cause}");
    Some(TrialFigures::excluded(number, repeat, configuration, Accel::Tcg, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Outcome, Reason, fixture};
    use crate::profile::Configuration;
    use crate::report::fixture as report_fixture;

    /// A run of three planned trials, with changes to its files; the outcome of each trial.
    fn outcomes(change: impl FnOnce(&RunDir)) -> Vec<(u32, String)> {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::create(base.path(), "p", "t").unwrap();
        let configuration = fixture::configuration("virtio", 2);
        let experiment = report_fixture::experiment(vec![configuration.clone()], &[]);
        let plan = crate::plan::plan(&experiment, Accel::Tcg, 4);
        for planned in &plan.trials {
            let raw = fixture::trial(configuration.clone(), &[900.0, 1100.0]);
            dir.write_trial(&fixture::numbered(raw, planned.trial, planned.repeat)).unwrap();
        }
        change(&dir);
        let word = |trial: &TrialFigures| match &trial.outcome {
            Outcome::Invalid(reasons) => reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; "),
            outcome => outcome.word().to_owned(),
        };
        let found = read(&dir, &experiment, Some(&plan)).unwrap();
        found.iter().map(|trial| (trial.trial, word(trial))).collect()
    }

    const MEASURED: &str = "measured";

    #[test]
    fn a_damaged_file_excludes_its_trial_and_no_other() {
        let cut = |dir: &RunDir| {
            let text = dir.read("raw/trial-0002.json").unwrap();
            dir.write("raw/trial-0002.json", &text.as_bytes()[..text.len() / 2]).unwrap();
        };
        let found = outcomes(cut);
        assert_eq!((found.len(), found[0].1.as_str(), found[2].1.as_str()), (3, MEASURED, MEASURED));
        assert!(found[1].1.starts_with("raw data that cannot be true: its file cannot be read"), "{found:?}");
        let endless = |dir: &RunDir| {
            let text = dir.read("raw/trial-0001.json").unwrap();
            dir.write(
                "raw/trial-0001.json",
                text.replacen("\"rate\":", "\"rate\":1e999,\"x\":", 1).as_bytes(),
            )
            .unwrap();
        };
        assert!(outcomes(endless)[0].1.contains("cannot be read"));
    }

    #[test]
    fn a_copy_of_a_trial_under_another_number_and_trials_that_nobody_planned_are_excluded() {
        let copied = outcomes(|dir| {
            let text = dir.read("raw/trial-0001.json").unwrap();
            dir.write("raw/trial-0003.json", text.as_bytes()).unwrap();
            dir.write("raw/trial-0009.json", text.replace("\"trial\":1,", "\"trial\":9,").as_bytes())
                .unwrap();
        });
        let numbers: Vec<u32> = copied.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 9]);
        assert_eq!(copied[2].1, "raw data that cannot be true: the file of trial 3 has trial 1");
        assert_eq!(copied[3].1, "raw data that cannot be true: the plan has no trial 9");
        let other = outcomes(|dir| {
            let raw =
                fixture::trial(Configuration { vms: 1, ..fixture::configuration("virtio", 1) }, &[900.0]);
            let raw = fixture::numbered(raw, 2, 1);
            dir.write("raw/trial-0002.json", serde_json::to_string(&raw).unwrap().as_bytes()).unwrap();
        });
        assert!(other[1].1.ends_with("the plan has another configuration or repeat for it"), "{other:?}");
    }
}
