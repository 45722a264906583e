//! What a run knows of its Xen host: the pool of its guests, and what they have been given. `settings::xen` changes and proves it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::factor::xen::XenScheduler;
use crate::host::xl::{self, Credit, POOL_0};
use crate::machine::Machine;
use crate::profile::{Configuration, XenHost};

/// What Xen gives a guest without settings.
pub(super) const DEFAULT: Credit = Credit { weight: 256, cap: 0 };

/// What a guest is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedGuest {
    /// Its number.
    pub guest: u32,
    /// Its name.
    pub name: String,
    /// Weight and cap.
    pub credit: Credit,
    /// The CPUs of each vCPU; empty if they are not pinned.
    pub pins: Vec<String>,
}

/// What the run knows of its Xen host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct XenSession {
    /// The pool of the guests.
    pub pool: String,
    /// CPUs of the host.
    pub host_cpus: BTreeSet<u32>,
    /// CPUs of the run's own pool; `None`: the guests are in the hypervisor's.
    pub own: Option<BTreeSet<u32>>,
    /// What the pool was prepared for; `None` if it was not, or is gone.
    pub made_for: Option<Option<XenScheduler>>,
    /// The scheduler of the pool.
    pub scheduler: XenScheduler,
    /// Weight and cap, and the pinning of each vCPU, that guests have been given, by name.
    pub given: BTreeMap<String, Vec<String>>,
}

impl XenSession {
    /// From the profile and the hypervisor.
    ///
    /// # Errors
    /// If Xen does not answer.
    pub async fn open(profile: &XenHost, own_pool: String, dom0: &Machine) -> Result<XenSession> {
        let info = dom0.run(&["xl", "info"]).await.context("failed to ask Xen for its CPUs")?.stdout;
        let count = xl::info(&info, "nr_cpus").and_then(|count| count.parse::<u32>().ok());
        let count = count.context("`xl info` shows no nr_cpus")?;
        let own = profile.cpupool.clone();
        Ok(XenSession {
            pool: if own.is_some() { own_pool } else { POOL_0.to_owned() },
            host_cpus: (0..count).collect(),
            own,
            made_for: None,
            scheduler: XenScheduler::Credit2,
            given: BTreeMap::new(),
        })
    }

    /// The pool that a new guest is moved to; `None` if it is born there.
    pub fn destination(&self) -> Option<String> {
        self.own.is_some().then(|| self.pool.clone())
    }

    /// CPUs of the pool.
    pub fn cpus(&self) -> &BTreeSet<u32> {
        self.own.as_ref().unwrap_or(&self.host_cpus)
    }

    /// Commands that set the parameters of the scheduler, and weight, cap and pinning of guests that do not have them yet.
    pub fn commands(&mut self, configuration: &Configuration, guests: &[WantedGuest]) -> Vec<String> {
        let (pool, scheduler, xen) = (&self.pool, self.scheduler, configuration.xen);
        let slice = xen.slice_ms.map(|ms| format!(" -t {ms}")).unwrap_or_default();
        let ratelimit = xen.ratelimit_us.map(|us| format!(" -r {us}")).unwrap_or_default();
        let mut commands = Vec::new();
        if !(slice.is_empty() && ratelimit.is_empty()) {
            commands.push(format!("xl sched-{scheduler} -p {pool} -s{slice}{ratelimit}"));
        }
        for WantedGuest { name, credit: Credit { weight, cap }, pins, .. } in guests {
            let mut wanted = vec![format!("xl sched-{scheduler} -d {name} -w {weight} -c {cap}")];
            wanted.extend(
                (0..).zip(pins).map(|(vcpu, cpus): (u32, _)| format!("xl vcpu-pin {name} {vcpu} {cpus}")),
            );
            let born =
                vec![format!("xl sched-{scheduler} -d {name} -w {} -c {}", DEFAULT.weight, DEFAULT.cap)];
            let has = self.given.insert(name.clone(), wanted.clone()).unwrap_or(born);
            commands.extend(wanted.into_iter().filter(|command| !has.contains(command)));
        }
        commands
    }
}
