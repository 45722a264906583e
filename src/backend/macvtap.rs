//! A macvtap on the wire: the guest's NIC is a slice of the host's.
//!
//! kvmfair makes the device and libvirt opens it (`<interface type='ethernet'>` with `managed='no'`). The reason is
//! `/dev/tap<index>`: all network namespaces share one `/dev`, so two runs whose devices had the same index would open
//! each other's; and libvirt's own `type='direct'` cannot choose the index. Each run has a range of indices of its own.

use super::bridge::PLAIN;
use super::site::veth_port;
use super::step::{Side, Step};
use super::wire::Wire;
use super::{Attach, Counted, MacvtapMode, NicSource, Prerequisite, Proof, Site};
use crate::address::{Net, mac};

/// A macvtap for each guest.
pub struct Macvtap {
    /// Its mode.
    pub mode: MacvtapMode,
}

impl Macvtap {
    /// The port of the wire on which a guest's device sits.
    fn lower(&self, site: &Site, guest: u32) -> String {
        match (self.mode, &site.wire) {
            (MacvtapMode::Passthru, Wire::Veth) => site.names.wire(guest),
            (MacvtapMode::Passthru, Wire::Nics(_)) => {
                site.own_nic(guest).map(|nic| nic.name.clone()).unwrap_or_default()
            }
            _ => site.wire(0),
        }
    }
}

impl Attach for Macvtap {
    fn needs(&self) -> Vec<Prerequisite> {
        let own = (self.mode == MacvtapMode::Passthru).then_some(Prerequisite::NicPerGuest);
        [Prerequisite::Link("macvtap")].into_iter().chain(own).collect()
    }

    /// The wire: one port, or one for each guest in passthru mode.
    fn attach(&self, site: &Site) -> Vec<Step> {
        match (self.mode, &site.wire) {
            (MacvtapMode::Passthru, Wire::Veth) => veth_ports(site),
            (MacvtapMode::Passthru, Wire::Nics(_)) => own_nics(site),
            _ => site.wire_steps(),
        }
    }

    fn plug(&self, site: &Site, guest: u32) -> Vec<Step> {
        device(site, guest, &self.lower(site, guest), self.mode)
    }

    /// Libvirt opens the device that [`Macvtap::plug`] made.
    fn source(&self, site: &Site, guest: u32) -> NicSource {
        NicSource::Existing { device: site.names.macvtap(guest) }
    }

    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof> {
        vec![proof(site, guest, &self.lower(site, guest), self.mode)]
    }

    fn counted(&self, site: &Site, guest: u32) -> Counted {
        counted(site, guest)
    }
}

/// One guest's device, with the guest's MAC: libvirt leaves an existing device's MAC alone.
///
/// In passthru mode the kernel gives the device the MAC of what is below it and makes that promiscuous. Here it gets the
/// guest's MAC, and its filter stays on: where the wire is a hub, a guest would otherwise be handed the others' packets.
pub(super) fn device(site: &Site, guest: u32, lower: &str, mode: MacvtapMode) -> Vec<Step> {
    let device = site.names.macvtap(guest);
    let (index, address) = (site.names.index_base + guest, mac(Net::Test, guest));
    let kind = match mode {
        MacvtapMode::Passthru => "passthru nopromisc",
        other => other.as_str(),
    };
    let make = format!(
        "ip link add link {lower} name {device} index {index} address {address} mtu {} type macvtap mode {kind}",
        site.mtu,
    );
    vec![
        Step::new(Side::Host, &make).undone_by(&format!("ip link delete {device}")),
        Step::new(Side::Host, &format!("ip link set {device} address {address} up")),
    ]
}

/// Mode and lower device, as the kernel says.
pub(super) fn proof(site: &Site, guest: u32, lower: &str, mode: MacvtapMode) -> Proof {
    let show = format!("ip -details -json link show dev {}", site.names.macvtap(guest));
    Proof::command("macvtap", &show, mode_and_lower, format!("{} on {lower}", mode.as_str()))
}

/// A macvtap is the guest's own NIC seen from the host: it transmits what the guest sends.
pub(super) fn counted(site: &Site, guest: u32) -> Counted {
    Counted::OnHost { interface: site.names.macvtap(guest), receives_from_target: false }
}

/// A veth pair for each guest, joined by a switch on the tester's side.
fn veth_ports(site: &Site) -> Vec<Step> {
    let (switch, mtu) = (site.names.switch(), site.mtu);
    let make = format!("ip link add {switch} mtu {mtu} type bridge {PLAIN}");
    let mut steps = vec![
        Step::new(Side::Tester, &make).undone_by(&format!("ip link delete {switch}")),
        Step::new(Side::Tester, &format!("ip link set {switch} up")),
        site.tester_address_on(&switch),
    ];
    for port in 1..=site.guests {
        steps.extend(veth_port(&site.names, port, mtu));
        let peer = site.names.peer(port);
        steps.push(Step::new(Side::Tester, &format!("ip link set {peer} master {switch}")));
    }
    steps
}

/// A real NIC for each guest; the switch is the one they are plugged into.
fn own_nics(site: &Site) -> Vec<Step> {
    let mut steps: Vec<Step> =
        (1..=site.guests).flat_map(|guest| site.borrow(Side::Host, site.own_nic(guest))).collect();
    steps.extend(site.tester_steps());
    steps.push(site.tester_address());
    steps
}

/// `<mode> on <lower device>` from `ip -details -json link show`.
fn mode_and_lower(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let link = value.get(0)?;
    let mode = link.pointer("/linkinfo/info_data/mode")?.as_str()?;
    Some(format!("{mode} on {}", link.get("link")?.as_str()?))
}

impl MacvtapMode {
    /// The word that `ip link` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            MacvtapMode::Bridge => "bridge",
            MacvtapMode::Vepa => "vepa",
            MacvtapMode::Private => "private",
            MacvtapMode::Passthru => "passthru",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_read_from_what_the_kernel_says() {
        let json = r#"[{"ifname":"kf-a-v1","link":"kf-a-w0","linkinfo":{"info_kind":"macvtap","info_data":{"mode":"vepa"}}}]"#;
        assert_eq!(mode_and_lower(json).as_deref(), Some("vepa on kf-a-w0"));
        assert_eq!(mode_and_lower("[{}]"), None);
    }
}
