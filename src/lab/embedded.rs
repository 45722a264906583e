//! The embedded lab: tester, wire and switch on this machine alone, in namespaces of the run's own.
//!
//! Steps need no line in the journal: all that they make stands in the namespaces and goes with them.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;

use super::address::{Net, Station, with_prefix};
use super::enter;
use super::{LabError, RunId};
use crate::backend::{Backend, Names, Side, Step};
use crate::exec::local::{Local, NetNs};

/// The machines of an embedded lab and what is attached to what.
pub struct Embedded {
    /// Names of the run's interfaces.
    pub names: Names,
    /// The tester's namespace.
    pub tester_netns: NetNs,
    host: Local,
    tester: Local,
    attached: Vec<Step>,
    plugged: BTreeMap<u32, Vec<Step>>,
}

/// Interface indices of runs start here: far above what a machine hands out by itself.
const FIRST_INDEX: u32 = 100_000;
/// Indices for each run; the largest profile has fewer guests.
pub const INDICES: u32 = 1_100;

/// The first interface index of a run: all namespaces share one `/dev`, and in it a macvtap is known by its index.
pub fn first_index(run: &RunId) -> u32 {
    FIRST_INDEX + run.number() * INDICES
}

impl Embedded {
    /// Makes the tester and the management network. The process must be in its private namespaces already.
    ///
    /// # Errors
    /// [`LabError`] if the kernel refuses a namespace or an interface.
    pub async fn create(run: &RunId) -> Result<Embedded, LabError> {
        let tester_netns = enter::another_network()?;
        let fd = tester_netns.as_raw_fd();
        let names = Names {
            run: run.to_string(),
            tester_netns: format!("/proc/{}/fd/{fd}", std::process::id()),
            index_base: first_index(run),
        };
        let lab = Embedded {
            host: Local::here(),
            tester: Local::inside(tester_netns.clone()),
            tester_netns,
            attached: Vec::new(),
            plugged: BTreeMap::new(),
            names,
        };
        for step in management(&lab.names) {
            lab.apply(&step).await?;
        }
        Ok(lab)
    }

    /// Builds the wire and the switch for a backend, after taking down what was there.
    ///
    /// # Errors
    /// [`LabError::Exec`] with the command that failed.
    pub async fn attach(&mut self, backend: Backend, mtu: u32, guests: u32) -> Result<(), LabError> {
        self.detach().await?;
        for step in backend.attach(&self.names, mtu, guests) {
            self.apply(&step).await?;
            self.attached.push(step);
        }
        Ok(())
    }

    /// Takes the wire and the switch down; the guests must be gone.
    ///
    /// # Errors
    /// [`LabError::Exec`] with the command that failed.
    pub async fn detach(&mut self) -> Result<(), LabError> {
        let guests: Vec<u32> = self.plugged.keys().copied().collect();
        for guest in guests {
            self.unplug(guest).await?;
        }
        let steps = std::mem::take(&mut self.attached);
        self.revert(steps).await
    }

    /// Prepares the host for one guest.
    ///
    /// # Errors
    /// [`LabError::Exec`] with the command that failed.
    pub async fn plug(&mut self, backend: Backend, mtu: u32, guest: u32) -> Result<(), LabError> {
        self.unplug(guest).await?;
        for step in backend.plug(&self.names, mtu, guest) {
            self.apply(&step).await?;
            self.plugged.entry(guest).or_default().push(step);
        }
        Ok(())
    }

    /// Takes back what [`Embedded::plug`] did; the guest must be gone.
    ///
    /// # Errors
    /// [`LabError::Exec`] with the command that failed.
    pub async fn unplug(&mut self, guest: u32) -> Result<(), LabError> {
        let steps = self.plugged.remove(&guest).unwrap_or_default();
        self.revert(steps).await
    }

    async fn revert(&self, steps: Vec<Step>) -> Result<(), LabError> {
        for step in steps.into_iter().rev() {
            if let Some(undo) = step.undo {
                self.side(step.side).run(&undo).await?;
            }
        }
        Ok(())
    }

    async fn apply(&self, step: &Step) -> Result<(), LabError> {
        self.side(step.side).run(&step.run).await?;
        Ok(())
    }

    /// Where the commands of one side run.
    pub fn side(&self, side: Side) -> &Local {
        match side {
            Side::Host => &self.host,
            Side::Tester => &self.tester,
        }
    }
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
