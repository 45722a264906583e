//! The ground of a run, opened: the lab's machines, libvirt on the VM host, the guests' files where QEMU can read them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::event::{Event, Events};
use crate::backend::Side;
use crate::backend::switch::OpenVswitch;
use crate::backend::wire::Wire;
use crate::guest::boot;
use crate::guest::placement;
use crate::lab::change::Change;
use crate::lab::far_ovs::Daemons;
use crate::lab::journal::{Entry, Journal};
use crate::lab::{Lab, RunId, State, clean, embedded, hardware};
use crate::libvirt::daemon::Daemon;
use crate::libvirt::{self, Hypervisor};
use crate::machine::Machine;
use crate::machine::ssh::Route;
use crate::machine::upload::upload;
use crate::profile::Machines;
use crate::raw::Accel;

/// The opened ground.
pub(super) struct Opened {
    pub lab: Lab,
    pub hypervisor: Hypervisor,
    /// The daemon behind the hypervisor, if there is one; its connection ends with the value.
    pub daemon: Option<Daemon>,
    pub site: boot::Site,
    pub files: GuestFiles,
}

/// What the guests boot, on the VM host; an initramfs stands in the directory, where [`placement`] says.
#[derive(Clone, Debug)]
pub(super) struct GuestFiles {
    /// Directory for what the guests read and write.
    pub directory: PathBuf,
    /// Kernel image, if they boot one.
    pub kernel: Option<PathBuf>,
    /// The cloud image under their disks, if they boot one.
    pub base: Option<Base>,
}

/// A cloud image.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// The file.
    pub path: PathBuf,
    /// Its length, bytes.
    pub length: u64,
    /// Its SHA-256, hexadecimal.
    pub digest: String,
}

/// What the embedded lab's guests are like.
pub(super) struct Guests {
    /// What runs their instructions.
    pub accel: Accel,
    /// Whether libvirt puts them into control groups for CPU time.
    pub cpu_groups: bool,
    /// Whether transparent huge pages are a setting of the experiment.
    pub huge_pages_matter: bool,
    /// What they boot.
    pub files: GuestFiles,
}

impl GuestFiles {
    /// Puts what the guests boot onto the VM host, into the run's directory there. libvirt gives each file to whoever QEMU
    /// runs as, and back afterwards.
    async fn place(self, lab: &Lab, run: &RunId, events: &Events) -> Result<GuestFiles> {
        let host = lab.side(Side::Host);
        let directory = hardware::host_directory(run);
        let target = directory.join("kernel");
        if let Some(kernel) = &self.kernel {
            bring(host, &placement::initramfs(&self.directory), &placement::initramfs(&directory)).await?;
            bring(host, kernel, &target).await?;
        }
        let base = match self.base {
            Some(base) => Some(base.place(lab, hardware::image_directory(run), events).await?),
            None => None,
        };
        Ok(GuestFiles { kernel: self.kernel.map(|_| target), directory, base })
    }
}

impl Base {
    /// Copies the image to the VM host for the run. libvirt gives each file under a guest's disk to whoever QEMU runs as:
    /// the copy may be given away, the image itself may not.
    async fn place(self, lab: &Lab, directory: PathBuf, events: &Events) -> Result<Base> {
        lab.make_directory(&directory).await?;
        let target = directory.join("base.qcow2");
        let told = tell(self.length, events.clone());
        let copied = upload(lab.side(Side::Host), &self.path, &target, told).await;
        let digest = copied.context("failed to bring the cloud image to the VM host")?;
        ensure!(
            digest == self.digest,
            "the cloud image that came to the VM host is not the one that was read first (SHA-256 {digest}, not {}): \
             did somebody write to {} meanwhile?",
            self.digest,
            self.path.display()
        );
        Ok(Base { path: target, ..self })
    }
}

/// Tells of each tenth of the way.
fn tell(length: u64, events: Events) -> impl FnMut(u64) + Send + 'static {
    let mut last = None;
    move |sent| {
        let tenths = (sent * 10).checked_div(length).unwrap_or(10);
        if last.replace(tenths) != Some(tenths) {
            let size = bytesize::ByteSize(length).display().iec();
            let step = format!("bringing the cloud image to the VM host: {} % of {size}", tenths * 10);
            drop(events.send(Event::Preparing(step)));
        }
    }
}

async fn bring(host: &Machine, file: &Path, target: &Path) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    host.write(&target.to_string_lossy(), bytes).await.context("failed to bring a file to the VM host")
}

/// This machine alone, in the private namespaces that the process is in already.
pub(super) async fn embedded(
    state: &State,
    wire: Wire,
    ovs: OpenVswitch,
    cache: &Path,
    guests: Guests,
    journal: &Journal,
) -> Result<Opened> {
    for path in clean::parent_cgroups(state) {
        // libvirt makes a parent group for its guests and leaves it; the last run that used it takes it away.
        journal.before(&Entry::here(Change::Cgroup { path }))?;
    }
    if guests.accel == Accel::Tcg && !guests.huge_pages_matter {
        without_huge_pages()?;
    }
    let root = state.libvirt_root();
    libvirt::prepare_embedded(&root, &cache.join("libvirt"), guests.cpu_groups)?;
    let hypervisor = Hypervisor::open(libvirt::embedded_uri(&root)).await?;
    let lab = embedded::create(&state.id, wire, ovs, journal.clone()).await;
    let lab = lab.context("failed to make the embedded lab")?;
    let host = lab.side(Side::Host).clone();
    let site = boot::Site { host, route: Route::Direct, pids: root.join("run/qemu") };
    Ok(Opened { lab, hypervisor, daemon: None, site, files: guests.files })
}

/// QEMU asks for huge pages, which hold 4 to 8 MiB of each guest that it never touched. Emulation is no slower without
/// them (KVM is: there they stay). The setting passes on to every process that this one starts.
fn without_huge_pages() -> Result<()> {
    nix::sys::prctl::set_thp_disable(true)
        .context("failed to switch transparent huge pages off for emulated guests")
}

/// A libvirt host and a tester; `switched`: with Open vSwitch.
pub(super) async fn hardware(
    state: &State,
    machines: &Machines,
    switched: bool,
    wire: Wire,
    files: GuestFiles,
    journal: &Journal,
    events: &Events,
) -> Result<Opened> {
    let lab = hardware::create(&state.id, machines, wire, journal.clone()).await;
    let mut lab = lab.context("failed to make the hardware lab")?;
    let host = lab.side(Side::Host).clone();
    if switched {
        let daemons = Daemons::ask(&host).await.context("failed to ask Open vSwitch on the VM host")?;
        let sockets = hardware::host_directory(&state.id).join("sockets");
        // Whoever QEMU runs as binds the guests' sockets, where libvirt does not.
        host.run(&["mkdir", "-m", "1777", &sockets.to_string_lossy()]).await?;
        lab.ovs = daemons.for_run(&sockets);
    }
    let daemon = Daemon::open(&host, &state.dir).await?;
    let files = files.place(&lab, &state.id, events).await?;
    let route = lab.machines.route().await?;
    let site = boot::Site { host, route, pids: hardware::PIDS.into() };
    Ok(Opened { hypervisor: daemon.hypervisor.clone(), daemon: Some(daemon), lab, site, files })
}
