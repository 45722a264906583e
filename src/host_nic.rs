//! A NIC of a machine as it was found, its virtual functions and its address on the PCI bus. Pure.

/// A NIC as it was found, and as it is left in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostNic {
    /// Its name.
    pub name: String,
    /// What it is to its bus, for example `0000:01:00.0`; of a virtio NIC the PCI function that it is on, since its own number,
    /// `virtio3`, changes with its driver.
    pub device: String,
    /// Its driver.
    pub driver: String,
    /// Its MAC.
    pub mac: String,
    /// Its MTU, bytes.
    pub mtu: u32,
    /// Whether it was up.
    pub up: bool,
    /// Its virtual functions, if it can have some.
    pub sriov: Option<Sriov>,
}

/// What the NIC says of its virtual functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sriov {
    /// The most it can have.
    pub total: u32,
    /// How many there are.
    pub active: u32,
    /// Distance of the first from the NIC itself, in routing ids.
    pub offset: u16,
    /// Distance of one from the next.
    pub stride: u16,
}

impl HostNic {
    /// Its address, if it is a PCI function.
    pub fn pci(&self) -> Option<PciAddress> {
        PciAddress::parse(&self.device)
    }

    /// Whether it is a virtio NIC.
    pub fn is_virtio(&self) -> bool {
        self.driver == "virtio_net"
    }

    /// The address of a virtual function, from 0.
    pub fn vf(&self, index: u32) -> Option<PciAddress> {
        let sriov = self.sriov?;
        Some(self.pci()?.plus(sriov.offset.wrapping_add(sriov.stride.wrapping_mul(index as u16))))
    }

    /// The driver of its virtual functions, on the host and in a guest alike.
    pub fn vf_driver(&self) -> &str {
        match self.driver.as_str() {
            "igb" => "igbvf",
            "ixgbe" => "ixgbevf",
            "i40e" | "ice" => "iavf",
            // Mellanox, Broadcom and others have one driver for both.
            same => same,
        }
    }
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
