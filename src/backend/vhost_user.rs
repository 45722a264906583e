//! A port of Open vSwitch with DPDK that shares the guest's memory: no tap, no packet in the host's kernel but on the wire.
//!
//! QEMU serves the socket and the switch connects to it, so that a guest can be booted again while the port stays.

use super::ovs::{programs, whole_frames};
use super::step::{Side, Step};
use super::switch::Switch;
use super::switch::SwitchPath;
use super::{Attach, Counted, FactSource, NicSource, Prerequisite, Proof, Site};

/// A `dpdkvhostuserclient` port for each guest.
pub struct VhostUser;

impl Attach for VhostUser {
    fn needs(&self) -> Vec<Prerequisite> {
        programs().into_iter().chain([Prerequisite::Dpdk]).collect()
    }

    /// The wire is read by packet socket: a NIC of DPDK's own would be lost to everybody else.
    fn attach(&self, site: &Site) -> Vec<Step> {
        let bridge = Switch::Dpdk.bridge(site, SwitchPath::Userspace);
        [site.wire_steps(), whole_frames(site), bridge].concat()
    }

    /// The port is there before QEMU, which waits for the switch to connect.
    fn plug(&self, site: &Site, guest: u32) -> Vec<Step> {
        let (port, bridge, mtu) = (site.names.vhost_user(guest), site.names.bridge(), site.mtu);
        let kind = format!("type=dpdkvhostuserclient mtu_request={mtu}");
        let mut add =
            Switch::Dpdk.vsctl(site, &format!("add-port {bridge} {port} -- set Interface {port} {kind}"));
        add.push(format!("options:vhost-server-path={:?}", socket(site, guest)));
        let drop = Switch::Dpdk.vsctl(site, &format!("--if-exists del-port {port}"));
        vec![Step::argv(Side::Host, add, Some(drop))]
    }

    fn source(&self, site: &Site, guest: u32) -> NicSource {
        NicSource::VhostUser { socket: socket(site, guest) }
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        let port = site.names.vhost_user(guest);
        let status = Switch::Dpdk.vsctl(site, &format!("get Interface {port} type status"));
        let netdev = FactSource::Absent(format!("/sys/class/net/{port}"));
        let ours = vec![
            Proof::argv("vhost-user port", status, connected, "dpdkvhostuserclient connected"),
            Proof {
                what: "interface of the kernel's behind the port".into(),
                expected: "none".into(),
                source: netdev,
            },
        ];
        [Switch::Dpdk.proofs(site, &port, SwitchPath::Userspace), ours].concat()
    }

    fn counted(&self, _site: &Site, _guest: u32) -> Counted {
        Counted::InGuest
    }
}

/// The socket on which QEMU waits for the switch.
fn socket(site: &Site, guest: u32) -> String {
    format!("{}/g{guest}.sock", site.ovs.sockets)
}

/// `<type> <status>` from the two columns of the interface: `dpdkvhostuserclient` and `{…, status=connected, …}`.
fn connected(answer: &str) -> Option<String> {
    let (kind, columns) = answer.trim().split_once('\n')?;
    let pairs = columns.trim().trim_start_matches('{').trim_end_matches('}').split(", ");
    let status = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == "status")?.1;
    Some(format!("{} {}", kind.trim(), status.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_connected_only_if_the_switch_says_so() {
        let say = |status: &str| {
            format!("dpdkvhostuserclient\n{{features=\"0x15\", mode=client, status={status}}}\n")
        };
        assert_eq!(connected(&say("connected")).as_deref(), Some("dpdkvhostuserclient connected"));
        assert_eq!(connected(&say("disconnected")).as_deref(), Some("dpdkvhostuserclient disconnected"));
        assert_eq!(connected("dpdkvhostuserclient\n{}\n"), None);
        assert_eq!(connected("internal\n{driver_name=openvswitch}\n"), None);
    }
}
