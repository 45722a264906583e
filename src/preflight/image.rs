//! What the guests boot, and the programs that make it ready on this machine.

use std::path::Path;

use super::CheckResult;
use super::machine::{NETPERF_PACKAGE, NETSERVER, programs};
use crate::guest::{appliance, cloud};
use crate::machine::Machine;
use crate::machine::blocking::find;
use crate::profile::{Experiment, Image};

/// Checks everything; an experiment without guests needs nothing.
pub(super) async fn examine(experiment: &Experiment) -> Vec<CheckResult> {
    if !experiment.has_guests() {
        return Vec::new();
    }
    match &experiment.image {
        Image::Appliance { kernel } => {
            let kernel = kernel.as_deref().map_or_else(any_kernel, named_kernel);
            let wanted = [
                ("netperf", NETPERF_PACKAGE),
                NETSERVER,
                ("busybox", "busybox-static"),
                ("dropbear", "dropbear-bin"),
                ("ethtool", "ethtool"),
            ];
            programs(&Machine::local(), &wanted).await.into_iter().chain([kernel]).collect()
        }
        Image::Cloud { path, .. } => vec![base(path)],
    }
}

/// Whether guests can boot a cloud image.
fn base(path: &Path) -> CheckResult {
    let what = "cloud image";
    match cloud::base::inspect(path) {
        Ok(base) => {
            let size = bytesize::ByteSize(base.size).display().iec();
            CheckResult::good(
                what,
                format!("{}, qcow2 version {}, {size}", base.path.display(), base.version),
            )
        }
        Err(error) => CheckResult::bad(what, error.to_string(), error.fix()),
    }
}

const KERNEL: &str = "guests' kernel";

fn named_kernel(path: &Path) -> CheckResult {
    match appliance::examine(path) {
        Ok(version) => CheckResult::good(KERNEL, format!("{}, Linux {version}", path.display())),
        Err(error) => {
            let fix = "name a bzImage or vmlinux whose modules are in /lib/modules, or leave `kernel` out";
            CheckResult::bad(KERNEL, error.to_string(), fix)
        }
    }
}

fn any_kernel() -> CheckResult {
    let what = KERNEL;
    let own = nix::sys::utsname::uname()
        .map(|name| name.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    if appliance::default_cache().join("kernel").is_dir() {
        return CheckResult::good(what, "in the cache");
    }
    if find("apt-get").is_some() {
        return CheckResult::good(what, "will be downloaded once (Debian's linux-image-amd64)");
    }
    let path = format!("/boot/vmlinuz-{own}");
    if Path::new(&path).exists() {
        return CheckResult::good(what, path);
    }
    CheckResult::bad(what, "none", "name one in the profile: [guest] kernel = \"/boot/vmlinuz-…\"")
}
