//! The NIC of a guest, as the domain XML needs it, and where its packets are counted.

use serde::{Deserialize, Serialize};

use super::{Datapath, NicModel};
use crate::host_nic::PciAddress;

/// Settings of the NIC under test; what is `None` is left to the backend and QEMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NicSettings {
    /// Queue pairs; an emulated NIC has one if nothing is given.
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
    pub model: NicModel,
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
    /// A vif that Xen's tools make and put onto a bridge of Open vSwitch.
    SwitchPort {
        /// The bridge.
        bridge: String,
        /// Name of the vif.
        vif: String,
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
    /// A vDPA device.
    Vdpa {
        /// The NIC that it is of.
        function: PciAddress,
        /// Its name.
        name: String,
        /// Its character device, whose number shows only when it is there.
        node: Option<String>,
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
