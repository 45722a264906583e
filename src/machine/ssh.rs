//! Commands on another machine over one SSH session: one after another.
//!
//! An ssh2 session is one mutex and blocks, so a session runs one command after another, each on a blocking thread and
//! read to its end; concurrent commands need sessions of their own. Remote commands are wrapped in `timeout`, because
//! dropping a channel does not end what runs in it.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use ssh2::{Error, ErrorCode, Session};

use super::bounded::{MAX_OUTPUT, read_until};
use super::command::{ExecError, Output, as_typed, for_message};
use super::exec::execute_on;
use super::login::SshAddress;
use super::pump::{Target, Tunnel};
use super::started::Started;

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

/// The way to a guest.
#[derive(Clone, Debug)]
pub enum Route {
    /// From here.
    Direct,
    /// From the machine at the other end of a session.
    Through(Tunnel),
}

/// An open session.
#[derive(Clone)]
pub struct SshSession {
    pub(super) session: Arc<Mutex<Session>>,
    pub(super) host: String,
    /// Whether a command had no answer: what comes later may be that of another one.
    lost: Arc<AtomicBool>,
}

/// Beyond the remote `timeout`, for the answer to come back.
const GRACE: Duration = Duration::from_secs(5);

impl Route {
    /// Whether something accepts connections there.
    pub async fn accepts(&self, address: SocketAddr, limit: Duration) -> bool {
        let route = self.clone();
        let tried = tokio::task::spawn_blocking(move || match route {
            Route::Direct => TcpStream::connect_timeout(&address, limit).is_ok(),
            Route::Through(tunnel) => tunnel.tcp(&address.ip().to_string(), address.port()).is_ok(),
        });
        tried.await.unwrap_or(false)
    }
}

impl SshSession {
    /// Connects to a guest, checks the host key and logs in, each step within `limit`.
    ///
    /// # Errors
    /// [`ExecError::Session`] if nobody answers or the key is refused, [`ExecError::OtherMachine`] if another machine answers.
    pub async fn connect(
        address: SocketAddr,
        identity: Identity,
        route: Route,
        limit: Duration,
    ) -> Result<SshSession, ExecError> {
        let opened = tokio::task::spawn_blocking(move || open(address, &identity, &route, limit)).await;
        match opened {
            Ok(Ok(Some(session))) => Ok(SshSession::from_session(session, address.to_string())),
            Ok(Ok(None)) => Err(ExecError::OtherMachine { host: address.to_string() }),
            Ok(Err(cause)) => Err(ExecError::Session { host: address.to_string(), cause: cause.to_string() }),
            Err(panic) => Err(ExecError::Session { host: address.to_string(), cause: panic.to_string() }),
        }
    }

    /// Starts a command with pipes, over a session of its own: it ends when that does, if it ends
    /// with its standard input.
    ///
    /// # Errors
    /// The library's error if there is no session or it refuses.
    pub async fn start<S: AsRef<str>>(
        address: SocketAddr,
        identity: Identity,
        route: Route,
        limit: Duration,
        argv: &[S],
    ) -> std::io::Result<Started> {
        let target = Target::Process(as_typed(argv));
        let opened = tokio::task::spawn_blocking(move || {
            let session = open(address, &identity, &route, limit).map_err(std::io::Error::other)?;
            let session = session.ok_or_else(|| std::io::Error::other("another machine answers"))?;
            let (user, host, port) = (identity.user, address.ip().to_string(), address.port());
            let tunnel = Tunnel::through(session, &SshAddress { user, host, port });
            tunnel.map_err(std::io::Error::other)?.open(target)
        });
        Started::remote(opened.await.map_err(std::io::Error::other)??)
    }

    /// Commands over a session that is open already.
    pub fn from_session(session: Session, host: String) -> SshSession {
        SshSession { session: Arc::new(Mutex::new(session)), host, lost: Arc::default() }
    }

    /// Whether the machine did not answer a command.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Goes on with another session.
    pub(super) fn replace(&self, session: Session) {
        let mut own = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // libssh2 would wait for the answer to its farewell.
        let _ = shutdown(own.as_raw_fd(), Shutdown::Both);
        *own = session;
        self.lost.store(false, Ordering::Relaxed);
    }

