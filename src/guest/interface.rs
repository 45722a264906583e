//! The NICs in the domain XML of a guest. Pure.

use quick_xml::events::BytesStart;

use super::xml::{Xml, empty, nest};
use crate::backend::{Datapath, Nic, NicModel, NicSource};
use crate::host_nic::PciAddress;

/// One NIC, or a passed-through function.
pub(super) fn write(xml: &mut Xml, nic: &Nic) -> std::io::Result<()> {
    let kind = match nic.source {
        NicSource::Bridge { .. } | NicSource::SwitchPort { .. } => "bridge",
        NicSource::Existing { .. } => "ethernet",
        NicSource::VhostUser { .. } => "vhostuser",
        NicSource::Vdpa { .. } => "vdpa",
        NicSource::Function { function } => return host_device(xml, function),
    };
    nest(xml, BytesStart::new("interface").with_attributes([("type", kind)]), |xml| {
        match &nic.source {
            NicSource::Bridge { bridge, tap } => {
                empty(xml, "source", &[("bridge", bridge)])?;
                empty(xml, "target", &[("dev", tap)])?;
            }
            NicSource::Existing { device } => empty(xml, "target", &[("dev", device), ("managed", "no")])?,
            NicSource::VhostUser { socket } => {
                empty(xml, "source", &[("type", "unix"), ("path", socket), ("mode", "server")])?
            }
            NicSource::Vdpa { name, node, .. } => {
                empty(xml, "source", &[("dev", node.as_ref().unwrap_or(name))])?;
            }
            NicSource::SwitchPort { .. } | NicSource::Function { .. } => {} // no valid profile gives QEMU a vif
        }
        empty(xml, "mac", &[("address", &nic.mac)])?;
        if let Some(model) = nic.model.as_str() {
            empty(xml, "model", &[("type", model)])?;
        }
        if nic.model == NicModel::Virtio {
            driver(xml, nic)?;
        }
        if !matches!(nic.source, NicSource::VhostUser { .. } | NicSource::Vdpa { .. }) {
            empty(xml, "mtu", &[("size", &nic.mtu.to_string())])?; // libvirt sets it on an interface of the host's too
        }
        if matches!(nic.source, NicSource::VhostUser { .. }) {
            empty(xml, "alias", &[("name", VHOST_USER_ALIAS)])?;
        }
        empty(xml, "rom", &[("enabled", "no")]) // no guest boots from it
    })
}

/// The name by which [`no_vectors`] finds the NIC.
const VHOST_USER_ALIAS: &str = "ua-vhost-user";

/// Removes the NIC's interrupt vectors; it then interrupts by its pin.
pub(super) fn no_vectors(xml: &mut Xml) -> std::io::Result<()> {
    nest(xml, BytesStart::new("qemu:override"), |xml| {
        let device = BytesStart::new("qemu:device").with_attributes([("alias", VHOST_USER_ALIAS)]);
        nest(xml, device, |xml| {
            nest(xml, BytesStart::new("qemu:frontend"), |xml| {
                empty(xml, "qemu:property", &[("name", "vectors"), ("type", "unsigned"), ("value", "0")])
            })
        })
    })
}

/// The datapath of a virtio NIC, its queues and its offloads.
fn driver(xml: &mut Xml, nic: &Nic) -> std::io::Result<()> {
    // Explicit in both cases: by default libvirt uses vhost where it is available.
    let name = match nic.datapath {
        Datapath::Userspace | Datapath::Passthrough | Datapath::Netback => Some("qemu"),
        Datapath::Vhost => Some("vhost"),
        // The source implies it, and the switch or the NIC decides what it offers.
        Datapath::VhostUser | Datapath::VhostVdpa => None,
    };
    let size = nic.queue_size.map(|size| size.to_string());
    // QEMU lets only a vhost-user NIC choose the size of the other direction.
    let transmit = size.clone().filter(|_| name.is_none());
    let attributes = [
        ("name", name.map(str::to_owned)),
        ("queues", nic.several_queues().map(|queues| queues.to_string())),
        ("rx_queue_size", size),
        ("tx_queue_size", transmit),
    ];
    let attributes: Vec<(&str, &str)> =
        attributes.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
    if attributes.is_empty() || nic.offloads || name.is_none() {
        return if attributes.is_empty() { Ok(()) } else { empty(xml, "driver", &attributes) };
    }
    nest(xml, BytesStart::new("driver").with_attributes(attributes), |xml| {
        let off = ["csum", "tso4", "tso6", "ecn", "ufo"].map(|what| (what, "off"));
        empty(xml, "host", &[[("gso", "off")].as_slice(), &off].concat())?;
        empty(xml, "guest", &off)
    })
}

/// Managed: libvirt detaches the function from its driver before the guest starts, and reattaches it afterwards.
fn host_device(xml: &mut Xml, function: PciAddress) -> std::io::Result<()> {
    let attributes = [("mode", "subsystem"), ("type", "pci"), ("managed", "yes")];
    nest(xml, BytesStart::new("hostdev").with_attributes(attributes), |xml| {
        let (domain, bus) = (format!("{:#06x}", function.domain), format!("{:#04x}", function.bus));
        let (slot, number) = (format!("{:#04x}", function.slot), format!("{:#x}", function.function));
        nest(xml, BytesStart::new("source"), |xml| {
            let address = [("domain", &*domain), ("bus", &*bus), ("slot", &*slot), ("function", &*number)];
            empty(xml, "address", &address)
        })?;
        empty(xml, "rom", &[("enabled", "no")]) // no guest boots from it
    })
}
