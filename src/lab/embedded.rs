//! The embedded lab: tester, wire and switch on this machine alone, in namespaces of the run's own.
//!
//! Commands need no line in the journal: what they make is in the namespaces and ends with them. What is outside, a
//! real NIC or a value in sysfs, has one.

use std::os::fd::AsRawFd;

use super::building::Lab;
use super::machines::{End, LabMachines};
use super::{LabError, RunId, first_index, namespaces};
use crate::address::{Net, Station, with_prefix};
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
    for step in management(&lab.names) {
        lab.apply(&step).await?;
    }
    Ok(lab)
}

/// The management network: a bridge on the host for the guests, and a veth pair to the tester.
fn management(names: &Names) -> Vec<Step> {
    let (bridge, peer) = (names.management(), names.management_peer());
    let port = format!("kf-{}-c", names.run);
    let host = |command: String| Step::new(Side::Host, &command);
    let tester = |command: String| Step::new(Side::Tester, &command);
    vec![
        host("ip link set lo up".into()),
        tester("ip link set lo up".into()),
        host(format!("ip link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")),
        host(format!("ip link set {bridge} up")),
        host(format!("ip address add {} dev {bridge}", with_prefix(Net::Management, Station::Host))),
        host(format!("ip link add {port} type veth peer name {peer} netns {}", names.tester_netns)),
        host(format!("ip link set {port} master {bridge}")),
        host(format!("ip link set {port} up")),
        tester(format!("ip link set {peer} up")),
        tester(format!("ip address add {} dev {peer}", with_prefix(Net::Management, Station::Tester))),
    ]
}
