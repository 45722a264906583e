//! Commands on another machine over one SSH session: one after another.
//!
//! An ssh2 session is one mutex and blocks, so a session runs one command after another, each on a blocking thread and
//! read to its end; concurrent commands need sessions of their own. Remote commands are wrapped in `timeout`, because
//! dropping a channel does not end what runs in it.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ssh2::{Error, ErrorCode, Session};

use super::command::{ExecError, Output, as_told, as_typed};
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
pub struct Ssh {
    pub(super) session: Arc<Mutex<Session>>,
    pub(super) host: String,
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

impl Ssh {
    /// Connects to a guest, checks the host key and logs in, each step within `limit`.
    ///
    /// # Errors
    /// [`ExecError::Session`] if nobody answers or the key is refused, [`ExecError::OtherMachine`] if another machine answers.
    pub async fn connect(
        address: SocketAddr,
        identity: Identity,
        route: Route,
        limit: Duration,
    ) -> Result<Ssh, ExecError> {
        let opened = tokio::task::spawn_blocking(move || open(address, &identity, &route, limit)).await;
        match opened {
            Ok(Ok(Some(session))) => Ok(Ssh::from_session(session, address.to_string())),
            Ok(Ok(None)) => Err(ExecError::OtherMachine { host: address.to_string() }),
            Ok(Err(cause)) => Err(ExecError::Session { host: address.to_string(), cause: cause.to_string() }),
            Err(panic) => Err(ExecError::Session { host: address.to_string(), cause: panic.to_string() }),
        }
    }

    /// Starts a command that is talked to through pipes, over a session of its own: it ends when that does, if it ends
    /// with its standard input.
    ///
    /// # Errors
    /// The library's word if there is no session or it refuses.
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
    pub fn from_session(session: Session, host: String) -> Ssh {
        Ssh { session: Arc::new(Mutex::new(session)), host }
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
    /// As [`Ssh::run`].
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
    /// As [`Ssh::run`].
    pub fn feed_now<S: AsRef<str>>(
        &self,
        argv: &[S],
        input: &mut impl Read,
        limit: Duration,
    ) -> Result<Output, ExecError> {
        let told = as_told(argv);
        let remote = format!("timeout -s KILL {} {}", limit.as_secs().max(1), as_typed(argv));
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        session.set_timeout(u32::try_from((limit + GRACE).as_millis()).unwrap_or(u32::MAX));
        let output = execute(&session, &remote, input)
            .map_err(|cause| ExecError::Session { host: self.host.clone(), cause: cause.to_string() })?;
        tracing::debug!(host = self.host, command = told, status = output.status, "ran");
        if output.status == 137 {
            return Err(ExecError::Timeout { command: told, limit });
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
    session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
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

fn execute(session: &Session, command: &str, input: &mut impl Read) -> std::io::Result<Output> {
    let mut channel = session.channel_session()?;
    channel.exec(command)?;
    // A command that ends before it has read everything says why in its status.
    let _ = std::io::copy(input, &mut channel);
    let _ = channel.send_eof();
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
