//! The lab of an experiment: its machines and the wire between them.

use serde::{Deserialize, Serialize};

use crate::machine::login::{Location, Login};

/// The machines of a hardware lab, beside the one that kvmfair runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machines {
    /// The VM host.
    pub host: Location,
    /// The tester.
    pub tester: Login,
}

/// The NICs of a real wire, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireNics {
    /// The host's end.
    pub host_dev: String,
    /// Further NICs of the host on the same switch, for backends that give each guest one of its own.
    pub spare_devs: Vec<String>,
    /// NICs of the host for vDPA, one for each guest; empty where these are the others.
    #[serde(default)]
    pub vdpa_devs: Vec<String>,
    /// The tester's end.
    pub tester_dev: String,
}

impl WireNics {
    /// All NICs of the host, the wire's end first.
    pub fn host_devs(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.host_dev).chain(&self.spare_devs)
    }
}
