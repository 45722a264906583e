//! A vDPA device of a NIC for each guest: the guest's virtio driver and the NIC share the queues, and QEMU only sets them up.
//!
//! A NIC that is a management device by itself keeps its driver and makes the device. A virtio NIC has no driver that could: its
//! PCI function is bound to `vp-vdpa` for as long as the run needs it, and its MAC stays what it is.

use super::step::{Action, Side, Step};
use super::{Attach, Counted, FactSource, NicSource, Prerequisite, Proof, Site};
use crate::address::{Net, mac};
use crate::host_nic::HostNic;

/// A vDPA device for each guest.
pub struct Vdpa;

/// Linux' driver that makes a vDPA device of a virtio NIC, as sysfs names it.
pub const VIRTIO_DRIVER: &str = "vp-vdpa";

/// Prints the names of the vDPA devices that the process `$1` has open.
const OPENED: &str = r#"for file in /proc/"$1"/fd/*; do
node=$(readlink "$file"); case $node in /dev/vhost-vdpa-*) ;; *) continue ;; esac
for device in /sys/bus/vdpa/devices/*/"${node##*/}"; do device=${device%/*}; echo "${device##*/}"; done
done | sort -u"#;

impl Attach for Vdpa {
    fn needs(&self) -> Vec<Prerequisite> {
        vec![
            Prerequisite::RealWire,
            Prerequisite::Program { name: "vdpa", package: "iproute2" },
            Prerequisite::BusDriver { bus: "vdpa", name: "vhost_vdpa" },
            Prerequisite::VdpaPerGuest,
        ]
    }

    /// The NICs are lent to the guests; the tester's end alone is brought into the lab.
    fn attach(&self, site: &Site) -> Vec<Step> {
        let devices = (1..=site.guests).flat_map(|guest| device(site, guest));
        site.tester_steps().into_iter().chain([site.tester_address()]).chain(devices).collect()
    }

    fn source(&self, site: &Site, guest: u32) -> NicSource {
        let function = site.vdpa_nic(guest).and_then(HostNic::pci).unwrap_or_default();
        NicSource::Vdpa { function, name: site.names.vdpa(guest), node: None }
    }

    fn mac(&self, site: &Site, guest: u32) -> String {
        match site.vdpa_nic(guest) {
            Some(nic) if nic.is_virtio() => nic.mac.clone(),
            _ => mac(Net::Test, guest),
        }
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        let Some(nic) = site.vdpa_nic(guest) else { return Vec::new() };
        let (function, name) = (nic.pci().unwrap_or_default().sysfs(), site.names.vdpa(guest));
        let own = Proof::link("driver of the vDPA device", format!("{function}/{name}/driver"), "vhost_vdpa");
        let virtio = nic.is_virtio().then(|| {
            Proof::link("driver of its NIC on the host", format!("{function}/driver"), VIRTIO_DRIVER)
        });
        let opened = Proof {
            what: "vDPA device that QEMU has open".into(),
            expected: name,
            source: FactSource::Qemu { script: OPENED },
        };
        [own].into_iter().chain(virtio).chain([opened]).collect()
    }

    fn counted(&self, _site: &Site, _guest: u32) -> Counted {
        Counted::InGuest
    }
}

/// Makes one guest's device.
fn device(site: &Site, guest: u32) -> Vec<Step> {
    let Some(nic) = site.vdpa_nic(guest) else { return Vec::new() };
    let (function, name) = (nic.pci().unwrap_or_default(), site.names.vdpa(guest));
    let mut add = format!("vdpa dev add name {name} mgmtdev pci/{function}");
    let mut steps = vec![Step { side: Side::Host, action: Action::Lend(nic.clone()) }];
    if nic.is_virtio() {
        steps.extend([
            Step::trigger(format!("{}/driver/unbind", function.sysfs()), function),
            Step::write(format!("{}/driver_override", function.sysfs()), VIRTIO_DRIVER),
            Step::trigger("/sys/bus/pci/drivers_probe", function),
        ]);
    } else {
        add += &format!(" mac {}", mac(Net::Test, guest));
        let pairs = site.nic.queues.filter(|pairs| *pairs > 1);
        add += &pairs.map_or_else(String::new, |pairs| format!(" max_vqp {pairs}"));
    }
    let add = add.split(' ').map(str::to_owned).collect();
    steps.push(Step { side: Side::Host, action: Action::Vdpa { name, add } });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::switch::OpenVswitch;
    use crate::backend::wire::{Nics, Wire};
    use crate::backend::{Names, NicSettings};

    fn site(driver: &str) -> Site {
        let nic = HostNic {
            name: "eth5".into(),
            device: "0000:03:00.0".into(),
            driver: driver.into(),
            mac: "52:54:00:00:00:05".into(),
            ..HostNic::default()
        };
        let names = Names { run: "abc234".into(), tester_netns: String::new(), index_base: 0 };
        let wire = Wire::Nics(Nics { host: vec![nic], vdpa: Vec::new(), tester: HostNic::default() });
        let settings = NicSettings { queues: Some(4), ..NicSettings::default() };
        Site { names, wire, mtu: 1500, nic: settings, guests: 1, ovs: OpenVswitch::default() }
    }

    fn added(site: &Site) -> String {
        let add = Vdpa.attach(site).into_iter().find_map(|step| match step.action {
            Action::Vdpa { add, .. } => Some(add.join(" ")),
            _ => None,
        });
        add.unwrap()
    }

    #[test]
    fn a_virtio_nic_is_bound_to_another_driver_and_keeps_its_mac() {
        let site = site("virtio_net");
        let unbound = Step::trigger("/sys/bus/pci/devices/0000:03:00.0/driver/unbind", "0000:03:00.0");
        assert!(Vdpa.attach(&site).contains(&unbound));
        assert_eq!(added(&site), "vdpa dev add name kf-abc234-d1 mgmtdev pci/0000:03:00.0");
        assert_eq!(Vdpa.mac(&site, 1), "52:54:00:00:00:05");
    }

    #[test]
    fn a_management_device_keeps_its_driver_and_gives_the_guest_its_mac_and_queues() {
        let site = site("mlx5_core");
        assert!(!Vdpa.attach(&site).iter().any(|step| matches!(step.action, Action::Trigger { .. })));
        let mac = Vdpa.mac(&site, 1);
        let wanted = format!("vdpa dev add name kf-abc234-d1 mgmtdev pci/0000:03:00.0 mac {mac} max_vqp 4");
        assert_eq!(added(&site), wanted);
    }

    #[test]
    fn the_driver_of_a_virtio_nic_is_proven_beside_the_device() {
        let what = |driver: &str| Vdpa.proofs(&site(driver), 1).len();
        assert_eq!((what("virtio_net"), what("mlx5_core")), (3, 2));
    }
}
