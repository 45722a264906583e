//! A NIC of the host's, handed to a guest as a whole: PCI passthrough.

use super::step::{Action, Side, Step};
use super::{Attach, Counted, FactSource, NicSource, Prerequisite, Proof, Site};
use crate::host_nic::PciAddress;

/// The guest drives the NIC itself; it keeps its own MAC.
pub struct Function;

impl Attach for Function {
    fn needs(&self) -> Vec<Prerequisite> {
        vec![Prerequisite::RealWire, Prerequisite::NicPerGuest, Prerequisite::IommuPerNic]
    }

    /// The host's end of the wire is lent to the guest; nothing of it stays in the lab.
    fn attach(&self, site: &Site) -> Vec<Step> {
        let lend =
            |nic: &crate::host_nic::HostNic| Step { side: Side::Host, action: Action::Lend(nic.clone()) };
        let lent = (1..=site.guests).filter_map(|guest| site.own_nic(guest)).map(lend);
        site.tester_steps().into_iter().chain([site.tester_address()]).chain(lent).collect()
    }

    fn source(&self, site: &Site, guest: u32) -> NicSource {
        source(address(site, guest))
    }

    fn mac(&self, site: &Site, guest: u32) -> String {
        site.own_nic(guest).map(|nic| nic.mac.clone()).unwrap_or_default()
    }

    fn driver(&self, site: &Site, guest: u32) -> String {
        site.own_nic(guest).map(|nic| nic.driver.clone()).unwrap_or_default()
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        proofs(address(site, guest))
    }

    fn counted(&self, _site: &Site, _guest: u32) -> Counted {
        Counted::InGuest
    }
}

fn address(site: &Site, guest: u32) -> PciAddress {
    site.own_nic(guest).and_then(|nic| nic.pci()).unwrap_or_default()
}

/// The function as libvirt's managed host device: it unbinds the driver before, and binds it again after the guest.
pub(super) fn source(function: PciAddress) -> NicSource {
    NicSource::Function { function }
}

/// The function, and all that its IOMMU group cannot be parted from, are VFIO's.
pub(super) fn proofs(function: PciAddress) -> Vec<Proof> {
    let group = format!("{}/iommu_group/devices", function.sysfs());
    vec![
        Proof::link("driver of the function on the host", format!("{}/driver", function.sysfs()), "vfio-pci"),
        Proof {
            what: "drivers in its IOMMU group".into(),
            expected: "vfio-pci".into(),
            source: FactSource::Drivers(group),
        },
    ]
}
