//! The files that differ from run to run (keys), as a second archive after the base image. The base is never rebuilt for them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::ApplianceError;
use super::archive::Tree;

/// The host key of the guest's SSH server.
pub const HOST_KEY: &str = "etc/dropbear/host_key";

/// Files of one run.
#[derive(Clone, Default)]
pub struct RunFiles {
    /// The guests' host key in dropbear's format.
    pub host_key_dropbear: Vec<u8>,
    /// The line of `authorized_keys`.
    pub authorized_key: String,
    /// Anything else: path in the guest, permission bits, bytes.
    pub extra: Vec<(String, u32, Vec<u8>)>,
}

impl RunFiles {
    /// The overlay as an archive of its own.
    pub fn to_cpio(&self) -> std::io::Result<Vec<u8>> {
        let mut tree = Tree::default();
        tree.directory("root", 0o700);
        tree.directory("root/.ssh", 0o700);
        let line = format!("{}\n", self.authorized_key.trim_end());
        tree.file("root/.ssh/authorized_keys", 0o600, line.into_bytes());
        tree.file(HOST_KEY, 0o600, self.host_key_dropbear.clone());
        for (path, mode, bytes) in &self.extra {
            tree.file(path, *mode, bytes.clone());
        }
        tree.to_cpio()
    }
}

/// Writes `target`: the base initramfs followed by the run's files. Only its owner can read it, because it holds a private key;
/// an older file is replaced atomically.
///
/// # Errors
/// The base cannot be read, or the directory of `target` cannot be written.
pub fn run_initramfs(base: &Path, files: &RunFiles, target: &Path) -> Result<(), ApplianceError> {
    let mut bytes = std::fs::read(base).map_err(ApplianceError::io("read", base))?;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(files.to_cpio().map_err(ApplianceError::io("pack", target))?);
    let part = partial(target);
    let _ = std::fs::remove_file(&part);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    written.and_then(|mut file| file.write_all(&bytes)).map_err(ApplianceError::io("write", &part))?;
    std::fs::rename(&part, target).map_err(ApplianceError::io("write", target))
}

fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::super::archive::{Content, read_all};
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn joined(base: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("base"), dir.path().join("run.cpio"));
        std::fs::write(&from, base).unwrap();
        let extra = vec![("etc/motd".to_owned(), 0o644, b"hello".to_vec())];
        let files =
            RunFiles { host_key_dropbear: b"secret".to_vec(), authorized_key: "ssh-ed25519 A".into(), extra };
        run_initramfs(&from, &files, &to).unwrap();
        (dir, to)
    }

    #[test]
    fn both_archives_are_read_and_the_private_parts_are_private() {
        let mut base = Tree::default();
        base.file("init", 0o755, b"#!/bin/sh".to_vec());
        let (_dir, file) = joined(&base.to_cpio().unwrap());
        let entries = read_all(&std::fs::read(&file).unwrap());
        let mode = |path: &str| entries.iter().find(|entry| entry.path == path).unwrap().mode;
        assert_eq!((mode("init"), mode("etc/motd")), (0o755, 0o644));
        assert_eq!(
            (mode(HOST_KEY), mode("root/.ssh/authorized_keys"), mode("root/.ssh")),
            (0o600, 0o600, 0o700)
        );
        let keys = entries.iter().find(|entry| entry.path.ends_with("authorized_keys")).unwrap();
        assert!(matches!(&keys.content, Content::File(bytes) if bytes == b"ssh-ed25519 A\n"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_base_of_odd_length_is_aligned_first() {
        let mut base = Tree::default().to_cpio().unwrap();
        base.truncate(base.len() - 3);
        let (_dir, file) = joined(&base);
        assert_eq!(read_all(&std::fs::read(file).unwrap()).len(), 7);
    }
}
