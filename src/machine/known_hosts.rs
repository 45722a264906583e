//! The host keys that this user and this machine know, and those that are revoked.

use std::path::{Path, PathBuf};

use ssh_key::{HashAlg, PublicKey};
use ssh2::{CheckResult, KnownHostFileKind, KnownHosts, MethodType, Session};

use super::login::SshAddress;
use super::private_key::home;
use super::ssh_error::SshError;

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

/// What `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts` say.
pub(super) struct HostKeys {
    known: KnownHosts,
    revoked: Vec<PublicKey>,
}

impl HostKeys {
    /// Reads both files. Names may be hashed. A line that libssh2 cannot read is skipped.
    pub(super) fn read(session: &Session) -> Result<HostKeys, ssh2::Error> {
        let mut keys = HostKeys { known: session.known_hosts()?, revoked: Vec::new() };
        let files = [home(Path::new(".ssh/known_hosts")), Some(PathBuf::from("/etc/ssh/ssh_known_hosts"))];
        for bytes in files.into_iter().flatten().filter_map(|file| std::fs::read(file).ok()) {
            let text = String::from_utf8_lossy(&bytes);
            keys.revoked.extend(revoked(&text));
            for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '@'])) {
                let _ = keys.known.read_str(line, KnownHostFileKind::OpenSSH);
            }
        }
        Ok(keys)
    }

    /// Prefers the kinds of host key that are known: the server may have several.
    pub(super) fn prefer(&self, session: &Session, address: &SshAddress) {
        let hosts = self.known.hosts().unwrap_or_default();
        let keys = hosts.iter().filter_map(|host| {
            PublicKey::from_openssh(&format!("{} {}", kind_of(host.key())?, host.key())).ok()
        });
        let of_it = |key: &PublicKey| {
            let blob = key.to_bytes().unwrap_or_default();
            matches!(self.known.check_port(&address.host, address.port, &blob), CheckResult::Match)
        };
        let kinds: Vec<String> = keys.filter(of_it).map(|key| key.algorithm().to_string()).collect();
        let is_known = |kind: &&str| {
            kinds.iter().any(|known| known == kind || (known == "ssh-rsa" && kind.starts_with("rsa-sha2")))
        };
        let (mut first, rest): (Vec<&str>, Vec<&str>) = KINDS.into_iter().partition(|kind| is_known(kind));
        first.extend(rest);
        let _ = session.method_pref(MethodType::HostKey, &first.join(",")); // a kind that libssh2 lacks: its own order
    }

    /// Whether the server's key is the known one.
    ///
    /// # Errors
    /// [`SshError`] if it is revoked, unknown or another one.
    pub(super) fn check(&self, session: &Session, address: &SshAddress) -> Result<(), SshError> {
        let blob = session.host_key().map(|(key, _)| key.to_vec()).unwrap_or_default();
        let key = PublicKey::from_bytes(&blob).ok();
        let fingerprint = key.as_ref().map(|key| key.fingerprint(HashAlg::Sha256).to_string());
        let fingerprint = fingerprint.unwrap_or_else(|| "unreadable".into());
        let address = address.clone();
        if key.is_some_and(|key| self.revoked.iter().any(|revoked| revoked.key_data() == key.key_data())) {
            return Err(SshError::RevokedKey { address, fingerprint });
        }
        match self.known.check_port(&address.host, address.port, &blob) {
            CheckResult::Match => Ok(()),
            CheckResult::Mismatch => Err(SshError::OtherKey { address, fingerprint }),
            CheckResult::NotFound | CheckResult::Failure => {
                Err(SshError::UnknownKey { address, fingerprint })
            }
        }
    }
}

/// The keys of the lines `@revoked HOSTS KIND KEY`, for whatever host: a stolen key is no better elsewhere.
fn revoked(text: &str) -> Vec<PublicKey> {
    let of_line = |line: &str| {
        let key: Vec<&str> = line.strip_prefix("@revoked ")?.split_whitespace().skip(1).take(2).collect();
        PublicKey::from_openssh(&key.join(" ")).ok()
    };
    text.lines().filter_map(of_line).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzyeEVdW8T7cCR7mXKTmF1XDkOUVEJOgFVMvB8wM8yQ";

    #[test]
    fn revoked_keys_are_read_and_other_marked_lines_are_not() {
        let text =
            format!("vmhost {KEY}\n@revoked * {KEY} stolen\n@cert-authority * {KEY}\n@revoked broken\n");
        assert_eq!(revoked(&text).len(), 1);
        assert_eq!(
            revoked(&text)[0].to_openssh().unwrap().split(' ').take(2).collect::<Vec<_>>().join(" "),
            KEY
        );
    }
}
