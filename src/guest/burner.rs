//! Busy loops in a guest, one for each vCPU: they end with the SSH session that started them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::time::timeout;

use super::boot::{GuestSite, SSH_PORT};
use super::error::GuestError;
use super::fleet::RunningGuest;
use crate::machine::ExecError;
use crate::machine::line::read_line;
use crate::machine::ssh::{Identity, SshSession};
use crate::machine::started::Started;

const SCRIPT: &str = include_str!("burner.sh");

/// Limit of the login and of the start of the loops: the guest may share its CPU with many.
const LIMIT: Duration = Duration::from_secs(60);
/// Limit of the end of the loops.
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
        guest: &RunningGuest,
        identity: &Identity,
        site: &GuestSite,
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
        let stdout = process.stdout.take().ok_or_else(|| refused("the process has no pipes".into()))?;
        let mut stdout = BufReader::new(stdout);
        match timeout(LIMIT, read_line(&mut stdout)).await {
            Ok(Ok(line)) if line.trim() == "burning" => Ok(Burner { process }),
            Ok(Ok(line)) => Err(refused(format!("unexpected output {:?}", line.trim()))),
            Ok(Err(cause)) => Err(refused(cause.to_string())),
            Err(_) => Err(refused("no answer".into())),
        }
    }

    /// Ends the loops. Whether they ended in time.
    pub async fn stop(mut self) -> bool {
        self.process.end(FAREWELL).await
    }
}
