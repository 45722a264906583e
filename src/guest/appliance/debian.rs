//! Debian's kernel package, downloaded and unpacked, not installed. apt decides the version and checks the signature.

use std::path::{Path, PathBuf};

use super::ApplianceError;
use super::tool::{tool, tool_in, which};

/// The package that always depends on the newest full kernel. (The cloud kernel has no e1000.)
const META: &str = "linux-image-amd64";

/// An unpacked package; the directory is removed when this is dropped.
pub struct Unpacked {
    /// The kernel image in it; its modules are in `../lib/modules`.
    pub image: PathBuf,
    _dir: tempfile::TempDir,
}

/// Downloads and unpacks the newest kernel into a temporary directory below `root`.
///
/// # Errors
/// No apt here, no package known, or the download fails.
pub fn fetch(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<Unpacked, ApplianceError> {
    which("apt-get", "apt")
        .map_err(|_| no_kernel("this is no Debian system, and /boot has no kernel image"))?;
    let package = newest()?;
    let dir = super::cache::scratch(root)?;
    progress(&format!("downloading the guests' kernel ({package}, about 70 MB)"));
    // root may drop to a user that cannot write here, which apt would warn of
    tool_in(dir.path(), &["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", &package])
        .map_err(stale)?;
    let archive = find(dir.path(), &|name| name.ends_with(".deb"))?;
    progress("unpacking the guests' kernel");
    let tree = dir.path().join("tree");
    tool(&["dpkg-deb", "-x", &archive.to_string_lossy(), &tree.to_string_lossy()])?;
    let boot = if tree.join("boot").is_dir() { tree.join("boot") } else { tree.join("usr/boot") };
    Ok(Unpacked { image: find(&boot, &|name| name.starts_with("vmlinuz-"))?, _dir: dir })
}

/// The package that the meta-package depends on today.
fn newest() -> Result<String, ApplianceError> {
    let listing = tool(&["apt-cache", "depends", META]).map_err(stale)?;
    parse_depends(&String::from_utf8_lossy(&listing))
        .ok_or_else(|| no_kernel(&format!("apt has no package {META}")))
}

fn parse_depends(listing: &str) -> Option<String> {
    let packages = listing.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    packages.map(str::trim).find(|name| name.starts_with("linux-image-")).map(str::to_owned)
}

fn find(dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<PathBuf, ApplianceError> {
    let entries = std::fs::read_dir(dir).map_err(ApplianceError::io("read", dir))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(wanted))
        .ok_or_else(|| no_kernel("the downloaded package contains none"))
}

fn stale(cause: ApplianceError) -> ApplianceError {
    no_kernel(&cause.to_string())
}

fn no_kernel(reason: &str) -> ApplianceError {
    let hint = "run `apt-get update` as root and try again, or give `kernel` in the profile".into();
    ApplianceError::Kernel { reason: reason.into(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_package_is_the_first_image_among_the_dependencies() {
        let listing = "linux-image-amd64\n  Depends: linux-base\n  Depends: linux-image-6.1.0-56-amd64\n  Suggests: grub\n";
        assert_eq!(parse_depends(listing).as_deref(), Some("linux-image-6.1.0-56-amd64"));
        assert_eq!(parse_depends("linux-image-amd64\n"), None);
    }

    #[test]
    fn a_failed_download_hints_at_stale_lists() {
        let error =
            stale(ApplianceError::Tool { command: "apt-get".into(), cause: "404".into() }).to_string();
        assert!(error.contains("404") && error.contains("apt-get update"), "{error}");
    }
}
