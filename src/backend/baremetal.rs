//! No guest: netserver on the host side of the wire. The baseline of the studies.

use super::step::{Side, Step};
use super::{Attach, Counted, NicSource, Prerequisite, Proof, Site};
use crate::address::{Net, Station, with_prefix};

/// Nothing between netserver and the wire.
pub struct Baremetal;

impl Attach for Baremetal {
    fn needs(&self) -> Vec<Prerequisite> {
        Vec::new()
    }

    /// The wire, with an address at either end.
    fn attach(&self, site: &Site) -> Vec<Step> {
        let address = with_prefix(Net::Test, Station::Host);
        let here = Step::new(Side::Host, &format!("ip address add {address} dev {}", site.wire(0)));
        [site.wire_steps(), vec![here]].concat()
    }

    /// Never asked for: there is no guest.
    fn source(&self, site: &Site, _guest: u32) -> NicSource {
        NicSource::Existing { device: site.wire(0) }
    }

    fn proofs(&self, _site: &Site, _guest: u32) -> Vec<Proof> {
        Vec::new()
    }

    /// The wire's host end receives what goes to the target.
    fn counted(&self, site: &Site, _guest: u32) -> Counted {
        Counted::OnHost { interface: site.wire(0), receives_from_target: false }
    }
}
