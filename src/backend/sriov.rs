//! A virtual function of the wire's NIC for each guest: passed through, or under a macvtap.
//!
//! kvmfair makes the functions by sysfs, so that libvirt's node device driver is not needed, and gives each the MAC of its
//! guest before a driver sees it: drivers take the address that they find when they bind.

use super::step::{Action, Side, Step};
use super::{Attach, Counted, MacvtapMode, NicSource, Prerequisite, Proof, Site, function, macvtap};
use crate::address::{Net, mac};
use crate::host_nic::HostNic;

/// The guest drives the function itself.
pub struct PassedThrough;

/// The host drives the function, and a macvtap in passthru mode gives it to the guest.
pub struct UnderMacvtap;

impl Attach for PassedThrough {
    fn needs(&self) -> Vec<Prerequisite> {
        vec![Prerequisite::RealWire, Prerequisite::VfPerGuest, Prerequisite::Iommu]
    }

    fn attach(&self, site: &Site) -> Vec<Step> {
        [site.wire_steps(), functions(site)].concat()
    }

    fn source(&self, site: &Site, guest: u32) -> NicSource {
        function::source(vf_of(site, guest))
    }

    fn driver(&self, site: &Site, _guest: u32) -> String {
        physical(site).map(|nic| nic.vf_driver().to_owned()).unwrap_or_default()
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        function::proofs(vf_of(site, guest))
    }

    fn counted(&self, _site: &Site, _guest: u32) -> Counted {
        Counted::InGuest
    }
}

impl Attach for UnderMacvtap {
    fn needs(&self) -> Vec<Prerequisite> {
        vec![
            Prerequisite::RealWire,
            Prerequisite::VfPerGuest,
            Prerequisite::VfDriver,
            Prerequisite::Link("macvtap"),
        ]
    }

    fn attach(&self, site: &Site) -> Vec<Step> {
        let driven = (1..=site.guests).flat_map(|guest| driven(site, guest));
        [site.wire_steps(), functions(site)].concat().into_iter().chain(driven).collect()
    }

    fn plug(&self, site: &Site, guest: u32) -> Vec<Step> {
        macvtap::device(site, guest, &site.names.function(guest), MacvtapMode::Passthru)
    }

    fn source(&self, site: &Site, guest: u32) -> NicSource {
        NicSource::Existing { device: site.names.macvtap(guest) }
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        let lower = site.names.function(guest);
        let device = format!("/sys/class/net/{lower}/device");
        vec![
            macvtap::proof(site, guest, &lower, MacvtapMode::Passthru),
            Proof::link("virtual function under the macvtap", device, vf_of(site, guest).to_string()),
        ]
    }

    fn counted(&self, site: &Site, guest: u32) -> Counted {
        macvtap::counted(site, guest)
    }
}

fn physical(site: &Site) -> Option<&HostNic> {
    site.own_nic(1)
}

/// The function of a guest; the address of nothing where the wire has none, which `check` refuses.
fn vf_of(site: &Site, guest: u32) -> crate::host_nic::PciAddress {
    physical(site).and_then(|nic| nic.vf(guest - 1)).unwrap_or_default()
}

/// As many functions as guests, each with its guest's MAC, none with a driver.
fn functions(site: &Site) -> Vec<Step> {
    let Some(nic) = physical(site) else { return Vec::new() };
    let device = nic.pci().unwrap_or_default().sysfs();
    let name = |guest| {
        let set = format!("ip link set dev {} vf {} mac {}", nic.name, guest - 1, mac(Net::Test, guest));
        Step::new(Side::Host, &set)
    };
    let make = [
        Step::write(format!("{device}/sriov_drivers_autoprobe"), 0),
        Step::write(format!("{device}/sriov_numvfs"), site.guests),
    ];
    make.into_iter().chain((1..=site.guests).map(name)).collect()
}

/// Binds the host's driver to a guest's function and brings its interface into the lab.
fn driven(site: &Site, guest: u32) -> Vec<Step> {
    let (vf, name) = (vf_of(site, guest), site.names.function(guest));
    let driver = physical(site).map(|nic| nic.vf_driver().to_owned()).unwrap_or_default();
    let action = Action::Adopt { device: vf.to_string(), name: name.clone() };
    vec![
        // Overrides the NIC's "no driver by itself" for this function alone.
        Step::write(format!("{}/driver_override", vf.sysfs()), driver),
        Step::trigger("/sys/bus/pci/drivers_probe", vf),
        Step { side: Side::Host, action },
        Step::new(Side::Host, &format!("ip link set dev {name} mtu {} up", site.mtu)),
    ]
}
