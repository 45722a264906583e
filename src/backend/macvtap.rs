//! A macvtap on the wire: the guest's NIC is a slice of the host's.
//!
//! kvmfair makes the device and libvirt opens it (`<interface type='ethernet'>` with `managed='no'`). The reason is
//! `/dev/tap<index>`: all network namespaces share one `/dev`, so two runs whose devices had the same index would open
//! each other's; and libvirt's own `type='direct'` cannot choose the index. Each run has a range of indices of its own.

use super::MacvtapMode;
use super::step::{Names, NicSource, Side, Step, wire_port};
use crate::lab::address::{Net, Station, mac, with_prefix};

/// The wire: one port, or one for each guest in passthru mode, with the ports joined by a switch on the tester's side.
pub fn attach(mode: MacvtapMode, names: &Names, mtu: u32, guests: u32) -> Vec<Step> {
    let address = with_prefix(Net::Test, Station::Tester);
    if mode != MacvtapMode::Passthru {
        let mut steps = wire_port(names, 0, mtu);
        steps.push(Step::new(Side::Tester, &format!("ip address add {address} dev {}", names.peer(0))));
        return steps;
    }
    let switch = names.switch();
    let mut steps = vec![
        Step::new(
            Side::Tester,
            &format!(
                "ip link add {switch} mtu {mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
            ),
        )
        .undone_by(&format!("ip link delete {switch}")),
        Step::new(Side::Tester, &format!("ip link set {switch} up")),
        Step::new(Side::Tester, &format!("ip address add {address} dev {switch}")),
    ];
    for port in 1..=guests {
        steps.extend(wire_port(names, port, mtu));
        steps.push(Step::new(Side::Tester, &format!("ip link set {} master {switch}", names.peer(port))));
    }
    steps
}

/// One guest's device, with the guest's MAC: libvirt leaves an existing device's MAC alone.
pub fn plug(mode: MacvtapMode, names: &Names, mtu: u32, guest: u32) -> Vec<Step> {
    let (device, wire) = (names.macvtap(guest), lower(mode, names, guest));
    let index = names.index_base + guest;
    let address = mac(Net::Test, guest);
    vec![
        Step::new(
            Side::Host,
            &format!(
                "ip link add link {wire} name {device} index {index} address {address} mtu {mtu} type macvtap mode {}",
                mode.as_str()
            ),
        )
        .undone_by(&format!("ip link delete {device}")),
        Step::new(Side::Host, &format!("ip link set {device} up")),
    ]
}

/// The port of the wire on which a guest's device sits.
pub fn lower(mode: MacvtapMode, names: &Names, guest: u32) -> String {
    names.wire(if mode == MacvtapMode::Passthru { guest } else { 0 })
}

/// Libvirt opens the device that [`plug`] made.
pub fn source(names: &Names, guest: u32) -> NicSource {
    NicSource::Existing { device: names.macvtap(guest) }
}
