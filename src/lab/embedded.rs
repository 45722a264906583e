//! The embedded lab: tester, wire and switch on this machine alone, in namespaces of the run's own.
//!
//! Commands need no line in the journal: what they make stands in the namespaces and goes with them. What is outside, a
//! real NIC or a value in sysfs, has one.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;

use super::address::{Net, Station, with_prefix};
use super::journal::{Journal, Undo};
use super::{LabError, RunId, clean, enter, nics, ovs};
use crate::backend::site::{Names, OpenVswitch, Site, Wire};
use crate::backend::{Action, Backend, Side, Step};
use crate::exec::local::{Local, NetNs};

/// The machines of an embedded lab and what is attached to what.
pub struct Embedded {
    /// Names of the run's interfaces.
    pub names: Names,
    /// What connects host and tester.
    pub wire: Wire,
    /// Open vSwitch, where a configuration asks for it.
    pub ovs: OpenVswitch,
    /// The tester's namespace.
    pub tester_netns: NetNs,
    host: Local,
    tester: Local,
    journal: Journal,
    attached: Vec<Done>,
    plugged: BTreeMap<u32, Vec<Done>>,
}

/// A step that was done, and what takes it back.
struct Done {
    side: Side,
    undo: Back,
}

/// How a step is taken back.
enum Back {
    /// By another step's undo.
    Nothing,
    /// By a command.
    Run(Vec<String>),
    /// As after a kill -9.
    Journalled(Undo),
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
    pub async fn create(
        run: &RunId,
        wire: Wire,
        ovs: OpenVswitch,
        journal: Journal,
    ) -> Result<Embedded, LabError> {
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
            journal,
            attached: Vec::new(),
            plugged: BTreeMap::new(),
            wire,
            ovs,
            names,
        };
        for step in management(&lab.names) {
            lab.apply(&step).await?;
        }
        Ok(lab)
    }

    /// Where backends are built, for so many guests.
    pub fn site(&self, mtu: u32, guests: u32) -> Site {
        Site { names: self.names.clone(), wire: self.wire.clone(), mtu, guests, ovs: self.ovs.clone() }
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

    /// Takes back what [`Embedded::plug`] did; the guest must be gone.
    ///
    /// # Errors
    /// [`LabError`] with the step that could not be taken back.
    pub async fn unplug(&mut self, guest: u32) -> Result<(), LabError> {
        let steps = self.plugged.remove(&guest).unwrap_or_default();
        self.revert(steps).await
    }

    async fn revert(&self, steps: Vec<Done>) -> Result<(), LabError> {
        for Done { side, undo } in steps.into_iter().rev() {
            match undo {
                Back::Nothing => {}
                Back::Run(argv) => drop(self.side(side).run(&argv).await?),
                Back::Journalled(undo) => {
                    self.send_home(side, &undo).await;
                    blocking(move || clean::put_back(&undo)).await?;
                }
            }
        }
        Ok(())
    }

    /// From the tester's namespace only the tester's side can send a NIC home.
    async fn send_home(&self, side: Side, undo: &Undo) {
        if let (Side::Tester, Undo::Nic(nic), Some(machine)) = (side, undo, enter::machine_network()) {
            let home = ["ip", "link", "set", "dev", &nic.name, "netns", &machine.path];
            self.tester.run(&home).await.ok(); // where it is not, it need not be sent home from
        }
    }

    async fn apply(&self, step: &Step) -> Result<Done, LabError> {
        let side = step.side;
        let undo = match &step.action {
            Action::Run { run, undo } => {
                self.side(side).run(run).await?;
                undo.clone().map_or(Back::Nothing, Back::Run)
            }
            Action::Write { path, value } => Back::Journalled(self.write(path, value)?),
            Action::Trigger { path, value } => {
                write(path, value)?;
                Back::Nothing
            }
            Action::Lend(nic) => Back::Journalled(self.note(Undo::Nic(nic.clone()))?),
            Action::Borrow(nic) => {
                let undo = self.note(Undo::Nic(nic.clone()))?;
                let (nic, netns) = (nic.clone(), self.netns(side));
                blocking(move || nics::borrow(&nic, &netns)).await?;
                Back::Journalled(undo)
            }
            Action::WholeFrames(nic) => {
                let undo = self.note(ovs::whole_frames_undo(nic)?)?;
                self.side(side).run(&ovs::whole_frames(nic)).await?;
                Back::Journalled(undo)
            }
            Action::Switch(switch) => {
                ovs::ensure(&self.host, *switch, &self.ovs).await?;
                Back::Nothing
            }
            Action::Adopt { device, name } => {
                let (device, name, netns) = (device.clone(), name.clone(), self.netns(side));
                blocking(move || nics::adopt(&device, &name, &netns)).await?;
                Back::Nothing
            }
        };
        Ok(Done { side, undo })
    }

    /// Writes a value into sysfs, after noting the one that was there.
    fn write(&self, path: &str, value: &str) -> Result<Undo, LabError> {
        let old = std::fs::read_to_string(path).map_err(LabError::system(format!("read {path}")))?;
        // How sysfs says that a device has no driver of its own choice; written back, it would be a name.
        let old = if old.trim() == "(null)" { "\n".into() } else { old };
        let undo = self.note(Undo::Value { path: path.into(), value: old })?;
        write(path, value)?;
        Ok(undo)
    }

    fn note(&self, undo: Undo) -> Result<Undo, LabError> {
        self.journal.before(&undo)?;
        Ok(undo)
    }

    fn netns(&self, side: Side) -> String {
        match side {
            Side::Host => format!("/proc/{}/ns/net", std::process::id()),
            Side::Tester => self.names.tester_netns.clone(),
        }
    }

    /// Where the commands of one side run.
    pub fn side(&self, side: Side) -> &Local {
        match side {
            Side::Host => &self.host,
            Side::Tester => &self.tester,
        }
    }
}

fn write(path: &str, value: &str) -> Result<(), LabError> {
    std::fs::write(path, value).map_err(LabError::system(format!("write {value} into {path}")))
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
