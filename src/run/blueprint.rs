//! The description of a guest of a configuration. Pure data: `plan --xml` prints it without a lab.

use std::path::PathBuf;

use crate::address::{Net, PREFIX, Station, address, mac};
use crate::backend::{Datapath, Nic, NicModel, NicSource, Site};
use crate::guest::appliance::{NicOption, kernel_options};
use crate::guest::domain::{BootFrom, Domain};
use crate::guest::memory::Memory;
use crate::guest::placement;
use crate::guest::xen;
use crate::lab::control_group;
use crate::libvirt::account::Account;
use crate::profile::Configuration;
use crate::profile::groups::{Group, Members, members, of_guest};
use crate::raw::Accel;

/// MTU of the management network, bytes.
const MANAGEMENT_MTU: u32 = 1500;

/// The part of the description that all guests of a run share.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Names of the run's interfaces, and the wire.
    pub site: Site,
    /// The run's state directory.
    pub state: PathBuf,
    /// Kernel of the appliance; `None` if guests boot the disks of a cloud image.
    pub kernel: Option<PathBuf>,
    /// KVM or TCG.
    pub accel: Accel,
    /// The user that QEMU runs as; `None`: libvirt's choice.
    pub account: Option<Account>,
    /// Groups of guests that differ.
    pub groups: Vec<Group>,
}

impl Blueprint {
    /// One guest of a configuration.
    pub fn domain(&self, configuration: &Configuration, guest: u32) -> Domain {
        let (mtu, nic, guests) = (configuration.mtu, configuration.nic, configuration.vms);
        let site = Site { mtu, nic, guests, ..self.site.clone() };
        let test = configuration.backend.nic(&site, guest);
        let nics: Vec<Nic> = std::iter::once(self.management_nic(guest)).chain(test).collect();
        let name = format!("kf-{}-g{guest}", self.site.names.run);
        let files = placement::guest_paths(&self.state, guest);
        let boot = match &self.kernel {
            Some(kernel) => BootFrom::Kernel {
                kernel: kernel.clone(),
                initramfs: placement::initramfs(&self.state),
                options: self.options(&name, &nic_options(&nics, guest)),
            },
            None => BootFrom::Disk { overlay: files.overlay, seed: files.seed },
        };
        let groups = members(&self.groups, configuration);
        let group = of_guest(&groups, guest);
        let run = &self.site.names.run;
        let console = if self.is_on_xen() { xen::console(&name) } else { files.console };
        Domain {
            name,
            accel: self.accel,
            emulator: configuration.emulator.clone(),
            account: self.account.clone(),
            vcpus: configuration.vcpus,
            memory: Memory {
                mib: configuration.memory_mib,
                huge: configuration.hugepages == Some(true),
                node: configuration.numa_node,
            },
            cpu: group.map(Members::of_each).unwrap_or_default(),
            partition: group.filter(|g| g.cgroup).map(|g| control_group::partition(run, &g.name)),
            boot,
            console,
            nics,
        }
    }

    fn is_on_xen(&self) -> bool {
        self.accel == Accel::Xen
    }

    fn management_nic(&self, guest: u32) -> Nic {
        let (model, datapath, driver) = match self.is_on_xen() {
            true => (NicModel::Netfront, Datapath::Netback, "xen_netfront"),
            false => (NicModel::Virtio, Datapath::Userspace, "virtio_net"),
        };
        let names = &self.site.names;
        Nic {
            source: NicSource::Bridge { bridge: names.management(), tap: names.management_tap(guest) },
            mac: mac(Net::Management, guest),
            model,
            datapath,
            driver: driver.into(),
            mtu: MANAGEMENT_MTU,
            queues: Some(1),
            queue_size: None,
            offloads: true,
        }
    }

    /// The kernel's command line.
    fn options(&self, name: &str, nics: &[NicOption]) -> String {
        let options = kernel_options(name, nics);
        if self.is_on_xen() { xen::kernel_options(&options) } else { options }
    }
}

/// The two NICs of a guest, as its kernel command line or its seed disk lists them.
pub(super) fn nic_options(nics: &[Nic], guest: u32) -> Vec<NicOption> {
    let nets = [Net::Management, Net::Test];
    let option = |(nic, net): (&Nic, Net)| NicOption {
        mac: nic.mac.clone(),
        address: format!("{}/{PREFIX}", address(net, Station::Guest(guest))),
        mtu: nic.mtu,
    };
    nics.iter().zip(nets).map(option).collect()
}
