//! Why there are no samples.

use std::io;

/// Why there are no samples. Targets are named by their position, from 0.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A file of `/proc` could not be read.
    #[error("failed to read {what}")]
    Read {
        /// The file, or what was wanted of it.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU ended during the trial.
    #[error("QEMU (process {pid}) of guest {} ended while it was watched", .target + 1)]
    QemuGone {
        /// The target.
        target: usize,
        /// Its process.
        pid: i32,
    },
    /// There is no such interface, or no longer.
    #[error("interface {interface} of target {} is not there", .target + 1)]
    InterfaceGone {
        /// The target.
        target: usize,
        /// Its interface.
        interface: String,
    },
    /// The sampling thread broke.
    #[error("the sampling thread ended before it was told to")]
    Broken,
}
