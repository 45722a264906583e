//! What is built in a lab at this moment: wire, switch, what each guest needs. The same for every lab: the steps of the
//! backends are data, and the ground they are done on knows how a machine is reached and what outlives the run.

use std::collections::BTreeMap;

use super::address::Net;
use super::change::Change;
use super::embedded::Embedded;
use super::hardware::Hardware;
use super::journal::{Journal, Undo};
use super::paced::Paced;
use super::tuned::Tuned;
use super::{LabError, far_ovs, ovs};
use crate::backend::site::{HostNic, Names, OpenVswitch, Site, Wire};
use crate::backend::{Action, Backend, NicSettings, Side, Step, cap};
use crate::exec::local::Local;
use crate::exec::machine::Machine;

/// The machines of a lab and what is attached to what.
pub struct Lab {
    /// Names of the run's interfaces.
    pub names: Names,
    /// What connects host and tester.
    pub wire: Wire,
    /// Open vSwitch, where a configuration asks for it.
    pub ovs: OpenVswitch,
    /// The machines.
    pub ground: Ground,
    journal: Journal,
    attached: Vec<Done>,
    plugged: BTreeMap<u32, Vec<Done>>,
    pub(super) tuned: Tuned,
    pub(super) tracing: Option<String>,
    capped: BTreeMap<u32, (String, Vec<Done>)>,
    pub(super) paced: Paced,
}

/// Where a lab is built.
pub enum Ground {
    /// In namespaces of this machine.
    Embedded(Box<Embedded>),
    /// On other machines.
    Hardware(Box<Hardware>),
}

/// A step that was done, and what takes it back.
pub(super) struct Done {
    pub(super) side: Side,
    pub(super) undo: Back,
}

/// How a step is taken back.
pub(super) enum Back {
    /// By another step's undo.
    Nothing,
    /// By a command.
    Run(Vec<String>),
    /// As after a kill -9.
    Journalled(Box<Undo>),
}

