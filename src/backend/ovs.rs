//! A tap on an Open vSwitch bridge that also holds the wire: on daemons of the run's own in the embedded lab, on those of
//! the VM host in a hardware lab.
//!
//! The bridge's packets go through the kernel's module where it is there, else through `ovs-vswitchd` itself, which reads
//! taps and wire like a packet sniffer. It then sees what the sender has left to the hardware: no checksum, segments of
//! 64 KiB. Both ends are set to leave nothing.
//!
//! kvmfair makes the tap and libvirt opens it: libvirt would look for the switch of the machine. A vif is made by Xen's tools when
//! its guest starts, and their script `vif-openvswitch` makes it a port of the machine's switch, so on Xen the bridge is there.

use std::collections::BTreeSet;

use super::step::{Action, Side, Step};
use super::switch::{Switch, SwitchPath};
use super::wire::Wire;
use super::{Attach, Counted, Datapath, NicSource, Prerequisite, Proof, Site};

/// A port of the bridge for each guest.
pub struct Ovs {
    /// What moves a guest's packets to its port.
    pub datapath: Datapath,
}

impl Switch {
    /// A command to its database; the words are separated by blanks.
    pub(super) fn vsctl(self, site: &Site, command: &str) -> Vec<String> {
        let own = site.ovs.directory(self).map(|dir| format!("--db=unix:{dir}/db.sock"));
        let words = command.split_whitespace().map(str::to_owned);
        ["ovs-vsctl".into(), "--timeout=50".into()].into_iter().chain(own).chain(words).collect()
    }

    /// A question to its daemon.
    fn appctl(self, site: &Site, command: &str) -> Vec<String> {
        let own = site.ovs.directory(self).map(|dir| format!("--target={dir}/vswitchd.ctl"));
        ["ovs-appctl".into(), "--timeout=50".into()].into_iter().chain(own).chain([command.into()]).collect()
    }

    /// Starts the daemons if they are to be the run's own and do not run, and makes a bridge that holds the wire.
    pub(super) fn bridge(self, site: &Site, path: SwitchPath) -> Vec<Step> {
        let (bridge, wire, kind) = (site.names.bridge(), site.wire(0), path.as_str());
        let make = format!(
            "add-br {bridge} -- set bridge {bridge} datapath_type={kind} fail_mode=standalone -- add-port {bridge} {wire}"
        );
        let drop = format!("--if-exists del-br {bridge}");
        let start =
            site.ovs.daemons.is_some().then_some(Step { side: Side::Host, action: Action::Switch(self) });
        let make = Step::argv(Side::Host, self.vsctl(site, &make), Some(self.vsctl(site, &drop)));
        start.into_iter().chain([make]).collect()
    }

    /// The port stands on the run's bridge and works, and the bridge's packets go the way that was asked for.
    pub(super) fn proofs(self, site: &Site, port: &str, path: SwitchPath) -> Vec<Proof> {
        let (of, state) = (format!("port-to-br {port}"), format!("get Interface {port} ofport link_state"));
        vec![
            Proof::argv("Open vSwitch bridge of the port", self.vsctl(site, &of), word, site.names.bridge()),
            Proof::argv("port of Open vSwitch", self.vsctl(site, &state), port_state, "up"),
            Proof::argv("Open vSwitch datapath", self.appctl(site, "dpif/show"), datapath, path.as_str()),
        ]
    }
}

/// Programs of every backend on Open vSwitch.
pub(super) fn programs() -> Vec<Prerequisite> {
    let of_switch = ["ovs-vsctl", "ovs-appctl", "ovsdb-tool", "ovsdb-server"];
    let needed = of_switch.map(|name| Prerequisite::Program { name, package: "openvswitch-switch" });
    needed.into_iter().chain([Prerequisite::Program { name: "ethtool", package: "ethtool" }]).collect()
}

/// For a switch that reads packets from the kernel's interfaces: they arrive as they are on a wire.
pub(super) fn whole_frames(site: &Site) -> Vec<Step> {
    match &site.wire {
        Wire::Veth => vec![Step::new(Side::Tester, &format!("ethtool -K {} tx off", site.peer(0)))],
        Wire::Nics(nics) => {
            let first = nics.host.first().cloned();
            first.map(|nic| Step { side: Side::Host, action: Action::WholeFrames(nic) }).into_iter().collect()
        }
    }
}

impl Attach for Ovs {
    fn needs(&self) -> Vec<Prerequisite> {
        let daemon = Prerequisite::Program { name: "ovs-vswitchd", package: "openvswitch-switch" };
        programs().into_iter().chain([daemon, Prerequisite::SwitchPath]).collect()
    }

    fn attach(&self, site: &Site) -> Vec<Step> {
        let frames = match site.ovs.path {
            SwitchPath::Kernel => Vec::new(),
            SwitchPath::Userspace => whole_frames(site),
        };
        [site.wire_steps(), frames, Switch::Plain.bridge(site, site.ovs.path)].concat()
    }

    fn plug(&self, site: &Site, guest: u32) -> Vec<Step> {
        if self.datapath == Datapath::Netback {
            return Vec::new();
        }
        let (tap, bridge, mtu) = (site.names.tap(guest), site.names.bridge(), site.mtu);
        let add = Switch::Plain.vsctl(site, &format!("add-port {bridge} {tap}"));
        let drop = Switch::Plain.vsctl(site, &format!("--if-exists del-port {tap}"));
        // The kernel wants to know it when the tap is made, and refuses it for a single queue.
        let several = if site.nic.queues.unwrap_or(1) > 1 { " multi_queue" } else { "" };
        vec![
            Step::new(Side::Host, &format!("ip tuntap add dev {tap} mode tap vnet_hdr{several}"))
                .undone_by(&format!("ip link delete {tap}")),
            Step::new(Side::Host, &format!("ip link set {tap} mtu {mtu} up")),
            Step::argv(Side::Host, add, Some(drop)),
        ]
    }

