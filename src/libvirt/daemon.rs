//! The libvirt daemon of a VM host: monolithic or modular, on this machine or behind an SSH session.
//!
//! libvirt's own SSH transport would log in by the system's `ssh`, with keys, ports and jump hosts of its own idea. Here
//! the daemon's socket comes over kvmfair's session instead, and libvirt gets a local path.

use std::path::Path;

use super::{Hypervisor, LibvirtError, in_query};
use crate::machine::Machine;
use crate::machine::forward::Forward;

/// What runs the guests, for libvirt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibvirtDriver {
    /// QEMU.
    Qemu,
    /// Xen.
    Xen,
}

impl LibvirtDriver {
    /// The first word of its addresses.
    fn scheme(self) -> &'static str {
        match self {
            LibvirtDriver::Qemu => "qemu",
            LibvirtDriver::Xen => "xen",
        }
    }

    /// Sockets of the daemons that run such guests, the modular one first.
    fn sockets(self) -> [&'static str; 2] {
        match self {
            LibvirtDriver::Qemu => ["/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock"],
            LibvirtDriver::Xen => ["/run/libvirt/virtxend-sock", "/run/libvirt/libvirt-sock"],
        }
    }
}

/// An open connection to a daemon.
pub struct Daemon {
    /// The connection.
    pub hypervisor: Hypervisor,
    _forward: Option<Forward>,
}

impl Daemon {
    /// Versions of a machine's libvirt and of what it drives, or what kept it from answering, in words.
    ///
    /// # Errors
    /// The message of whatever refused.
    pub async fn versions(machine: &Machine, driver: LibvirtDriver) -> Result<(String, String), String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let daemon =
            Daemon::open(machine, driver, directory.path()).await.map_err(|error| error.to_string())?;
        daemon.hypervisor.versions().await.map_err(|error| error.to_string())
    }

    /// Connects to the system's daemon on a machine; `directory` receives a socket where it is another machine.
    ///
    /// # Errors
    /// [`LibvirtError`] if there is no daemon or it refuses.
    pub async fn open(
        machine: &Machine,
        driver: LibvirtDriver,
        directory: &Path,
    ) -> Result<Daemon, LibvirtError> {
        let scheme = driver.scheme();
        let Machine::Remote(remote) = machine else {
            let hypervisor = Hypervisor::open(format!("{scheme}:///system")).await?;
            return Ok(Daemon { hypervisor, _forward: None });
        };
        let refused = |cause: String| LibvirtError::Call { action: "reach libvirt's daemon".into(), cause };
        let sockets = driver.sockets();
        let find = format!("for s in {}; do [ -S $s ] && echo $s && exit; done", sockets.join(" "));
        let found = machine.run(&["sh", "-c", &find]).await.map(|output| output.stdout.trim().to_owned());
        let found = found.unwrap_or_default();
        if found.is_empty() {
            return Err(refused(format!("there is neither {} nor {}", sockets[0], sockets[1])));
        }
        let tunnel = remote.tunnel().await.map_err(|error| refused(error.to_string()))?;
        let path = directory.join("libvirt.sock");
        let forward = Forward::listen(&path, tunnel, found).map_err(|error| refused(error.to_string()))?;
        let uri = format!("{scheme}+unix:///system?socket={}", in_query(&path));
        Ok(Daemon { hypervisor: Hypervisor::open(uri).await?, _forward: Some(forward) })
    }
}
