//! The hardware lab: the VM host behind a libvirt daemon, the tester over SSH, real NICs between them.
//!
//! Nothing here goes away by itself, so every change has a line in the journal, written on this machine before the change.
//! NICs stay where they are: they get the MTU under test and the run's addresses, and are left as they were.

use std::path::{Path, PathBuf};

use super::building::{Ground, Lab};
use super::change::{self, Change};
use super::journal::{Journal, Undo};
use super::{LabError, RunId, first_index};
use crate::address::{Net, Station, with_prefix};
use crate::backend::site::{Names, Wire};
use crate::backend::{Side, Step};
use crate::machine::SshError;
use crate::machine::local::Local;
use crate::machine::login::Login;
use crate::machine::ssh::Route;
use crate::machine::{Machine, Remote};
use crate::profile::{HostPlace, Machines};

/// The machines of a hardware lab.
pub struct Hardware {
    /// The VM host.
    pub(super) host: Machine,
    /// The tester.
    pub(super) tester: Machine,
    places: Machines,
}

/// Where the files of a run are on the VM host: readable on the way for whoever QEMU runs as.
pub fn host_directory(run: &RunId) -> PathBuf {
    PathBuf::from(format!("/run/kvmfair-{run}"))
}

/// Where a cloud image is on the VM host while a run needs it: on a disk, where `/run` is in memory.
pub fn image_directory(run: &RunId) -> PathBuf {
    Path::new(IMAGES).join(format!("kvmfair-{run}"))
}

/// The parent of every [`image_directory`]: every system has it, and it outlives a boot of either machine, as the
/// journal of a hardware lab does.
pub const IMAGES: &str = "/var/tmp";

/// Where libvirt keeps the process number of each guest.
pub const PIDS: &str = "/run/libvirt/qemu";

/// A machine of a hardware lab, logged in to; the processes that are started there carry the name of the run.
///
/// # Errors
/// [`SshError`] with the step that failed.
pub async fn open(place: &HostPlace, run: &str) -> Result<Machine, SshError> {
    match place {
        HostPlace::Here => Ok(Machine::Local(Local::here().of_run(run))),
        HostPlace::There(login) => Ok(Machine::Remote(Remote::open(login.clone(), run).await?)),
    }
}

impl Hardware {
    /// Logs in to both machines, makes the run's directory on the VM host and the management network.
    ///
    /// # Errors
    /// [`LabError`] if a machine does not answer or refuses.
    pub async fn create(
        run: &RunId,
        places: &Machines,
        wire: Wire,
        journal: Journal,
    ) -> Result<Lab, LabError> {
        let tester = HostPlace::There(places.tester.clone());
        let hardware = Hardware {
            host: open(&places.host, &run.to_string()).await?,
            tester: open(&tester, &run.to_string()).await?,
            places: places.clone(),
        };
        let names = Names { run: run.to_string(), tester_netns: String::new(), index_base: first_index(run) };
        let lab = Lab::on(Ground::Hardware(Box::new(hardware)), names, wire, journal);
        let directory = host_directory(run);
        lab.make_directory(&directory).await?;
        // The tester has no such directory; the line is for its processes, before the first NIC has one.
        lab.note(Side::Tester, Change::Tree { path: directory })?;
        for step in management(&lab.names) {
            lab.apply(&step).await?;
        }
        Ok(lab)
    }

    /// The line of the journal for a change.
    pub(super) fn undo(&self, side: Side, change: Change) -> Undo {
        let place = match side {
            Side::Host => self.places.host.clone(),
            Side::Tester => HostPlace::There(self.places.tester.clone()),
        };
        Undo::Elsewhere { place, change }
    }

    /// The way to the guests: from the VM host, over a session of its own.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub async fn route(&self) -> Result<Route, SshError> {
        match &self.host {
            Machine::Local(_) => Ok(Route::Direct),
            Machine::Remote(remote) => Ok(Route::Through(remote.tunnel().await?)),
        }
    }

    /// Where the host is.
    pub fn host_login(&self) -> Option<&Login> {
        match &self.places.host {
            HostPlace::Here => None,
            HostPlace::There(login) => Some(login),
        }
    }

    /// Waits for the interface of a device and gives it a name.
    pub(super) async fn bring(&self, side: Side, device: &str, name: &str) -> Result<(), LabError> {
        const BRING: &str = "n=0\nuntil for net in /sys/bus/*/devices/\"$1\"/net/*; do [ -e \"$net\" ] && break; done; [ -e \"$net\" ]; do\n\
            n=$((n + 1)); [ $n -lt 300 ] || { echo \"no interface of $1\" >&2; exit 1; }; sleep 0.1\ndone\n\
            net=${net##*/}\n[ \"$net\" = \"$2\" ] && exit 0\nip link set dev \"$net\" down && ip link set dev \"$net\" name \"$2\"";
        self.machine(side).run(&["sh", "-c", BRING, "bring", device, name]).await?;
        Ok(())
    }

    /// Takes one change back.
    pub(super) async fn take_back(&self, side: Side, change: &Change) -> Result<(), LabError> {
        let script = change::script(std::iter::once(change));
        let output = self.machine(side).run(&["sh", "-c", &script]).await?;
        let (_, left) = change::said(&output.stdout);
        if left.is_empty() { Ok(()) } else { Err(LabError::Survivors(left)) }
    }

    pub(super) fn machine(&self, side: Side) -> &Machine {
        match side {
            Side::Host => &self.host,
            Side::Tester => &self.tester,
        }
    }
}

impl Lab {
    /// Makes a directory of the run's on the VM host, removed with all that is in it when the run ends.
    ///
    /// # Errors
    /// [`LabError`] if it is there already, or the machine refuses.
    pub async fn make_directory(&self, path: &Path) -> Result<(), LabError> {
        self.note(Side::Host, Change::Tree { path: path.to_owned() })?;
        // Whoever QEMU runs as must get to the files, but need not see which there are.
        self.side(Side::Host).run(&["mkdir", "-m", "0711", &path.to_string_lossy()]).await?;
        Ok(())
    }
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
pub(super) fn all_here(journal: Journal) -> Lab {
    let address = crate::machine::login::SshAddress::parse("tester.invalid").unwrap();
    let tester = Login { address, jump: None, identity: None };
    let here = || Machine::Local(Local::here());
    let places = Machines { host: HostPlace::Here, tester };
    let ground = Ground::Hardware(Box::new(Hardware { host: here(), tester: here(), places }));
    let names = Names { run: "abc234".into(), tester_netns: String::new(), index_base: 100_000 };
    Lab::on(ground, names, Wire::Veth, journal)
}