impl Lab {
    /// A lab in which nothing is built yet.
    pub(super) fn on(ground: Ground, names: Names, wire: Wire, journal: Journal) -> Lab {
        let ovs = OpenVswitch::default();
        let (attached, plugged, capped) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (tuned, paced) = (Tuned::new(), Paced::default());
        Lab { names, wire, ovs, ground, journal, attached, plugged, capped, tuned, paced, tracing: None }
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

    /// Takes the wire and the switch down; the guests must be gone.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be taken back.
    pub async fn detach(&mut self) -> Result<(), LabError> {
        self.untune().await?;
        self.unpace().await?;
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
    /// [`LabError`] with the step that failed.
    pub async fn plug(&mut self, backend: Backend, site: &Site, guest: u32) -> Result<(), LabError> {
        self.unplug(guest).await?;
        for step in backend.plug(site, guest) {
            let done = self.apply(&step).await?;
            self.plugged.entry(guest).or_default().push(done);
        }
        Ok(())
    }

    /// Takes back what [`Lab::plug`] did; the guest must be gone.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be taken back.
    pub async fn unplug(&mut self, guest: u32) -> Result<(), LabError> {
        self.uncap(guest).await?;
        let steps = self.plugged.remove(&guest).unwrap_or_default();
        self.revert(steps).await
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
    /// [`LabError`] with the step that could not be taken back.
    pub async fn uncap(&mut self, guest: u32) -> Result<(), LabError> {
        let Some((interface, steps)) = self.capped.remove(&guest) else { return Ok(()) };
        for step in cap::lift(&interface) {
            self.apply(&step).await.ok(); // it went with the interface, if that is gone
        }
        self.revert(steps).await
    }

    pub(super) async fn revert(&self, steps: Vec<Done>) -> Result<(), LabError> {
        for Done { side, undo } in steps.into_iter().rev() {
            match undo {
                Back::Nothing => {}
                Back::Run(argv) => drop(self.side(side).run(&argv).await?),
                Back::Journalled(undo) => self.take_back(side, *undo).await?,
            }
        }
        Ok(())
    }

    async fn take_back(&self, side: Side, undo: Undo) -> Result<(), LabError> {
        match (&self.ground, undo) {
            (Ground::Embedded(embedded), undo) => embedded.put_back(side, undo).await,
            (Ground::Hardware(hardware), Undo::Elsewhere { change, .. }) => {
                hardware.take_back(side, &change).await
            }
            (Ground::Hardware(_), _) => Ok(()), // no change there is noted otherwise
        }
    }

    /// Does one step; what would outlive the run is in the journal before.
    pub(super) async fn apply(&self, step: &Step) -> Result<Done, LabError> {
        let side = step.side;
        let undo = match &step.action {
            Action::Run { run, undo } => {
                if let Some(argv) = undo {
                    self.note(side, Change::Command { argv: argv.clone() })?;
                }
                self.side(side).run(run).await?;
                undo.clone().map_or(Back::Nothing, Back::Run)
            }
            Action::Write { path, value } => self.write(side, path, value).await?,
            Action::Trigger { path, value } => {
                self.side(side).write(path, value.clone().into_bytes()).await?;
                Back::Nothing
            }
            Action::Lend(nic) => self.note(side, Change::Nic(nic.clone()))?,
            Action::Borrow(nic) => {
                let undo = self.note(side, Change::Nic(nic.clone()))?;
                self.bring(side, &nic.device, &nic.name).await?;
                undo
            }
            Action::Adopt { device, name } => {
                self.bring(side, device, name).await?;
                Back::Nothing
            }
            Action::WholeFrames(nic) => {
                let undo = self.note_merging(side, nic).await?;
                self.side(side).run(&ovs::whole_frames(nic)).await?;
                undo
            }
            // In the embedded lab only: in a hardware lab the daemons are the VM host's own.
            Action::Switch(switch) => {
                ovs::ensure(&Local::here(), *switch, &self.ovs).await?;
                Back::Nothing
            }
        };
        Ok(Done { side, undo })
    }

    /// Notes how a NIC merges frames.
    async fn note_merging(&self, side: Side, nic: &HostNic) -> Result<Back, LabError> {
        match &self.ground {
            Ground::Embedded(_) => {
                let undo = ovs::whole_frames_undo(nic)?;
                self.journal.before(&undo)?;
                Ok(Back::Journalled(Box::new(undo)))
            }
            Ground::Hardware(_) => match far_ovs::merging_again(self.side(side), nic).await? {
                Some(change) => self.note(side, change),
                None => Ok(Back::Nothing),
            },
        }
    }

    async fn bring(&self, side: Side, device: &str, name: &str) -> Result<(), LabError> {
        match &self.ground {
            Ground::Embedded(embedded) => embedded.bring(side, device, name).await,
            // A NIC without a device is known by its name, and stays where it is.
            Ground::Hardware(_) if device.is_empty() => Ok(()),
            Ground::Hardware(hardware) => hardware.bring(side, device, name).await,
        }
    }

    /// Writes a value into sysfs, after noting the one that was there.
    async fn write(&self, side: Side, path: &str, value: &str) -> Result<Back, LabError> {
        let old = self.side(side).read(path).await?;
        // How sysfs says that a device has no driver of its own choice; written back, it would be a name.
        let old = if old.trim() == "(null)" { "\n".into() } else { old };
        let undo = self.note(side, Change::Value { path: path.into(), value: old })?;
        self.side(side).write(path, value.to_owned().into_bytes()).await?;
        Ok(undo)
    }

    /// Writes into the journal what takes a change back, if it would outlive the run.
    pub(super) fn note(&self, side: Side, change: Change) -> Result<Back, LabError> {
        let undo = match &self.ground {
            Ground::Embedded(embedded) => embedded.outside(change),
            Ground::Hardware(hardware) => Some(hardware.undo(side, change)),
        };
        let Some(undo) = undo else { return Ok(Back::Nothing) };
        self.journal.before(&undo)?;
        Ok(Back::Journalled(Box::new(undo)))
    }

    /// The line of the journal for a guest.
    pub fn undo_of_guest(&self, name: String) -> Undo {
        match &self.ground {
            Ground::Embedded(_) => Undo::Domain { name },
            Ground::Hardware(hardware) => hardware.undo(Side::Host, Change::Domain { name }),
        }
    }

    /// The network of netperf's control connections: the one under test, where the tester reaches no other.
    pub fn control(&self) -> Net {
        match self.ground {
            Ground::Embedded(_) => Net::Management,
            Ground::Hardware(_) => Net::Test,
        }
    }

    /// The VM host as it is outside of the lab: what is not of an interface is the whole machine's.
    pub(super) fn outer(&self) -> &Machine {
        match &self.ground {
            Ground::Embedded(embedded) => &embedded.outer,
            Ground::Hardware(hardware) => hardware.machine(Side::Host),
        }
    }

    /// One of the two machines.
    pub fn side(&self, side: Side) -> &Machine {
        match (&self.ground, side) {
            (Ground::Embedded(embedded), Side::Host) => &embedded.host,
            (Ground::Embedded(embedded), Side::Tester) => &embedded.tester,
            (Ground::Hardware(hardware), side) => hardware.machine(side),
        }
    }
}