    /// Libvirt opens the tap that [`Ovs::plug`] made; Xen's tools make a vif themselves.
    fn source(&self, site: &Site, guest: u32) -> NicSource {
        if self.datapath == Datapath::Netback {
            return NicSource::SwitchPort { bridge: site.names.bridge(), vif: site.names.tap(guest) };
        }
        NicSource::Existing { device: site.names.tap(guest) }
    }

    fn offloads(&self, site: &Site) -> bool {
        site.ovs.path == SwitchPath::Kernel
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        Switch::Plain.proofs(site, &site.names.tap(guest), site.ovs.path)
    }

    fn counted(&self, site: &Site, guest: u32) -> Counted {
        Counted::OnHost { interface: site.names.tap(guest), receives_from_target: true }
    }
}

/// The only word of an answer.
fn word(answer: &str) -> Option<String> {
    Some(answer.trim().to_owned()).filter(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

/// The state of a port that has a number; `ovs-vsctl` says -1 for one that could not be made.
fn port_state(answer: &str) -> Option<String> {
    let (number, state) = answer.trim().split_once('\n')?;
    let made = number.trim().parse::<i32>().is_ok_and(|number| number > 0);
    made.then(|| state.trim().to_owned())
}

/// The datapath of kvmfair's bridge in `ovs-appctl dpif/show`, whose sections begin with `netdev@ovs-netdev: hit:…`; below it
/// stand its bridges.
fn datapath(answer: &str) -> Option<String> {
    let (mut head, mut of_ours) = ("", BTreeSet::new());
    for line in answer.lines() {
        if let Some((kind, _)) = line.split_once("@ovs-") {
            head = kind;
        } else if line.starts_with("  kf-") && line.ends_with("-b:") {
            of_ours.insert(head);
        }
    }
    let one = of_ours.pop_first()?;
    of_ours.is_empty().then(|| one.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::switch::OpenVswitch;
    use crate::backend::{Names, NicSettings};

    const SHOWN: &str = "netdev@ovs-netdev: hit:0 missed:2\n  kf-a-b:\n    kf-a-b 65534/1: (tap)\n    kf-a-t1 2/3: (system)\n";

    #[test]
    fn a_bridge_on_another_datapath_than_asked_for_is_found_out() {
        assert_eq!(datapath(SHOWN).as_deref(), Some("netdev"));
        assert_eq!(datapath("system@ovs-system: hit:4 missed:1\n  kf-a-b:\n").as_deref(), Some("system"));
        assert_eq!(datapath(""), None, "no bridge, no datapath");
        let another = "system@ovs-system: hit:0\n  kf-c-b:\n";
        assert_eq!(datapath(&[SHOWN, another].concat()), None, "which one, is not said");
    }

    #[test]
    fn bridges_of_others_on_the_same_daemon_say_nothing() {
        let others = "system@ovs-system: hit:0\n  br0:\n    kf-a-t1 2/3: (system)\n";
        assert_eq!(datapath(&[others, SHOWN].concat()).as_deref(), Some("netdev"));
        assert_eq!(datapath(others), None);
    }

    #[test]
    fn daemons_of_the_host_are_asked_where_they_always_are() {
        let ovs = OpenVswitch::default();
        assert_eq!(ovs.directory(Switch::Dpdk), None);
        let ovs = OpenVswitch { daemons: Some("/run/kvmfair/a".into()), ..ovs };
        assert_eq!(ovs.directory(Switch::Dpdk).as_deref(), Some("/run/kvmfair/a/ovs-dpdk"));
    }

    #[test]
    fn a_vif_and_its_port_are_made_by_xens_tools_when_the_guest_starts() {
        let names = Names { run: "a".into(), tester_netns: String::new(), index_base: 0 };
        let ovs = OpenVswitch { path: SwitchPath::Kernel, ..OpenVswitch::default() };
        let site = Site { names, wire: Wire::Veth, mtu: 1500, nic: NicSettings::default(), guests: 1, ovs };
        let (tap, vif) = (Ovs { datapath: Datapath::Vhost }, Ovs { datapath: Datapath::Netback });
        assert_eq!((tap.plug(&site, 1).len(), vif.plug(&site, 1).len()), (3, 0));
        let port = NicSource::SwitchPort { bridge: "kf-a-b".into(), vif: "kf-a-t1".into() };
        assert_eq!(vif.source(&site, 1), port);
    }

    #[test]
    fn a_port_that_could_not_be_made_is_none() {
        assert_eq!(port_state("2\nup\n").as_deref(), Some("up"));
        assert_eq!(port_state("2\ndown\n").as_deref(), Some("down"));
        assert_eq!(port_state("-1\n[]\n"), None);
        assert_eq!(port_state("[]\n[]\n"), None);
    }

    #[test]
    fn an_answer_of_many_words_names_no_bridge() {
        assert_eq!(word("kf-a-b\n").as_deref(), Some("kf-a-b"));
        assert_eq!(word("ovs-vsctl: no port\n"), None);
        assert_eq!(word("\n"), None);
    }
}