    /// Runs a command to its end; the remote side is killed after `limit`.
    ///
    /// # Errors
    /// [`ExecError`] if the session broke, the time is over, or the status is not 0.
    pub async fn run<S: AsRef<str>>(&self, argv: &[S], limit: Duration) -> Result<Output, ExecError> {
        self.feed(argv, std::io::empty(), limit).await
    }

    /// The same for a command that reads `input`.
    ///
    /// # Errors
    /// As [`SshSession::run`].
    pub async fn feed<S: AsRef<str>>(
        &self,
        argv: &[S],
        mut input: impl Read + Send + 'static,
        limit: Duration,
    ) -> Result<Output, ExecError> {
        let (ssh, words) =
            (self.clone(), argv.iter().map(|word| word.as_ref().to_owned()).collect::<Vec<_>>());
        let answer = tokio::task::spawn_blocking(move || ssh.feed_now(&words, &mut input, limit)).await;
        answer.map_err(|panic| ExecError::Session { host: self.host.clone(), cause: panic.to_string() })?
    }

    /// The same for code that has no runtime. Blocks.
    ///
    /// # Errors
    /// As [`SshSession::run`].
    pub fn feed_now<S: AsRef<str>>(
        &self,
        argv: &[S],
        input: &mut impl Read,
        limit: Duration,
    ) -> Result<Output, ExecError> {
        let command = for_message(argv);
        let remote = format!("timeout -s KILL {} {}", limit.as_secs().max(1), as_typed(argv));
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let output = execute(&session, &remote, input, limit + GRACE).map_err(|cause| {
            self.lost.store(true, Ordering::Relaxed);
            match cause.kind() {
                ErrorKind::TimedOut | ErrorKind::FileTooLarge => {
                    ExecError::from_reading(command.clone(), limit, &cause)
                }
                _ => ExecError::Session { host: self.host.clone(), cause: cause.to_string() },
            }
        })?;
        tracing::debug!(host = self.host, command, status = output.status, "ran");
        if output.status == 137 {
            return Err(ExecError::Timeout { command, limit });
        }
        output.success(argv)
    }
}

/// `None` if another machine answers, whose host key is not the expected one.
fn open(
    address: SocketAddr,
    identity: &Identity,
    route: &Route,
    limit: Duration,
) -> Result<Option<Session>, Error> {
    let refuse = |text: &'static str| Error::new(ErrorCode::Session(-1), text);
    let mut session = Session::new()?;
    set_timeout(&session, limit);
    match route {
        Route::Direct => {
            let stream = TcpStream::connect_timeout(&address, limit).map_err(|_| refuse("no connection"))?;
            stream.set_nodelay(true).map_err(|_| refuse("no connection"))?;
            session.set_tcp_stream(stream);
        }
        Route::Through(tunnel) => {
            let stream = tunnel.tcp(&address.ip().to_string(), address.port());
            session.set_tcp_stream(stream.map_err(|_| refuse("no connection"))?);
        }
    }
    session.handshake()?;
    if session.host_key().map(|(key, _)| key) != Some(&identity.host_key) {
        return Ok(None);
    }
    session.userauth_pubkey_memory(&identity.user, None, &identity.private_key, None)?;
    Ok(Some(session))
}

fn execute(
    session: &Session,
    command: &str,
    input: &mut impl Read,
    limit: Duration,
) -> std::io::Result<Output> {
    let deadline = Instant::now() + limit;
    let wait_at_most = |left: Duration| set_timeout(session, left);
    wait_at_most(limit);
    let mut channel = session.channel_session()?;
    execute_on(&mut channel, command)?;
    // A command that ends before it has read everything has a status of its own.
    let _ = std::io::copy(input, &mut channel);
    let _ = channel.send_eof();
    let stdout = read_until(deadline, &mut channel, wait_at_most, MAX_OUTPUT)?;
    let stderr = read_until(deadline, channel.stderr(), wait_at_most, MAX_OUTPUT)?;
    channel.wait_close()?;
    // libssh2 leaves the status at 0 where a signal ended the command.
    let signal = channel.exit_signal()?.exit_signal;
    let status = if signal.is_some() { 137 } else { channel.exit_status()? };
    Ok(Output {
        status,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// For each step of a session from now on, at least 1 ms: libssh2 takes 0 for no limit.
pub(super) fn set_timeout(session: &Session, limit: Duration) {
    session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).max(1));
}
