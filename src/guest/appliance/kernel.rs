//! The guest's kernel: from the profile's path, the cache, Debian's package, or the host's own.
//!
//! A kernel package is downloaded and unpacked into the cache, never installed; only the image and the modules that the
//! guest can use stay. x86-64 only.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ApplianceError;
use super::debian;
use super::digest::Digested;
use super::modules::{ModuleStore, XEN, wanted};

/// A kernel with its modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The image, as packaged (bzImage) or uncompressed.
    pub image: PathBuf,
    /// The directory with `kernel/` and `modules.builtin`.
    pub modules: PathBuf,
    /// As `uname -r` prints it.
    pub version: String,
}

/// The record beside a kernel in the cache.
#[derive(Serialize, Deserialize)]
struct Record {
    version: String,
    wanted: Vec<String>,
    files: Vec<Digested>,
}

const RECORD: &str = "manifest.json";

/// Finds the kernel, downloading it if need be. The caller holds the cache's lock.
///
/// # Errors
/// No source has one; the message names the sources and the next step.
pub fn find(
    cache: &Path,
    explicit: Option<&Path>,
    for_xen: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<Kernel, ApplianceError> {
    if let Some(image) = explicit {
        return with_modules(image);
    }
    if let Some(kernel) = cached(cache, for_xen) {
        return Ok(kernel);
    }
    match debian::fetch(&cache.join("kernel"), progress) {
        Ok(unpacked) => keep(cache, &with_modules(&unpacked.image)?),
        Err(cause) => match host_kernel() {
            Some(kernel) => {
                progress(&format!("the guests get this machine's own kernel, {}: {cause}", kernel.version));
                Ok(kernel)
            }
            None => Err(cause),
        },
    }
}

/// The version of a kernel that a profile names.
///
/// # Errors
/// It does not exist, is not a kernel, or has no modules.
pub fn examine(image: &Path) -> Result<String, ApplianceError> {
    with_modules(image).map(|kernel| kernel.version)
}

/// A kernel image with the modules of its version: beside it as in a package, or where a system has them.
fn with_modules(image: &Path) -> Result<Kernel, ApplianceError> {
    let bytes = std::fs::read(image).map_err(ApplianceError::io("read", image))?;
    let version = version_of(&bytes).ok_or_else(|| ApplianceError::Format {
        path: image.display().to_string(),
        expected: "an x86 Linux kernel",
    })?;
    let beside = image.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    // Packages of Debian 13 and later keep them below usr.
    let in_package = ["lib/modules", "usr/lib/modules"].map(|modules| beside.join(modules));
    let modules = in_package
        .into_iter()
        .chain(["/lib/modules".into(), "/usr/lib/modules".into()])
        .map(|root| root.join(&version))
        .find(|dir| dir.join("kernel").is_dir())
        .ok_or_else(|| ApplianceError::Kernel {
            reason: format!("{} is {version}, and /lib/modules/{version} does not exist", image.display()),
            hint: "install the modules of that kernel, or leave `kernel` out of the profile".into(),
        })?;
    Ok(Kernel { image: image.into(), modules, version })
}

/// The version inside a bzImage (by its setup header) or an uncompressed kernel (by its banner).
fn version_of(image: &[u8]) -> Option<String> {
    let text = if image.get(0x202..0x206) == Some(b"HdrS") {
        let offset = u16::from_le_bytes([image[0x20e], image[0x20f]]);
        image.get(usize::from(offset) + 0x200..)?
    } else {
        const BANNER: &[u8] = b"Linux version ";
        image.starts_with(b"\x7fELF").then_some(())?;
        let at = image.windows(BANNER.len()).position(|window| window == BANNER)?;
        &image[at + BANNER.len()..]
    };
    let end = text.iter().position(|byte| *byte <= b' ')?;
    let version = std::str::from_utf8(&text[..end]).ok()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// The running kernel, where its image can be read.
fn host_kernel() -> Option<Kernel> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let release = release.trim();
    [format!("/boot/vmlinuz-{release}"), format!("/lib/modules/{release}/vmlinuz")]
        .iter()
        .find_map(|image| with_modules(Path::new(image)).ok())
}

/// The newest sound kernel of the cache that was cut down for the modules wanted today; one that guests of Xen's need not boot may
/// lack their driver.
fn cached(cache: &Path, for_xen: bool) -> Option<Kernel> {
    let entries = std::fs::read_dir(cache.join("kernel")).ok()?;
    let mut kernels: Vec<Kernel> = entries.filter_map(|entry| sound(&entry.ok()?.path(), for_xen)).collect();
    kernels.sort_by_key(|kernel| version_key(&kernel.version));
    kernels.pop()
}

fn sound(dir: &Path, for_xen: bool) -> Option<Kernel> {
    let record: Record = serde_json::from_slice(&std::fs::read(dir.join(RECORD)).ok()?).ok()?;
    let mut others = wanted();
    others.retain(|name| name != XEN);
    let has_modules = record.wanted == wanted() || (!for_xen && record.wanted == others);
    let good = has_modules && record.files.iter().all(|file| file.holds_in(dir));
    good.then(|| Kernel { image: dir.join("vmlinuz"), modules: dir.join("modules"), version: record.version })
}

/// The numbers in a version, so that 6.1.0-9 comes before 6.1.0-10.
fn version_key(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// Copies the image and the modules that matter to `kernel/<version>` of the cache, atomically.
fn keep(cache: &Path, kernel: &Kernel) -> Result<Kernel, ApplianceError> {
    let root = cache.join("kernel");
    let part = super::cache::scratch(&root)?;
    let mut files = vec![copy(&kernel.image, part.path(), "vmlinuz")?];
    for module in ModuleStore::open(&kernel.modules)?.select()?.modules.values() {
        let inside = module.file.strip_prefix(&kernel.modules).unwrap_or(&module.file);
        files.push(copy(&module.file, part.path(), &format!("modules/{}", inside.display()))?);
    }
    files.push(copy(&kernel.modules.join("modules.builtin"), part.path(), "modules/modules.builtin")?);
    let record = Record { version: kernel.version.clone(), wanted: wanted(), files };
    super::cache::write_json(&part.path().join(RECORD), &record)?;
    let target = root.join(&kernel.version);
    super::cache::replace(part, &target)?;
    sound(&target, false).ok_or_else(|| ApplianceError::Format {
        path: target.display().to_string(),
        expected: "a whole kernel",
    })
}

fn copy(from: &Path, dir: &Path, name: &str) -> Result<Digested, ApplianceError> {
    let to = dir.join(name);
    let parent = to.parent().unwrap_or(dir);
    std::fs::create_dir_all(parent).map_err(ApplianceError::io("create", parent))?;
    std::fs::copy(from, &to).map_err(ApplianceError::io("copy", from))?;
    Digested::of_file(name, &to)
}

#[cfg(test)]
mod tests {
    use super::super::modinfo::tests::fake_module;
    use super::*;

    fn bzimage(version: &str) -> Vec<u8> {
        let mut image = vec![0u8; 0x400];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100u16.to_le_bytes());
        image[0x300..0x300 + version.len()].copy_from_slice(version.as_bytes());
        image
    }

    /// A tree as a kernel package unpacks it.
    fn package(version: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let modules = dir.path().join("lib/modules").join(version);
        std::fs::create_dir_all(modules.join("kernel/net")).unwrap();
        std::fs::create_dir_all(dir.path().join("boot")).unwrap();
        for name in ["virtio_net", "virtio_pci", "sound"] {
            std::fs::write(modules.join(format!("kernel/net/{name}.ko")), fake_module(&["depends="]))
                .unwrap();
        }
        std::fs::write(modules.join("modules.builtin"), "").unwrap();
        let image = dir.path().join("boot/vmlinuz");
        std::fs::write(&image, bzimage(&format!("{version} (builder)"))).unwrap();
        (dir, image)
    }

    #[test]
    fn the_version_is_read_from_either_kind_of_image() {
        assert_eq!(version_of(&bzimage("6.1.0-9-amd64 (x)")).as_deref(), Some("6.1.0-9-amd64"));
        assert_eq!(version_of(b"\x7fELF Linux version 6.12.1 (gcc").as_deref(), Some("6.12.1"));
        assert_eq!(version_of(b"something else"), None);
    }

    #[test]
    fn a_kept_kernel_has_only_what_the_guest_can_use_and_is_found_again() {
        let (_package, image) = package("6.1.0-9-amd64");
        let cache = tempfile::tempdir().unwrap();
        let kept = keep(cache.path(), &with_modules(&image).unwrap()).unwrap();
        assert!(kept.modules.join("kernel/net/virtio_net.ko").exists());
        assert!(!kept.modules.join("kernel/net/sound.ko").exists());
        assert_eq!(cached(cache.path(), false), Some(kept));
    }

    #[test]
    fn modules_may_lie_below_usr_as_in_newer_packages() {
        let (package, image) = package("6.12.1-amd64");
        std::fs::create_dir(package.path().join("usr")).unwrap();
        std::fs::rename(package.path().join("lib"), package.path().join("usr/lib")).unwrap();
        assert!(with_modules(&image).unwrap().modules.starts_with(package.path().join("usr/lib/modules")));
    }

    #[test]
    fn the_newest_sound_kernel_of_the_cache_is_taken() {
        let cache = tempfile::tempdir().unwrap();
        let keep_version = |version| {
            let (_package, image) = package(version);
            keep(cache.path(), &with_modules(&image).unwrap()).unwrap()
        };
        let (older, newer) = (keep_version("6.1.0-9-amd64"), keep_version("6.1.0-10-amd64"));
        assert_eq!(cached(cache.path(), false), Some(newer.clone()));
        std::fs::write(&newer.image, "cut").unwrap();
        assert_eq!(cached(cache.path(), false), Some(older));
    }

    #[test]
    fn a_kernel_without_modules_says_which_directory_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("vmlinuz");
        std::fs::write(&image, bzimage("9.9.9-none ")).unwrap();
        let error = with_modules(&image).unwrap_err().to_string();
        assert!(error.contains("/lib/modules/9.9.9-none does not exist"), "{error}");
    }
}
