//! The lab of a Xen dom0: guests, bridges and wire are in dom0's own network, where Xen's backends are; the tester is in a network
//! namespace beside it.
//!
//! What is made in dom0's network outlives the process, so that every change has a line in the journal. The tester's namespace
//! ends with the last process in it, and the wire with the namespace.

use std::os::fd::AsRawFd;

use super::building::Lab;
use super::machines::{End, LabMachines};
use super::{LabError, RunId, first_index, management, namespaces};
use crate::backend::site::Names;
use crate::backend::wire::Wire;
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
    management::create(&lab).await?;
    Ok(lab.of_xen())
}
