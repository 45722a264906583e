//! A tap on a Linux bridge that also holds the wire: what `virsh` users call bridged networking.

use super::step::{Names, NicSource, Side, Step, wire_port};
use crate::lab::address::{Net, Station, with_prefix};

/// The wire and the bridge. No spanning tree and no multicast snooping: neither serves a bridge with one uplink.
pub fn attach(names: &Names, mtu: u32) -> Vec<Step> {
    let (bridge, wire, peer) = (names.bridge(), names.wire(0), names.peer(0));
    let mut steps = wire_port(names, 0, mtu);
    steps.extend([
        Step::new(
            Side::Host,
            &format!(
                "ip link add {bridge} mtu {mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
            ),
        )
        .undone_by(&format!("ip link delete {bridge}")),
        Step::new(Side::Host, &format!("ip link set {wire} master {bridge}")),
        Step::new(Side::Host, &format!("ip link set {bridge} up")),
        Step::new(
            Side::Tester,
            &format!("ip address add {} dev {peer}", with_prefix(Net::Test, Station::Tester)),
        ),
    ]);
    steps
}

/// Libvirt makes the tap and puts it onto the bridge.
pub fn source(names: &Names, guest: u32) -> NicSource {
    NicSource::Bridge { bridge: names.bridge(), tap: names.tap(guest) }
}
