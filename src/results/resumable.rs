//! Whether a run can be resumed: what it needs is there, and its trials will be of one kvmfair, one profile and one machine. All
//! but the machine is known before anything is made.

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
    /// another kvmfair began it.
    pub fn open_to_resume(
        path: &Path,
        build: impl FnOnce() -> Option<String>,
    ) -> Result<RunDir, RunDirError> {
        let dir = RunDir::open(path)?;
        if dir.is_merged() {
            return Err(RunDirError::Merged(dir.path().to_owned()));
        }
        let profile = dir.read("profile.toml")?;
        dir.read_json::<Experiment>("experiment.json")?;
        dir.read_json::<Plan>("plan.json")?;
        // A run that was interrupted before its first trial may not have it yet.
        if dir.has("environment.json") || !dir.trial_files()?.is_empty() {
            dir.refuse_changes(&dir.read_json("environment.json")?, &profile, build)?;
        }
        Ok(dir)
    }

    fn refuse_changes(
        &self,
        began: &Environment,
        profile: &str,
        build: impl FnOnce() -> Option<String>,
    ) -> Result<(), RunDirError> {
        let changed = |what: String| Err(RunDirError::Changed { dir: self.path().to_owned(), what });
        let own = env!("CARGO_PKG_VERSION");
        if began.profile_sha256 != sha256(profile) {
            return changed("its profile.toml was edited after it had begun".into());
        }
        if began.tool_version != own {
            return changed(format!("kvmfair {} began it, and this is kvmfair {own}", began.tool_version));
        }
        match began.tool_sha256.as_deref().and_then(|before| Some((before, build()?))) {
            Some((before, now)) if before != now => changed(format!(
                "another build of kvmfair {own} began it (SHA-256 {before:.12}, this has {now:.12})"
            )),
            _ => Ok(()),
        }
    }
}

/// Refuses to go on with a run on a machine that is not as it was when the run began.
///
/// # Errors
/// With each difference.
pub fn refuse_other_machine(began: &Environment, now: &Environment) -> Result<()> {
    let differs = began.differences(now);
    ensure!(
        differs.is_empty(),
        "this machine is not as it was when the run began: {} (hint: restore it, or begin a new run)",
        differs.join("; ")
    );
    Ok(())
}
