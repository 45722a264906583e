//! The state of a lab at this moment: wire, switch, what each guest needs. The same for every lab: the steps of the
//! backends are data, and the machines know how they are reached and what outlives the run.

use std::collections::{BTreeMap, BTreeSet};

use super::LabError;
use super::machines::LabMachines;
use crate::address::Net;
use crate::backend::pace::Pace;
use crate::backend::site::{Names, Site};
use crate::backend::switch::OpenVswitch;
use crate::backend::wire::Wire;
use crate::backend::{Backend, NicSettings, Side, cap};
use crate::machine::Machine;
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};

/// The machines of a lab and what is attached to what.
pub struct Lab {
    /// Names of the run's interfaces.
    pub names: Names,
    /// What connects host and tester.
    pub wire: Wire,
    /// Open vSwitch, where a configuration asks for it.
    pub ovs: OpenVswitch,
    /// The machines.
    pub machines: LabMachines,
    pub(super) journal: Journal,
    attached: Vec<Done>,
    plugged: BTreeMap<u32, Vec<Done>>,
    pub(super) tuned: Tuned,
    pub(super) tracing: Option<String>,
    capped: BTreeMap<u32, (String, Vec<Done>)>,
    pub(super) paced: Paced,
    /// The cpupool of the run, where it has one.
    pub(super) pool: Vec<Done>,
    /// Whether Xen runs the guests.
    xen: bool,
}

/// A step that was done, and the change that it made; `None` if the undo of another step covers it.
pub(super) struct Done {
    pub(super) side: Side,
    pub(super) change: Option<Change>,
}

/// Settings that were written, by the paths of their files or by ethtool's word and the NIC; the order of writing back makes no
/// difference.
pub(super) type Tuned = BTreeMap<String, Done>;

/// What is paced at this moment.
#[derive(Default)]
pub(super) struct Paced {
    /// `None` if the tester's interface is as it was.
    pub(super) paces: Option<Vec<Pace>>,
    pub(super) done: Vec<Done>,
}

impl Lab {
    /// A lab in which nothing is built yet.
    pub(super) fn new(machines: LabMachines, names: Names, wire: Wire, journal: Journal) -> Lab {
        let ovs = OpenVswitch::default();
        let (attached, plugged, capped) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (tuned, paced) = (Tuned::new(), Paced::default());
        let (tracing, pool, xen) = (None, Vec::new(), false);
        Lab {
            names,
            wire,
            ovs,
            machines,
            journal,
            attached,
            plugged,
            capped,
            tuned,
            paced,
            tracing,
            pool,
            xen,
        }
    }

    /// The same with guests that Xen runs.
    pub fn of_xen(self) -> Lab {
        Lab { xen: true, ..self }
    }

    /// Where backends are built, for so many guests with NICs of no special settings.
    pub fn site(&self, mtu: u32, guests: u32) -> Site {
        let (names, wire, ovs) = (self.names.clone(), self.wire.clone(), self.ovs.clone());
        Site { names, wire, mtu, nic: NicSettings::default(), guests, ovs }
    }

    /// Builds the wire and the switch for a backend, after taking down what was there.
    ///
    /// # Errors
    /// [`LabError`] with the step that failed.
    pub async fn attach(&mut self, backend: Backend, site: &Site) -> Result<(), LabError> {
        self.detach().await?;
        for step in backend.attach(site) {
            let done = self.apply(&step).await?;
            self.attached.push(done);
        }
        Ok(())
    }

    /// Undoes the wire and the switch; the guests must have ended. Continues after a step that fails, and tries that one
    /// again the next time.
    ///
    /// # Errors
    /// [`LabError`] with the first step that could not be undone.
    pub async fn detach(&mut self) -> Result<(), LabError> {
        let mut outcome = self.untune().await.and(self.unpace().await);
        let guests: BTreeSet<u32> = self.plugged.keys().chain(self.capped.keys()).copied().collect();
        for guest in guests {
            outcome = outcome.and(self.unplug(guest).await);
        }
        let mut steps = std::mem::take(&mut self.attached);
        outcome = outcome.and(self.revert(&mut steps).await);
        self.attached = steps;
        outcome
    }

    /// Prepares the host for one guest.
    ///
    /// # Errors
    /// [`LabError`] with the step that failed.
    pub async fn plug(&mut self, backend: Backend, site: &Site, guest: u32) -> Result<(), LabError> {
        self.unplug(guest).await?;
        for step in backend.plug(site, guest) {
            let done = self.apply(&step).await?;
            self.plugged.entry(guest).or_default().push(done);
        }
        Ok(())
    }

    /// Undoes [`Lab::plug`]; the guest must have ended.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be undone.
    pub async fn unplug(&mut self, guest: u32) -> Result<(), LabError> {
        let uncapped = self.uncap(guest).await;
        let mut steps = self.plugged.remove(&guest).unwrap_or_default();
        let outcome = uncapped.and(self.revert(&mut steps).await);
        if !steps.is_empty() {
            self.plugged.insert(guest, steps);
        }
        outcome
    }

    /// Caps the NIC of a running guest in each direction; `interface` is the host's end of it.
    ///
    /// # Errors
    /// [`LabError`] with the step that failed.
    pub async fn cap(&mut self, guest: u32, interface: &str, bits: u64) -> Result<(), LabError> {
        self.uncap(guest).await?;
        self.capped.insert(guest, (interface.to_owned(), Vec::new()));
        for step in cap::steps(interface, &self.names.cap(guest), bits) {
            let done = self.apply(&step).await?;
            if let Some((_, steps)) = self.capped.get_mut(&guest) {
                steps.push(done);
            }
        }
        Ok(())
    }

    /// Takes the cap of a guest off, whether or not the guest is still there.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be undone.
    pub async fn uncap(&mut self, guest: u32) -> Result<(), LabError> {
        let Some((interface, mut steps)) = self.capped.remove(&guest) else { return Ok(()) };
        for step in cap::lift(&interface) {
            self.apply(&step).await.ok(); // fails where the interface is gone, and the cap with it
        }
        let outcome = self.revert(&mut steps).await;
        if !steps.is_empty() {
            self.capped.insert(guest, (interface, steps));
        }
        outcome
    }

    /// The line of the journal for a guest.
    pub fn entry_of_guest(&self, name: String) -> Entry {
        let change = match self.machines.private {
            true => Change::GuestGroups { name },
            false if self.xen => Change::XenDomain { name },
            false => Change::Domain { name },
        };
        Entry { machine: self.machines.host.place.clone(), change }
    }

    /// The network of netperf's control connections: the one under test, where the tester reaches no other.
    pub fn control(&self) -> Net {
        if self.machines.one { Net::Management } else { Net::Test }
    }

    /// The VM host outside of the run's namespaces.
    pub(super) fn outside(&self) -> &Machine {
        &self.machines.host.outside
    }

    /// One of the two machines.
    pub fn side(&self, side: Side) -> &Machine {
        &self.machines.end(side).machine
    }

    /// Whether the tester is a machine of its own, whose CPUs serve nothing else.
    pub fn has_tester_of_its_own(&self) -> bool {
        !self.machines.one
    }
}
