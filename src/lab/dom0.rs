//! The lab of a Xen dom0: guests, bridges and wire are in dom0's own network, where Xen's backends are; the tester is in a network
//! namespace beside it.
//!
//! What is made in dom0's network outlives the process, so that every change has a line in the journal. The tester's namespace
//! ends with the last process in it, and the wire with the namespace.

use std::os::fd::AsRawFd;

use super::building::Lab;
use super::machines::{End, LabMachines};
use super::{LabError, RunId, first_index, namespaces};
use crate::address::{Net, Station, with_prefix};
use crate::backend::site::Names;
use crate::backend::wire::Wire;
use crate::backend::{Side, Step};
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::machine::local::Local;
use crate::machine::login::Location;

/// Makes the tester and the management network.
///
/// # Errors
/// [`LabError`] if the kernel refuses a namespace or an interface.
pub async fn create(run: &RunId, journal: Journal) -> Result<Lab, LabError> {
    let name = run.to_string();
    let host = End::open(&Location::Local, &name).await?;
    journal.before(&Entry { machine: Location::Local, change: Change::Processes })?;
    let netns = namespaces::another_network()?;
    let tester_netns = format!("/proc/{}/fd/{}", std::process::id(), netns.as_raw_fd());
    let names = Names { run: name, tester_netns: tester_netns.clone(), index_base: first_index(run) };
    let in_namespace = Local::in_netns(netns).of_run(&names.run); // keeps the namespace open
    let tester = End::private(in_namespace, tester_netns);
    let lab = Lab::new(LabMachines { host, tester, private: false, one: true }, names, Wire::Veth, journal);
    for step in management(&lab.names) {
        lab.apply(&step).await?;
    }
    Ok(lab.of_xen())
}

/// The management network: a bridge in dom0 for the guests, and a veth pair to the tester.
fn management(names: &Names) -> Vec<Step> {
    let (bridge, peer) = (names.management(), names.management_peer());
    let port = format!("kf-{}-c", names.run);
    let host = |command: String| Step::new(Side::Host, &command);
    let tester = |command: String| Step::new(Side::Tester, &command);
    let pair = format!("ip link add {port} type veth peer name {peer} netns {}", names.tester_netns);
    vec![
        tester("ip link set lo up".into()),
        host(format!("ip link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"))
            .undone_by(&format!("ip link delete {bridge}")),
        host(format!("ip link set {bridge} up")),
        host(format!("ip address add {} dev {bridge}", with_prefix(Net::Management, Station::Host))),
        host(pair).undone_by(&format!("ip link delete {port}")),
        host(format!("ip link set {port} master {bridge}")),
        host(format!("ip link set {port} up")),
        tester(format!("ip link set {peer} up")),
        tester(format!("ip address add {} dev {peer}", with_prefix(Net::Management, Station::Tester))),
    ]
}
