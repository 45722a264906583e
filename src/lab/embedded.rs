//! The embedded lab: tester, wire and switch on this machine alone, in namespaces of the run's own.
//!
//! Commands need no line in the journal: what they make is in the namespaces and ends with them. What is outside, a
//! real NIC or a value in sysfs, has one.

use std::os::fd::AsRawFd;

use super::building::Lab;
use super::machines::{End, LabMachines};
use super::{LabError, RunId, first_index, management, namespaces};
use crate::backend::site::Names;
use crate::backend::switch::OpenVswitch;
use crate::backend::wire::Wire;
use crate::backend::{Side, Step};
use crate::machine::journal::Journal;
use crate::machine::local::Local;

/// Makes the tester and the management network. The process must be in its private namespaces already.
///
/// # Errors
/// [`LabError`] if the kernel refuses a namespace or an interface.
pub async fn create(run: &RunId, wire: Wire, ovs: OpenVswitch, journal: Journal) -> Result<Lab, LabError> {
    let netns = namespaces::another_network()?;
    let tester_netns = format!("/proc/{}/fd/{}", std::process::id(), netns.as_raw_fd());
    let names =
        Names { run: run.to_string(), tester_netns: tester_netns.clone(), index_base: first_index(run) };
    let host = End::private(Local::default(), format!("/proc/{}/ns/net", std::process::id()));
    let tester = End::private(Local::in_netns(netns), tester_netns); // keeps the namespace open
    let mut lab = Lab::new(LabMachines { host, tester, private: true, one: true }, names, wire, journal);
    lab.ovs = ovs;
    lab.apply(&Step::new(Side::Host, "ip link set lo up")).await?;
    management::create(&lab).await?;
    Ok(lab)
}
