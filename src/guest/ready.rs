//! When a guest is ready: its console says so, SSH answers with the run's pinned host key, and netserver accepts a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::appliance;
use super::boot::{Boot, LOGIN, SSH_PORT, Site};
use super::error::GuestError;
use crate::address::NETSERVER_PORT;
use crate::machine::ssh::{Identity, SshSession};
use crate::machine::{ExecError, Machine};

/// Between two looks at a booting guest.
const POLL: Duration = Duration::from_millis(50);
/// The same where each look is a command on another machine.
const REMOTE_POLL: Duration = Duration::from_millis(400);

/// Waits until a guest that was started answers; `None` if the deadline passed.
///
/// # Errors
/// [`GuestError`] if it never will.
pub async fn wait_ready(
    boot: &Boot,
    identity: &Identity,
    site: &Site,
    pid: i32,
    deadline: Instant,
) -> Result<Option<SshSession>, GuestError> {
    // The console costs nothing to look at; a login to a guest that still boots would slow all of them down.
    while !says_ready(boot, site, pid).await? {
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(poll(site)).await;
    }
    log_in(boot, identity, site, deadline).await
}

/// Whether the guest's console says so; an error if it never will.
async fn says_ready(boot: &Boot, site: &Site, pid: i32) -> Result<bool, GuestError> {
    let name = boot.domain.name.clone();
    let alive = site.host.has_process(pid).await;
    let said = console(boot, site).await;
    if let Some(failure) = said.lines().find_map(|line| line.split(appliance::FAILED).nth(1)) {
        return Err(GuestError::Failed { name, said: failure.trim().to_owned() });
    }
    if !alive {
        return Err(GuestError::Died { name, console: last_lines(&said) });
    }
    Ok(said.contains(appliance::READY))
}

/// `None` if the deadline passed.
async fn log_in(
    boot: &Boot,
    identity: &Identity,
    site: &Site,
    deadline: Instant,
) -> Result<Option<SshSession>, GuestError> {
    let name = &boot.domain.name;
    while Instant::now() < deadline {
        let address = SocketAddr::new(boot.management, SSH_PORT);
        let netserver = SocketAddr::new(boot.management, NETSERVER_PORT);
        match SshSession::connect(address, identity.clone(), site.route.clone(), LOGIN).await {
            Ok(ssh) if site.route.accepts(netserver, LOGIN).await => return Ok(Some(ssh)),
            Ok(_) => sleep(POLL).await,
            Err(cause @ ExecError::OtherMachine { .. }) => {
                return Err(GuestError::Ssh { name: name.clone(), cause });
            }
            Err(cause) => {
                tracing::debug!(guest = name, %cause, "not ready yet");
                sleep(POLL).await;
            }
        }
    }
    Ok(None)
}

/// The end of what a guest's console said.
pub(super) async fn last_words(boot: &Boot, site: &Site) -> String {
    last_lines(&console(boot, site).await)
}

async fn console(boot: &Boot, site: &Site) -> String {
    site.host.read(&boot.domain.console.to_string_lossy()).await.unwrap_or_default()
}

fn last_lines(console: &str) -> String {
    let lines: Vec<&str> = console.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "(nothing)".into() } else { lines[lines.len().saturating_sub(3)..].join(" | ") }
}

fn poll(site: &Site) -> Duration {
    match site.host {
        Machine::Local(_) => POLL,
        Machine::Remote(_) => REMOTE_POLL,
    }
}
