//! netserver for the bare-metal baseline: the other end of the flows when there is no guest.
//!
//! It listens on one address of one network namespace. A shell holds it and ends its whole process group when kvmfair
//! closes the shell's stdin, or dies: netserver alone would stay, and so would its children, which wait for ever for a
//! client that was killed before it connected.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use procfs::ProcResult;
use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use super::command::CONTROL_PORT;
use super::tester::end_group;
use crate::exec::local::{Local, NetNs};

/// Prints netserver's process number, then waits for the end of its stdin.
const GUARD: &str = "netserver -D -N -p \"$2\" -L \"$1\" </dev/null >&2 &
printf '%d\\n' $!
read -r _
trap '' TERM
kill -TERM 0";

/// From the start until netserver listens.
const READY: Duration = Duration::from_secs(10);

/// Why there is no netserver.
#[derive(Debug, thiserror::Error)]
pub enum NetserverError {
    /// The shell did not start.
    #[error("failed to start netserver")]
    Spawn(#[source] std::io::Error),
    /// It ended, or never listened.
    #[error("netserver does not listen on {address}: {said}")]
    NotListening {
        /// Where it should have listened.
        address: SocketAddr,
        /// What it said.
        said: String,
    },
}

/// A netserver that listens. Dropping it ends it.
#[derive(Debug)]
pub struct Netserver {
    guard: Child,
}

impl Netserver {
    /// Starts netserver in a network namespace (`None`: our own) and waits until it listens on `address`.
    ///
    /// # Errors
    /// If it cannot be started or does not listen within some seconds; then nothing is left of it.
    pub async fn start(netns: Option<NetNs>, address: IpAddr) -> Result<Netserver, NetserverError> {
        let mut guard = spawn(netns, address).map_err(NetserverError::Spawn)?;
        let address = SocketAddr::new(address, CONTROL_PORT);
        if let Some(pid) = pid(&mut guard).await
            && wait_listening(pid, address).await
        {
            return Ok(Netserver { guard });
        }
        Err(NetserverError::NotListening { address, said: last_words(&mut guard).await })
    }

    /// Ends netserver and its children, and waits for that.
    pub async fn stop(mut self) {
        drop(self.guard.stdin.take());
        end_group(&mut self.guard).await;
    }
}

fn spawn(netns: Option<NetNs>, address: IpAddr) -> std::io::Result<Child> {
    let (address, port) = (address.to_string(), CONTROL_PORT.to_string());
    let host = netns.map_or_else(Local::here, Local::inside);
    host.start(&["sh", "-c", GUARD, "netserver-guard", &address, &port])
}

async fn pid(guard: &mut Child) -> Option<i32> {
    let mut stdout = BufReader::new(guard.stdout.take()?);
    let mut line = String::new();
    timeout(READY, stdout.read_line(&mut line)).await.ok()?.ok()?;
    line.trim().parse().ok()
}

/// False if the process ended, or has not listened in time.
async fn wait_listening(pid: i32, address: SocketAddr) -> bool {
    let deadline = Instant::now() + READY;
    while Instant::now() < deadline {
        match listens(pid, address) {
            Ok(Some(true)) => return true,
            Ok(Some(false)) => sleep(Duration::from_millis(20)).await,
            Ok(None) | Err(_) => return false,
        }
    }
    false
}

/// Whether the process has a socket that listens there; `None` if it has ended. Asks the kernel rather than connect:
/// netserver starts a child for each connection. Seen through the process, `/proc` shows its network namespace.
fn listens(pid: i32, address: SocketAddr) -> ProcResult<Option<bool>> {
    let process = Process::new(pid)?;
    if process.stat()?.state == 'Z' {
        return Ok(None);
    }
    let sockets = if address.is_ipv4() { process.tcp()? } else { process.tcp6()? };
    let listening = |s: &&TcpNetEntry| s.state == TcpState::Listen && s.local_address == address;
    let Some(socket) = sockets.iter().find(listening) else { return Ok(Some(false)) };
    let own = process.fd()?.flatten().any(|fd| fd.target == FDTarget::Socket(socket.inode));
    Ok(Some(own))
}

/// Ends the shell and returns what netserver wrote.
async fn last_words(guard: &mut Child) -> String {
    drop(guard.stdin.take());
    end_group(guard).await;
    let mut bytes = Vec::new();
    if let Some(mut stderr) = guard.stderr.take() {
        let _ = timeout(READY, stderr.read_to_end(&mut bytes)).await;
    }
    let said = String::from_utf8_lossy(&bytes);
    if said.trim().is_empty() { "it said nothing".into() } else { said.trim().replace('\n', "; ") }
}
