//! Why a guest is not there.

use std::time::Duration;

use super::cloud::DiskError;
use crate::lab::LabError;
use crate::libvirt::LibvirtError;
use crate::machine::ExecError;

/// Why a guest is not there.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// libvirt refused.
    #[error(transparent)]
    Libvirt(#[from] LibvirtError),
    /// The journal could not be written.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Its disks could not be made.
    #[error("guest {name}: {cause}")]
    Disk {
        /// Libvirt's name.
        name: String,
        /// What refused.
        cause: DiskError,
    },
    /// It did not answer in time, in any of its attempts.
    #[error(
        "guest {name} did not answer within {} s ({attempts} attempts); its console ends with: {console}",
        .limit.as_secs()
    )]
    Silent {
        /// Libvirt's name.
        name: String,
        /// The time each attempt had.
        limit: Duration,
        /// Boots that were tried.
        attempts: u32,
        /// The last lines of its console.
        console: String,
    },
    /// QEMU ended while the guest booted: typically its kernel panicked.
    #[error("guest {name} ended while it booted; its console ends with: {console}")]
    Died {
        /// Libvirt's name.
        name: String,
        /// The last lines of its console.
        console: String,
    },
    /// It said itself that it cannot serve.
    #[error("guest {name} failed to start up: {said}")]
    Failed {
        /// Libvirt's name.
        name: String,
        /// What it said.
        said: String,
    },
    /// Another machine answers at its address, or it refused the key.
    #[error("guest {name}: {cause}")]
    Ssh {
        /// Libvirt's name.
        name: String,
        /// The session's word.
        cause: ExecError,
    },
    /// The kernel gave its XML no place.
    #[error("failed to write the XML of guest {name}: {cause}")]
    Xml {
        /// Libvirt's name.
        name: String,
        /// The writer's word.
        cause: std::io::Error,
    },
    /// A task panicked.
    #[error("a task that boots guests ended unexpectedly: {0}")]
    Task(#[from] tokio::task::JoinError),
}
