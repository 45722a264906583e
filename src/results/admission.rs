//! Raw trials as they are read back: one that is damaged, or that the plan does not have, is excluded with its reason, and the
//! rest of the run is reported.

use std::collections::{BTreeMap, BTreeSet};

use super::in_order::in_order;
use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use super::trial_files::file_of_trial;
use crate::figures::TrialFigures;
use crate::plan::{Plan, PlannedTrial};
use crate::raw::Accel;

/// Files that a sentence names at most.
const NAMED: usize = 5;
/// A trial that was read, or that is excluded.
pub(super) struct ReadTrial<R> {
    /// Without details that are in the rows.
    pub figures: TrialFigures,
    /// Its rows of the tables of single trials.
    pub rows: R,
}

/// How the trials of a run are read.
pub(super) trait TrialReader: Sync {
    /// The rows of one trial.
    type Rows: Send;

    /// The trial whose raw samples are in a file.
    ///
    /// # Errors
    /// [`RunDirError`] if it cannot be read, is damaged, or is of another version.
    fn trial(&self, name: &str) -> Result<ReadTrial<Self::Rows>, RunDirError>;

    /// The rows of a trial that is excluded.
    fn excluded(&self, figures: &TrialFigures) -> Self::Rows;
}

/// All trials in a directory, in the order of their numbers, one after the other: those of a large run would not fit into memory.
/// Returns what is lost of the run, and excludes no trial, a sentence each.
///
/// # Errors
/// [`RunDirError`] if the directory cannot be read, or is of another version; those of `then`.
pub(super) fn read<R: TrialReader, E: From<RunDirError>>(
    dir: &RunDir,
    reader: &R,
    plan: Option<&Plan>,
    mut then: impl FnMut(ReadTrial<R::Rows>) -> Result<(), E>,
) -> Result<Vec<String>, E> {
    let planned: BTreeMap<u32, &PlannedTrial> = plan
        .into_iter()
        .flat_map(|plan| plan.trials.iter().map(|planned| (planned.trial, planned)))
        .collect();
    let one = |(name, number): &(String, u32)| {
        let planned = planned.get(number).copied();
        let exclude = |figures| ReadTrial { rows: reader.excluded(&figures), figures };
        match reader.trial(name) {
            Ok(trial) => {
                let exclusion = exclusion(*number, &trial.figures, plan.is_some(), planned);
                Ok(Ok(exclusion.map_or(trial, exclude)))
            }
            Err(error) if error.is_of_one_file() => Ok(match planned {
                Some(planned) => Ok(exclude(unreadable(*number, planned, &error.cause()))),
                None => Err(format!("{name}, which no plan names, cannot be read: {}", error.cause())),
            }),
            Err(error) => Err(error),
        }
    };
    let files = dir.trial_files()?;
    let mut lost = if dir.is_merged() { Vec::new() } else { missing(&files, &planned) };
    in_order(&files, one, |trial| match trial? {
        Ok(trial) => then(trial),
        Err(unknown) => {
            lost.push(unknown);
            Ok(())
        }
    })?;
    Ok(lost)
}

