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
use crate::host_nic::HostNic;
use crate::machine::Machine;
use crate::machine::local::{Local, NetNs};

/// What of the machine's `/sys` must stay in view although `/sys` is mounted anew.
const KEEP: [&str; 3] = ["/sys/fs/cgroup", "/sys/kernel/debug", "/sys/kernel/tracing"];

/// The machine's own namespaces, from inside the private ones.
struct Outside {
    local: Local,
    /// The network, as a path that `ip … netns` takes as long as this process lives.
    netns: String,
}

static OUTSIDE: OnceLock<Outside> = OnceLock::new();

/// Commands in the machine's own namespaces, wherever this process is: only there has `/proc/sys/net` all settings, and `/sys`
/// shows the machine's own interfaces.
pub fn outside() -> Local {
    OUTSIDE.get().map_or_else(Local::default, |outside| outside.local.clone())
}

/// Sends NICs back to the machine's own network namespace, as far as they are in this process's private one.
pub async fn send_home(nics: impl Iterator<Item = &HostNic>) {
    for nic in nics.filter(|nic| Path::new("/sys/class/net").join(&nic.name).exists()) {
        send_home_from(&Machine::local(), nic).await;
    }
}

/// The same for one NIC that may be where the commands of `machine` run.
pub async fn send_home_from(machine: &Machine, nic: &HostNic) {
    if let Some(Outside { netns, .. }) = OUTSIDE.get() {
        // Where it is not, it need not be sent home from.
        machine.run(&["ip", "link", "set", "dev", &nic.name, "netns", netns]).await.ok();
    }
}

/// Enters a network and a mount namespace of this process's own. `/sys` then shows the interfaces of the new network
/// namespace (it shows those of the namespace in which it was mounted).
///
/// # Errors
/// [`LabError::System`]; without root nothing has been changed.
pub fn private_namespaces(scratch: &Path) -> Result<(), LabError> {
    let open = |kind: &str| -> Result<NetNs, LabError> {
        let file = std::fs::File::open(format!("/proc/self/ns/{kind}"));
        Ok(Arc::new(file.map_err(LabError::system("open the machine's namespaces"))?.into()))
    };
    let (network, mounts) = (open("net")?, open("mnt")?);
    let netns = format!("/proc/{}/fd/{}", std::process::id(), network.as_raw_fd());
    OUTSIDE.get_or_init(|| Outside { local: Local::in_netns(network).with_mounts(mounts), netns });
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
