//! The guests of a run: booted in parallel, suspended, resumed, destroyed; each with its SSH session.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::boot::{Boot, GuestSite, LOGIN};
use super::console::Console;
use super::error::GuestError;
use super::{description, ready, vdpa};
use crate::lab::LabError;
use crate::libvirt::{Hypervisor, LibvirtError};
use crate::machine::dialogue::Dialogue;
use crate::machine::journal::{Entry, Journal};
use crate::machine::ssh::{Identity, SshSession};

/// A guest that is ready.
#[derive(Clone)]
pub struct RunningGuest {
    /// Its number, from 1.
    pub number: u32,
    /// Libvirt's name.
    pub name: String,
    /// Its address on the management network.
    pub management: IpAddr,
    /// Commands in it.
    pub ssh: SshSession,
    /// Answers with the guest's counters: [`Boot::counters`], started.
    pub counters: Dialogue,
    /// QEMU's process; `None` on Xen.
    pub pid: Option<i32>,
    /// What tells its boot from others: QEMU's process, or Xen's number of the guest.
    pub boot: Option<i32>,
}

/// What is heard of a guest that boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootNews {
    /// It answers.
    Ready(u32),
    /// It did not answer in time and boots once more.
    Again {
        /// The guest.
        guest: u32,
        /// Which boot this is, from 2.
        attempt: u32,
        /// Boots that are tried.
        attempts: u32,
    },
}

/// How long to wait for a guest, and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From creation to readiness.
    pub boot: Duration,
    /// Boots of one guest.
    pub attempts: u32,
}

/// The guests of a run.
pub struct Fleet {
    hypervisor: Option<Hypervisor>,
    identity: Identity,
    journal: Journal,
    site: GuestSite,
    guests: BTreeMap<u32, RunningGuest>,
}

impl Fleet {
    /// No guests yet, and never any without a hypervisor.
    pub fn new(
        hypervisor: Option<Hypervisor>,
        identity: Identity,
        journal: Journal,
        site: GuestSite,
    ) -> Fleet {
        Fleet { hypervisor, identity, journal, site, guests: BTreeMap::new() }
    }

    /// What runs the guests.
    ///
    /// # Errors
    /// [`GuestError::NoHypervisor`] of a lab that was opened for bare metal only.
    pub(crate) fn hypervisor(&self) -> Result<&Hypervisor, GuestError> {
        self.hypervisor.as_ref().ok_or(GuestError::NoHypervisor)
    }

    /// The key that logs in to the guests.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where they run.
    pub fn site(&self) -> &GuestSite {
        &self.site
    }

    /// A guest that is ready.
    pub fn get(&self, number: u32) -> Option<&RunningGuest> {
        self.guests.get(&number)
    }

    /// Sends a guest's QEMU a QMP command; `None` if QEMU does not support it.
    pub async fn monitor(&self, number: u32, command: &'static str) -> Option<String> {
        self.hypervisor.as_ref()?.monitor(&self.guests.get(&number)?.name, command).await.ok()
    }

    /// Boots guests in parallel and returns when all are ready; `report` gets each step, and `entry` makes the line of the journal
    /// for a name.
    ///
    /// # Errors
    /// [`GuestError`] of the first that failed; the others go on and may have to be destroyed.
    pub async fn boot(
        &mut self,
        boots: Vec<Boot>,
        patience: Patience,
        entry: impl Fn(String) -> Entry,
        report: impl Fn(BootNews) + Clone + Send + Sync + 'static,
    ) -> Result<(), GuestError> {
        let mut tasks = JoinSet::new();
        // Xen's scripts plug NICs in one after another, and give up after 40 s.
        let at_once = if self.site.pids.is_some() { boots.len() } else { 1 };
        let turn = Arc::new(Semaphore::new(at_once.max(1)));
        for boot in boots {
            self.journal.before(&entry(boot.domain.name.clone())).map_err(LabError::from)?;
            let (hypervisor, identity, site) =
                (self.hypervisor()?.clone(), self.identity.clone(), self.site.clone());
            let (report, turn) = (report.clone(), turn.clone());
            let start =
                async move { boot_one(&hypervisor, &identity, &site, boot, patience, (&turn, report)).await };
            tasks.spawn(start);
        }
        while let Some(outcome) = tasks.join_next().await {
            let guest = outcome??;
            report(BootNews::Ready(guest.number));
            self.guests.insert(guest.number, guest);
        }
        Ok(())
    }

    /// Suspends guests in parallel.
    ///
    /// # Errors
    /// [`GuestError::Libvirt`] of the first that refused.
    pub async fn suspend(&self, numbers: &[u32]) -> Result<(), GuestError> {
        let suspended =
            self.booted(numbers).map(async |guest| Ok(self.hypervisor()?.suspend(&guest.name).await?));
        try_join_all(suspended).await.map(drop)
    }

