//! The appliance: the small guest that kvmfair boots, a kernel and an initramfs made of packages of this machine. Built
//! once, cached by the digest of everything it is made of, and rebuilt when any of that changes.
//!
//! Contents, in the order of the work:
//!
//! - `kernel`, `debian`: where the kernel comes from
//! - `modules`, `modinfo`: the NIC drivers, in loading order
//! - `userland`, `init.sh`: busybox, an SSH server, netperf, and the guest's init
//! - `archive`, `unpack`: the cpio archive; compressed kernels and modules in, gzip out
//! - `digest`, `cache`: content keys, manifest, lock
//! - `overlay`: the files of one run, laid over the image
//! - `options`: the kernel command line
//! - `tool`, `error`: processes, messages
//!
//! It does not start guests. netperf's licence forbids shipping it with kvmfair, so images stay on the machine that built
//! them.

mod archive;
mod cache;
mod debian;
mod digest;
mod error;
mod kernel;
mod modinfo;
mod modules;
mod options;
mod overlay;
mod tool;
mod unpack;
mod userland;

use std::path::{Path, PathBuf};

pub use cache::{Cached, Manifest, default_cache, list, remove};
pub use digest::Digested;
pub use error::ApplianceError;
pub use kernel::examine;
pub use options::{BOOT_OPTIONS, NicOption, kernel_options};
pub use overlay::{RunFiles, run_initramfs};

use archive::{ArchiveEntry, Content, Tree};
use kernel::Kernel;
use modules::{ModuleStore, Selection};

/// Version of the format: it changes whenever the same inputs would give another image.
const FORMAT: &str = "kvmfair appliance 1";

/// The line on the guest's console once SSH and netserver accept connections.
pub const READY: &str = "kvmfair: ready";

/// The line on the guest's console before it switches itself off; the reason follows.
pub const FAILED: &str = "kvmfair: failed: ";

/// An image that can be booted, together with the files of a run (see [`run_initramfs`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appliance {
    /// The kernel: uncompressed where QEMU can enter it so, else as packaged.
    pub kernel: PathBuf,
    /// The base initramfs, without any keys.
    pub initramfs: PathBuf,
    /// As `uname -r` prints it in the guest.
    pub kernel_version: String,
    /// Version of netperf and netserver in the guest.
    pub netperf_version: String,
    /// Compile-time options of netperf, of `demo`, `burst`, `histogram`, `interval`.
    pub netperf_capabilities: Vec<String>,
    /// NIC drivers of the guest, by module name.
    pub drivers: Vec<String>,
    /// Content key.
    pub key: String,
}

/// The image for this machine's packages: from the cache if it is intact there, else built now (about ten seconds,
/// most of it the kernel's download, which happens once).
///
/// `kernel` is the image that the profile names, with its modules in `/lib/modules`. `for_xen` takes none from the cache that lacks
/// the driver of Xen's guests. `progress` gets a line before each step that takes time. Blocks while another process builds.
///
/// # Errors
/// A program, a library or a kernel is missing, or the cache cannot be written; the message names the package.
pub fn ensure(
    cache: &Path,
    kernel: Option<&Path>,
    for_xen: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<Appliance, ApplianceError> {
    let _lock = cache::lock(cache)?;
    let kernel = kernel::find(cache, kernel, for_xen, progress)?;
    build_or_load(cache, &kernel, userland::userland()?, progress)
}

fn build_or_load(
    cache: &Path,
    kernel: &Kernel,
    mut tree: Tree,
    progress: &mut dyn FnMut(&str),
) -> Result<Appliance, ApplianceError> {
    let selection = ModuleStore::open(&kernel.modules)?.select()?;
    add_modules(&mut tree, &selection);
    let image = std::fs::read(&kernel.image).map_err(ApplianceError::io("read", &kernel.image))?;
    let inputs = inputs(&tree, &image);
    let key = key(&inputs);
    if let Some(appliance) = cache::load(cache, &key) {
        return Ok(appliance);
    }
    progress("building the guests' image");
    let manifest = manifest(key, kernel, selection.drivers, inputs)?;
    let initramfs = unpack::gzip(&tree.to_cpio().map_err(ApplianceError::io("pack", cache))?)?;
    match unpack::vmlinux(&image)? {
        Some(elf) => cache::store(cache, manifest, ("vmlinux", &elf), &initramfs),
        None => cache::store(cache, manifest, ("vmlinuz", &image), &initramfs),
    }
}

fn add_modules(tree: &mut Tree, selection: &Selection) {
    for module in selection.modules.values() {
        tree.file(&format!("lib/modules/{}.ko", module.name), 0o644, module.bytes.clone());
    }
    tree.file("lib/modules/drivers", 0o644, selection.table.clone().into_bytes());
}

/// All inputs of the image: the kernel, and path, mode and content of each file of the initramfs; directories and links
/// together are one input.
fn inputs(tree: &Tree, kernel: &[u8]) -> Vec<Digested> {
    let mut inputs =
        vec![Digested::of_bytes("format", FORMAT.as_bytes()), Digested::of_bytes("kernel", kernel)];
    let mut frame = String::new();
    for ArchiveEntry { path, mode, content } in tree.entries() {
        match content {
            Content::Directory => frame.push_str(&format!("{path} {mode:o}\n")),
            Content::File(bytes) => inputs.push(Digested::of_bytes(&format!("{path} {mode:o}"), bytes)),
            Content::Link(target) => frame.push_str(&format!("{path} -> {target}\n")),
        }
    }
    inputs.push(Digested::of_bytes("directories and links", frame.as_bytes()));
    inputs
}

fn key(inputs: &[Digested]) -> String {
    let lines: String = inputs.iter().map(|input| format!("{} {}\n", input.sha256, input.name)).collect();
    digest::sha256(lines.as_bytes())[..16].to_owned()
}

fn manifest(
    key: String,
    kernel: &Kernel,
    drivers: Vec<String>,
    inputs: Vec<Digested>,
) -> Result<Manifest, ApplianceError> {
    let (netperf_version, netperf_capabilities) = userland::netperf_facts()?;
    Ok(Manifest {
        key,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        built: jiff::Timestamp::now().to_string(),
        kernel_version: kernel.version.clone(),
        netperf_version,
        netperf_capabilities,
        drivers,
        inputs,
        outputs: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(change: impl FnOnce(&mut Tree)) -> Tree {
        let mut tree = Tree::default();
        tree.file("init", 0o755, b"#!/bin/sh".to_vec());
        tree.link("bin/sh", "busybox");
        change(&mut tree);
        tree
    }

    #[test]
    fn the_key_changes_with_every_input_and_with_nothing_else() {
        let key_with = |tree: Tree, kernel: &[u8]| key(&inputs(&tree, kernel));
        let plain = key_with(tree(|_| ()), b"kernel");
        assert_eq!(plain, key_with(tree(|_| ()), b"kernel"));
        assert_eq!(plain.len(), 16);
        let others = [
            key_with(tree(|_| ()), b"kernel2"),
            key_with(tree(|tree| tree.file("init", 0o755, b"#!/bin/ash".to_vec())), b"kernel"),
            key_with(tree(|tree| tree.file("init", 0o700, b"#!/bin/sh".to_vec())), b"kernel"),
            key_with(tree(|tree| tree.link("bin/sh", "dash")), b"kernel"),
            key_with(tree(|tree| tree.directory("tmp", 0o1777)), b"kernel"),
        ];
        assert!(others.iter().all(|other| *other != plain), "{plain} {others:?}");
    }
}
