//! What a profile can ask of a backend, and why one cannot have it.

use super::{Attachment, Backend, Datapath, NicModel};

/// What a profile can ask of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Frames with a payload of so many bytes.
    Mtu(u32),
    /// So many queue pairs of the guest's NIC.
    Queues(u32),
    /// Another size of the queues than QEMU's own choice.
    QueueSize,
    /// Offloads of the guest's NIC that are switched on or off.
    Offloads,
    /// A guest's NIC that gathers packets before it interrupts.
    Coalescing,
    /// Transmit queues to choose among inside a guest whose NIC has so many queue pairs.
    TransmitSteering {
        /// Queue pairs, where they can be chosen.
        queues: u32,
    },
    /// An interface of the host's end of the wire, which has settings.
    HostInterface,
    /// A host's end of the wire that merges received packets.
    MergedFrames,
    /// A cap on the rate of each guest's NIC.
    RateCap,
    /// Workers of vhost, the kernel's threads that move a guest's packets.
    VhostWorkers,
    /// Guests, for whatever only they have.
    Guests,
}

/// Linux' e1000: frames of 0x3f00 bytes, less the Ethernet header and checksum.
const MTU_OF_E1000: u32 = 0x3f00 - 18;
/// Linux' e1000e: frames of 9234 bytes from the 82574L, less the Ethernet header with a VLAN tag and the checksum.
const MTU_OF_E1000E: u32 = 9234 - 22;
/// Linux' xen-netback, as `ip -d link` shows it.
const MTU_OF_VIF: u32 = 65_517;
/// A vif as netback makes it: Xen's script vif-openvswitch leaves it so.
const MTU_OF_NEW_VIF: u32 = 1500;
/// Linux' tun: what an IPv4 packet can have, less the Ethernet header.
const MTU_OF_TAP: u32 = 65_535 - 14;

impl Backend {
    /// Whether its guests are Xen's.
    pub fn is_of_xen(self) -> bool {
        self.datapath() == Some(Datapath::Netback)
    }

    /// Whether the backend has an ability.
    ///
    /// # Errors
    /// With the reason if not: a fragment such as `it has no guests`.
    pub fn supports(self, ability: Ability) -> Result<(), String> {
        match self.reason_against(ability) {
            None => Ok(()),
            Some(reason) => Err(reason),
        }
    }

    fn reason_against(self, ability: Ability) -> Option<String> {
        let Backend::Guest { model, datapath, attachment } = self else {
            let of_guests = !matches!(
                ability,
                Ability::Mtu(_) | Ability::HostInterface | Ability::MergedFrames | Ability::RateCap
            );
            return of_guests.then(|| "it has no guests".into());
        };
        let is_virtio = model == NicModel::Virtio;
        let on_switch = matches!(attachment, Attachment::Ovs | Attachment::OvsDpdk);
        match ability {
            Ability::Mtu(mtu) => mtu_beyond(mtu, model, attachment),
            Ability::Queues(1) | Ability::Guests => None,
            Ability::Queues(_) => (!is_virtio).then(|| "only virtio NICs have several queue pairs".into()),
            Ability::QueueSize | Ability::Offloads if datapath == Datapath::VhostVdpa => {
                Some("the NIC chooses them".into())
            }
            Ability::QueueSize => (!is_virtio).then(|| "its queues have a size of their own".into()),
            Ability::Offloads if datapath == Datapath::VhostUser => Some("the switch chooses them".into()),
            Ability::Offloads => (!is_virtio).then(|| "only those of virtio NICs can be switched".into()),
            Ability::Coalescing => without_coalescing(model).map(|who| format!("{who} gathers no packets")),
            Ability::TransmitSteering { queues } => with_one_queue(model, queues).map(str::to_owned),
            Ability::HostInterface => without_interface(attachment),
            Ability::MergedFrames => on_switch
                .then(|| "Open vSwitch may need every frame as it came, and GRO merges them".into())
                .or_else(|| without_interface(attachment)),
            Ability::VhostWorkers => {
                (datapath != Datapath::Vhost).then(|| "no worker of vhost moves its packets".into())
            }
            Ability::RateCap => {
                let is_capped =
                    matches!(attachment, Attachment::Bridge | Attachment::Macvtap(_) | Attachment::VfMacvtap);
                (!is_capped).then(|| "only a tap on a Linux bridge and a macvtap take a cap".into())
            }
        }
    }
}

