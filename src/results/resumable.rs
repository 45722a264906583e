//! Whether a run can be resumed: what it needs is there, and its trials will be of one profile, and of one kvmfair and one machine
//! unless changes are accepted, which are then kept with the run. All but the machine is known before anything is made.

use std::path::Path;

use anyhow::{Result, ensure};

use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use crate::host::Environment;
use crate::host::environment::sha256;
use crate::plan::Plan;
use crate::profile::Experiment;

impl RunDir {
    /// Opens a run directory to measure what is missing in it, by the build of kvmfair with the digest that `build` returns.
    ///
    /// # Errors
    /// [`RunDirError`] if it is no run, or none that can be resumed: a file is missing or damaged, the profile was edited, or
    /// another kvmfair began it and this is not accepted.
    pub fn open_to_resume(
        path: &Path,
        build: impl FnOnce() -> Option<String>,
        accepts_changes: bool,
    ) -> Result<RunDir, RunDirError> {
        let dir = RunDir::open(path)?;
        if dir.is_merged() {
            return Err(RunDirError::Merged(dir.path().to_owned()));
        }
        let profile = dir.read("profile.toml")?;
        dir.read_json::<Experiment>("experiment.json")?;
        dir.read_json::<Plan>("plan.json")?;
        // A run that was interrupted before its first trial may not have it yet.
        if !dir.has("environment.json") && dir.trial_files()?.is_empty() {
            return Ok(dir);
        }
        let began: Environment = dir.read_json("environment.json")?;
        let path = dir.path().to_owned();
        if began.profile_sha256 != sha256(profile) {
            let what = "its profile.toml was edited after it had begun".into();
            return Err(RunDirError::Changed { dir: path, what });
        }
        match other_build(&began, env!("CARGO_PKG_VERSION"), build) {
            Some(what) if !accepts_changes => Err(RunDirError::OtherBuild { dir: path, what }),
            _ => Ok(dir),
        }
    }
}

/// A sentence if another build of kvmfair began the run, as far as both are known.
fn other_build(began: &Environment, version: &str, build: impl FnOnce() -> Option<String>) -> Option<String> {
    if began.tool_version != version {
        return Some(format!("kvmfair {} began it, and this is kvmfair {version}", began.tool_version));
    }
    let (before, now) = (began.tool_sha256.as_deref()?, build()?);
    let other =
        format!("another build of kvmfair {version} began it (SHA-256 {before:.12}, this has {now:.12})");
    (before != now).then_some(other)
}

/// Refuses to go on with a run on a machine that is not as it was when the run began.
///
/// # Errors
/// With each difference.
pub fn refuse_other_machine(began: &Environment, now: &Environment) -> Result<()> {
    let differs = other_machine(began, now);
    ensure!(
        differs.is_empty(),
        "this machine is not as it was when the run began: {} (hint: restore it, begin a new run, or accept the change with \
         --accept-changes)",
        differs.join("; ")
    );
    Ok(())
}

/// The differences, but for those of kvmfair and what was accepted before.
fn other_machine(began: &Environment, now: &Environment) -> Vec<String> {
    let Environment { tool_version, changes, .. } = began.clone();
    began.differences(&Environment { tool_version, changes, ..now.clone() })
}

/// What is kept of a run's environment when it is resumed at `at_s`, seconds since 1970: what is now, and what was before in the
/// changes; `None` if nothing has changed.
pub(super) fn with_changes(began: Environment, now: &Environment, at_s: i64) -> Option<Environment> {
    let build = other_build(&began, &now.tool_version, || now.tool_sha256.clone());
    let found: Vec<String> = build.into_iter().chain(other_machine(&began, now)).collect();
    let Environment { date, mut changes, .. } = began;
    (!found.is_empty()).then(|| {
        changes.insert(at_s, found);
        Environment { date, changes, ..now.clone() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_changes_are_kept_one_after_another_and_only_the_last_state_is_compared() {
        let at = |kernel: &str, build: &str| Environment {
            tool_version: "1".into(),
            tool_sha256: Some(build.into()),
            kernel: kernel.into(),
            ..Environment::default()
        };
        let began = Environment { date: "then".into(), ..at("6.1", "aa") };
        assert_eq!(with_changes(began.clone(), &at("6.1", "aa"), 5), None);
        let second = with_changes(began, &at("6.12", "aa"), 5).unwrap();
        assert_eq!(second.changes[&5], ["kernel was \"6.1\" and is \"6.12\""]);
        assert!(refuse_other_machine(&second, &at("6.12", "aa")).is_ok(), "this was accepted before");
        let third = with_changes(second, &at("6.12", "bb"), 9).unwrap();
        assert_eq!((third.changes.len(), third.date.as_str()), (2, "then"));
        assert_eq!(third.changes[&9], ["another build of kvmfair 1 began it (SHA-256 aa, this has bb)"]);
        let refused = refuse_other_machine(&third, &at("6.1", "bb")).unwrap_err().to_string();
        assert!(refused.ends_with("or accept the change with --accept-changes)"), "{refused}");
    }
}