/// The planned trials without a file that others follow: an interrupted run lacks the last ones, never these.
fn missing(files: &[(String, u32)], planned: &BTreeMap<u32, &PlannedTrial>) -> Vec<String> {
    let numbers: BTreeSet<u32> = files.iter().map(|(_, number)| *number).collect();
    let last = numbers.last().copied().unwrap_or(0);
    let missing: Vec<String> = planned
        .keys()
        .filter(|number| **number < last && !numbers.contains(number))
        .map(|number| file_of_trial(*number))
        .collect();
    let (named, more) = missing.split_at(missing.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let hint = "hint: restore from a copy of the run, or `kvmfair bench --resume` measures again";
    let sentence = format!("{}{more} {verb} missing ({hint})", named.join(", "));
    if missing.is_empty() { Vec::new() } else { vec![sentence] }
}

/// What stands for a trial that is none of the plan; `None` for one that is.
fn exclusion(
    number: u32,
    found: &TrialFigures,
    is_planned: bool,
    planned: Option<&PlannedTrial>,
) -> Option<TrialFigures> {
    let what = match planned {
        _ if found.trial != number => format!("the file of trial {number} has trial {}", found.trial),
        None if is_planned => format!("the plan has no trial {number}"),
        Some(planned) if planned.repeat != found.repeat || planned.configuration != found.configuration => {
            "the plan has another configuration or repeat for it".to_owned()
        }
        _ => return None,
    };
    let (repeat, configuration) = match planned {
        Some(planned) => (planned.repeat, planned.configuration.clone()),
        None => (found.repeat, found.configuration.clone()),
    };
    Some(TrialFigures::excluded(number, repeat, configuration, found.accel, what))
}

/// The exclusion of a planned trial whose file cannot be read.
fn unreadable(number: u32, planned: &PlannedTrial, cause: &str) -> TrialFigures {
    let (repeat, configuration) = (planned.repeat, planned.configuration.clone());
    let hint =
        "hint: restore it from a copy of the run, or `kvmfair bench --resume` measures the trial again";
    let what = format!("its file cannot be read: {cause} ({hint})");
    TrialFigures::excluded(number, repeat, configuration, Accel::Tcg, what)
}

#[cfg(test)]
mod tests {
    use super::super::kept::Keeper;
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
        let provenance = report_fixture::run().1;
        let mut found = Vec::new();
        let keep = |trial: ReadTrial<Vec<String>>| {
            found.push((trial.figures.trial, word(&trial.figures)));
            Ok::<(), RunDirError>(())
        };
        read(&dir, &Keeper::new(&dir, &experiment, &provenance), Some(&plan), keep).unwrap();
        found
    }

    const MEASURED: &str = "measured";

    fn bytes(dir: &RunDir, trial: u32) -> Vec<u8> {
        dir.read_bytes(&file_of_trial(trial)).unwrap()
    }

    #[test]
    fn a_damaged_file_excludes_its_trial_and_no_other() {
        let flip = |mut bytes: Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            bytes
        };
        let damages: [&dyn Fn(Vec<u8>) -> Vec<u8>; 4] = [
            &|bytes| bytes[..bytes.len() / 2].to_vec(),
            &flip,
            &|_| zstd::encode_all(&b"a text of somebody else"[..], 3).unwrap(),
            &|_| Vec::new(),
        ];
        for damage in damages {
            let found = outcomes(|dir| dir.write(&file_of_trial(2), &damage(bytes(dir, 2))).unwrap());
            assert_eq!((found.len(), found[0].1.as_str(), found[2].1.as_str()), (3, MEASURED, MEASURED));
            assert!(
                found[1].1.starts_with("raw data that cannot be true: its file cannot be read"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_copy_of_a_trial_under_another_number_and_trials_that_nobody_planned_are_excluded() {
        let copied = outcomes(|dir| {
            dir.write(&file_of_trial(3), &bytes(dir, 1)).unwrap();
            let first = dir.read_trial(&file_of_trial(1)).unwrap();
            dir.write_trial(&fixture::numbered(first, 9, 1)).unwrap();
        });
        let numbers: Vec<u32> = copied.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 9]);
        assert_eq!(copied[2].1, "raw data that cannot be true: the file of trial 3 has trial 1");
        assert_eq!(copied[3].1, "raw data that cannot be true: the plan has no trial 9");
        let other = outcomes(|dir| {
            let raw =
                fixture::trial(Configuration { vms: 1, ..fixture::configuration("virtio", 1) }, &[900.0]);
            dir.write_raw(&file_of_trial(2), &fixture::numbered(raw, 2, 1)).unwrap();
        });
        assert!(other[1].1.ends_with("the plan has another configuration or repeat for it"), "{other:?}");
    }
}
