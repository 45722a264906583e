//! Into the private namespaces of the embedded lab.
//!
//! Must run before any thread starts: a namespace belongs to a thread, and only those started later inherit it. After it
//! the process sees no network interface of the machine, and its own are seen by nobody else.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use super::LabError;
use crate::machine::local::NetNs;

/// What of the machine's `/sys` must stay in view although `/sys` is mounted anew.
const KEEP: [&str; 3] = ["/sys/fs/cgroup", "/sys/kernel/debug", "/sys/kernel/tracing"];

/// The machine's own network namespace, from inside the private one.
#[derive(Debug)]
pub struct Machine {
    /// Keeps it open.
    pub fd: OwnedFd,
    /// A path that `ip … netns` takes, as long as this process lives.
    pub path: String,
}

static MACHINE: OnceLock<Machine> = OnceLock::new();

/// The machine's own network namespace; `None` if this process never left it.
pub fn machine_network() -> Option<&'static Machine> {
    MACHINE.get()
}

/// Enters a network and a mount namespace of this process's own. `/sys` then shows the interfaces of the new network
/// namespace (it shows those of the namespace in which it was mounted).
///
/// # Errors
/// [`LabError::System`]; without root nothing has been changed.
pub fn private_namespaces(scratch: &Path) -> Result<(), LabError> {
    let fd: OwnedFd = std::fs::File::open("/proc/self/ns/net")
        .map_err(LabError::system("open the machine's network namespace"))?
        .into();
    let path = format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd());
    MACHINE.get_or_init(|| Machine { fd, path });
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .map_err(LabError::system("enter private namespaces (this needs root, CAP_SYS_ADMIN)"))?;
    bind(None, Path::new("/"), MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    let holder = scratch.join("sys");
    std::fs::create_dir_all(&holder).map_err(LabError::system(format!("create {}", holder.display())))?;
    bind(Some(Path::new("/sys")), &holder, MsFlags::MS_BIND | MsFlags::MS_REC)?;
    let fresh = mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), None::<&str>);
    fresh.map_err(LabError::system("mount sysfs for the private network namespace"))?;
    for path in KEEP.map(Path::new).into_iter().filter(|path| path.is_dir()) {
        let old = holder.join(path.strip_prefix("/sys").unwrap_or(path));
        bind(Some(&old), path, MsFlags::MS_BIND | MsFlags::MS_REC)?;
    }
    umount2(&holder, MntFlags::MNT_DETACH).map_err(LabError::system("unmount the machine's own /sys"))
}

fn bind(source: Option<&Path>, target: &Path, flags: MsFlags) -> Result<(), LabError> {
    mount(source, target, None::<&str>, flags, None::<&str>)
        .map_err(LabError::system(format!("mount {}", target.display())))
}

/// A further network namespace, alive as long as the descriptor is; this process does not enter it.
///
/// # Errors
/// [`LabError::System`] if the kernel refuses.
pub fn another_network() -> Result<NetNs, LabError> {
    let opened = std::thread::spawn(|| -> std::io::Result<OwnedFd> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        without_ipv6();
        Ok(std::fs::File::open("/proc/thread-self/ns/net")?.into())
    });
    let fd = opened.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread panicked")));
    Ok(Arc::new(fd.map_err(LabError::system("make the tester's network namespace"))?))
}

/// Switches IPv6 off in the network namespace of the calling thread: it would send router solicitations of its own over
/// the wire under test. A kernel without IPv6 has no such file, which is just as well.
pub fn without_ipv6() {
    for which in ["all", "default"] {
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1").ok();
    }
}
