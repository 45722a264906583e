//! The guests of a run: booted in parallel, suspended, resumed, destroyed; each with its SSH session.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::boot::{Boot, LOGIN, Site};
use super::error::GuestError;
use super::ready;
use crate::lab::LabError;
use crate::libvirt::{Hypervisor, LibvirtError};
use crate::machine::dialogue::Dialogue;
use crate::machine::journal::{Entry, Journal};
use crate::machine::ssh::{Identity, Ssh};

/// A guest that is up.
#[derive(Clone)]
pub struct Guest {
    /// Its number, from 1.
    pub number: u32,
    /// Libvirt's name.
    pub name: String,
    /// Its address on the management network.
    pub management: IpAddr,
    /// Commands in it.
    pub ssh: Ssh,
    /// What [`Boot::looks`] has started.
    pub looks: Dialogue,
    /// QEMU's process.
    pub pid: i32,
}

/// How long to wait, and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From creation to readiness.
    pub boot: Duration,
    /// Boots of one guest.
    pub attempts: u32,
}

/// The guests of a run.
pub struct Fleet {
    pub(crate) hypervisor: Hypervisor,
    identity: Identity,
    journal: Journal,
    site: Site,
    guests: BTreeMap<u32, Guest>,
}

impl Fleet {
    /// No guests yet.
    pub fn new(hypervisor: Hypervisor, identity: Identity, journal: Journal, site: Site) -> Fleet {
        Fleet { hypervisor, identity, journal, site, guests: BTreeMap::new() }
    }

    /// What logs in to the guests.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where they run.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// A guest that is up.
    pub fn get(&self, number: u32) -> Option<&Guest> {
        self.guests.get(&number)
    }

    /// Asks a guest's QEMU something in its own language; `None` if it does not know.
    pub async fn monitor(&self, number: u32, command: &'static str) -> Option<String> {
        self.hypervisor.monitor(&self.guests.get(&number)?.name, command).await.ok()
    }

    /// Boots guests in parallel and returns when all are ready; `ready` is told of each, and `entry` gives the line of the
    /// journal for a name.
    ///
    /// # Errors
    /// [`GuestError`] of the first that failed; the others go on and may have to be destroyed.
    pub async fn boot(
        &mut self,
        boots: Vec<Boot>,
        patience: Patience,
        entry: impl Fn(String) -> Entry,
        mut ready: impl FnMut(u32),
    ) -> Result<(), GuestError> {
        let mut tasks = JoinSet::new();
        for boot in boots {
            self.journal.before(&entry(boot.domain.name.clone())).map_err(LabError::from)?;
            let (hypervisor, identity, site) =
                (self.hypervisor.clone(), self.identity.clone(), self.site.clone());
            tasks.spawn(async move { boot_one(&hypervisor, &identity, &site, boot, patience).await });
        }
        while let Some(outcome) = tasks.join_next().await {
            let guest = outcome??;
            ready(guest.number);
            self.guests.insert(guest.number, guest);
        }
        Ok(())
    }

    /// Suspends guests in parallel.
    ///
    /// # Errors
    /// [`GuestError::Libvirt`] of the first that refused.
    pub async fn suspend(&self, numbers: &[u32]) -> Result<(), GuestError> {
        try_join_all(self.booted(numbers).map(|guest| self.hypervisor.suspend(&guest.name))).await?;
        Ok(())
    }

    /// Resumes guests in parallel and waits until they answer again.
    ///
    /// # Errors
    /// [`GuestError`] of the first that refused or is silent.
    pub async fn resume(&self, numbers: &[u32]) -> Result<(), GuestError> {
        let resumed = self.booted(numbers).map(async |guest| {
            self.hypervisor.resume(&guest.name).await?;
            let answer = guest.ssh.run(&["true"], LOGIN).await;
            answer.map(drop).map_err(|cause| GuestError::Ssh { name: guest.name.clone(), cause })
        });
        try_join_all(resumed).await?;
        Ok(())
    }

    fn booted(&self, numbers: &[u32]) -> impl Iterator<Item = &Guest> {
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
            let (hypervisor, name) = (self.hypervisor.clone(), name(*number));
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
    site: &Site,
    boot: Boot,
    patience: Patience,
) -> Result<Guest, GuestError> {
    let name = boot.domain.name.clone();
    let xml = boot.domain.xml().map_err(|cause| GuestError::Xml { name: name.clone(), cause })?;
    for attempt in 1..=patience.attempts.max(1) {
        // QEMU appends to it; what an earlier guest of this number said must not be taken for this one's words.
        site.host.run(&["rm", "-f", &boot.domain.console.to_string_lossy()]).await.map_err(LabError::from)?;
        if let Some(disks) = &boot.disks {
            let made = disks.make(&site.host).await;
            made.map_err(|cause| GuestError::Disk { name: name.clone(), cause })?;
        }
        hypervisor.create(&name, xml.clone()).await?;
        let pid = read_pid(site, &name).await?;
        match ready::wait_ready(&boot, identity, site, pid, Instant::now() + patience.boot).await? {
            Some(ssh) => {
                let looks = Dialogue::open(&ssh, &boot.looks, LOGIN).await;
                let looks = looks.map_err(|cause| GuestError::Ssh { name: name.clone(), cause })?;
                return Ok(Guest { number: boot.guest, name, management: boot.management, ssh, looks, pid });
            }
            None => {
                tracing::warn!(guest = name, attempt, "the guest did not answer in time");
                hypervisor.destroy(&name).await?;
            }
        }
    }
    let console = ready::last_words(&boot, site).await;
    Err(GuestError::Silent { name, limit: patience.boot, attempts: patience.attempts.max(1), console })
}

async fn read_pid(site: &Site, name: &str) -> Result<i32, LabError> {
    let text = site.host.read(&site.pids.join(format!("{name}.pid")).to_string_lossy()).await?;
    text.trim().parse().map_err(|cause| {
        LabError::system(format!("read the process id of guest {name}"))(std::io::Error::other(cause))
    })
}
