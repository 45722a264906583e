//! The lab of a run, opened: its machines, libvirt on the VM host, the guests' files where QEMU can read them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::event::{Event, Events};
use super::qemu_user::QemuUser;
use crate::backend::Side;
use crate::backend::wire::Wire;
use crate::guest::boot;
use crate::guest::placement;
use crate::lab::{Lab, State, clean, directories, dom0, embedded, hardware, ovs, real_time};
use crate::libvirt::account::Access;
use crate::libvirt::daemon::{Daemon, LibvirtDriver};
use crate::libvirt::{Hypervisor, embedded as driver};
use crate::machine::Machine;
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::machine::ssh::Route;
use crate::machine::upload::upload;
use crate::profile::{Experiment, Factor};
use crate::raw::Accel;

/// The opened lab.
pub(super) struct OpenLab {
    pub lab: Lab,
    /// `None` where nothing has guests.
    pub hypervisor: Option<Hypervisor>,
    /// The daemon behind the hypervisor, if there is one; its connection ends with the value.
    pub daemon: Option<Daemon>,
    pub guest_host: boot::GuestSite,
    /// Who QEMU runs as, where that is not the daemon's choice.
    pub qemu_user: Option<QemuUser>,
    pub files: GuestFiles,
}

/// What the guests boot, on the VM host; an initramfs is in the directory, under the name of [`placement`].
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

/// What the lab needs for its guests.
pub(super) struct GuestInputs<'a> {
    /// What runs their instructions.
    pub accel: Accel,
    /// Directory for what may be kept between runs.
    pub cache: &'a Path,
    /// What they boot.
    pub files: GuestFiles,
}

impl GuestFiles {
    /// Puts what the guests boot onto the VM host, into the run's directory there. A daemon gives each file to the user that QEMU
    /// runs as, and back afterwards; without one `user` is to read them.
    async fn place(
        self,
        lab: &Lab,
        directory: PathBuf,
        user: Option<&QemuUser>,
        events: &Events,
    ) -> Result<GuestFiles> {
        let account = user.and_then(QemuUser::account);
        let host = lab.side(Side::Host);
        let target = directory.join("kernel");
        if let Some(kernel) = &self.kernel {
            let initramfs = placement::initramfs(&directory);
            copy_to(host, &placement::initramfs(&self.directory), &initramfs).await?;
            copy_to(host, kernel, &target).await?;
            if let Some(account) = account {
                account.let_read(host, &[&initramfs, &target]).await?;
            }
        }
        let base = match self.base {
            Some(base) if can_read(host, user, &base.path).await => Some(base),
            Some(base) => {
                let base = base.place(lab, directories::of_image(&lab.names.run), events).await?;
                if let Some(account) = account {
                    account.let_read(host, &[&base.path]).await?;
                }
                Some(base)
            }
            None => None,
        };
        Ok(GuestFiles { kernel: self.kernel.map(|_| target), directory, base })
    }
}

impl Base {
    /// Copies the image to the VM host for the run. libvirt changes the owner of each file under a guest's disk, which
    /// must not happen to the image itself.
    async fn place(self, lab: &Lab, directory: PathBuf, events: &Events) -> Result<Base> {
        lab.make_directory(&directory).await?;
        let target = directory.join("base.qcow2");
        let report = report_tenths(self.length, events.clone());
        let copied = upload(lab.side(Side::Host), &self.path, &target, report).await;
        let digest = copied.context("failed to copy the cloud image to the VM host")?;
        ensure!(
            digest == self.digest,
            "the copy of the cloud image on the VM host differs from the image that was read first (SHA-256 {digest}, not {}): \
             was {} written to meanwhile?",
            self.digest,
            self.path.display()
        );
        Ok(Base { path: target, ..self })
    }
}

/// Whether QEMU can read a file of this machine where it is. What a daemon does with it is its own affair.
async fn can_read(host: &Machine, user: Option<&QemuUser>, path: &Path) -> bool {
    match user {
        Some(QemuUser::Account(account)) => account.may(host, Access::Read, path).await,
        Some(QemuUser::Root { .. }) => true,
        None => false,
    }
}

/// Sends an event for each tenth of the copy.
fn report_tenths(length: u64, events: Events) -> impl FnMut(u64) + Send + 'static {
    let mut last = None;
    move |sent| {
        let tenths = (sent * 10).checked_div(length).unwrap_or(10);
        if last.replace(tenths) != Some(tenths) {
            let size = bytesize::ByteSize(length).display().iec();
            let step = format!("copying the cloud image to the VM host: {} % of {size}", tenths * 10);
            drop(events.send(Event::Preparing(step)));
        }
    }
}

async fn copy_to(host: &Machine, file: &Path, target: &Path) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    host.write(&target.to_string_lossy(), bytes).await.context("failed to copy a file to the VM host")
}

/// The lab of an experiment: this machine alone, in the private namespaces that the process is in already, or a libvirt host
/// and a tester.
pub(super) async fn open(
    state: &State,
    experiment: &Experiment,
    wire: Wire,
    inputs: GuestInputs<'_>,
    journal: &Journal,
    events: &Events,
) -> Result<OpenLab> {
    match &experiment.machines {
        None if experiment.host.xen.is_some() => dom0(state, experiment, inputs.files, journal).await,
        None => embedded(state, experiment, wire, inputs, journal, events).await,
        Some(machines) => {
            let lab = hardware::create(&state.id, machines, wire, journal.clone()).await;
            let lab = lab.context("failed to make the hardware lab")?;
            with_daemon(
                if experiment.host.xen.is_some() { lab.of_xen() } else { lab },
                state,
                experiment,
                inputs.files,
                events,
            )
            .await
        }
    }
}

