//! Why a guest does not run.

use std::time::Duration;

use super::cloud::DiskError;
use crate::lab::LabError;
use crate::libvirt::LibvirtError;
use crate::machine::ExecError;

/// Why a guest does not run.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// libvirt refused a call.
    #[error(transparent)]
    Libvirt(#[from] LibvirtError),
    /// The lab was opened for bare metal only.
    #[error("there is no libvirt in a lab without guests")]
    NoHypervisor,
    /// The journal could not be written.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Its disks could not be made.
    #[error("guest {name}: {cause}")]
    Disk {
        /// Libvirt's name.
        name: String,
        /// The command that failed.
        cause: DiskError,
    },
    /// It did not answer in time, in any of its attempts.
    #[error(
        "guest {name} did not answer within {} s ({attempts} attempts); its console ends with: {console}",
        .limit.as_secs()
    )]
    NoAnswer {
        /// Libvirt's name.
        name: String,
        /// The time each attempt had.
        limit: Duration,
        /// Boots that were tried.
        attempts: u32,
        /// The last lines of its console.
        console: String,
    },
    /// QEMU ended: typically the guest's kernel panicked, or the host was short of memory.
    #[error("the QEMU of guest {name} has ended; the guest's console ends with: {console}")]
    Ended {
        /// Libvirt's name.
        name: String,
        /// The last lines of its console.
        console: String,
    },
    /// Its init reported that it cannot start its servers.
    #[error("guest {name} failed to start up: {reason}")]
    StartUp {
        /// Libvirt's name.
        name: String,
        /// The reason that it reported.
        reason: String,
    },
    /// Another machine answers at its address, or it refused the key.
    #[error("guest {name}: {cause}")]
    Ssh {
        /// Libvirt's name.
        name: String,
        /// The error of the session.
        cause: ExecError,
    },
    /// Its XML could not be written.
    #[error("failed to write the XML of guest {name}: {cause}")]
    Xml {
        /// Libvirt's name.
        name: String,
        /// The error of the writer.
        cause: std::io::Error,
    },
    /// A task panicked.
    #[error("a task that boots guests ended unexpectedly: {0}")]
    Task(#[from] tokio::task::JoinError),
}
