//! The part of preflight that asks for what the guests boot, and for the programs that make it ready.

use std::path::Path;

use super::preflight::{Finding, installed};
use crate::exec::blocking::find;
use crate::guest::{appliance, cloud};
use crate::profile::Image;

/// Looks at everything that guests of this image need before they can boot. Changes nothing.
pub fn look(image: &Image) -> Vec<Finding> {
    match image {
        Image::Appliance { .. } => {
            vec![installed("busybox", "busybox-static"), installed("dropbear", "dropbear-bin"), kernel()]
        }
        Image::Cloud { path, .. } => vec![installed("qemu-img", "qemu-utils"), base(path)],
    }
}

fn base(path: &Path) -> Finding {
    let what = "cloud image";
    match cloud::base::inspect(path) {
        Ok(base) => {
            let size = bytesize::ByteSize(base.size).display().iec();
            Finding::good(what, format!("{}, qcow2 version {}, {size}", base.path.display(), base.version))
        }
        Err(error) => Finding::bad(what, error.to_string(), error.fix()),
    }
}

fn kernel() -> Finding {
    let what = "guests' kernel";
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
