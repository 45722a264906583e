//! The machines of a lab: the VM host and the tester. The embedded lab has both in namespaces of this machine, a hardware lab
//! has machines of their own; nothing else depends on which it is.

use std::future::pending;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::namespaces;
use crate::backend::Side;
use crate::machine::change::Change;
use crate::machine::local::Local;
use crate::machine::login::Location;
use crate::machine::ssh::Route;
use crate::machine::watchdog::{Watchdog, WatchdogError};
use crate::machine::{Machine, Remote, SshError};

/// Both machines of a lab.
pub struct LabMachines {
    /// The VM host.
    pub(super) host: End,
    /// The tester.
    pub(super) tester: End,
    /// Whether both are in namespaces that end with the run.
    pub(super) private: bool,
    /// Whether both are one machine, whose CPUs serve both.
    pub(super) one: bool,
}

/// One machine of a lab.
pub struct End {
    /// Where its commands run.
    pub(super) machine: Machine,
    /// The same machine outside of the run's namespaces: what is not of an interface is the whole machine's.
    pub(super) outside: Machine,
    /// How the journal names it.
    pub(super) place: Location,
    /// What undoes the run there when kvmfair is gone; `None` on this machine.
    pub(super) watchdog: Option<Watchdog>,
    /// Its network namespace, as a path that `ip … netns` takes, if it has one of the run's own.
    pub(super) netns: Option<String>,
}

/// A machine, logged in to; the processes that are started there carry the name of the run. This machine is meant without the
/// private namespaces that the process may be in.
///
/// # Errors
/// [`SshError`] with the step that failed.
pub async fn open(place: &Location, run: &str) -> Result<Machine, SshError> {
    match place {
        Location::Local => Ok(Machine::Local(namespaces::outside().unmarked().of_run(run))),
        Location::Remote(login) => Ok(Machine::Remote(Remote::open(login.clone(), run).await?)),
    }
}

impl End {
    /// A machine whose network is the machine's own.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub(super) async fn open(place: &Location, run: &str) -> Result<End, SshError> {
        let machine = open(place, run).await?;
        Ok(End { outside: machine.clone(), machine, place: place.clone(), watchdog: None, netns: None })
    }

    /// This machine in a network namespace.
    pub(super) fn private(local: Local, netns: String) -> End {
        let outside = Machine::Local(namespaces::outside());
        End {
            machine: Machine::Local(local),
            outside,
            place: Location::Local,
            watchdog: None,
            netns: Some(netns),
        }
    }

    /// Where a change is undone: what lies in the run's namespaces can be reached from there only.
    pub(super) fn where_undone(&self, change: &Change) -> &Machine {
        let inside = match change {
            Change::Command { .. } => true,
            Change::Value { path, .. } => crate::machine::change::interface(path).is_some() && path.exists(),
            _ => false,
        };
        if inside { &self.machine } else { &self.outside }
    }
}

impl LabMachines {
    /// One of the two.
    pub(super) fn end(&self, side: Side) -> &End {
        match side {
            Side::Host => &self.host,
            Side::Tester => &self.tester,
        }
    }

    /// Whether a change has to be undone after the run's namespaces are gone.
    pub(super) fn outlives_run(&self, change: &Change) -> bool {
        !self.private || !matches!(change, Change::Command { .. })
    }

    /// Returns when a machine has lost its watchdog: nothing can be measured there any more. Never returns for a lab without any.
    pub fn lost(&self) -> impl Future<Output = WatchdogError> + use<> {
        let watchdogs = [&self.host, &self.tester].map(|end| end.watchdog.clone());
        let mut waits: FuturesUnordered<_> = watchdogs.into_iter().flatten().map(Watchdog::lost).collect();
        async move {
            match waits.next().await {
                Some(lost) => lost,
                None => pending().await,
            }
        }
    }

    /// The way to the guests: from the VM host, over a session of its own.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub async fn route(&self) -> Result<Route, SshError> {
        match &self.host.machine {
            Machine::Local(_) => Ok(Route::Direct),
            Machine::Remote(remote) => Ok(Route::Through(remote.tunnel().await?)),
        }
    }
}
