//! Why there is no SSH session, and what to do about it.

use super::login::SshAddress;

/// Why there is no session.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SshError {
    /// No server answers.
    #[error("no SSH server answers at {address}: {cause}")]
    NoAnswer {
        /// Where.
        address: SshAddress,
        /// The system's error.
        cause: String,
    },
    /// It answers with a host key that is not known.
    #[error("the host key of {address} is not in ~/.ssh/known_hosts; it is {fingerprint}")]
    UnknownKey {
        /// Where.
        address: SshAddress,
        /// As OpenSSH prints it.
        fingerprint: String,
    },
    /// It answers with another host key than the known one.
    #[error("the host key of {address} differs from the one in ~/.ssh/known_hosts; it is {fingerprint}")]
    OtherKey {
        /// Where.
        address: SshAddress,
        /// As OpenSSH prints it.
        fingerprint: String,
    },
    /// It answers with a key that known_hosts marks as revoked.
    #[error("the host key of {address} is marked @revoked in known_hosts; it is {fingerprint}")]
    RevokedKey {
        /// Where.
        address: SshAddress,
        /// As OpenSSH prints it.
        fingerprint: String,
    },
    /// No key is accepted.
    #[error("{address} accepts no key: tried {tried}")]
    NoLogin {
        /// Where.
        address: SshAddress,
        /// The keys.
        tried: String,
    },
    /// The protocol broke.
    #[error("the SSH session with {address} failed: {cause}")]
    Protocol {
        /// Where.
        address: SshAddress,
        /// The library's error.
        cause: String,
    },
}

impl SshError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            SshError::NoAnswer { .. } => {
                "start sshd on that machine, or correct the address in the profile".into()
            }
            SshError::UnknownKey { address, .. } => format!(
                "compare the fingerprint with the machine's own, then: ssh-keyscan -p {} {} >> ~/.ssh/known_hosts",
                address.port, address.host
            ),
            SshError::OtherKey { address, .. } => format!(
                "find out why; if the machine was installed anew: ssh-keygen -R '{}', then ssh-keyscan",
                address.known_as()
            ),
            SshError::RevokedKey { .. } => {
                "give that machine new host keys: whoever has the revoked one can pretend to be it".into()
            }
            SshError::NoLogin { address, .. } => {
                format!(
                    "ssh-copy-id -p {} {}@{}, or name the key: identity = \"…\"",
                    address.port, address.user, address.host
                )
            }
            SshError::Protocol { .. } => "read sshd's log on that machine".into(),
        }
    }
}
