//! The signals that end a run early: held back while nobody could clean up after them, then heard.

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that end a run early. They are held back from the first change until somebody listens: one that killed
/// the process in between would leave what it has made.
pub(super) fn ending_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// Whether whoever started this process said that it shall outlive its terminal: `nohup kvmfair bench … &`.
fn outlives_its_terminal() -> bool {
    let ignored =
        procfs::process::Process::myself().and_then(|process| process.status()).map(|status| status.sigign);
    ignored.is_ok_and(|signals| signals & (1 << (Signal::SIGHUP as i32 - 1)) != 0)
}

/// A token that SIGINT, SIGTERM and SIGHUP cancel. A second signal changes nothing: the teardown is bounded.
///
/// # Errors
/// If the system gives no signals to listen to.
pub(super) fn cancel_on_signals() -> Result<CancellationToken> {
    let cancel = CancellationToken::new();
    let hangup = (!outlives_its_terminal()).then(SignalKind::hangup);
    for kind in [SignalKind::interrupt(), SignalKind::terminate()].into_iter().chain(hangup) {
        let mut signals = signal(kind).context("failed to listen for signals")?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                cancel.cancel();
            }
        });
    }
    ending_signals().thread_unblock().context("failed to let signals through")?;
    Ok(cancel)
}
