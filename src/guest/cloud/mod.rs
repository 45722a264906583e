//! Cloud images: guests that boot a distribution's own disk image, configured by cloud-init.
//!
//! Contents, in the order of the work:
//!
//! - [`base`]: the image itself, shared and only read; whether it can be layered on
//! - [`seed`], `ready.sh`: the disk that cloud-init reads when the guest boots: keys, addresses, what to do last
//! - [`overlay`]: the qcow2 layer that one guest writes to
//!
//! The image is booted as it is: kernel, boot loader and services are its own. What kvmfair needs in it is cloud-init
//! (with the NoCloud data source), OpenSSH's server, iproute2, and netserver.

pub mod base;
pub mod overlay;
pub mod seed;

use std::path::{Path, PathBuf};

pub use base::{BaseError, BaseImage};

use super::appliance::NicOption;
use super::placement::GuestPaths;
use crate::libvirt::account::Account;
use crate::machine::ExecError;
use crate::machine::Machine;
use seed::RunSeed;

/// Why a guest has no disks.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// `qemu-img` refused, or the host refused a file.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The seed could not be made.
    #[error("failed to make the seed disk {}: {cause}", .path.display())]
    Seed {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: std::io::Error,
    },
}

/// The disks of one guest, not made yet.
#[derive(Clone, Debug)]
pub struct Disks {
    base: PathBuf,
    seed: RunSeed,
    name: String,
    nics: Vec<NicOption>,
    files: GuestPaths,
}

impl Disks {
    /// Disks over the image `base`, a path on the VM host, for the guest `name`, which finds its NICs by their MAC.
    pub fn new(base: &Path, seed: &RunSeed, name: &str, nics: Vec<NicOption>, files: GuestPaths) -> Disks {
        Disks { base: base.to_owned(), seed: seed.clone(), name: name.to_owned(), nics, files }
    }

    /// Makes them anew on the VM host, for `account` if QEMU does not run as root, without anything that an earlier boot wrote.
    /// The image is not changed.
    ///
    /// # Errors
    /// [`DiskError`] if a file cannot be written.
    pub async fn make(&self, host: &Machine, account: Option<&Account>) -> Result<(), DiskError> {
        let refused = |cause| DiskError::Seed { path: self.files.seed.clone(), cause };
        let bytes = self.seed.disk(&self.name, &self.nics).map_err(refused)?;
        // It holds a private key: only QEMU may read it.
        host.write(&self.files.seed.to_string_lossy(), bytes).await?;
        overlay::create(host, &self.base, &self.files.overlay).await?;
        if let Some(account) = account {
            account.own(host, &[&self.files.overlay, &self.files.seed]).await?;
        }
        Ok(())
    }

    /// Removes them after the guest has ended. Missing files are no error.
    ///
    /// # Errors
    /// [`ExecError`] if the host refuses.
    pub async fn remove(host: &Machine, files: &GuestPaths) -> Result<(), ExecError> {
        let (overlay, seed) = (files.overlay.to_string_lossy(), files.seed.to_string_lossy());
        host.run(&["rm", "-f", &overlay, &seed]).await.map(drop)
    }
}
