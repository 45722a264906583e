//! Why a file is not read or written, each with the next step.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a file is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("failed to {action} {}: {cause}{}", .path.display(), hint(.cause))]
    System {
        /// The verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Something else has its name.
    #[error("{} must be {wanted}, got {found} (hint: put {wanted} in its place, or remove it)", .path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// No file of kvmfair's is as large.
    #[error(
        "{} must have at most {most} bytes, got {length} (hint: kvmfair did not write it so: restore it from a copy, or remove it)",
        .path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What it has at least, bytes.
        length: u64,
        /// The bound, bytes.
        most: u64,
    },
    /// Other users can have written it.
    #[error(
        "{} {what}, and is not trusted (hint: look at what is in it; if it is yours, `chown` and `chmod go-w` it, else remove it)",
        .path.display()
    )]
    Foreign {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is, or its mode, as a predicate.
        what: String,
    },
}

impl FileError {
    /// For `map_err`: names what was tried.
    pub fn system<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> FileError + use<E> {
        let path = path.to_owned();
        move |cause| FileError::System { action, path, cause: cause.into() }
    }

    /// Whether there is no such file or directory.
    pub fn is_missing(&self) -> bool {
        let missing = [ErrorKind::NotFound, ErrorKind::NotADirectory];
        matches!(self, FileError::System { cause, .. } if missing.contains(&cause.kind()))
    }
}

/// The next step, where the error alone suggests one.
fn hint(cause: &io::Error) -> impl fmt::Display {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => " (hint: make room on its file system)",
        ErrorKind::FileTooLarge => " (hint: raise the limit on the size of files, `ulimit -f`)",
        ErrorKind::ReadOnlyFilesystem => " (hint: copy the directory to a file system that can be written)",
        ErrorKind::PermissionDenied => " (hint: run kvmfair as the owner of the file, or as root)",
        _ => "",
    }
}
