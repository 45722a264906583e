//! Why a run directory cannot be written or read, each with the next step.

use std::path::PathBuf;

use crate::directory::FileError;
use crate::raw;

/// Why a run directory cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// A file is missing, is no regular file, is too large, or the file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The content is not what kvmfair writes.
    #[error(
        "{} is damaged, or not a file of this version of kvmfair: {cause} (hint: restore it from a copy of the run, or begin a new run)",
        .path.display()
    )]
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
    /// Its trials would be of two profiles.
    #[error("{} cannot be resumed: {what} (hint: begin a new run)", .dir.display())]
    Changed {
        /// The directory.
        dir: PathBuf,
        /// What changed, a sentence.
        what: String,
    },
    /// Its trials would be of two builds of kvmfair.
    #[error("{} cannot be resumed: {what} (hint: begin a new run, or accept the change with --accept-changes)", .dir.display())]
    OtherBuild {
        /// The directory.
        dir: PathBuf,
        /// What changed, a sentence.
        what: String,
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

impl RunDirError {
    /// Whether it is about one file alone: the rest of the run can be used.
    pub(super) fn is_of_one_file(&self) -> bool {
        matches!(self, RunDirError::File(_) | RunDirError::Content { .. } | RunDirError::Incomplete { .. })
    }

    /// What is wrong with the file, without its path: a report does not depend on where the run is.
    pub(super) fn cause(&self) -> String {
        match self {
            RunDirError::Content { cause, .. } => cause.clone(),
            RunDirError::Incomplete { .. } => "it is missing".into(),
            RunDirError::File(FileError::Kind { found, .. }) => format!("it is {found}"),
            RunDirError::File(FileError::TooLarge { length, most, .. }) => {
                format!("it has {length} bytes, and at most {most} are read")
            }
            RunDirError::File(FileError::System { cause, .. }) => cause.to_string(),
            other => other.to_string(),
        }
    }
}
