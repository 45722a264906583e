//! The cache directory: its layout, the manifest of each image, and how entries are added and removed as a whole.
//!
//! Writers hold the lock, build in a scratch directory beside the target and rename it. Readers check every file against
//! the manifest. How an image is made is not decided here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::digest::Digested;
use super::{Appliance, ApplianceError};

/// Name of the initramfs in an entry.
pub const INITRAMFS: &str = "initramfs.cpio.gz";
const MANIFEST: &str = "manifest.json";
const SCRATCH: &str = ".new-";

/// The inputs of an image, and the version of kvmfair that built it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Content key: the first 16 hexadecimal digits of the digest of all inputs.
    pub key: String,
    /// kvmfair's version.
    pub tool_version: String,
    /// When it was built (RFC 3339).
    pub built: String,
    /// The kernel's version.
    pub kernel_version: String,
    /// netperf's version.
    pub netperf_version: String,
    /// What netperf was built with, of `demo`, `burst`, `histogram`, `interval`.
    pub netperf_capabilities: Vec<String>,
    /// NIC drivers of the guest.
    pub drivers: Vec<String>,
    /// All inputs.
    pub inputs: Vec<Digested>,
    /// The kernel and the initramfs, in that order.
    pub outputs: Vec<Digested>,
}

/// An image in the cache.
#[derive(Clone, Debug)]
pub struct Cached {
    /// Its directory.
    pub dir: PathBuf,
    /// Its manifest; `None` if that cannot be read.
    pub manifest: Option<Manifest>,
    /// Whether all files are unchanged since the build.
    pub sound: bool,
    /// Size on disk, bytes.
    pub bytes: u64,
}

/// The cache directory of this user: `$XDG_CACHE_HOME/kvmfair`, else `~/.cache/kvmfair`, else `/var/cache/kvmfair`.
pub fn default_cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    cache_from(variable("XDG_CACHE_HOME"), variable("HOME"))
}

fn cache_from(xdg: Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    let base = xdg.filter(|path| path.is_absolute()).or_else(|| home.map(|home| home.join(".cache")));
    base.unwrap_or_else(|| "/var/cache".into()).join("kvmfair")
}

/// Waits for the cache's lock; it is released when the file is dropped, also by a kill.
pub fn lock(cache: &Path) -> Result<File, ApplianceError> {
    fs::create_dir_all(cache).map_err(ApplianceError::io("create", cache))?;
    let path = cache.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(ApplianceError::io("open", &path))?;
    file.lock().map_err(ApplianceError::io("lock", &path))?;
    Ok(file)
}

/// Every image of the cache.
///
/// # Errors
/// The directory exists and cannot be read.
pub fn list(cache: &Path) -> Result<Vec<Cached>, ApplianceError> {
    let dirs = subdirectories(&cache.join("appliance"))?;
    Ok(dirs.into_iter().filter(|dir| !is_scratch(dir)).map(describe).collect())
}

fn describe(dir: PathBuf) -> Cached {
    let manifest = manifest(&dir);
    let sound = manifest.as_ref().is_some_and(|manifest| holds(manifest, &dir));
    Cached { manifest, sound, bytes: size(&dir), dir }
}

/// Removes all images and kernels and returns the bytes that were freed.
///
/// # Errors
/// Something cannot be removed.
pub fn remove(cache: &Path) -> Result<u64, ApplianceError> {
    if !cache.exists() {
        return Ok(0);
    }
    let _lock = lock(cache)?;
    let mut freed = 0;
    for dir in ["appliance", "kernel"].map(|name| cache.join(name)) {
        freed += size(&dir);
        remove_dir(&dir)?;
    }
    Ok(freed)
}

/// The image with this key, if it exists and is intact.
pub fn load(cache: &Path, key: &str) -> Option<Appliance> {
    let dir = cache.join("appliance").join(key);
    let manifest = manifest(&dir)?;
    holds(&manifest, &dir).then(|| appliance(&dir, manifest))
}

/// Puts an image into the cache: `kernel` is the name and the bytes of the kernel.
pub fn store(
    cache: &Path,
    mut manifest: Manifest,
    kernel: (&str, &[u8]),
    initramfs: &[u8],
) -> Result<Appliance, ApplianceError> {
    let root = cache.join("appliance");
    let part = scratch(&root)?;
    for (name, bytes) in [kernel, (INITRAMFS, initramfs)] {
        let path = part.path().join(name);
        fs::write(&path, bytes).map_err(ApplianceError::io("write", &path))?;
        manifest.outputs.push(Digested::of_bytes(name, bytes));
    }
    write_json(&part.path().join(MANIFEST), &manifest)?;
    let target = root.join(&manifest.key);
    replace(part, &target)?;
    Ok(appliance(&target, manifest))
}

fn appliance(dir: &Path, manifest: Manifest) -> Appliance {
    let kernel = manifest.outputs.first().map_or("vmlinuz", |kernel| kernel.name.as_str());
    Appliance {
        kernel: dir.join(kernel),
        initramfs: dir.join(INITRAMFS),
        kernel_version: manifest.kernel_version,
        netperf_version: manifest.netperf_version,
        netperf_capabilities: manifest.netperf_capabilities,
        drivers: manifest.drivers,
        key: manifest.key,
    }
}

