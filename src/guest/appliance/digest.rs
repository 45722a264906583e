//! Content digests: what a file contains, in a form that can be compared and written down.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ApplianceError;

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Name, size and digest of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// Path or name.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Digested {
    /// Describes `bytes` under `name`.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Digested {
        Digested { name: name.into(), bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }

    /// Describes the file at `path` under `name`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(name: &str, path: &Path) -> Result<Digested, ApplianceError> {
        Ok(Digested::of_bytes(name, &std::fs::read(path).map_err(ApplianceError::io("read", path))?))
    }

    /// Whether the file of that name in `dir` still is what it was.
    pub fn holds_in(&self, dir: &Path) -> bool {
        let path = dir.join(&self.name);
        path.metadata().is_ok_and(|data| data.len() == self.bytes)
            && Digested::of_file(&self.name, &path).is_ok_and(|now| now == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_usual_one() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn a_changed_truncated_or_missing_file_does_not_hold() {
        let dir = tempfile::tempdir().unwrap();
        let entry = Digested::of_bytes("file", b"content");
        assert!(!entry.holds_in(dir.path()));
        for (content, holds) in [("content", true), ("c0ntent", false), ("cont", false)] {
            std::fs::write(dir.path().join("file"), content).unwrap();
            assert_eq!(entry.holds_in(dir.path()), holds, "{content}");
        }
    }
}
