//! The NICs that a profile names for its wire.

use super::CheckResult;
use crate::backend::Side;
use crate::backend::wire::Wire;
use crate::host_nic::HostNic;
use crate::lab::nic_error::NicError;

const WHAT: &str = "NIC of the wire";

/// NICs that can carry it, each with its side.
pub(super) fn good(wire: &Wire) -> Vec<(Side, CheckResult)> {
    let Wire::Nics(nics) = wire else { return Vec::new() };
    let host = nics.host.iter().chain(&nics.vdpa).map(|nic| (Side::Host, nic));
    host.chain([(Side::Tester, &nics.tester)]).map(|(side, nic)| (side, unused(nic))).collect()
}

/// One that cannot.
pub(super) fn bad(error: &NicError) -> CheckResult {
    CheckResult::bad(WHAT, error.to_string(), error.fix())
}

fn unused(nic: &HostNic) -> CheckResult {
    let kind = match nic.device.as_str() {
        "" => "a virtual interface".to_owned(),
        device => format!("{}, {device}", nic.driver),
    };
    let functions = nic.sriov.map_or_else(String::new, |s| format!(", up to {} virtual functions", s.total));
    CheckResult::good(WHAT, format!("{} ({kind}), nothing uses it{functions}", nic.name))
}