    /// Resumes guests in parallel and waits until they answer again.
    ///
    /// # Errors
    /// [`GuestError`] of the first that refused or does not answer.
    pub async fn resume(&self, numbers: &[u32]) -> Result<(), GuestError> {
        let resumed = self.booted(numbers).map(async |guest| {
            self.hypervisor()?.resume(&guest.name).await?;
            let answer = guest.ssh.run(&["true"], LOGIN).await;
            answer.map(drop).map_err(|cause| GuestError::Ssh { name: guest.name.clone(), cause })
        });
        try_join_all(resumed).await?;
        Ok(())
    }

    fn booted(&self, numbers: &[u32]) -> impl Iterator<Item = &RunningGuest> {
        numbers.iter().filter_map(|number| self.guests.get(number))
    }

    /// Destroys guests in parallel, also those that never became ready; `name` gives libvirt's name of a number.
    ///
    /// # Errors
    /// [`GuestError::Libvirt`] of the first that refused; the others are destroyed all the same.
    pub async fn destroy(&mut self, numbers: &[u32], name: impl Fn(u32) -> String) -> Result<(), GuestError> {
        let mut tasks = JoinSet::new();
        for number in numbers {
            self.guests.remove(number);
            let (hypervisor, name) = (self.hypervisor()?.clone(), name(*number));
            tasks.spawn(async move { hypervisor.destroy(&name).await });
        }
        let outcomes = tasks.join_all().await;
        outcomes.into_iter().collect::<Result<Vec<()>, LibvirtError>>()?;
        Ok(())
    }
}

async fn boot_one(
    hypervisor: &Hypervisor,
    identity: &Identity,
    site: &GuestSite,
    mut boot: Boot,
    patience: Patience,
    (turn, report): (&Semaphore, impl Fn(BootNews)),
) -> Result<RunningGuest, GuestError> {
    let name = boot.domain.name.clone();
    vdpa::find_nodes(&mut boot.domain.nics, &site.host).await?;
    let xml =
        description::xml(&boot.domain).map_err(|cause| GuestError::Xml { name: name.clone(), cause })?;
    let mut last_lines = String::new();
    let attempts = patience.attempts.max(1);
    for attempt in 1..=attempts {
        if attempt > 1 {
            report(BootNews::Again { guest: boot.guest, attempt, attempts });
        }
        // QEMU appends to the file; the output of an earlier guest of this number must not be mistaken for this one's.
        site.host.run(&["rm", "-f", &boot.domain.console.to_string_lossy()]).await.map_err(LabError::from)?;
        if let Some(disks) = &boot.disks {
            let made = disks.make(&site.host, site.account.as_ref()).await;
            made.map_err(|cause| GuestError::Disk { name: name.clone(), cause })?;
        }
        let own_turn = turn.acquire().await.ok(); // never closed
        create(hypervisor, site, &boot, &xml).await?;
        drop(own_turn);
        let pid = read_pid(site, &name).await?;
        let mut console = Console::new(&site.host, &boot.domain.console);
        let deadline = Instant::now() + patience.boot;
        if let Some(ssh) = ready::wait_ready(&boot, identity, site, &mut console, pid, deadline).await? {
            return running(hypervisor, boot, ssh, pid).await;
        }
        last_lines = console.last_lines();
        tracing::warn!(guest = name, attempt, "the guest did not answer in time");
        hypervisor.destroy(&name).await?;
    }
    Err(GuestError::NoAnswer { name, limit: patience.boot, attempts, console: last_lines })
}

async fn running(
    hypervisor: &Hypervisor,
    Boot { guest: number, domain, management, counters, .. }: Boot,
    ssh: SshSession,
    pid: Option<i32>,
) -> Result<RunningGuest, GuestError> {
    let name = domain.name;
    let counters = Dialogue::open(&ssh, &counters, LOGIN).await;
    let counters = counters.map_err(|cause| GuestError::Ssh { name: name.clone(), cause })?;
    let boot = match pid {
        Some(pid) => Some(pid),
        None => hypervisor.number(&name).await?.map(|number| number as i32),
    };
    Ok(RunningGuest { number, name, management, ssh, counters, pid, boot })
}

/// Starts a guest. libvirt knows no cpupools: a guest that has one is moved there before it runs.
async fn create(hypervisor: &Hypervisor, site: &GuestSite, boot: &Boot, xml: &str) -> Result<(), GuestError> {
    let name = &boot.domain.name;
    let Some(pool) = &boot.cpupool else { return Ok(hypervisor.create(name, xml.to_owned()).await?) };
    hypervisor.create_paused(name, xml.to_owned()).await?;
    let moved = site.host.run(&["xl", "cpupool-migrate", name, pool]).await;
    moved.map_err(LabError::from)?;
    Ok(hypervisor.resume(name).await?)
}

async fn read_pid(site: &GuestSite, name: &str) -> Result<Option<i32>, LabError> {
    let Some(pids) = &site.pids else { return Ok(None) };
    let text = site.host.read(&pids.join(format!("{name}.pid")).to_string_lossy()).await?;
    text.trim().parse().map(Some).map_err(|cause| {
        LabError::system(format!("read the process id of guest {name}"))(std::io::Error::other(cause))
    })
}
