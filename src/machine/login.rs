//! Where an SSH server is and who logs in: `user@host:port`, perhaps through another host. Pure.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The port of SSH.
const PORT: u16 = 22;

/// `user@host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshAddress {
    /// Remote user.
    pub user: String,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// All that a login needs, secrets apart: it may stand in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The machine.
    pub address: SshAddress,
    /// A machine to reach it through.
    pub jump: Option<SshAddress>,
    /// File of the private key; the agent's keys and `~/.ssh/id_*` if there is none.
    pub identity: Option<PathBuf>,
}

/// Where a machine of a lab is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// The machine that kvmfair runs on.
    Local,
    /// Another machine.
    Remote(Login),
}

impl SshAddress {
    /// Reads `[user@]host[:port]`; an IPv6 address with a port stands in brackets. The user is root unless it is named.
    /// `None` if it is no such thing.
    pub fn parse(text: &str) -> Option<SshAddress> {
        let (user, place) = text.split_once('@').unwrap_or(("root", text));
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("22"))?)
            }
            None if place.matches(':').count() == 1 => place.split_once(':')?,
            None => (place, "22"),
        };
        let named = |text: &str, more: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
        };
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let fits = named(user, "-_.") && named(host, "-_.:");
        fits.then(|| SshAddress { user: user.into(), host: host.into(), port })
    }

    /// `host`, or `[host]:port` for a port of its own: how known_hosts names it.
    pub fn known_as(&self) -> String {
        if self.port == PORT { self.host.clone() } else { format!("[{}]:{}", self.host, self.port) }
    }
}

impl fmt::Display for SshAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            PORT => write!(f, "{}@{}", self.user, self.host),
            port => write!(f, "{}@{}:{port}", self.user, self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_port_may_be_left_out() {
        let read = |text| SshAddress::parse(text).map(|a| (a.user, a.host, a.port));
        assert_eq!(read("vmhost"), Some(("root".into(), "vmhost".into(), 22)));
        assert_eq!(read("me@10.0.0.1:2222"), Some(("me".into(), "10.0.0.1".into(), 2222)));
        assert_eq!(read("me@[fe80::1]:2222"), Some(("me".into(), "fe80::1".into(), 2222)));
        assert_eq!(read("fe80::1"), Some(("root".into(), "fe80::1".into(), 22)));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in ["", "@host", "me@", "host:", "host:0", "host:x", "-oProxy@host", "ho st", "[::1]x"] {
            assert_eq!(SshAddress::parse(text), None, "{text}");
        }
    }
}
