//! What connects host and tester: the wire and its NICs.

use crate::host_nic::HostNic;

/// What connects host and tester.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Veth pairs that the run makes.
    #[default]
    Veth,
    /// Real NICs. The run borrows them.
    Nics(Nics),
}

/// The NICs of a real wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nics {
    /// The host's: the first carries the wire; the others serve where each guest takes one.
    pub host: Vec<HostNic>,
    /// The host's for vDPA, one for each guest; empty where these are the same.
    pub vdpa: Vec<HostNic>,
    /// The tester's.
    pub tester: HostNic,
}

impl Nics {
    /// The host's NICs that vDPA devices are made of, one for each guest.
    pub fn for_vdpa(&self) -> &[HostNic] {
        if self.vdpa.is_empty() { &self.host } else { &self.vdpa }
    }
}
