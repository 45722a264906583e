//! Gathers the facts that the subjects are judged by: one script that reads, and libvirt for the running guests.

use crate::host::facts::Facts;
use crate::host::{self, xl};
use crate::lab::machines;
use crate::libvirt::LibvirtError;
use crate::libvirt::daemon::{Daemon, LibvirtDriver};
use crate::machine::ExecError;
use crate::machine::Machine;
use crate::machine::SshError;
use crate::machine::login::Location;

/// Why a machine could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The machine does not answer, or refuses the login.
    #[error("failed to log in to the VM host: {source} (hint: {})", .source.fix())]
    Login {
        /// The step that failed.
        #[from]
        source: SshError,
    },
    /// The script did not run.
    #[error("failed to inspect the VM host: {0}")]
    Script(#[from] ExecError),
    /// It ran and printed nothing.
    #[error("the VM host reported no facts (hint: it must have a POSIX shell, grep, sed and /proc)")]
    NoFacts,
    /// The machine that kvmfair runs on has no threads or file descriptors left.
    #[error("failed to start a runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// The facts of the VM host. Changes nothing there.
///
/// # Errors
/// [`InspectError`] if it cannot be reached; a fact that it does not have is no error.
pub fn inspect(host: &Location) -> Result<Facts, InspectError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let machine = machines::open(host, "").await?;
        let facts = host::gather(&machine).await?;
        if facts.is_empty() {
            return Err(InspectError::NoFacts);
        }
        let driver = if xl::is_dom0(&facts) { LibvirtDriver::Xen } else { LibvirtDriver::Qemu };
        Ok(match guests(&machine, driver).await {
            Ok(guests) => facts.with("guests", guests),
            Err(LibvirtError::Call { cause, .. }) => facts.with("no guests", cause),
            Err(error) => facts.with("no guests", error.to_string()),
        })
    })
}

/// One line for each running guest: memory in KiB, vCPUs.
async fn guests(machine: &Machine, driver: LibvirtDriver) -> Result<String, LibvirtError> {
    let prepare = |cause| LibvirtError::Prepare { root: std::env::temp_dir(), cause };
    let directory = tempfile::tempdir().map_err(prepare)?;
    let daemon = Daemon::open(machine, driver, directory.path()).await?;
    let running = daemon.hypervisor.running().await?;
    Ok(running.iter().map(|guest| format!("{} {}\n", guest.memory_kib, guest.vcpus)).collect())
}
