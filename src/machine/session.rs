//! An SSH session with another machine: connected, its host key known, logged in. Blocking.
//!
//! Host keys are looked up in `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`, names in clear or hashed; one that is
//! not there is refused. Keys come from the file that is named, else from the agent and `~/.ssh/id_*`. `~/.ssh/config`
//! is not read: user, port and jump host stand in the profile.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ssh_key::{HashAlg, PublicKey};
use ssh2::{CheckResult, KnownHostFileKind, KnownHosts, MethodType, Session};

use super::login::{Login, SshAddress};
use super::pump::Tunnel;
use super::ssh_error::SshError;

/// For each step of a connection.
const LIMIT: Duration = Duration::from_secs(20);

/// Kinds of host keys, best first; `known_hosts` names RSA keys by another word than those that sign with them.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
];

/// Opens a session with a machine.
///
/// # Errors
/// [`SshError`] with the step that failed.
pub fn open(login: &Login) -> Result<Session, SshError> {
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
    let known = known_hosts(&session, address)?;
    prefer(&session, &known, address);
    session.handshake().map_err(protocol(address))?;
    check_key(&session, &known, address)?;
    log_in(&session, login)?;
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

/// The known hosts of this user and this machine. A line that libssh2 cannot read is skipped.
fn known_hosts(session: &Session, address: &SshAddress) -> Result<KnownHosts, SshError> {
    let mut known = session.known_hosts().map_err(protocol(address))?;
    let files = [home(".ssh/known_hosts"), Some(PathBuf::from("/etc/ssh/ssh_known_hosts"))];
    for text in files.into_iter().flatten().filter_map(|file| std::fs::read_to_string(file).ok()) {
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '@'])) {
            let _ = known.read_str(line, KnownHostFileKind::OpenSSH);
        }
    }
    Ok(known)
}

/// Prefers the kinds of host key that are known: the server may have several.
fn prefer(session: &Session, known: &KnownHosts, address: &SshAddress) {
    let hosts = known.hosts().unwrap_or_default();
    let keys = hosts
        .iter()
        .filter_map(|host| PublicKey::from_openssh(&format!("{} {}", kind_of(host.key())?, host.key())).ok());
    let of_it = |key: &PublicKey| {
        let blob = key.to_bytes().unwrap_or_default();
        matches!(known.check_port(&address.host, address.port, &blob), CheckResult::Match)
    };
    let kinds: Vec<String> = keys.filter(of_it).map(|key| key.algorithm().to_string()).collect();
    let is_known = |kind: &&str| {
        kinds.iter().any(|known| known == kind || (known == "ssh-rsa" && kind.starts_with("rsa-sha2")))
    };
    let (mut first, rest): (Vec<&str>, Vec<&str>) = KINDS.into_iter().partition(|kind| is_known(kind));
    first.extend(rest);
    let _ = session.method_pref(MethodType::HostKey, &first.join(",")); // a kind that libssh2 lacks: its own order
}

/// The kind of a key in base64: its first field, after four bytes of length.
fn kind_of(base64: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 5] = [
        ("AAAAC3NzaC1lZDI1NTE5", "ssh-ed25519"),
        ("AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY", "ecdsa-sha2-nistp256"),
        ("AAAAE2VjZHNhLXNoYTItbmlzdHAzODQ", "ecdsa-sha2-nistp384"),
        ("AAAAE2VjZHNhLXNoYTItbmlzdHA1MjE", "ecdsa-sha2-nistp521"),
        ("AAAAB3NzaC1yc2E", "ssh-rsa"),
    ];
    STARTS.into_iter().find(|(start, _)| base64.starts_with(start)).map(|(_, kind)| kind)
}

fn check_key(session: &Session, known: &KnownHosts, address: &SshAddress) -> Result<(), SshError> {
    let key = session.host_key().map(|(key, _)| key.to_vec()).unwrap_or_default();
    let fingerprint = || {
        let key = PublicKey::from_bytes(&key).map(|key| key.fingerprint(HashAlg::Sha256).to_string());
        key.unwrap_or_else(|_| "unreadable".into())
    };
    let address = address.clone();
    match known.check_port(&address.host, address.port, &key) {
        CheckResult::Match => Ok(()),
        CheckResult::Mismatch => Err(SshError::OtherKey { address, fingerprint: fingerprint() }),
        CheckResult::NotFound | CheckResult::Failure => {
            Err(SshError::UnknownKey { address, fingerprint: fingerprint() })
        }
    }
}

fn log_in(session: &Session, login: &Login) -> Result<(), SshError> {
    let user = &login.address.user;
    let mut tried = Vec::new();
    if login.identity.is_none() && std::env::var_os("SSH_AUTH_SOCK").is_some() {
        match with_agent(session, user) {
            Ok(()) => return Ok(()),
            Err(agent) => tried.push(agent),
        }
    }
    for file in key_files(login.identity.as_deref()) {
        match session.userauth_pubkey_file(user, None, &file, None) {
            Ok(()) => return Ok(()),
            Err(_) if !file.exists() => tried.push(format!("{} (no such file)", file.display())),
            Err(error) => tried.push(format!("{} ({})", file.display(), error.message())),
        }
    }
    let tried = if tried.is_empty() { "none, no key was found".into() } else { tried.join(", ") };
    Err(SshError::NoLogin { address: login.address.clone(), tried })
}

/// Tries the agent's keys in their order. (libssh2's own call tries the first only.) What was tried, if none is accepted.
fn with_agent(session: &Session, user: &str) -> Result<(), String> {
    let unreachable = |error: ssh2::Error| format!("the agent, which does not answer ({})", error.message());
    let mut agent = session.agent().map_err(unreachable)?;
    agent.connect().and_then(|()| agent.list_identities()).map_err(unreachable)?;
    let keys = agent.identities().map_err(unreachable)?;
    if keys.iter().any(|key| agent.userauth(user, key).is_ok()) {
        return Ok(());
    }
    Err(format!("the agent's keys ({})", keys.len()))
}

fn key_files(named: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![
            named.strip_prefix("~").ok().and_then(|rest| home(rest.to_str()?)).unwrap_or(named.into()),
        ];
    }
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| home(&format!(".ssh/{name}")));
    usual.into_iter().flatten().filter(|file| file.is_file()).collect()
}

fn home(rest: &str) -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("HOME")?).join(rest))
}
