//! Where a backend is to be built: the run's names, the wire, the sizes. All that its steps depend on.

use super::nic::NicSettings;
use super::step::{Side, Step};
use super::switch::OpenVswitch;
use super::wire::Wire;
use crate::address::{Net, Station, with_prefix};
use crate::host_nic::HostNic;

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

    /// The NIC of the host whose vDPA device is a guest's; from 1.
    pub fn vdpa_nic(&self, guest: u32) -> Option<&HostNic> {
        match &self.wire {
            Wire::Veth => None,
            Wire::Nics(nics) => nics.for_vdpa().get(guest as usize - 1),
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

    /// A guest's vDPA device.
    pub fn vdpa(&self, guest: u32) -> String {
        format!("kf-{}-d{guest}", self.run)
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
