//! The opened lab: libvirt, the appliance, the tester, and the guests that run. `transition` leads it from one configuration
//! to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::blueprint::{Blueprint, nic_options};
use super::event::{Event, Events};
use super::lab_fault::LabFault;
use super::open_lab::{self, Base, GuestFiles, GuestInputs, OpenLab};
use super::qemu_user::QemuUser;
use super::xen_session::XenSession;
use crate::address::{Net, Station, address};
use crate::backend::Site;
use crate::backend::wire::Wire;
use crate::guest::appliance::{RunFiles, run_initramfs};
use crate::guest::boot::Boot;
use crate::guest::cloud::Disks;
use crate::guest::cloud::seed::RunSeed;
use crate::guest::fleet::Fleet;
use crate::guest::image::GuestImage;
use crate::guest::keys::RunKeys;
use crate::guest::placement;
use crate::lab::control_group::ControlGroup;
use crate::lab::{Lab, State};
use crate::libvirt::daemon::Daemon;
use crate::machine::journal::Journal;
use crate::machine::ssh::Identity;
use crate::plan::Guests;
use crate::probe::xen::GuestTimes;
use crate::probe::{self, GuestTimesReader, guest_counters};
use crate::profile::groups::{CpuSettings, Group};
use crate::profile::{Configuration, Experiment, cpus};
use crate::raw::{Accel, RawTrial};

/// The opened lab.
pub struct LabSession {
    /// Tester, wire and switch.
    pub lab: Lab,
    /// The guests.
    pub fleet: Fleet,
    /// What runs the guests' instructions.
    pub accel: Accel,
    /// Versions of libvirt and QEMU; `None` where nothing has guests.
    pub versions: Option<(String, String)>,
    /// Who QEMU runs as, where that is not a daemon's choice.
    pub qemu_user: Option<QemuUser>,
    /// CPUs of the VM host that are online.
    pub host_cpus: BTreeSet<u32>,
    pub(super) experiment: Experiment,
    pub(super) blueprint: Blueprint,
    pub(super) cloud: Option<CloudImage>,
    pub(super) guests: Guests,
    /// Guests 1 to this one may be there, whatever became of the moves: less only after all have been destroyed.
    pub(super) most: u32,
    /// The limits that the running guests have now, by their number.
    pub(super) applied_limits: BTreeMap<u32, GuestLimits>,
    /// By the name of the group of the profile.
    pub(super) control_groups: BTreeMap<String, ControlGroup>,
    /// Whether netperf has passed over the path of a configuration.
    pub(super) rehearsed: bool,
    /// What of the lab made the last trial fail, if anything did.
    pub(super) fault: Option<LabFault>,
    /// The Xen host, if the guests are on one.
    pub(super) xen: Option<XenSession>,
    pub(super) journal: Journal,
    pub(super) events: Events,
    /// Holds the connection to libvirt's daemon, if there is one.
    _daemon: Option<Daemon>,
}

/// What the disks of all guests of a run have in common.
pub(super) struct CloudImage {
    base: PathBuf,
    seed: RunSeed,
}

/// What a guest may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GuestLimits {
    pub cpu: CpuSettings,
    pub bandwidth_bps: Option<u64>,
}

impl LabSession {
    /// Makes keys, opens the lab's machines and libvirt. For the embedded lab the process is in its private namespaces
    /// already.
    ///
    /// # Errors
    /// Whatever refuses first; what has been made so far is undone with the state directory.
    pub async fn open(
        state: &State,
        experiment: Experiment,
        image: Option<&GuestImage>,
        accel: Accel,
        wire: Wire,
        cache: &Path,
        events: Events,
    ) -> Result<LabSession> {
        let journal = Journal::open(&state.dir)?;
        let keys = RunKeys::generate(&state.id.to_string())?;
        let (files, seed) = with_keys(image, &keys, &state.dir)?;
        let inputs = GuestInputs { accel, cache, files };
        let opened = open_lab::open(state, &experiment, wire, inputs, &journal, &events).await?;
        let OpenLab { lab, hypervisor, daemon, guest_host, qemu_user, files } = opened;
        let versions = match &hypervisor {
            Some(hypervisor) => Some(hypervisor.versions().await?),
            None => None,
        };
        let identity = Identity {
            user: "root".into(),
            private_key: keys.client_pem()?.to_string(),
            host_key: keys.host_key_blob()?,
        };
        let xen = match &experiment.host.xen {
            Some(xen) => Some(XenSession::open(xen, lab.cpupool(), &guest_host.host).await?),
            None => None,
        };
        let host_cpus = match &xen {
            Some(xen) => Some(xen.host_cpus.clone()),
            None => cpus::of_list(&guest_host.host.read(cpus::ONLINE).await?),
        };
        let host_cpus = host_cpus.context("failed to read which CPUs of the VM host are online")?;
        let site = lab.site(0, 0);
        let blueprint = Blueprint {
            site,
            state: files.directory,
            kernel: files.kernel,
            accel,
            account: guest_host.account.clone(),
            groups: experiment.groups.clone(),
        };
        let fleet = Fleet::new(hypervisor, identity, journal.clone(), guest_host);
        Ok(LabSession {
            lab,
            fleet,
            accel,
            versions,
            qemu_user,
            host_cpus,
            experiment,
            blueprint,
            cloud: files.base.zip(seed).map(|(base, seed)| CloudImage { base: base.path, seed }),
            guests: Guests::default(),
            most: 0,
            applied_limits: BTreeMap::new(),
            control_groups: BTreeMap::new(),
            rehearsed: false,
            fault: None,
            xen,
            journal,
            events,
            _daemon: daemon,
        })
    }

