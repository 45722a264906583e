//! The end of a guest in the middle of its trial, seen at once.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::lab_session::LabSession;
use crate::backend::Side;
use crate::guest::console::Console;
use crate::guest::error::GuestError;
use crate::machine::Machine;
use crate::profile::Configuration;

/// Between two looks at the guests' processes.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What becomes of the load, unless a guest of the configuration ends before it.
///
/// # Errors
/// [`GuestError::Ended`], or the load's own error.
pub(super) async fn while_guests_live<T>(
    session: &LabSession,
    configuration: &Configuration,
    load: impl Future<Output = Result<T>>,
) -> Result<T> {
    let death = async {
        // A look at another machine is a command there, which the window would pay for.
        let Machine::Local(_) = session.lab.side(Side::Host) else { return std::future::pending().await };
        loop {
            if let Some(error) = ended(session, configuration).await {
                return error;
            }
            sleep(LOOK_EVERY).await;
        }
    };
    let loaded = tokio::select! { loaded = load => loaded, error = death => return Err(error.into()) };
    match (loaded, session.lab.side(Side::Host)) {
        (Err(error), Machine::Remote(_)) => {
            Err(ended(session, configuration).await.map_or(error, anyhow::Error::from))
        }
        (loaded, _) => loaded,
    }
}

/// The first guest whose QEMU does not run any more.
async fn ended(session: &LabSession, configuration: &Configuration) -> Option<GuestError> {
    let host = session.lab.side(Side::Host);
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
        if !host.has_process(guest.pid).await {
            let file = session.guest(configuration, guest.number).domain.console;
            let mut console = Console::new(host, &file);
            console.read().await;
            return Some(GuestError::Ended { name: guest.name.clone(), console: console.last_lines() });
        }
    }
    None
}
