//! The embedded lab: tester, wire and switch on this machine alone, in namespaces of the run's own.
//!
//! Commands need no line in the journal: what they make stands in the namespaces and goes with them. What is outside, a
//! real NIC or a value in sysfs, has one.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::building::{Ground, Lab};
use super::change::Change;
use super::journal::{Journal, Undo};
use super::{LabError, RunId, clean, enter, first_index, nics};
use crate::address::{Net, Station, with_prefix};
use crate::backend::site::{Names, OpenVswitch, Wire};
use crate::backend::{Side, Step};
use crate::machine::Machine;
use crate::machine::local::Local;

/// The namespaces of an embedded lab.
pub struct Embedded {
    /// The VM host: this process's own.
    pub(super) host: Machine,
    /// The VM host in the machine's own network namespace.
    pub(super) outer: Machine,
    /// The tester.
    pub(super) tester: Machine,
    /// The tester's namespace, as a path that `ip … netns` takes.
    tester_netns: String,
}

impl Embedded {
    /// Makes the tester and the management network. The process must be in its private namespaces already.
    ///
    /// # Errors
    /// [`LabError`] if the kernel refuses a namespace or an interface.
    pub async fn create(
        run: &RunId,
        wire: Wire,
        ovs: OpenVswitch,
        journal: Journal,
    ) -> Result<Lab, LabError> {
        let netns = enter::another_network()?;
        let tester_netns = format!("/proc/{}/fd/{}", std::process::id(), netns.as_raw_fd());
        let names =
            Names { run: run.to_string(), tester_netns: tester_netns.clone(), index_base: first_index(run) };
        let ground = Ground::Embedded(Box::new(Embedded {
            host: Machine::Local(Local::here()),
            outer: Machine::Local(outer()?),
            tester: Machine::Local(Local::inside(netns)), // keeps it open
            tester_netns,
        }));
        let mut lab = Lab::on(ground, names, wire, journal);
        lab.ovs = ovs;
        for step in management(&lab.names) {
            lab.apply(&step).await?;
        }
        Ok(lab)
    }

    /// What stands outside of the namespaces, and how it is put back.
    pub(super) fn outside(&self, change: Change) -> Option<Undo> {
        match change {
            Change::Value { path, value } => Some(Undo::Value { path, value }),
            Change::Nic(nic) => Some(Undo::Nic(nic)),
            Change::Ethtool { nic, argv } => Some(Undo::Ethtool { nic, argv }),
            Change::Tracing { path } => Some(Undo::Tracing { path }),
            Change::Command { .. } | Change::Tree { .. } | Change::Domain { .. } => None,
        }
    }

    /// Waits for the interface of a device in the machine's own namespace and brings it to a side of the lab.
    pub(super) async fn bring(&self, side: Side, device: &str, name: &str) -> Result<(), LabError> {
        let (device, name, netns) = (device.to_owned(), name.to_owned(), self.netns(side));
        blocking(move || nics::adopt(&device, &name, &netns)).await
    }

    fn netns(&self, side: Side) -> String {
        match side {
            Side::Host => format!("/proc/{}/ns/net", std::process::id()),
            Side::Tester => self.tester_netns.clone(),
        }
    }

    /// Puts back what stands outside of the namespaces.
    pub(super) async fn put_back(&self, side: Side, undo: Undo) -> Result<(), LabError> {
        self.send_home(side, &undo).await;
        blocking(move || clean::put_back(&undo).map(drop)).await
    }

    /// From the tester's namespace only the tester's side can send a NIC home.
    async fn send_home(&self, side: Side, undo: &Undo) {
        if let (Side::Tester, Undo::Nic(nic), Some(machine)) = (side, undo, enter::machine_network()) {
            let home = ["ip", "link", "set", "dev", &nic.name, "netns", &machine.path];
            self.tester.run(&home).await.ok(); // where it is not, it need not be sent home from
        }
    }
}

/// Commands in the machine's own network namespace: only there has `/proc/sys/net` all settings.
fn outer() -> Result<Local, LabError> {
    let Some(machine) = enter::machine_network() else { return Ok(Local::here()) };
    let fd = machine.fd.try_clone().map_err(LabError::system("keep the machine's network namespace open"))?;
    Ok(Local::inside(Arc::new(fd)))
}

/// Work that waits for the kernel, away from the runtime's threads.
async fn blocking(work: impl FnOnce() -> Result<(), LabError> + Send + 'static) -> Result<(), LabError> {
    let broken = |_| LabError::system("change the lab")(std::io::Error::other("the attempt panicked"));
    tokio::task::spawn_blocking(work).await.map_err(broken)?
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
