//! A tap on a Linux bridge that also holds the wire: what `virsh` users call bridged networking.

use super::step::{Side, Step};
use super::{Attach, Counted, NicSource, Prerequisite, Proof, Site};

/// The bridge, and a tap for each guest.
pub struct Bridge;

impl Attach for Bridge {
    fn needs(&self) -> Vec<Prerequisite> {
        vec![Prerequisite::Link("bridge")]
    }

    /// The wire and the bridge. No spanning tree and no multicast snooping: neither serves a bridge with one uplink.
    fn attach(&self, site: &Site) -> Vec<Step> {
        let (bridge, wire, mtu) = (site.names.bridge(), site.wire(0), site.mtu);
        let make = format!("ip link add {bridge} mtu {mtu} type bridge {PLAIN}");
        let steps = vec![
            Step::new(Side::Host, &make).undone_by(&format!("ip link delete {bridge}")),
            Step::new(Side::Host, &format!("ip link set {wire} master {bridge}")),
            Step::new(Side::Host, &format!("ip link set {bridge} up")),
        ];
        [site.wire_steps(), steps].concat()
    }

    /// Libvirt makes the tap and puts it onto the bridge.
    fn source(&self, site: &Site, guest: u32) -> NicSource {
        NicSource::Bridge { bridge: site.names.bridge(), tap: site.names.tap(guest) }
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        let master = format!("/sys/class/net/{}/master", site.names.tap(guest));
        vec![Proof::link("bridge that holds the tap", master, site.names.bridge())]
    }

    fn counted(&self, site: &Site, guest: u32) -> Counted {
        Counted::OnHost { interface: site.names.tap(guest), receives_from_target: true }
    }
}

/// How every bridge of a run is set.
pub const PLAIN: &str = "stp_state 0 forward_delay 0 mcast_snooping 0";