fn manifest(dir: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(dir.join(MANIFEST)).ok()?).ok()
}

fn holds(manifest: &Manifest, dir: &Path) -> bool {
    manifest.outputs.len() == 2 && manifest.outputs.iter().all(|file| file.holds_in(dir))
}

/// A directory below `root` that is removed unless [`replace`] keeps it. Directories of a killed builder are removed: the caller
/// holds the lock, so no other process is building; the caller's own directories have its process id in their names.
pub fn scratch(root: &Path) -> Result<TempDir, ApplianceError> {
    fs::create_dir_all(root).map_err(ApplianceError::io("create", root))?;
    let own = format!("{SCRATCH}{}-", std::process::id());
    let foreign = |dir: &PathBuf| is_scratch(dir) && !file_name(dir).starts_with(&own);
    subdirectories(root)?.iter().filter(|dir| foreign(dir)).try_for_each(|dir| remove_dir(dir))?;
    tempfile::Builder::new().prefix(&own).tempdir_in(root).map_err(ApplianceError::io("create", root))
}

/// Moves a scratch directory to its place, replacing a damaged one.
pub fn replace(part: TempDir, target: &Path) -> Result<(), ApplianceError> {
    use std::os::unix::fs::PermissionsExt;
    remove_dir(target)?;
    let path = part.keep();
    let open = fs::set_permissions(&path, fs::Permissions::from_mode(0o755));
    open.and_then(|()| fs::rename(&path, target)).map_err(ApplianceError::io("move", &path))
}

/// Writes indented JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ApplianceError> {
    let text = serde_json::to_vec_pretty(value).map_err(std::io::Error::from);
    text.and_then(|text| fs::write(path, text)).map_err(ApplianceError::io("write", path))
}

fn remove_dir(dir: &Path) -> Result<(), ApplianceError> {
    match fs::remove_dir_all(dir) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(ApplianceError::io("remove", dir)(cause))
        }
        _ => Ok(()),
    }
}

fn subdirectories(dir: &Path) -> Result<Vec<PathBuf>, ApplianceError> {
    let entries = match fs::read_dir(dir) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(ApplianceError::io("read", dir))?,
    };
    let mut dirs: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    dirs.sort();
    Ok(dirs)
}

fn is_scratch(dir: &Path) -> bool {
    file_name(dir).starts_with(SCRATCH)
}

fn file_name(dir: &Path) -> &str {
    dir.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Bytes of all files below `dir`; unreadable ones count as 0.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_manifest(key: &str) -> Manifest {
        Manifest {
            key: key.into(),
            tool_version: "0".into(),
            built: "2026-01-01T00:00:00Z".into(),
            kernel_version: "6.1".into(),
            netperf_version: "2.7.0".into(),
            netperf_capabilities: vec!["demo".into()],
            drivers: vec!["virtio_net".into()],
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn stored(cache: &Path) -> Appliance {
        store(cache, test_manifest("abc"), ("vmlinux", b"kernel"), b"initramfs").unwrap()
    }

    #[test]
    fn a_stored_image_is_loaded_and_listed() {
        let cache = tempfile::tempdir().unwrap();
        let appliance = stored(cache.path());
        assert_eq!(load(cache.path(), "abc"), Some(appliance));
        assert_eq!(load(cache.path(), "other"), None);
        let listed = list(cache.path()).unwrap();
        assert!(listed.len() == 1 && listed[0].sound && listed[0].bytes > 15);
    }

    #[test]
    fn damage_of_any_kind_is_noticed_and_repaired_by_storing_again() {
        let cache = tempfile::tempdir().unwrap();
        let appliance = stored(cache.path());
        let manifest = appliance.kernel.with_file_name(MANIFEST);
        for (file, content) in
            [(&appliance.kernel, "kerne1"), (&appliance.initramfs, "init"), (&manifest, "{}")]
        {
            fs::write(file, content).unwrap();
            assert_eq!(load(cache.path(), "abc"), None, "{}", file.display());
            assert!(!list(cache.path()).unwrap()[0].sound);
            stored(cache.path());
            assert!(load(cache.path(), "abc").is_some());
        }
        fs::remove_file(&appliance.initramfs).unwrap();
        assert_eq!(load(cache.path(), "abc"), None);
    }

    #[test]
    fn directories_of_a_killed_builder_are_removed_and_never_listed() {
        let cache = tempfile::tempdir().unwrap();
        let left = cache.path().join("appliance/.new-0-left");
        fs::create_dir_all(&left).unwrap();
        assert!(list(cache.path()).unwrap().is_empty());
        stored(cache.path());
        assert!(!left.exists());
    }

    #[test]
    fn removing_leaves_nothing_and_returns_the_size() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(remove(&cache.path().join("none")).unwrap(), 0);
        stored(cache.path());
        assert!(remove(cache.path()).unwrap() > 15);
        assert!(list(cache.path()).unwrap().is_empty());
    }

    #[test]
    fn the_cache_follows_the_environment() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(cache_from(path("/x"), path("/h")), Path::new("/x/kvmfair"));
        assert_eq!(cache_from(path("relative"), path("/h")), Path::new("/h/.cache/kvmfair"));
        assert_eq!(cache_from(None, None), Path::new("/var/cache/kvmfair"));
    }
}
