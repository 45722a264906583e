//! When a guest is ready: its console reports it, SSH answers with the run's pinned host key, and netserver accepts a
//! connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::boot::{Boot, GuestSite, LOGIN, SSH_PORT};
use super::console::{Console, ConsoleState};
use super::error::GuestError;
use crate::address::NETSERVER_PORT;
use crate::machine::ssh::{Identity, SshSession};
use crate::machine::{ExecError, Machine};

/// Between two readings of the console of a booting guest.
const POLL: Duration = Duration::from_millis(50);
/// Between two logins that are refused, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The same where each reading is a command on another machine.
const REMOTE_POLL: Duration = Duration::from_millis(400);

/// Limit of a knock at the door of a guest that prints nothing.
const KNOCK: Duration = Duration::from_millis(500);

/// Waits until a guest that was started answers; `None` if the deadline passed.
///
/// # Errors
/// [`GuestError`] if it never will.
pub async fn wait_ready(
    boot: &Boot,
    identity: &Identity,
    site: &GuestSite,
    console: &mut Console<'_>,
    pid: Option<i32>,
    deadline: Instant,
) -> Result<Option<SshSession>, GuestError> {
    // Reading the console costs nothing; a login to a guest that still boots would slow all of them down.
    while !is_up(boot, site, console, pid).await? {
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(poll(site)).await;
    }
    log_in(boot, identity, site, deadline).await
}

/// Whether the guest's console reports that it is ready; an error if it never will.
async fn is_up(
    boot: &Boot,
    site: &GuestSite,
    console: &mut Console<'_>,
    pid: Option<i32>,
) -> Result<bool, GuestError> {
    let name = boot.domain.name.clone();
    let alive = match pid {
        Some(pid) => site.host.has_process(pid).await,
        None => true, // whether Xen still has it, only the deadline tells
    };
    match console.read().await {
        ConsoleState::Failed(reason) => Err(GuestError::StartUp { name, reason }),
        _ if !alive => Err(GuestError::Ended { name, console: console.last_lines() }),
        // Without `xenconsoled --log=all` a guest of Xen's has no console that could be read.
        ConsoleState::Booting if pid.is_none() && console.is_empty() => {
            Ok(site.route.accepts(SocketAddr::new(boot.management, NETSERVER_PORT), KNOCK).await)
        }
        state => Ok(state == ConsoleState::Ready),
    }
}

/// `None` if the deadline passed.
async fn log_in(
    boot: &Boot,
    identity: &Identity,
    site: &GuestSite,
    deadline: Instant,
) -> Result<Option<SshSession>, GuestError> {
    let name = &boot.domain.name;
    let mut pause = POLL;
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
                sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE); // a network that is down refuses at once, for minutes
            }
        }
    }
    Ok(None)
}

fn poll(site: &GuestSite) -> Duration {
    match site.host {
        Machine::Local(_) => POLL,
        Machine::Remote(_) => REMOTE_POLL,
    }
}
