//! An SSH session with another machine: connected, its host key known, logged in. Blocking.
//!
//! `~/.ssh/config` is not read: user, port and jump host stand in the profile.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use ssh2::{ErrorCode, Session};

use super::known_hosts::HostKeys;
use super::login::{Login, SshAddress};
use super::private_key::{Key, keys};
use super::pump::Tunnel;
use super::ssh_error::SshError;

/// For each step of a connection.
const LIMIT: Duration = Duration::from_secs(20);

/// Opens a session with a machine.
///
/// # Errors
/// [`SshError`] with the step that failed.
pub fn open(login: &Login) -> Result<Session, SshError> {
    let mut session = connected(login)?;
    let (keys, problem) = keys(&session, login.identity.as_deref());
    let mut tried = Vec::from_iter(problem);
    for key in &keys {
        let mut attempt = key.log_in(&session, &login.address.user);
        if attempt.as_ref().is_err_and(|error| !is_refusal(error)) {
            // A server hangs up after some keys (MaxAuthTries); an agent may hold more.
            session = connected(login)?;
            attempt = key.log_in(&session, &login.address.user);
        }
        match attempt {
            Ok(()) => return Ok(session),
            Err(error) => tried.extend(key.complaint(&error)),
        }
    }
    let of_agent = keys.iter().filter(|key| matches!(key, Key::OfAgent(_))).count();
    if of_agent > 0 {
        tried.insert(0, format!("the agent's keys ({of_agent})"));
    }
    let tried = if tried.is_empty() { "none, no key was found".into() } else { tried.join(", ") };
    Err(SshError::NoLogin { address: login.address.clone(), tried })
}

/// Whether the server, or the file or the agent before it, refused. After any other error the session may be over.
fn is_refusal(error: &ssh2::Error) -> bool {
    // LIBSSH2_ERROR_FILE, _AUTHENTICATION_FAILED, _AGENT_PROTOCOL
    [-16, -18, -42].map(ErrorCode::Session).contains(&error.code())
}

/// A session whose server is the one that is known.
fn connected(login: &Login) -> Result<Session, SshError> {
    let address = &login.address;
    let mut session = Session::new().map_err(protocol(address))?;
    session.set_timeout(LIMIT.as_millis() as u32);
    match &login.jump {
        None => session.set_tcp_stream(connect(address)?),
        Some(jump) => {
            let first = Login { address: jump.clone(), jump: None, identity: login.identity.clone() };
            let tunnel = Tunnel::through(open(&first)?, jump)?;
            session
                .set_tcp_stream(tunnel.tcp(&address.host, address.port).map_err(|e| no_answer(address, &e))?);
        }
    }
    let known = HostKeys::read(&session).map_err(protocol(address))?;
    known.prefer(&session, address);
    session.handshake().map_err(protocol(address))?;
    known.check(&session, address)?;
    Ok(session)
}

fn protocol(address: &SshAddress) -> impl Fn(ssh2::Error) -> SshError {
    let address = address.clone();
    move |error| SshError::Protocol { address: address.clone(), cause: error.to_string() }
}

fn no_answer(address: &SshAddress, cause: &std::io::Error) -> SshError {
    SshError::NoAnswer { address: address.clone(), cause: cause.to_string() }
}

fn connect(address: &SshAddress) -> Result<TcpStream, SshError> {
    let refused = |cause: std::io::Error| no_answer(address, &cause);
    let mut last = std::io::Error::other("the name has no address");
    for socket in (address.host.as_str(), address.port).to_socket_addrs().map_err(refused)? {
        match TcpStream::connect_timeout(&socket, LIMIT) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(refused)?;
                return Ok(stream);
            }
            Err(cause) => last = cause,
        }
    }
    Err(refused(last))
}