/// Whose NIC interrupts for each packet, if it does.
fn without_coalescing(model: NicModel) -> Option<&'static str> {
    match model {
        NicModel::Virtio => Some("QEMU's virtio-net"),
        NicModel::E1000 => Some("the 82540EM"),
        NicModel::Netfront => Some("Xen's netfront"),
        NicModel::E1000e | NicModel::Hardware => None,
    }
}

/// Why a guest has one transmit queue, if so.
fn with_one_queue(model: NicModel, queues: u32) -> Option<&'static str> {
    match model {
        NicModel::Hardware => None, // how many queues it has, the NIC knows
        NicModel::Virtio if queues > 1 => None,
        NicModel::Virtio => {
            Some("its NIC has one queue to choose; `queues` of 2 or more in [network] gives it more")
        }
        NicModel::E1000 | NicModel::E1000e | NicModel::Netfront => Some("its NIC has one transmit queue"),
    }
}

/// Why the host's end of the wire has no interface, if so.
fn without_interface(attachment: Attachment) -> Option<String> {
    matches!(attachment, Attachment::Function | Attachment::Vdpa)
        .then(|| "the guests have the NICs, and the host is left without an interface".into())
}

/// Why the MTU is too large, if it is. What a real NIC takes, only the NIC knows.
fn mtu_beyond(mtu: u32, model: NicModel, attachment: Attachment) -> Option<String> {
    let (most, who) = match (model, attachment) {
        (NicModel::E1000, _) => (MTU_OF_E1000, "the guest's driver e1000"),
        (NicModel::E1000e, _) => (MTU_OF_E1000E, "the guest's driver e1000e"),
        (NicModel::Netfront, Attachment::Ovs) => {
            (MTU_OF_NEW_VIF, "a vif that Xen's script vif-openvswitch sets up")
        }
        (NicModel::Netfront, _) => (MTU_OF_VIF, "a vif in dom0"),
        (_, Attachment::Bridge | Attachment::Ovs) => (MTU_OF_TAP, "a tap on the host"),
        _ => return None,
    };
    (mtu > most).then(|| format!("{who} takes at most {most} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supports(backend: &str, ability: Ability) -> bool {
        backend.parse::<Backend>().unwrap().supports(ability).is_ok()
    }

    #[test]
    fn each_nic_takes_what_its_driver_takes_and_no_byte_more() {
        for (backend, most) in [
            ("e1000", 16_110),
            ("e1000e", 9_212),
            ("virtio", 65_521),
            ("ovs-vhost", 65_521),
            ("ovs-xen-netfront", 1500),
        ] {
            assert!(supports(backend, Ability::Mtu(most)) && !supports(backend, Ability::Mtu(most + 1)));
        }
        assert!(["baremetal", "macvtap-vepa"].iter().all(|backend| supports(backend, Ability::Mtu(65_535))));
    }

    #[test]
    fn queues_and_offloads_are_virtios() {
        assert!(supports("macvtap-vepa", Ability::Offloads) && supports("vhost-user", Ability::QueueSize));
        assert!(supports("e1000", Ability::Queues(1)) && !supports("e1000", Ability::Queues(2)));
        for (backend, ability) in [
            ("e1000e", Ability::Offloads),
            ("sr-iov", Ability::QueueSize),
            ("vhost-user", Ability::Offloads),
            ("vdpa", Ability::Offloads),
            ("vdpa", Ability::QueueSize),
            ("virtio", Ability::Coalescing),
            ("ovs", Ability::MergedFrames),
            ("vdpa", Ability::HostInterface),
            ("pci-passthrough", Ability::HostInterface),
            ("vhost-user", Ability::RateCap),
            ("baremetal", Ability::Guests),
        ] {
            assert!(!supports(backend, ability), "{backend}: {ability:?}");
        }
    }

    #[test]
    fn packets_are_steered_among_several_queues_only() {
        let steering = |queues| Ability::TransmitSteering { queues };
        assert!(supports("virtio", steering(2)) && !supports("virtio", steering(1)));
        assert!(supports("sr-iov", steering(1)) && !supports("e1000", steering(2)));
    }
}
