//! What the guests boot, and the programs that make it ready.

use std::path::Path;

use super::Finding;
use super::programs::{program, programs};
use crate::guest::{appliance, cloud};
use crate::machine::Machine;
use crate::machine::blocking::find;
use crate::profile::{Experiment, Image};

/// Checks everything; an experiment without guests needs nothing.
pub(super) async fn look(host: &Machine, experiment: &Experiment) -> Vec<Finding> {
    if experiment.configurations.iter().all(|configuration| configuration.vms == 0) {
        return Vec::new();
    }
    match &experiment.image {
        Image::Appliance { kernel } => {
            let kernel = kernel.as_deref().map_or_else(any_kernel, named_kernel);
            const PROGRAMS: [(&str, &str); 3] =
                [("busybox", "busybox-static"), ("dropbear", "dropbear-bin"), ("ethtool", "ethtool")];
            [programs(host, &PROGRAMS).await, vec![kernel]].concat()
        }
        Image::Cloud { path, .. } => vec![program(host, "qemu-img", "qemu-utils").await, base(path)],
    }
}

/// Whether guests can boot a cloud image.
pub(super) fn base(path: &Path) -> Finding {
    let what = "cloud image";
    match cloud::base::inspect(path) {
        Ok(base) => {
            let size = bytesize::ByteSize(base.size).display().iec();
            Finding::good(what, format!("{}, qcow2 version {}, {size}", base.path.display(), base.version))
        }
        Err(error) => Finding::bad(what, error.to_string(), error.fix()),
    }
}

const KERNEL: &str = "guests' kernel";

fn named_kernel(path: &Path) -> Finding {
    match appliance::examine(path) {
        Ok(version) => Finding::good(KERNEL, format!("{}, Linux {version}", path.display())),
        Err(error) => {
            let fix = "name a bzImage or vmlinux whose modules are in /lib/modules, or leave `kernel` out";
            Finding::bad(KERNEL, error.to_string(), fix)
        }
    }
}

fn any_kernel() -> Finding {
    let what = KERNEL;
    let own = nix::sys::utsname::uname()
        .map(|name| name.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    if appliance::default_cache().join("kernel").is_dir() {
        return Finding::good(what, "in the cache");
    }
    if find("apt-get").is_some() {
        return Finding::good(what, "will be downloaded once (Debian's linux-image-amd64)");
    }
    let path = format!("/boot/vmlinuz-{own}");
    if Path::new(&path).exists() {
        return Finding::good(what, path);
    }
    Finding::bad(what, "none", "name one in the profile: [guest] kernel = \"/boot/vmlinuz-…\"")
}
