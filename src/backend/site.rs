//! Where a backend is to be built: the run's names, the wire, the sizes. All that its steps depend on.

use super::nic::{NicSettings, PciAddress};
use super::step::{Side, Step};
use crate::address::{Net, Station, with_prefix};

/// Where a backend is to be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Names of the run's interfaces.
    pub names: Names,
    /// What connects host and tester.
    pub wire: Wire,
    /// MTU of the test network, bytes.
    pub mtu: u32,
    /// Settings of the guests' NICs.
    pub nic: NicSettings,
    /// The most guests that this building serves.
    pub guests: u32,
    /// Open vSwitch, where it is asked for.
    pub ovs: OpenVswitch,
}

/// Open vSwitch as a run has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenVswitch {
    /// The run's directory on the VM host: daemons of its own keep everything there, and guests' sockets are there.
    pub state: String,
    /// Whether the daemons are the VM host's own, as in a hardware lab: found where they always are.
    pub of_host: bool,
    /// Where the packets of a bridge with taps go; decided once for a run.
    pub path: SwitchPath,
}

/// Where a bridge of Open vSwitch moves its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwitchPath {
    /// In the kernel, by its module `openvswitch`.
    Kernel,
    /// In `ovs-vswitchd`.
    #[default]
    Userspace,
}

impl SwitchPath {
    /// Open vSwitch's own word for it, a bridge's `datapath_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            SwitchPath::Kernel => "system",
            SwitchPath::Userspace => "netdev",
        }
    }
}

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

impl Site {
    /// The host's end of the wire.
    pub fn wire(&self, port: u32) -> String {
        match &self.wire {
            Wire::Veth => self.names.wire(port),
            Wire::Nics(nics) => nics.host.first().map(|nic| nic.name.clone()).unwrap_or_default(),
        }
    }

    /// The tester's end of the wire.
    pub fn peer(&self, port: u32) -> String {
        match &self.wire {
            Wire::Veth => self.names.peer(port),
            Wire::Nics(nics) => nics.tester.name.clone(),
        }
    }

    /// The NIC of the host that is a guest's own, where each takes one; from 1.
    pub fn own_nic(&self, guest: u32) -> Option<&HostNic> {
        match &self.wire {
            Wire::Veth => None,
            Wire::Nics(nics) => nics.host.get(guest as usize - 1),
        }
    }

    /// The wire between host and tester, up, with the tester's address at its end.
    pub fn wire_steps(&self) -> Vec<Step> {
        let mut steps = match &self.wire {
            Wire::Veth => veth_port(&self.names, 0, self.mtu),
            Wire::Nics(nics) => [self.borrow(Side::Host, nics.host.first()), self.tester_steps()].concat(),
        };
        steps.push(self.tester_address());
        steps
    }

    /// The tester's end alone, without an address, where the wire is of real NICs.
    pub fn tester_steps(&self) -> Vec<Step> {
        match &self.wire {
            Wire::Veth => Vec::new(),
            Wire::Nics(nics) => self.borrow(Side::Tester, Some(&nics.tester)),
        }
    }

    /// Gives the tester's end its address.
    pub fn tester_address(&self) -> Step {
        self.tester_address_on(&self.peer(0))
    }

    /// Gives an interface of the tester's its address.
    pub fn tester_address_on(&self, interface: &str) -> Step {
        let address = with_prefix(Net::Test, Station::Tester);
        Step::new(Side::Tester, &format!("ip address add {address} dev {interface}"))
    }

    /// A real NIC: brought to its side of the lab, with the MTU under test, up.
    pub fn borrow(&self, side: Side, nic: Option<&HostNic>) -> Vec<Step> {
        let Some(nic) = nic else { return Vec::new() };
        vec![
            Step::borrow(side, nic.clone()),
            Step::new(side, &format!("ip link set dev {} mtu {} up", nic.name, self.mtu)),
        ]
    }
}

/// Names of a run's interfaces. They carry the run's id and fit into the kernel's 15 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The run's id.
    pub run: String,
    /// The tester's network namespace, as a path that `ip … netns` takes.
    pub tester_netns: String,
    /// First interface index that is this run's own (see [`super::macvtap`]).
    pub index_base: u32,
}

impl Names {
    /// The host's end of a veth wire; only macvtap in passthru mode has more than port 0.
    pub fn wire(&self, port: u32) -> String {
        format!("kf-{}-w{port}", self.run)
    }

    /// The tester's end of a veth wire.
    pub fn peer(&self, port: u32) -> String {
        format!("kf-{}-p{port}", self.run)
    }

    /// The bridge under test.
    pub fn bridge(&self) -> String {
        format!("kf-{}-b", self.run)
    }

    /// The tester's switch, where the wire has several ports.
    pub fn switch(&self) -> String {
        format!("kf-{}-s", self.run)
    }

    /// A guest's tap on the bridge under test.
    pub fn tap(&self, guest: u32) -> String {
        format!("kf-{}-t{guest}", self.run)
    }

    /// A guest's macvtap.
    pub fn macvtap(&self, guest: u32) -> String {
        format!("kf-{}-v{guest}", self.run)
    }

    /// A guest's port of the switch under test, where it is no interface of the kernel's.
    pub fn vhost_user(&self, guest: u32) -> String {
        format!("kf-{}-u{guest}", self.run)
    }

    /// The host's interface of a guest's virtual function.
    pub fn function(&self, guest: u32) -> String {
        format!("kf-{}-f{guest}", self.run)
    }

    /// The interface through which what a capped guest sends is led.
    pub fn cap(&self, guest: u32) -> String {
        format!("kf-{}-i{guest}", self.run)
    }

    /// The management bridge.
    pub fn management(&self) -> String {
        format!("kf-{}-m", self.run)
    }

    /// A guest's tap on the management bridge.
    pub fn management_tap(&self, guest: u32) -> String {
        format!("kf-{}-m{guest}", self.run)
    }

    /// The tester's interface on the management network.
    pub fn management_peer(&self) -> String {
        format!("kf-{}-q", self.run)
    }
}

/// A veth pair as a port of the wire: the host's end, and the tester's end in the tester's namespace.
pub fn veth_port(names: &Names, port: u32, mtu: u32) -> Vec<Step> {
    let (wire, peer) = (names.wire(port), names.peer(port));
    vec![
        Step::new(
            Side::Host,
            &format!(
                "ip link add {wire} mtu {mtu} type veth peer name {peer} mtu {mtu} netns {}",
                names.tester_netns
            ),
        )
        .undone_by(&format!("ip link delete {wire}")),
        Step::new(Side::Host, &format!("ip link set {wire} up")),
        Step::new(Side::Tester, &format!("ip link set {peer} up")),
    ]
}
