//! A signal ends the benchmark in order: what is running is ended and undone, then nothing more is begun.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static CAME: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: std::ffi::c_int) {
    CAME.store(true, Ordering::Relaxed);
}

/// From now on SIGINT, SIGTERM and SIGHUP are only noted.
pub fn listen() -> Result<()> {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores into an atomic and does nothing else.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// Whether a signal came.
pub fn came() -> bool {
    CAME.load(Ordering::Relaxed)
}

/// An error if a signal came.
pub fn check() -> Result<()> {
    if came() {
        bail!("interrupted");
    }
    Ok(())
}

/// Does something unless a signal comes first.
pub async fn or<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let signal = async {
        while !came() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = signal => bail!("interrupted"),
    }
}
