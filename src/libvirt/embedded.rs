//! libvirt's embedded driver: QEMU's guests within this process, without a daemon.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{LibvirtError, in_query};

/// The embedded driver runs QEMU without virtlogd, security labels and mount namespaces, and gives no file another owner: nothing
/// that would need a daemon or leave a trace. A guest's description may name another user than root.
const QEMU_CONF: &str = "\
stdio_handler = \"file\"
user = \"root\"
group = \"root\"
security_driver = \"none\"
dynamic_ownership = 0
namespaces = []
max_queued = 0
";

/// What keeps guests out of groups for CPU time; `cpuacct` is mounted together with `cpu` on many machines.
const NO_CPU_GROUPS: &str = "cgroup_controllers = [\"cpuset\", \"memory\", \"devices\", \"blkio\"]\n";

/// Writes the embedded driver's configuration, with or without control groups for CPU time. Its cache of QEMU's capabilities is
/// kept between runs (the first probe takes seconds).
///
/// # Errors
/// [`LibvirtError::Prepare`] if a file cannot be written.
pub fn prepare(root: &Path, cache: &Path, cpu_groups: bool) -> Result<(), LibvirtError> {
    let with_mode = |path: &Path, mode: u32| -> std::io::Result<()> {
        std::fs::create_dir_all(path)?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
    };
    let write = || -> std::io::Result<()> {
        // QEMU passes them on its way to its own directory below.
        [root, &root.join("lib"), &root.join("lib/qemu")]
            .into_iter()
            .try_for_each(|path| with_mode(path, 0o711))?;
        with_mode(&root.join("etc"), 0o700)?;
        let groups = if cpu_groups { "" } else { NO_CPU_GROUPS };
        std::fs::write(root.join("etc/qemu.conf"), [QEMU_CONF, groups].concat())?;
        std::fs::create_dir_all(cache)?;
        std::os::unix::fs::symlink(cache, root.join("cache"))
    };
    write().map_err(|cause| LibvirtError::Prepare { root: root.to_owned(), cause })
}

/// The address of the embedded driver.
pub fn uri(root: &Path) -> String {
    format!("qemu:///embed?root={}", in_query(root))
}
