//! The keys that a login may use: the file that the profile names, or the agent's keys and `~/.ssh/id_*`.

use std::io::Read;
use std::path::{Path, PathBuf};

use ssh_key::{PrivateKey, PublicKey};
use ssh2::{Agent, Session};

/// No key file is longer.
const LONGEST: u64 = 64 << 10;

/// A key to try.
pub(super) enum Key {
    /// One of the agent's, as SSH encodes its public part.
    OfAgent(Vec<u8>),
    /// The file of a private key.
    File(PathBuf),
}

/// The keys to try in their order, and what is reported of an agent that could not be asked. Of a key that is named, the
/// agent's copy comes first: it needs no passphrase.
pub(super) fn keys(session: &Session, named: Option<&Path>) -> (Vec<Key>, Option<String>) {
    let files = key_files(named);
    let (of_agent, problem) = match std::env::var_os("SSH_AUTH_SOCK") {
        Some(_) => match agent(session).and_then(|agent| agent.identities()) {
            Ok(keys) => (keys.iter().map(|key| key.blob().to_vec()).collect(), None),
            Err(error) => {
                (Vec::new(), Some(format!("the agent, which does not answer ({})", error.message())))
            }
        },
        None => (Vec::new(), None),
    };
    let wanted: Option<Vec<u8>> =
        named.map(|_| files.first().and_then(|file| public_part(file)).unwrap_or_default());
    let of_agent = of_agent.into_iter().filter(|blob| wanted.as_ref().is_none_or(|wanted| wanted == blob));
    (of_agent.map(Key::OfAgent).chain(files.into_iter().map(Key::File)).collect(), problem)
}

impl Key {
    /// Tries it.
    pub(super) fn log_in(&self, session: &Session, user: &str) -> Result<(), ssh2::Error> {
        match self {
            Key::File(file) => session.userauth_pubkey_file(user, None, file, None),
            Key::OfAgent(blob) => {
                let agent = agent(session)?;
                let found = agent.identities()?.into_iter().find(|key| key.blob() == blob);
                let gone = || ssh2::Error::new(ssh2::ErrorCode::Session(-42), "the agent has it no more");
                agent.userauth(user, &found.ok_or_else(gone)?)
            }
        }
    }

    /// What is reported of a file that led to no login.
    pub(super) fn complaint(&self, error: &ssh2::Error) -> Option<String> {
        let Key::File(file) = self else { return None };
        let text = read(file);
        let why = match &text {
            None if !file.exists() => "no such file",
            Some(text) if PublicKey::from_openssh(text).is_ok() => {
                "a public key: name the file of the private one, or add that to ssh-agent"
            }
            Some(text) if is_encrypted(text) => "protected by a passphrase: ssh-add it to an agent",
            _ => error.message(),
        };
        Some(format!("{} ({why})", file.display()))
    }
}

fn agent(session: &Session) -> Result<Agent, ssh2::Error> {
    let mut agent = session.agent()?;
    agent.connect()?;
    agent.list_identities()?;
    Ok(agent)
}

fn read(file: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(file).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

fn is_encrypted(text: &str) -> bool {
    match PrivateKey::from_openssh(text) {
        Ok(key) => key.is_encrypted(),
        Err(_) => text.contains("ENCRYPTED"), // PEM, as older programs write it
    }
}

/// The public part of a key file, as SSH encodes it: its own, also where the private part is encrypted, or that of the file beside it.
fn public_part(file: &Path) -> Option<Vec<u8>> {
    let text = read(file)?;
    let own = match PublicKey::from_openssh(&text) {
        Ok(key) => Some(key),
        Err(_) => PrivateKey::from_openssh(&text).ok().map(|key| key.public_key().clone()),
    };
    let beside = || PublicKey::from_openssh(&read(&PathBuf::from(format!("{}.pub", file.display())))?).ok();
    own.or_else(beside)?.to_bytes().ok()
}

fn key_files(named: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![named.strip_prefix("~").ok().and_then(home).unwrap_or(named.into())];
    }
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| home(&Path::new(".ssh").join(name)));
    usual.into_iter().flatten().filter(|file| file.is_file()).collect()
}

/// A path in the home of the user.
pub(super) fn home(rest: &Path) -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("HOME")?).join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, text).unwrap();
        let error = ssh2::Error::new(ssh2::ErrorCode::Session(-18), "refused");
        let complaint = Key::File(file.clone()).complaint(&error).unwrap();
        complaint.replace(&file.display().to_string(), "key")
    }

    #[test]
    fn what_is_wrong_with_a_key_file_is_said() {
        let mut random = rand_core::OsRng;
        let key = PrivateKey::random(&mut random, ssh_key::Algorithm::Ed25519).unwrap();
        let ending = ssh_key::LineEnding::LF;
        assert_eq!(complaint(&key.to_openssh(ending).unwrap()), "key (refused)");
        let public = complaint(&key.public_key().to_openssh().unwrap());
        assert!(public.starts_with("key (a public key: "), "{public}");
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
        assert_eq!(complaint(old), "key (protected by a passphrase: ssh-add it to an agent)");
        let error = ssh2::Error::new(ssh2::ErrorCode::Session(-18), "refused");
        assert_eq!(Key::File("/no/key".into()).complaint(&error).unwrap(), "/no/key (no such file)");
    }

    #[test]
    fn the_public_part_of_a_private_key_is_that_of_the_public_file() {
        let key = PrivateKey::random(&mut rand_core::OsRng, ssh_key::Algorithm::Ed25519).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let of = |text: String| {
            let file = dir.path().join("key");
            std::fs::write(&file, text).unwrap();
            public_part(&file).unwrap()
        };
        let private = of(key.to_openssh(ssh_key::LineEnding::LF).unwrap().to_string());
        assert_eq!(private, of(key.public_key().to_openssh().unwrap()));
    }
}
