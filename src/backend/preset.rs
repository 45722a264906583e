//! The short names of backends, as profiles, tables and files use them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Attachment, Backend, Datapath, MacvtapMode, NicModel};

/// Every backend of this version with its short name.
pub const PRESETS: &[(&str, Backend)] = &[
    ("baremetal", Backend::Baremetal),
    ("e1000", on_bridge(NicModel::E1000, Datapath::Userspace)),
    ("e1000e", on_bridge(NicModel::E1000e, Datapath::Userspace)),
    ("virtio", on_bridge(NicModel::Virtio, Datapath::Userspace)),
    ("vhost-net", on_bridge(NicModel::Virtio, Datapath::Vhost)),
    ("macvtap-bridge", on_macvtap(MacvtapMode::Bridge, Datapath::Userspace)),
    ("macvtap-vepa", on_macvtap(MacvtapMode::Vepa, Datapath::Userspace)),
    ("macvtap-private", on_macvtap(MacvtapMode::Private, Datapath::Userspace)),
    ("macvtap-passthru", on_macvtap(MacvtapMode::Passthru, Datapath::Userspace)),
    ("vhost-macvtap-bridge", on_macvtap(MacvtapMode::Bridge, Datapath::Vhost)),
    ("vhost-macvtap-vepa", on_macvtap(MacvtapMode::Vepa, Datapath::Vhost)),
    ("vhost-macvtap-private", on_macvtap(MacvtapMode::Private, Datapath::Vhost)),
    ("vhost-macvtap-passthru", on_macvtap(MacvtapMode::Passthru, Datapath::Vhost)),
    ("ovs-e1000", on_switch(NicModel::E1000, Datapath::Userspace)),
    ("ovs", on_switch(NicModel::Virtio, Datapath::Userspace)),
    ("ovs-vhost", on_switch(NicModel::Virtio, Datapath::Vhost)),
    ("vhost-user", virtio(Datapath::VhostUser, Attachment::OvsDpdk)),
    ("sr-iov", passed_through(Attachment::VirtualFunction)),
    ("sr-iov-macvtap", virtio(Datapath::Userspace, Attachment::VfMacvtap)),
    ("vhost-sr-iov-macvtap", virtio(Datapath::Vhost, Attachment::VfMacvtap)),
    ("pci-passthrough", passed_through(Attachment::Function)),
    ("vdpa", virtio(Datapath::VhostVdpa, Attachment::Vdpa)),
    ("xen-netfront", on_bridge(NicModel::Netfront, Datapath::Netback)),
    ("ovs-xen-netfront", on_switch(NicModel::Netfront, Datapath::Netback)),
];

const fn on_bridge(model: NicModel, datapath: Datapath) -> Backend {
    Backend::Guest { model, datapath, attachment: Attachment::Bridge }
}

const fn on_switch(model: NicModel, datapath: Datapath) -> Backend {
    Backend::Guest { model, datapath, attachment: Attachment::Ovs }
}

const fn on_macvtap(mode: MacvtapMode, datapath: Datapath) -> Backend {
    virtio(datapath, Attachment::Macvtap(mode))
}

const fn virtio(datapath: Datapath, attachment: Attachment) -> Backend {
    Backend::Guest { model: NicModel::Virtio, datapath, attachment }
}

const fn passed_through(attachment: Attachment) -> Backend {
    Backend::Guest { model: NicModel::Hardware, datapath: Datapath::Passthrough, attachment }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let preset = PRESETS.iter().find(|(_, backend)| backend == self);
        f.write_str(preset.map_or("unnamed", |(name, _)| name))
    }
}

/// A name that no backend has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown backend `{0}`")]
pub struct BackendError(String);

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        match PRESETS.iter().find(|(preset, _)| *preset == name) {
            Some((_, backend)) => Ok(*backend),
            None => Err(BackendError(name.into())),
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
