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
        // A check on another machine is a command there, and on Xen a call of libvirt's, which the window would pay for.
        let is_asked = matches!(session.lab.side(Side::Host), Machine::Remote(_)) || session.xen.is_some();
        if is_asked {
            return std::future::pending().await;
        }
        loop {
            if let Some(error) = ended(session, configuration).await {
                return error;
            }
            sleep(LOOK_EVERY).await;
        }
    };
    let loaded = tokio::select! { loaded = load => loaded, error = death => return Err(error.into()) };
    match (loaded, session.lab.side(Side::Host)) {
        (Err(error), host) if matches!(host, Machine::Remote(_)) || session.xen.is_some() => {
            Err(ended(session, configuration).await.map_or(error, anyhow::Error::from))
        }
        (loaded, _) => loaded,
    }
}

/// The guests that Xen has; `None` if they are not Xen's, or libvirt does not say.
async fn domains(session: &LabSession) -> Option<Vec<String>> {
    session.xen.as_ref()?;
    session.fleet.hypervisor().ok()?.names(String::new()).await.ok()
}

/// The first guest that does not run any more: whose QEMU has ended, or which Xen has not.
async fn ended(session: &LabSession, configuration: &Configuration) -> Option<GuestError> {
    let host = session.lab.side(Side::Host);
    let there = domains(session).await;
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
        let lives = match (guest.pid, &there) {
            (Some(pid), _) => host.has_process(pid).await,
            (None, there) => there.as_ref().is_none_or(|there| there.contains(&guest.name)),
        };
        if !lives {
            let file = session.guest(configuration, guest.number).domain.console;
            let mut console = Console::new(host, &file);
            console.read().await;
            return Some(GuestError::Ended { name: guest.name.clone(), console: console.last_lines() });
        }
    }
    None
}
