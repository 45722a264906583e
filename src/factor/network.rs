//! Factors of the test network and of the guests' NIC on it.

use super::descriptor::{Descriptor, Hosts, Phrase, Scope};
use super::field::field;
use super::level_kind::LevelKind;
use super::names::Factor;
use super::value::Value;
use crate::backend::PRESETS;

/// What would bring AF_XDP.
const AF_XDP: &str = "not supported: distributions build QEMU without libxdp, and libvirt has no interface of this type; both would bring it";
/// What would bring passt.
const PASST: &str = "not supported: a libvirt built with passt (Debian's 9.0 is not), and a passt that forwards netperf's data \
                     connections to each guest would bring it";

/// One descriptor for each.
pub(super) static FACTORS: &[Descriptor] = &[
    Descriptor {
        kind: LevelKind::Word {
            words: || PRESETS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            level: |name| name.parse().ok().map(Value::Backend),
            instead: &[
                ("macvtap", "did you mean `macvtap-bridge`?"),
                ("vhost", "did you mean `vhost-net`?"),
                ("vhost-vdpa", "did you mean `vdpa`?"),
                ("af-xdp", AF_XDP),
                ("af_xdp", AF_XDP),
                ("xdp", AF_XDP),
                ("passt", PASST),
            ],
        },
        about: "NIC backend, for example \"virtio\"",
        levels: &["\"virtio\"", "\"e1000\""],
        phrase: Phrase::Itself,
        ..Descriptor::new(Factor::Backend, "network.backend", Scope::Lab, field!(backend))
    },
    Descriptor {
        column: "mtu_bytes",
        kind: LevelKind::Number { least: 68, most: 65_535 },
        about: "largest frame payload on the test network, bytes (default 1500)",
        levels: &["1500", "9000"],
        phrase: Phrase::Named("MTU"),
        ..Descriptor::new(Factor::Mtu, "network.mtu", Scope::Lab, field!(mtu))
    },
    Descriptor {
        kind: LevelKind::Number { least: 1, most: 256 },
        about: "queue pairs of a virtio NIC, at most as many as the guest has vCPUs (default 1)",
        levels: &["1", "2"],
        phrase: Phrase::Count("queue"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::Queues, "network.queues", Scope::Nic, field!(nic.queues))
    },
    Descriptor {
        // What QEMU allows a receive queue to have; the least is also its own choice.
        kind: LevelKind::Choice(&[256, 512, 1024]),
        about: "descriptors of each receive queue of a virtio NIC, and with vhost-user of each transmit queue: 256, 512 or \
                1024. Left out: QEMU's own choice, 256",
        levels: &["256", "1024"],
        phrase: Phrase::Named("queue size"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::QueueSize, "network.queue_size", Scope::Nic, field!(nic.queue_size))
    },
    Descriptor {
        about: "whether a virtio NIC leaves checksums and segmentation to the other end, in both directions. Left out: as \
                the backend has it",
        levels: &["true", "false"],
        phrase: Phrase::Named("offloads"),
        hosts: Hosts::Kvm,
        ..Descriptor::new(Factor::Offloads, "network.offloads", Scope::Nic, field!(nic.offloads))
    },
];
