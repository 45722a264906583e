//! The paths of a run's files on the VM host. Pure.
//!
//! All of them are in the run's state directory and are removed with it. Images that several runs share (the appliance, a
//! cloud image) are elsewhere and are only read.

use std::path::{Path, PathBuf};

/// The files of one guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestPaths {
    /// Output of its serial console.
    pub console: PathBuf,
    /// Its disk: a layer over the cloud image.
    pub overlay: PathBuf,
    /// The disk that configures it by cloud-init; holds the guests' private host key.
    pub seed: PathBuf,
}

/// The files of one guest of the run whose state directory is `state`.
pub fn guest_paths(state: &Path, guest: u32) -> GuestPaths {
    let file = |end: &str| state.join(format!("g{guest}.{end}"));
    GuestPaths { console: file("console"), overlay: file("qcow2"), seed: file("seed") }
}

/// The appliance's initramfs with the keys of the run.
pub fn initramfs(state: &Path) -> PathBuf {
    state.join("initramfs")
}
