//! What connects host and tester: the wire and its NICs.

use super::nic::PciAddress;

/// What connects host and tester.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Veth pairs that the run makes.
    #[default]
    Veth,
    /// Real NICs. The run borrows them.
    Nics(Nics),
}

/// The NICs of a real wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nics {
    /// The host's: the first carries the wire; the others serve where each guest takes one.
    pub host: Vec<HostNic>,
    /// The tester's.
    pub tester: HostNic,
}

/// A NIC as it was found, and as it is left in the end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostNic {
    /// Its name.
    pub name: String,
    /// What it is to its bus, for example `0000:01:00.0` or `virtio3`.
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