async fn embedded(
    state: &State,
    experiment: &Experiment,
    wire: Wire,
    GuestInputs { accel, cache, files }: GuestInputs<'_>,
    journal: &Journal,
    events: &Events,
) -> Result<OpenLab> {
    let machine = Machine::local();
    let sockets = directories::of_sockets(&state.id.to_string());
    let ovs = ovs::for_run(&machine, Some(&state.dir), &sockets, experiment).await;
    let lab = embedded::create(&state.id, wire, ovs, journal.clone()).await;
    let lab = lab.context("failed to make the embedded lab")?;
    let host = lab.side(Side::Host).clone();
    let root = directories::of_guests(&lab.names.run).join("libvirt");
    let guest_host =
        boot::GuestSite { host, route: Route::Direct, pids: Some(root.join("run/qemu")), account: None };
    if !experiment.has_guests() {
        return Ok(OpenLab { lab, hypervisor: None, daemon: None, guest_host, qemu_user: None, files });
    }
    let user = QemuUser::choose(&machine, experiment, accel).await;
    if let QemuUser::Root { because } = &user {
        drop(events.send(Event::Preparing(format!("QEMU runs as root: {because}"))));
    }
    let directory = lab.make_guest_directory().await?;
    if let Some(account) = user.account() {
        account.own(&machine, &[&sockets]).await?;
    }
    let files = files.place(&lab, directory, Some(&user), events).await?;
    if accel == Accel::Tcg && !sweeps(experiment, Factor::Thp) {
        without_huge_pages()?;
    }
    let driver = embedded_driver(&root, state, experiment, cache, journal).await?;
    let guest_host = boot::GuestSite { account: user.account().cloned(), ..guest_host };
    let (hypervisor, qemu_user) = (Some(driver), Some(user));
    Ok(OpenLab { lab, hypervisor, daemon: None, guest_host, qemu_user, files })
}

/// libvirt's embedded driver, in a directory of the run's.
async fn embedded_driver(
    root: &Path,
    state: &State,
    experiment: &Experiment,
    cache: &Path,
    journal: &Journal,
) -> Result<Hypervisor> {
    for path in clean::parent_cgroups(state) {
        // libvirt makes a parent group for its guests and leaves it; the last run that used it removes it.
        journal.before(&Entry::local(Change::Cgroup { path }))?;
    }
    // The kernel may give real-time threads no budget in control groups.
    let cpu_groups = !(experiment.has_real_time() && real_time::detect(&Machine::local()).await.grouped);
    driver::prepare(root, &cache.join("libvirt"), cpu_groups)?;
    Ok(Hypervisor::open(driver::uri(root)).await?)
}

fn sweeps(experiment: &Experiment, factor: Factor) -> bool {
    experiment.configurations.iter().any(|configuration| configuration.settings.contains_key(&factor))
}

/// QEMU asks for huge pages, which hold 4 to 8 MiB of each guest that it never touched. Emulation is no slower without
/// them (KVM is: there they stay). The setting passes on to every process that this one starts.
fn without_huge_pages() -> Result<()> {
    nix::sys::prctl::set_thp_disable(true)
        .context("failed to switch transparent huge pages off for emulated guests")
}

/// The lab of a Xen dom0 that is the tester too. What the guests boot stays where it is: Xen's tools read it as root.
async fn dom0(
    state: &State,
    experiment: &Experiment,
    files: GuestFiles,
    journal: &Journal,
) -> Result<OpenLab> {
    let mut lab = dom0::create(&state.id, journal.clone()).await.context("failed to make the lab in dom0")?;
    lab.ovs = ovs::for_run(lab.side(Side::Host), None, &state.dir, experiment).await;
    let daemon = match experiment.has_guests() {
        true => Some(Daemon::open(lab.side(Side::Host), LibvirtDriver::Xen, &state.dir).await?),
        false => None,
    };
    let host = lab.side(Side::Host).clone();
    let guest_host = boot::GuestSite { host, route: Route::Direct, pids: None, account: None };
    let hypervisor = daemon.as_ref().map(|daemon| daemon.hypervisor.clone());
    Ok(OpenLab { lab, hypervisor, daemon, guest_host, qemu_user: None, files })
}

/// A lab whose host has a libvirt daemon.
async fn with_daemon(
    mut lab: Lab,
    state: &State,
    experiment: &Experiment,
    files: GuestFiles,
    events: &Events,
) -> Result<OpenLab> {
    let host = lab.side(Side::Host).clone();
    let directory = lab.make_guest_directory().await?;
    if ovs::is_used(experiment) {
        let sockets = directories::of_sockets(&lab.names.run);
        // Whom the daemon runs QEMU as is its own affair.
        host.run(&["chmod", "1777", &sockets.to_string_lossy()]).await?;
        lab.ovs = ovs::for_run(&host, None, &sockets, experiment).await;
    }
    let driver = if experiment.host.xen.is_some() { LibvirtDriver::Xen } else { LibvirtDriver::Qemu };
    let daemon = match experiment.has_guests() {
        true => Some(Daemon::open(&host, driver, &state.dir).await?),
        false => None,
    };
    let files = files.place(&lab, directory, None, events).await?;
    let route = lab.machines.route().await?;
    let pids = experiment.host.xen.is_none().then(|| hardware::PIDS.into());
    let guest_host = boot::GuestSite { host, route, pids, account: None };
    let hypervisor = daemon.as_ref().map(|daemon| daemon.hypervisor.clone());
    Ok(OpenLab { lab, hypervisor, daemon, guest_host, qemu_user: None, files })
}
