//! Why there are no samples.

use std::io;

/// Why there are no samples. Targets are numbered from 0.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A file of `/proc` could not be read.
    #[error("failed to read {what}")]
    Read {
        /// The file, or its content.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU ended during the trial.
    #[error("QEMU (process {pid}) of guest {} ended during the trial", .target + 1)]
    QemuGone {
        /// The target.
        target: usize,
        /// Its process.
        pid: i32,
    },
    /// A guest of Xen's ended during the trial.
    #[error("guest {} ({name}) ended during the trial", .target + 1)]
    DomainGone {
        /// The target.
        target: usize,
        /// Its name.
        name: String,
    },
    /// The interface does not exist, or has vanished.
    #[error("no interface {interface} for target {}", .target + 1)]
    InterfaceGone {
        /// The target.
        target: usize,
        /// Its interface.
        interface: String,
    },
    /// The sampling thread panicked.
    #[error("the sampling thread ended unexpectedly")]
    Broken,
}
