//! What the guests boot: the appliance, or a cloud image and what goes with it.

use std::path::Path;

use super::{Fault, Validator};
use crate::factor::fault::nearest;
use crate::profile::Image;
use crate::profile::written::GuestSection;

/// The name of the system that kvmfair builds.
const APPLIANCE: &str = "appliance";

/// Whether a cloud image is named, by what can only be a path.
pub(super) fn is_cloud(guest: &GuestSection) -> bool {
    guest.image.as_deref().is_some_and(|image| image.contains(['.', '/']))
}

/// Checks the name of the image, and the keys that only one kind of image takes.
pub(super) fn check(check: &mut Validator, guest: &GuestSection) {
    if is_cloud(guest) {
        if guest.kernel.is_some() {
            check.fault("guest.kernel", kernel_of_its_own());
        }
        return;
    }
    if let Some(image) = guest.image.as_deref().filter(|image| *image != APPLIANCE) {
        check.fault("guest.image", unknown(image));
    } else if guest.install_netperf == Some(true) {
        check.fault("guest.install_netperf", nothing_to_install());
    }
}

/// What was written, with paths from the profile's directory on.
pub(super) fn image(guest: GuestSection, directory: &Path) -> Image {
    let cloud = is_cloud(&guest);
    match guest.image {
        Some(path) if cloud => Image::Cloud {
            path: directory.join(path),
            install_netperf: guest.install_netperf.unwrap_or(false),
        },
        _ => Image::Appliance { kernel: guest.kernel.map(|kernel| directory.join(kernel)) },
    }
}

fn kernel_of_its_own() -> Fault {
    let hint = "leave `kernel` out, or boot it with image = \"appliance\"";
    Fault::new("a cloud image boots its own kernel", "not this one", hint)
}

fn nothing_to_install() -> Fault {
    let hint = "leave `install_netperf` out: it is for cloud images";
    Fault::new("the appliance has netperf already", "nothing to install", hint)
}

fn unknown(image: &str) -> Fault {
    let hint = match nearest(image, [APPLIANCE].into_iter()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("use \"{APPLIANCE}\", or the path of a qcow2 file, for example \"./{image}.qcow2\""),
    };
    Fault::new(format!("unknown image `{image}`"), "neither \"appliance\" nor a path", hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Experiment, HostFacts, parse};

    const FACTS: HostFacts = HostFacts { memory_mib: 2048, cpus: 2 };
    const LEAST: &str = "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"virtio\"\n";

    fn parsed(more: &str) -> Experiment {
        parse(&format!("{LEAST}{more}"), Path::new("lab/p.toml"), FACTS).expect("valid")
    }

    #[test]
    fn a_relative_kernel_starts_at_the_profile() {
        let with = |kernel: &str| Image::Appliance { kernel: Some(kernel.into()) };
        assert_eq!(parsed("guest.kernel = \"bzImage\"").image, with("lab/bzImage"));
        assert_eq!(parsed("guest.kernel = \"/boot/vmlinuz\"").image, with("/boot/vmlinuz"));
    }

    #[test]
    fn a_relative_image_starts_at_the_profile() {
        let cloud = |path: &str| Image::Cloud { path: path.into(), install_netperf: false };
        assert_eq!(parsed("guest.image = \"debian.qcow2\"").image, cloud("lab/debian.qcow2"));
        assert_eq!(parsed("guest.image = \"../debian\"").image, cloud("lab/../debian"));
        assert_eq!(parsed("guest.image = \"/images/debian.img\"").image, cloud("/images/debian.img"));
        assert_eq!(parsed("guest.image = \"appliance\"").image, Image::Appliance { kernel: None });
    }

    #[test]
    fn a_cloud_image_has_more_memory_and_more_time_to_boot_unless_something_is_written() {
        let memory = |more| parsed(more).configurations[0].memory_mib;
        assert_eq!((memory(""), memory("guest.image = \"a.qcow2\"")), (128, 512));
        assert_eq!(memory("guest = { image = \"a.qcow2\", memory = \"256 MiB\" }"), 256);
        let boot = |more| parsed(more).limits.boot.as_secs();
        assert_eq!((boot(""), boot("guest.image = \"a.qcow2\"")), (120, 300));
        assert_eq!(boot("guest.image = \"a.qcow2\"\nlimits.boot = \"90 s\""), 90);
    }
}
