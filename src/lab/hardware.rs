//! The hardware lab: the VM host behind a libvirt daemon, the tester over SSH, real NICs between them.
//!
//! Every change has a line in the journal, written on this machine before the change; a watchdog on the other machine has it too,
//! and undoes it there when kvmfair is gone.
//! NICs stay where they are: they get the MTU under test and the run's addresses, and are left as they were.

use super::building::Lab;
use super::machines::{End, LabMachines};
use super::{LabError, RunId, first_index};
use crate::address::{Net, Station, with_prefix};
use crate::backend::site::Names;
use crate::backend::wire::Wire;
use crate::backend::{Side, Step};
use crate::machine::Machine;
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::machine::login::Location;
use crate::machine::watchdog::Watchdog;
use crate::profile::Machines;

/// Where libvirt keeps the process number of each guest.
pub const PIDS: &str = "/run/libvirt/qemu";

/// Logs in to both machines, makes the run's directory on the VM host and the management network.
///
/// # Errors
/// [`LabError`] if a machine does not answer or refuses.
pub async fn create(run: &RunId, places: &Machines, wire: Wire, journal: Journal) -> Result<Lab, LabError> {
    let name = run.to_string();
    let host = watched(&places.host, &name, &journal).await?;
    let tester = watched(&Location::Remote(places.tester.clone()), &name, &journal).await?;
    let names = Names { run: name, tester_netns: String::new(), index_base: first_index(run) };
    let lab = Lab::new(LabMachines { host, tester, private: false, one: false }, names, wire, journal);
    for step in management(&lab.names) {
        lab.apply(&step).await?;
    }
    Ok(lab)
}

/// One machine, noted as one to clean, with a watchdog if it is another one.
async fn watched(place: &Location, run: &str, journal: &Journal) -> Result<End, LabError> {
    let mut end = End::open(place, run).await?;
    journal.before(&Entry { machine: place.clone(), change: Change::Processes })?;
    if let Machine::Remote(remote) = &end.machine {
        end.watchdog = Some(Watchdog::start(remote, run).await?);
    }
    Ok(end)
}

/// The management network: a bridge on the VM host, without an uplink. The guests are reached through the host.
fn management(names: &Names) -> Vec<Step> {
    let bridge = names.management();
    let make = format!("ip link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
    vec![
        Step::new(Side::Host, &make).undone_by(&format!("ip link delete {bridge}")),
        Step::new(Side::Host, &format!("ip link set {bridge} up")),
        Step::new(
            Side::Host,
            &format!("ip address add {} dev {bridge}", with_prefix(Net::Management, Station::Host)),
        ),
    ]
}

/// A lab both of whose machines are this one, with nothing built in it.
#[cfg(test)]
pub(super) fn on_this_machine(journal: Journal) -> Lab {
    let here = || Machine::local();
    let end =
        || End { machine: here(), outside: here(), place: Location::Local, watchdog: None, netns: None };
    let names = Names { run: "abc234".into(), tester_netns: String::new(), index_base: 100_000 };
    Lab::new(
        LabMachines { host: end(), tester: end(), private: false, one: false },
        names,
        Wire::Veth,
        journal,
    )
}
