//! Which file of a run stands where on the VM host. Pure.
//!
//! All of them lie in the run's state directory and go with it. Images that several runs share (the appliance, a cloud
//! image) lie elsewhere and are only read.

use std::path::{Path, PathBuf};

/// The files of one guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestFiles {
    /// What it says on its serial console.
    pub console: PathBuf,
    /// What it writes to its disk, as a layer over the cloud image.
    pub overlay: PathBuf,
    /// The disk that tells cloud-init who it is; holds the guests' private host key.
    pub seed: PathBuf,
}

/// The files of one guest of the run whose state directory is `state`.
pub fn of_guest(state: &Path, guest: u32) -> GuestFiles {
    let file = |end: &str| state.join(format!("g{guest}.{end}"));
    GuestFiles { console: file("console"), overlay: file("qcow2"), seed: file("seed") }
}

/// The appliance's initramfs with the keys of the run.
pub fn initramfs(state: &Path) -> PathBuf {
    state.join("initramfs")
}
