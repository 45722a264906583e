//! Commands on another machine over one SSH session with a pinned host key.
//!
//! An ssh2 session is one mutex and blocks, so a session runs one command after another, each on a blocking thread and
//! read to its end; concurrent commands need sessions of their own. Remote commands are wrapped in `timeout`, because
//! dropping a channel does not end what runs in it.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{ExecError, Output, as_typed};

/// Who may log in, and which machine must answer.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Remote user.
    pub user: String,
    /// Private key, OpenSSH PEM.
    pub private_key: String,
    /// The host's public key as it stands on the wire.
    pub host_key: Vec<u8>,
}

/// An open session.
#[derive(Clone)]
pub struct Ssh {
    session: Arc<Mutex<ssh2::Session>>,
    address: SocketAddr,
}

/// Beyond the remote `timeout`, for the answer to come back.
const GRACE: Duration = Duration::from_secs(5);

impl Ssh {
    /// Connects, checks the host key and logs in, each step within `limit`.
    ///
    /// # Errors
    /// [`ExecError::Session`] if nobody answers, another machine does, or the key is refused.
    pub async fn connect(address: SocketAddr, identity: Identity, limit: Duration) -> Result<Ssh, ExecError> {
        let opened = tokio::task::spawn_blocking(move || open(address, &identity, limit)).await;
        match opened {
            Ok(Ok(session)) => Ok(Ssh { session: Arc::new(Mutex::new(session)), address }),
            Ok(Err(cause)) => Err(ExecError::Session { host: address.to_string(), cause: cause.to_string() }),
            Err(panic) => Err(ExecError::Session { host: address.to_string(), cause: panic.to_string() }),
        }
    }

    /// Runs a command to its end; the remote side is killed after `limit`.
    ///
    /// # Errors
    /// [`ExecError`] if the session broke, the time is over, or the status is not 0.
    pub async fn run<S: AsRef<str>>(&self, argv: &[S], limit: Duration) -> Result<Output, ExecError> {
        let typed = as_typed(argv);
        let remote = format!("timeout -s KILL {} {typed}", limit.as_secs().max(1));
        let session = self.session.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let session = session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            session.set_timeout(u32::try_from((limit + GRACE).as_millis()).unwrap_or(u32::MAX));
            execute(&session, &remote)
        });
        let lost = |cause: String| ExecError::Session { host: self.address.to_string(), cause };
        let output = answer.await.map_err(|e| lost(e.to_string()))?.map_err(|e| lost(e.to_string()))?;
        if output.status == 137 {
            return Err(ExecError::Timeout { command: typed, limit });
        }
        output.success(argv)
    }
}

fn open(address: SocketAddr, identity: &Identity, limit: Duration) -> Result<ssh2::Session, ssh2::Error> {
    let refuse = |text: &'static str| ssh2::Error::new(ssh2::ErrorCode::Session(-1), text);
    let stream = TcpStream::connect_timeout(&address, limit).map_err(|_| refuse("no connection"))?;
    stream.set_nodelay(true).map_err(|_| refuse("no connection"))?;
    let mut session = ssh2::Session::new()?;
    session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
    session.set_tcp_stream(stream);
    session.handshake()?;
    if session.host_key().map(|(key, _)| key) != Some(&identity.host_key) {
        return Err(refuse("the host key is not the pinned one: another machine answers at this address"));
    }
    session.userauth_pubkey_memory(&identity.user, None, &identity.private_key, None)?;
    Ok(session)
}

fn execute(session: &ssh2::Session, command: &str) -> std::io::Result<Output> {
    let mut channel = session.channel_session()?;
    channel.exec(command)?;
    channel.send_eof()?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    channel.read_to_end(&mut stdout)?;
    channel.stderr().read_to_end(&mut stderr)?;
    channel.wait_close()?;
    // A death by signal leaves the status at 0 (libssh2); the signal's name tells.
    let signal = channel.exit_signal()?.exit_signal;
    let status = if signal.is_some() { 137 } else { channel.exit_status()? };
    Ok(Output {
        status,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}
