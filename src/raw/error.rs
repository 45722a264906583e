//! Why a file is no raw trial.

/// Why bytes are no raw trial.
#[derive(Debug, thiserror::Error)]
pub enum RawFileError {
    /// It is a raw trial of another format.
    #[error("it has format {0}")]
    Format(u32),
    /// Something else.
    #[error("it is not a raw trial of kvmfair")]
    Foreign,
    /// It was a raw trial once.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// zstd refused.
    #[error("it is damaged: {0}")]
    Zstd(std::io::Error),
    /// The line of JSON is not a trial's.
    #[error("its description is not a trial's: {0}")]
    Json(#[from] serde_json::Error),
}
