//! No guest: netserver on the host side of the wire. The baseline of the studies.

use super::step::{Names, Side, Step, wire_port};
use crate::lab::address::{Net, Station, with_prefix};

/// The wire, with an address at either end.
pub fn attach(names: &Names, mtu: u32) -> Vec<Step> {
    let mut steps = wire_port(names, 0, mtu);
    steps.extend([
        Step::new(
            Side::Host,
            &format!("ip address add {} dev {}", with_prefix(Net::Test, Station::Host), names.wire(0)),
        ),
        Step::new(
            Side::Tester,
            &format!("ip address add {} dev {}", with_prefix(Net::Test, Station::Tester), names.peer(0)),
        ),
    ]);
    steps
}
