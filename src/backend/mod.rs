//! NIC backends: what each one is, as data. Model, datapath and attachment; short names are presets of that triple.
//!
//! Pure: interfaces, host steps with their undo and the facts that prove the backend are described here, and done by
//! `lab`, `guest` and `run`. One small file for each attachment:
//!
//! - [`bridge`]: a tap on a Linux bridge
//! - [`macvtap`]: a macvtap on the wire, in its four modes
//! - [`baremetal`]: no guest
//! - [`step`]: the words in which they say what to do

pub mod baremetal;
pub mod bridge;
pub mod macvtap;
pub mod step;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::lab::address::{Net, mac};
pub use step::{Names, Nic, NicSource, Side, Step};

/// A NIC backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// No guest: netserver on the host side of the wire, the studies' baseline.
    Baremetal,
    /// A guest's NIC.
    Guest {
        /// What the guest sees.
        model: Model,
        /// What moves the packets between the guest and the host's kernel.
        datapath: Datapath,
        /// What the host's end is attached to.
        attachment: Attachment,
    },
}

/// What the guest sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Intel 82540EM, fully emulated.
    E1000,
    /// Intel 82574L, fully emulated, on PCI Express.
    E1000e,
    /// Paravirtual.
    Virtio,
}

/// What moves the packets between the guest and the host's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datapath {
    /// QEMU's main loop.
    Userspace,
    /// A worker in the host's kernel (vhost-net); virtio only.
    Vhost,
}

/// What the host's end is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// A tap on a Linux bridge.
    Bridge,
    /// A macvtap on the wire.
    Macvtap(MacvtapMode),
}

/// The modes of a macvtap, as `ip link` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacvtapMode {
    /// Guests of one device reach each other directly.
    Bridge,
    /// Everything goes out to the switch.
    Vepa,
    /// Guests of one device never reach each other.
    Private,
    /// One device for one guest.
    Passthru,
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

/// Every backend of this version with its short name.
pub const PRESETS: [(&str, Backend); 13] = [
    ("baremetal", Backend::Baremetal),
    ("e1000", on_bridge(Model::E1000, Datapath::Userspace)),
    ("e1000e", on_bridge(Model::E1000e, Datapath::Userspace)),
    ("virtio", on_bridge(Model::Virtio, Datapath::Userspace)),
    ("vhost-net", on_bridge(Model::Virtio, Datapath::Vhost)),
    ("macvtap-bridge", on_macvtap(MacvtapMode::Bridge, Datapath::Userspace)),
    ("macvtap-vepa", on_macvtap(MacvtapMode::Vepa, Datapath::Userspace)),
    ("macvtap-private", on_macvtap(MacvtapMode::Private, Datapath::Userspace)),
    ("macvtap-passthru", on_macvtap(MacvtapMode::Passthru, Datapath::Userspace)),
    ("vhost-macvtap-bridge", on_macvtap(MacvtapMode::Bridge, Datapath::Vhost)),
    ("vhost-macvtap-vepa", on_macvtap(MacvtapMode::Vepa, Datapath::Vhost)),
    ("vhost-macvtap-private", on_macvtap(MacvtapMode::Private, Datapath::Vhost)),
    ("vhost-macvtap-passthru", on_macvtap(MacvtapMode::Passthru, Datapath::Vhost)),
];

/// Names that profiles may use and that a later version will run.
pub const PLANNED: [&str; 6] =
    ["ovs", "ovs-vhost", "sr-iov", "sr-iov-macvtap", "pci-passthrough", "vhost-user"];

impl Model {
    /// Libvirt's word for the model.
    pub fn as_str(self) -> &'static str {
        match self {
            Model::E1000 => "e1000",
            Model::E1000e => "e1000e",
            Model::Virtio => "virtio",
        }
    }

    /// The driver that must be bound to it inside a Linux guest.
    pub fn guest_driver(self) -> &'static str {
        match self {
            Model::E1000 => "e1000",
            Model::E1000e => "e1000e",
            Model::Virtio => "virtio_net",
        }
    }
}

