//! The signals that end a run early: blocked until the run can clean up after them, then handled.

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that end a run early. They are blocked from the first change until a handler runs: a signal that killed the
/// process in between would leave those changes behind.
pub(super) fn ending_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1].into_iter().collect()
}

/// Whether SIGHUP is ignored, as under `nohup kvmfair bench … &`: the run then outlives its terminal.
fn outlives_its_terminal() -> bool {
    let ignored =
        procfs::process::Process::myself().and_then(|process| process.status()).map(|status| status.sigign);
    ignored.is_ok_and(|signals| signals & (1 << (Signal::SIGHUP as i32 - 1)) != 0)
}

/// A token that SIGINT, SIGTERM, SIGQUIT, SIGUSR1 (batch systems give notice with it) and SIGHUP cancel. A second signal changes nothing: the teardown is bounded.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub(super) fn cancel_on_signals() -> Result<CancellationToken> {
    let cancel = CancellationToken::new();
    let hangup = (!outlives_its_terminal()).then(SignalKind::hangup);
    let others =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit(), SignalKind::user_defined1()];
    for kind in others.into_iter().chain(hangup) {
        let mut signals = signal(kind).context("failed to handle signals")?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                cancel.cancel();
            }
        });
    }
    ending_signals().thread_unblock().context("failed to unblock signals")?;
    Ok(cancel)
}
