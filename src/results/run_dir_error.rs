//! Why a run directory cannot be written or read, each with the next step.

use std::path::PathBuf;

use crate::raw;

/// Why a run directory cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The file system refused.
    #[error("failed to {action} {}: {cause}", .path.display())]
    Io {
        /// The verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The content is not what kvmfair writes.
    #[error("{} is not a file of this version of kvmfair: {cause}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The parser's word.
        cause: String,
    },
    /// Another kvmfair wrote it.
    #[error(
        "{} is not a file of this version of kvmfair: it has {found}, this is format {} (hint: read the run with {writer}, \
         which wrote it)",
        .path.display(),
        raw::FORMAT
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format, in words.
        found: String,
        /// The version that reads it.
        writer: String,
    },
    /// There is no run.
    #[error("{} is not a run directory: it has no raw trials (hint: give a directory below `runs/`)", .0.display())]
    NotARun(PathBuf),
    /// A file that every run has is missing.
    #[error(
        "the run {} is incomplete: it has no {file} (hint: copy the whole directory of the run, or begin a new run)",
        .dir.display()
    )]
    Incomplete {
        /// The directory.
        dir: PathBuf,
        /// The file.
        file: String,
    },
    /// A merged run has several machines.
    #[error(
        "{} is a merged run, which cannot be resumed (hint: resume the part that lacks trials, named in its merged.json, and \
         merge again)",
        .0.display()
    )]
    Merged(PathBuf),
    /// Another process writes it.
    #[error(
        "{} is being written by another kvmfair (hint: let that one end, or end it with Ctrl-C, then resume)",
        .0.display()
    )]
    Busy(PathBuf),
}