impl Datapath {
    /// The word in proofs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Datapath::Userspace => "userspace",
            Datapath::Vhost => "vhost",
        }
    }
}

impl Backend {
    /// What moves the packets; `None` for bare metal.
    pub fn datapath(self) -> Option<Datapath> {
        match self {
            Backend::Baremetal => None,
            Backend::Guest { datapath, .. } => Some(datapath),
        }
    }

    /// Builds the wire and what the guests are attached to; for `guests` guests at most.
    pub fn attach(self, names: &Names, mtu: u32, guests: u32) -> Vec<Step> {
        match self {
            Backend::Baremetal => baremetal::attach(names, mtu),
            Backend::Guest { attachment: Attachment::Bridge, .. } => bridge::attach(names, mtu),
            Backend::Guest { attachment: Attachment::Macvtap(mode), .. } => {
                macvtap::attach(mode, names, mtu, guests)
            }
        }
    }

    /// What one guest needs on the host before it boots.
    pub fn plug(self, names: &Names, mtu: u32, guest: u32) -> Vec<Step> {
        match self {
            Backend::Guest { attachment: Attachment::Macvtap(mode), .. } => {
                macvtap::plug(mode, names, mtu, guest)
            }
            Backend::Guest { attachment: Attachment::Bridge, .. } | Backend::Baremetal => Vec::new(),
        }
    }

    /// The guest's NIC under test; `None` for bare metal.
    pub fn nic(self, names: &Names, mtu: u32, guest: u32) -> Option<Nic> {
        let Backend::Guest { model, datapath, attachment } = self else { return None };
        let source = match attachment {
            Attachment::Bridge => bridge::source(names, guest),
            Attachment::Macvtap(_) => macvtap::source(names, guest),
        };
        Some(Nic { source, mac: mac(Net::Test, guest), model, datapath, mtu })
    }

    /// The host's interface whose counters are a target's packets, and whether it receives what the target sends.
    pub fn counted(self, names: &Names, guest: u32) -> Counted {
        match self {
            // The wire's host end receives what goes to the target.
            Backend::Baremetal => Counted { interface: names.wire(0), receives_from_target: false },
            Backend::Guest { attachment: Attachment::Bridge, .. } => {
                Counted { interface: names.tap(guest), receives_from_target: true }
            }
            // A macvtap is the guest's own NIC seen from the host: it transmits what the guest sends.
            Backend::Guest { attachment: Attachment::Macvtap(_), .. } => {
                Counted { interface: names.macvtap(guest), receives_from_target: false }
            }
        }
    }
}

/// The interface that counts a target's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its name on the host.
    pub interface: String,
    /// Whether its receive counter counts what the target sends (a tap) or what is sent to the target.
    pub receives_from_target: bool,
}

const fn on_bridge(model: Model, datapath: Datapath) -> Backend {
    Backend::Guest { model, datapath, attachment: Attachment::Bridge }
}

const fn on_macvtap(mode: MacvtapMode, datapath: Datapath) -> Backend {
    Backend::Guest { model: Model::Virtio, datapath, attachment: Attachment::Macvtap(mode) }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let preset = PRESETS.iter().find(|(_, backend)| backend == self);
        f.write_str(preset.map_or("unnamed", |(name, _)| name))
    }
}

/// A name that no backend has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// A later version will have it.
    #[error("backend `{0}` is not supported yet")]
    Planned(String),
    /// Nobody knows it.
    #[error("unknown backend `{0}`")]
    Unknown(String),
}

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        match PRESETS.iter().find(|(preset, _)| *preset == name) {
            Some((_, backend)) => Ok(*backend),
            None if PLANNED.contains(&name) => Err(BackendError::Planned(name.into())),
            None => Err(BackendError::Unknown(name.into())),
        }
    }
}

impl Serialize for Backend {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Backend {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
