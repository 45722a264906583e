//! The MTU that the NIC of each backend takes.

use super::factors::{Level, Levels, levels_of};
use super::{Check, Fault};
use crate::backend::{Attachment, Backend, Model};
use crate::profile::{Factor, Value};

/// Linux' e1000: frames of 0x3f00 bytes, less the Ethernet header and checksum.
const OF_E1000: u32 = 0x3f00 - 18;
/// Linux' e1000e: frames of 9234 bytes from the 82574L, less the Ethernet header with a VLAN tag and the checksum.
const OF_E1000E: u32 = 9234 - 22;
/// Linux' tun: what an IPv4 packet can have, less the Ethernet header.
const OF_TAP: u32 = 65_535 - 14;

/// Every backend must take every level: a driver refuses a larger MTU in the middle of the boot.
pub(super) fn possible(check: &mut Check, factors: &[Levels]) {
    for level in levels_of(factors, Factor::Mtu) {
        let mtu = level.value.as_number();
        let bounds = levels_of(factors, Factor::Backend).iter().filter_map(bound);
        if let Some((backend, most, who)) =
            bounds.min_by_key(|(_, most, _)| *most).filter(|(_, most, _)| mtu > *most)
        {
            let message = format!("an MTU of {mtu} bytes is more than {who} takes");
            let hint = format!("use at most {most}, or keep {backend} in a profile without such an MTU");
            check.fault(&level.path, Fault::new(message, format!("with backend \"{backend}\""), hint));
        }
    }
}

/// The largest MTU of a backend, and whose it is. That of a real NIC only the NIC knows.
fn bound(level: &Level) -> Option<(Backend, u32, &'static str)> {
    let Value::Backend(backend @ Backend::Guest { model, attachment, .. }) = level.value else { return None };
    let (most, who) = match (model, attachment) {
        (Model::E1000, _) => (OF_E1000, "the guest's driver e1000"),
        (Model::E1000e, _) => (OF_E1000E, "the guest's driver e1000e"),
        (_, Attachment::Bridge | Attachment::Ovs) => (OF_TAP, "a tap on the host"),
        _ => return None,
    };
    Some((backend, most, who))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    /// What is wrong with an MTU; empty if nothing is.
    fn said(backend: &str, mtu: u32) -> String {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork = {{ mtu = {mtu}, backend = \"{backend}\" }}"
        );
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        parse(&text, Path::new("p.toml"), facts)
            .err()
            .map_or(String::new(), |error| error.diagnostics[0].message.clone())
    }

    #[test]
    fn each_nic_takes_what_its_driver_takes_and_no_byte_more() {
        for (backend, most) in
            [("e1000", 16_110), ("e1000e", 9_212), ("virtio", 65_521), ("ovs-vhost", 65_521)]
        {
            assert_eq!(said(backend, most), "");
            let more = said(backend, most + 1);
            assert!(more.starts_with(&format!("an MTU of {} bytes is more than", most + 1)), "{more}");
        }
        for backend in ["baremetal", "macvtap-vepa"] {
            assert_eq!(said(backend, 65_535), "");
        }
    }
}
