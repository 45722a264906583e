//! A lab for the length of a command: the order in which it is made and unmade.

use std::fs::File;
use std::os::fd::IntoRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, Result, anyhow};

use super::findings::refuse_missing;
use super::{Common, signals};
use crate::lab::settings_lock::{self, SettingsLock};
use crate::lab::{LabError, RunId, State, clean, namespaces, state};
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::machine::local::RUN_VARIABLE;
use crate::machine::login::Location;
use crate::preflight;
use crate::profile::Experiment;

/// The right to make a lab: a state directory of its own and, if the experiment changes settings of the VM host, the lock on them.
pub(super) struct LabPermit {
    state: State,
    settings: Option<SettingsLock>,
}

impl LabPermit {
    /// Blocks the signals that end a run early, and takes the right.
    ///
    /// # Errors
    /// If another run holds the lock; nothing is left then.
    pub(super) fn acquire(experiment: &Experiment, common: &Common) -> Result<LabPermit> {
        signals::ending_signals().thread_block().context("failed to block signals")?;
        let state = State::create(&state::root(experiment.machines.is_some()))?;
        match lock_settings(experiment, &state.id, common) {
            Ok(settings) => Ok(LabPermit { state, settings }),
            Err(refused) => {
                state.remove()?;
                Err(refused)
            }
        }
    }

    /// Does some work in the lab, whose libvirt logs into a file. Afterwards the lab is taken down and every change is undone,
    /// however the work ended. No thread may have started.
    ///
    /// # Errors
    /// Those of the work and of the clean-up.
    pub(super) fn in_lab<T>(
        self,
        experiment: &Experiment,
        log: File,
        work: impl FnOnce(&State) -> Result<T>,
    ) -> Result<T> {
        let LabPermit { state, settings } = self;
        let done = catch_unwind(AssertUnwindSafe(|| {
            Journal::open(&state.dir)?.before(&Entry::local(Change::Processes))?;
            if experiment.is_embedded() {
                enter_lab(&state, log)?;
            }
            work(&state)
        }));
        // However the work ended, the lab is taken down: by the same code as in `kvmfair clean`.
        let undone = clean::undo(state).map(drop);
        drop(settings); // everything is put back
        both(done, undone)
    }
}

/// The outcome of a run and that of its clean-up: neither failure hides the other, and remains decide the exit code.
fn both<T>(measured: std::thread::Result<Result<T>>, undone: Result<(), LabError>) -> Result<T> {
    let failed = match measured {
        Ok(Ok(measured)) => return undone.map(|()| measured).map_err(Into::into),
        Ok(Err(error)) => error,
        Err(_) if undone.is_ok() => return Err(anyhow!("kvmfair panicked; the lab was taken down")),
        Err(_) => anyhow!("kvmfair panicked"),
    };
    match undone {
        Ok(()) => Err(failed),
        Err(remains) => Err(anyhow::Error::new(remains)
            .context(format!("{failed:#}; the clean-up failed too (hint: `kvmfair clean`)"))),
    }
}

/// The lock on the settings of the VM host, if the experiment changes any.
fn lock_settings(experiment: &Experiment, run: &RunId, common: &Common) -> Result<Option<SettingsLock>> {
    if !experiment.changes_machine() {
        return Ok(None);
    }
    let host = experiment.machines.as_ref().map_or(Location::Local, |machines| machines.host.clone());
    let lock = settings_lock::take(&host, run)?;
    // The run that held it until now may have been killed since the preflight.
    refuse_missing(&preflight::stale(experiment), common)?;
    Ok(Some(lock))
}

/// Enters the private namespaces; no thread has started yet. libvirt logs into a file.
fn enter_lab(state: &State, log: File) -> Result<()> {
    namespaces::private_namespaces(&state.dir)?;
    namespaces::without_ipv6();
    // By its descriptor: libvirt takes a setting apart at blanks and colons, which a path may have. By this process's number:
    // what libvirt forks opens the log anew, after it has closed its own descriptors.
    let log = log.into_raw_fd();
    let log = format!("3:file:/proc/{}/fd/{log}", std::process::id());
    // SAFETY: the process has a single thread, so nobody reads the environment meanwhile.
    unsafe {
        std::env::set_var("LIBVIRT_LOG_OUTPUTS", log);
        std::env::set_var(RUN_VARIABLE, state.id.to_string());
        std::env::set_var("TMPDIR", &state.dir); // what children write goes when the run goes
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::InterruptedEarly;

    fn remains() -> LabError {
        LabError::Survivors(vec!["interface kf-a-b".into()])
    }

    #[test]
    fn the_failure_of_the_clean_up_is_reported_beside_that_of_the_run_and_decides_the_exit_code() {
        let error = both::<()>(Ok(Err(InterruptedEarly.into())), Err(remains())).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("interrupted before") && text.contains("survived the teardown: interface kf-a-b"),
            "{text}"
        );
        assert!(!error.is::<InterruptedEarly>() && error.is::<LabError>());
        assert!(both::<()>(Ok(Err(InterruptedEarly.into())), Ok(())).unwrap_err().is::<InterruptedEarly>());
        assert!(both(Ok(Ok(())), Err(remains())).is_err() && both(Ok(Ok(())), Ok(())).is_ok());
    }

    #[test]
    fn after_a_panic_the_lab_is_not_called_taken_down_unless_it_was() {
        let text = |undone| format!("{:#}", both::<()>(Err(Box::new("panic")), undone).unwrap_err());
        assert!(text(Ok(())).contains("the lab was taken down"));
        let left = text(Err(remains()));
        assert!(!left.contains("was taken down") && left.contains("interface kf-a-b"), "{left}");
    }
}
