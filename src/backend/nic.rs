//! The NIC of a guest, as the domain XML needs it, and where its packets are counted.

use serde::{Deserialize, Serialize};

use super::{Datapath, Model};

/// Settings of the NIC under test; what is `None` is left to the backend and QEMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NicSettings {
    /// Queue pairs; an emulated NIC has one if nothing is said.
    pub queues: Option<u32>,
    /// Descriptors of each receive queue; with vhost-user of each transmit queue too.
    pub queue_size: Option<u32>,
    /// Whether checksums and segmentation are left to the other end.
    pub offloads: Option<bool>,
}

/// One NIC of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// The host's end.
    pub source: NicSource,
    /// MAC of the guest's end.
    pub mac: String,
    /// What the guest sees.
    pub model: Model,
    /// What moves the packets between it and the host's kernel.
    pub datapath: Datapath,
    /// The driver that a Linux guest binds to it.
    pub driver: String,
    /// MTU, bytes.
    pub mtu: u32,
    /// Queue pairs; `None` where they are the hardware's.
    pub queues: Option<u32>,
    /// Descriptors of each receive queue; `None`: QEMU's own choice.
    pub queue_size: Option<u32>,
    /// Whether a virtio NIC offers to leave checksums and segmentation to the other end.
    pub offloads: bool,
}

impl Nic {
    /// Queue pairs, if there are several.
    pub fn several_queues(&self) -> Option<u32> {
        self.queues.filter(|queues| *queues > 1)
    }
}

/// The host's end of a guest's NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NicSource {
    /// A tap that libvirt makes and puts onto a bridge.
    Bridge {
        /// The bridge.
        bridge: String,
        /// Name of the tap.
        tap: String,
    },
    /// A device that is there already.
    Existing {
        /// Its name.
        device: String,
    },
    /// A socket on which QEMU waits for a switch that shares the guest's memory.
    VhostUser {
        /// Its path.
        socket: String,
    },
    /// A PCI function that libvirt takes from its driver for as long as the guest lives.
    Function {
        /// Its address.
        function: PciAddress,
    },
}

/// Where the packets of a target are counted, beside netperf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// At an interface of the host.
    OnHost {
        /// Its name.
        interface: String,
        /// Whether its receive counter counts what the target sends (a tap) or what is sent to the target.
        receives_from_target: bool,
    },
    /// In the guest alone: no packet passes through the host's kernel.
    InGuest,
}

/// Address of a PCI function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PciAddress {
    /// Domain (segment).
    pub domain: u16,
    /// Bus.
    pub bus: u8,
    /// Device, 0 to 31.
    pub slot: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl PciAddress {
    /// Reads `0000:01:10.0`.
    pub fn parse(text: &str) -> Option<PciAddress> {
        let (domain, rest) = text.split_once(':')?;
        let (bus, rest) = rest.split_once(':')?;
        let (slot, function) = rest.split_once('.')?;
        let byte = |text: &str| u8::from_str_radix(text, 16).ok();
        let address = PciAddress {
            domain: u16::from_str_radix(domain, 16).ok()?,
            bus: byte(bus)?,
            slot: byte(slot)?,
            function: byte(function)?,
        };
        (address.slot < 32 && address.function < 8).then_some(address)
    }

    /// The function whose routing id is higher by so much: PCI Express SR-IOV specification, First VF Offset and VF Stride.
    pub fn plus(self, distance: u16) -> PciAddress {
        let id = u16::from(self.bus) << 8 | u16::from(self.slot) << 3 | u16::from(self.function);
        let id = id.wrapping_add(distance);
        PciAddress {
            domain: self.domain,
            bus: (id >> 8) as u8,
            slot: (id >> 3) as u8 & 31,
            function: id as u8 & 7,
        }
    }

    /// Its directory in sysfs.
    pub fn sysfs(self) -> String {
        format!("/sys/bus/pci/devices/{self}")
    }
}

impl std::fmt::Display for PciAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.slot, self.function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_virtual_function_follows_from_offset_and_stride() {
        let igb = PciAddress::parse("0000:01:00.0").unwrap();
        assert_eq!(igb.plus(128).to_string(), "0000:01:10.0");
        assert_eq!(igb.plus(128 + 2 * 3).to_string(), "0000:01:10.6");
        assert_eq!(PciAddress::parse("0000:03:1f.7").unwrap().plus(1).to_string(), "0000:04:00.0");
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in ["", "virtio3", "0000:01:00", "0000:01:20.0", "0000:01:00.8"] {
            assert_eq!(PciAddress::parse(text), None, "{text}");
        }
    }
}
