//! Asks a machine for what the subjects are judged by: one script that reads, and libvirt for the guests that run.

use crate::host;
use crate::host::facts::Facts;
use crate::lab::machines;
use crate::libvirt::LibvirtError;
use crate::libvirt::daemon::Daemon;
use crate::machine::ExecError;
use crate::machine::Machine;
use crate::machine::SshError;
use crate::machine::login::Location;

/// Why a machine could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// Nobody answers, or the login is refused.
    #[error("failed to log in to the VM host: {source} (hint: {})", .source.fix())]
    Login {
        /// The step that failed.
        #[from]
        source: SshError,
    },
    /// The script did not run.
    #[error("failed to look at the VM host: {0}")]
    Script(#[from] ExecError),
    /// It ran and said nothing.
    #[error("the VM host said nothing of itself (hint: it must have a POSIX shell, grep, sed and /proc)")]
    Silence,
    /// The machine that kvmfair runs on is out of something.
    #[error("failed to start a runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What the VM host says of itself. Changes nothing there.
///
/// # Errors
/// [`LookError`] if it cannot be asked; what it does not know is no error.
pub fn look(host: &Location) -> Result<Facts, LookError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let machine = machines::open(host, "").await?;
        let facts = host::gather(&machine).await?;
        if facts.is_empty() {
            return Err(LookError::Silence);
        }
        Ok(match guests(&machine).await {
            Ok(guests) => facts.with("guests", guests),
            Err(LibvirtError::Call { cause, .. }) => facts.with("no guests", cause),
            Err(error) => facts.with("no guests", error.to_string()),
        })
    })
}

/// One line for each guest that runs: memory in KiB, vCPUs.
async fn guests(machine: &Machine) -> Result<String, LibvirtError> {
    let prepare = |cause| LibvirtError::Prepare { root: std::env::temp_dir(), cause };
    let directory = tempfile::tempdir().map_err(prepare)?;
    let daemon = Daemon::open(machine, directory.path()).await?;
    let running = daemon.hypervisor.running().await?;
    Ok(running.iter().map(|guest| format!("{} {}\n", guest.memory_kib, guest.vcpus)).collect())
}
