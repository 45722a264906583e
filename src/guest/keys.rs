//! SSH keys of one run: the client's key, and the host key that all guests of the run share.
//!
//! Both are made when the run starts and forgotten when it ends; no guest image contains any. Only ed25519, the one type
//! that ssh2, OpenSSH and dropbear have in common without parameters. No passphrases: the keys live in memory, and a file
//! made here can be read by its owner only.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rand_core::OsRng;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

/// Why keys could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The generator or an encoding failed; should not happen.
    #[error("failed to make an SSH key: {0}")]
    Make(#[from] ssh_key::Error),
    /// A key file could not be written.
    #[error("failed to write the key file {path}: {cause}")]
    Write {
        /// The file.
        path: String,
        /// The error of the system.
        cause: io::Error,
    },
}

/// The keys of one run.
pub struct RunKeys {
    client: PrivateKey,
    host: PrivateKey,
    host_pair: Ed25519Keypair,
}

impl RunKeys {
    /// New keys from the system's random numbers.
    ///
    /// `run` goes into the comment of both, so that the origin of a stray key is known.
    pub fn generate(run: &str) -> Result<RunKeys, KeyError> {
        let mut client = PrivateKey::random(&mut OsRng, Algorithm::Ed25519)?;
        client.set_comment(format!("kvmfair {run}"));
        let host_pair = Ed25519Keypair::random(&mut OsRng);
        let host = PrivateKey::new(host_pair.clone().into(), format!("kvmfair guests of {run}"))?;
        Ok(RunKeys { client, host, host_pair })
    }

    /// The client's private key in OpenSSH's PEM format, as ssh2's `userauth_pubkey_memory` takes it.
    pub fn client_pem(&self) -> Result<String, KeyError> {
        Ok(self.client.to_openssh(LineEnding::LF)?.to_string())
    }

    /// The client's public key as a line of `authorized_keys`, without the end of line.
    pub fn authorized_key(&self) -> Result<String, KeyError> {
        Ok(self.client.public_key().to_openssh()?)
    }

    /// The guests' private host key in dropbear's own format: the type, then seed and public key, each a length-prefixed
    /// string.
    pub fn host_key_dropbear(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(83);
        put_string(&mut bytes, b"ssh-ed25519");
        put_string(&mut bytes, &self.host_pair.to_bytes());
        bytes
    }

    /// The guests' private host key in OpenSSH's PEM format, for guests that run OpenSSH's server.
    pub fn host_key_pem(&self) -> Result<String, KeyError> {
        Ok(self.host.to_openssh(LineEnding::LF)?.to_string())
    }

    /// The guests' public host key as it travels in the SSH protocol: compare it with ssh2's `Session::host_key`.
    pub fn host_key_blob(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.host.public_key().to_bytes()?)
    }

    /// The guests' public host key as `known_hosts` has it after the address: `ssh-ed25519 AAAA…`.
    pub fn host_key_line(&self) -> Result<String, KeyError> {
        let line = self.host.public_key().to_openssh()?;
        Ok(line.split(' ').take(2).collect::<Vec<_>>().join(" "))
    }

    /// The fingerprint of the guests' host key, `SHA256:…` as OpenSSH prints it.
    pub fn host_fingerprint(&self) -> String {
        self.host.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Writes the client's private key, readable by its owner only, for a person who wants to log in with `ssh -i`.
    pub fn write_client_key(&self, path: &Path) -> Result<(), KeyError> {
        write_private(path, self.client_pem()?.as_bytes())
            .map_err(|cause| KeyError::Write { path: path.display().to_string(), cause })
    }
}

/// Writes a file that only its owner can read, also when it existed with a wider mode.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn dropbear_reads_the_host_key_and_sees_the_same_public_key() {
        let keys = RunKeys::generate("test").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("host_key");
        write_private(&file, &keys.host_key_dropbear()).unwrap();
        let out = Command::new("dropbearkey").args(["-y", "-f"]).arg(&file).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(
            text.contains(&keys.host_key_line().unwrap()),
            "{text}{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }

    #[test]
    fn our_dropbear_key_is_what_dropbearconvert_makes_of_the_openssh_key() {
        let keys = RunKeys::generate("test").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (pem, converted) = (dir.path().join("pem"), dir.path().join("converted"));
        write_private(&pem, keys.host_key_pem().unwrap().as_bytes()).unwrap();
        let status =
            Command::new("dropbearconvert").args(["openssh", "dropbear"]).arg(&pem).arg(&converted).output();
        assert!(status.unwrap().status.success());
        assert_eq!(std::fs::read(converted).unwrap(), keys.host_key_dropbear());
    }

    #[test]
    fn the_blob_is_what_the_line_encodes_and_the_fingerprint_is_its_digest() {
        let keys = RunKeys::generate("test").unwrap();
        let line: ssh_key::PublicKey = keys.host_key_line().unwrap().parse().unwrap();
        assert_eq!(line.to_bytes().unwrap(), keys.host_key_blob().unwrap());
        assert_eq!(line.fingerprint(HashAlg::Sha256).to_string(), keys.host_fingerprint());
        assert!(keys.host_fingerprint().starts_with("SHA256:"));
    }

    #[test]
    fn a_key_file_is_private_even_where_a_public_file_stood() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("client");
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let keys = RunKeys::generate("test").unwrap();
        keys.write_client_key(&file).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    }

    #[test]
    fn two_runs_never_share_a_key() {
        let (a, b) = (RunKeys::generate("a").unwrap(), RunKeys::generate("b").unwrap());
        assert_ne!(a.host_key_blob().unwrap(), b.host_key_blob().unwrap());
        assert_ne!(a.authorized_key().unwrap(), b.authorized_key().unwrap());
    }
}
