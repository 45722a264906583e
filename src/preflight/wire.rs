//! The NICs that a profile names for its wire.

use super::Finding;
use crate::backend::wire::Wire;
use crate::host_nic::HostNic;
use crate::lab::nics;
use crate::machine::{Machine, blocking};
use crate::profile::Experiment;

/// The wire, unless something is wrong with a NIC of it, and what was found.
pub(super) fn look(experiment: &Experiment) -> (Option<Wire>, Vec<Finding>) {
    let machine = Machine::local();
    let found = nics::wire(experiment.wire.as_ref(), Some(&machine), Some(&machine), true);
    match blocking::wait(found).unwrap_or_else(|_| Err(Vec::new())) {
        Ok(Wire::Veth) => (Some(Wire::Veth), Vec::new()),
        Ok(Wire::Nics(found)) => {
            let host = found.host.iter().map(|nic| good("the host's NIC", nic));
            let findings = host.chain([good("the tester's NIC", &found.tester)]).collect();
            (Some(Wire::Nics(found)), findings)
        }
        Err(errors) => {
            let bad = errors
                .iter()
                .map(|(_, error)| Finding::bad("NIC of the wire", error.to_string(), error.fix()));
            (None, bad.collect())
        }
    }
}

fn good(what: &str, nic: &HostNic) -> Finding {
    let functions = nic.sriov.map_or_else(String::new, |s| format!(", up to {} virtual functions", s.total));
    Finding::good(what, format!("{} ({}, {}), nothing uses it{functions}", nic.name, nic.driver, nic.device))
}
