//! Busy loops in a guest, one for each vCPU: they end with the SSH session that started them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::boot::{SSH_PORT, Site};
use super::error::GuestError;
use super::fleet::Guest;
use crate::machine::ExecError;
use crate::machine::ssh::{Identity, SshSession};
use crate::machine::started::Started;

const SCRIPT: &str = include_str!("burner.sh");

/// For the login and for the first word of the script: the guest may share its CPU with many.
const LIMIT: Duration = Duration::from_secs(60);
/// For the loops to end.
const FAREWELL: Duration = Duration::from_secs(20);

/// Running loops. Dropping it ends them.
pub struct Burner {
    process: Started,
}

impl Burner {
    /// Starts the loops and returns when they run; each ends by itself after `max`.
    ///
    /// # Errors
    /// [`GuestError::Ssh`] if the guest does not start them.
    pub async fn start(
        guest: &Guest,
        identity: &Identity,
        site: &Site,
        vcpus: u32,
        max: Duration,
    ) -> Result<Burner, GuestError> {
        let refused = |cause: String| GuestError::Ssh {
            name: guest.name.clone(),
            cause: ExecError::Start { command: "busy loops".into(), cause },
        };
        let address = SocketAddr::new(guest.management, SSH_PORT);
        let (loops, seconds) = (vcpus.to_string(), max.as_secs().max(1).to_string());
        let argv = ["sh", "-c", SCRIPT, "burner", &loops, &seconds].map(str::to_owned);
        let started = SshSession::start(address, identity.clone(), site.route.clone(), LIMIT, &argv).await;
        let mut process = started.map_err(|cause| refused(cause.to_string()))?;
        let stdout = process.stdout.take().ok_or_else(|| refused("it has no pipes".into()))?;
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        match timeout(LIMIT, stdout.read_line(&mut line)).await {
            Ok(Ok(_)) if line.trim() == "burning" => Ok(Burner { process }),
            Ok(_) => Err(refused(format!("it said {:?}", line.trim()))),
            Err(_) => Err(refused("it does not answer".into())),
        }
    }

    /// Ends the loops. Whether they ended in time.
    pub async fn stop(mut self) -> bool {
        self.process.end(FAREWELL).await
    }
}