    /// The profile's groups.
    pub fn groups(&self) -> &[Group] {
        &self.experiment.groups
    }

    pub(super) fn report(&self, event: Event) {
        drop(self.events.send(event));
    }

    /// One guest of a configuration: what it is made of and where it will answer.
    pub fn guest(&self, configuration: &Configuration, guest: u32) -> Boot {
        let management = IpAddr::V4(address(Net::Management, Station::Guest(guest)));
        let domain = self.blueprint.domain(configuration, guest);
        let disks = self.cloud.as_ref().map(|cloud| {
            let files = placement::guest_paths(&self.blueprint.state, guest);
            Disks::new(&cloud.base, &cloud.seed, &domain.name, nic_options(&domain.nics, guest), files)
        });
        let nic = configuration.backend.nic(&self.site(configuration), guest);
        let counters = guest_counters::command(nic.as_ref().map(|nic| nic.mac.as_str()));
        let cpupool = self.xen.as_ref().and_then(XenSession::destination);
        Boot { guest, domain, management, counters, cpupool, disks }
    }

    /// Starts to read the CPU times of guests on a Xen host; `None` on others, whose `/proc` shows them.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(super) fn read_guest_times(&self, interval: Duration) -> Result<Option<GuestTimesReader>> {
        if self.xen.is_none() {
            return Ok(None);
        }
        Ok(Some(GuestTimesReader::start(self.fleet.hypervisor()?.clone(), interval)?))
    }

    /// Makes the samples of dom0 those of the whole Xen host.
    ///
    /// # Errors
    /// If a guest of the configuration is in a reading no more.
    pub(super) fn complete_samples(&self, raw: &mut RawTrial, readings: &[GuestTimes]) -> Result<()> {
        let names = (1..=raw.configuration.vms).filter_map(|number| self.fleet.get(number));
        let names: Vec<String> = names.map(|guest| guest.name.clone()).collect();
        Ok(probe::xen::complete(&mut raw.host, readings, self.host_cpus.len() as u32, &names)?)
    }

    /// Where the backend of a configuration is built.
    pub fn site(&self, configuration: &Configuration) -> Site {
        let site = self.lab.site(configuration.mtu, self.most_guests_of(configuration));
        Site { nic: configuration.nic, ..site }
    }

    /// The largest configuration that the same boot serves: passthru needs a port of the wire for each guest.
    fn most_guests_of(&self, configuration: &Configuration) -> u32 {
        let same = self.experiment.configurations.iter().filter(|other| other.same_boot(configuration));
        same.map(|other| other.vms).max().unwrap_or(configuration.vms)
    }
}

/// Gives the run's keys to what the guests boot: into the appliance's initramfs, which is written here, or into the seed
/// disks of a cloud image, which are made at each boot.
fn with_keys(
    image: Option<&GuestImage>,
    keys: &RunKeys,
    state: &Path,
) -> Result<(GuestFiles, Option<RunSeed>)> {
    let directory = state.to_owned();
    match image {
        None => Ok((GuestFiles { directory, kernel: None, base: None }, None)),
        Some(GuestImage::Appliance(appliance)) => {
            let files = RunFiles {
                host_key_dropbear: keys.host_key_dropbear(),
                authorized_key: keys.authorized_key()?,
                ..RunFiles::default()
            };
            run_initramfs(&appliance.initramfs, &files, &placement::initramfs(state))?;
            Ok((GuestFiles { directory, kernel: Some(appliance.kernel.clone()), base: None }, None))
        }
        Some(GuestImage::Cloud { base, digest, install_netperf }) => {
            let seed = RunSeed::new(keys, *install_netperf)?;
            let base = Base { path: base.path.clone(), length: base.length, digest: digest.clone() };
            Ok((GuestFiles { directory, kernel: None, base: Some(base) }, Some(seed)))
        }
    }
}
