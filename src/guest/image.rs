//! The image that the guests boot, as the profile names it: found or built before the lab is made.

use std::path::Path;

use super::appliance::{self, Appliance, ApplianceError};
use super::cloud::{self, BaseError, BaseImage};
use crate::profile;

/// An image that guests can boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestImage {
    /// kvmfair's own.
    Appliance(Appliance),
    /// A distribution's.
    Cloud {
        /// The file.
        base: BaseImage,
        /// Its SHA-256, hexadecimal.
        digest: String,
        /// Whether a guest may install netperf if the image has none.
        install_netperf: bool,
    },
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The appliance cannot be built.
    #[error(transparent)]
    Appliance(#[from] ApplianceError),
    /// The cloud image cannot be used.
    #[error("{0} (hint: {hint})", hint = .0.fix())]
    Cloud(#[from] BaseError),
}

impl GuestImage {
    /// The kernel that the guests will run, as `uname -r` prints it; unknown for a cloud image before it has booted.
    pub fn kernel_version(&self) -> Option<&str> {
        match self {
            GuestImage::Appliance(appliance) => Some(&appliance.kernel_version),
            GuestImage::Cloud { .. } => None,
        }
    }

    /// Name and digest of a cloud image, by which somebody else can find out whether theirs is the same.
    pub fn fingerprint(&self) -> Option<String> {
        match self {
            GuestImage::Appliance(_) => None,
            GuestImage::Cloud { base, digest, .. } => {
                let name = base.path.file_name().unwrap_or_default().to_string_lossy();
                Some(format!("{name}, SHA-256 {digest}"))
            }
        }
    }
}

/// The image that a profile names; `progress` gets a line before each step that takes time.
///
/// # Errors
/// [`ImageError`] if it does not exist and cannot be built.
pub fn ensure(
    image: &profile::Image,
    cache: &Path,
    for_xen: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<GuestImage, ImageError> {
    Ok(match image {
        profile::Image::Appliance { kernel } => {
            GuestImage::Appliance(appliance::ensure(cache, kernel.as_deref(), for_xen, progress)?)
        }
        profile::Image::Cloud { path, install_netperf } => {
            let base = cloud::base::inspect(path)?;
            progress("reading the cloud image for its digest");
            GuestImage::Cloud { digest: base.digest()?, base, install_netperf: *install_netperf }
        }
    })
}
