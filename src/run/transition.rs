//! The transition from one configuration to the next: guests are destroyed, suspended, resumed and booted, then every setting
//! that can be changed while they run is applied.

use anyhow::{Context, Result};

use super::event::Event;
use super::lab_session::LabSession;
use super::settings::{huge_pages, kernel, ksm, paced, pin, qemu_threads, scheduler, xen};
use crate::backend::Side;
use crate::guest::cloud::Disks;
use crate::guest::fleet::Patience;
use crate::guest::placement;
use crate::plan::{HostCapacity, Policy, Transition};
use crate::profile::Configuration;
use crate::raw::KsmWait;

impl LabSession {
    /// Sets the lab up for a configuration by the cheapest transition that the profile allows in this block, and waits for KSM
    /// where it has new pages to merge; returns that wait.
    ///
    /// # Errors
    /// The first step that failed. The state of the lab is then unknown: call [`LabSession::abandon`] before the next transition.
    pub async fn move_to(&mut self, configuration: &Configuration, block: u32) -> Result<Option<KsmWait>> {
        let transition = self.guests.move_to(configuration, block, Policy::from_experiment(&self.experiment));
        tracing::info!(?transition, "setting the lab up");
        self.destroy(&transition.destroy).await?;
        if transition.reattach {
            let wire = self.lab.attach(configuration.backend, &self.site(configuration)).await;
            wire.with_context(|| format!("failed to attach backend {}", configuration.backend))?;
        }
        xen::prepare_pool(self, configuration).await?;
        self.fleet.suspend(&transition.suspend).await?;
        self.fleet.resume(&transition.resume).await?;
        self.make_control_groups(configuration)?;
        self.boot(configuration, &transition).await?;
        self.apply_limits(configuration).await?;
        paced::apply(self, configuration).await?;
        kernel::apply(self, configuration).await?;
        if self.xen.is_some() {
            xen::apply(self, configuration).await?;
            return Ok(None);
        }
        pin::apply(self, configuration).await?;
        qemu_threads::apply(self, configuration).await?;
        scheduler::apply(self, configuration).await?;
        ksm::merge(self, transition.merge, configuration.memory_mib).await
    }

    /// The facts of the VM host that a plan needs.
    pub async fn planned_on(&self) -> HostCapacity {
        HostCapacity { cpus: self.host_cpus.len() as u32, scan: ksm::pace(self.lab.side(Side::Host)).await }
    }

    async fn boot(&mut self, configuration: &Configuration, transition: &Transition) -> Result<()> {
        huge_pages::provide(self, configuration, transition.boot.len()).await?;
        if !transition.boot.is_empty() {
            kernel::apply_to_machine(self, configuration).await?;
        }
        let mut boots = Vec::new();
        for guest in transition.boot.iter().copied() {
            self.most = self.most.max(guest);
            self.lab.plug(configuration.backend, &self.site(configuration), guest).await?;
            boots.push(self.guest(configuration, guest));
        }
        let patience =
            Patience { boot: self.experiment.limits.boot, attempts: self.experiment.limits.boot_attempts };
        let events = self.events.clone();
        let entry = |name| self.lab.entry_of_guest(name);
        let report = move |news| drop(events.send(Event::Boot(news)));
        Ok(self.fleet.boot(boots, patience, entry, report).await?)
    }

    async fn destroy(&mut self, guests: &[u32]) -> Result<()> {
        let run = self.blueprint.site.names.run.clone();
        let name = |guest: u32| format!("kf-{run}-g{guest}");
        self.fleet.destroy(guests, name).await?;
        xen::forget(self, guests.iter().map(|guest| name(*guest)));
        for guest in guests {
            self.applied_limits.remove(guest);
            self.lab.unplug(*guest).await?;
            if self.cloud.is_some() {
                let files = placement::guest_paths(&self.blueprint.state, *guest);
                Disks::remove(self.lab.side(Side::Host), &files).await?;
            }
        }
        Ok(())
    }

    /// After a failure: no guests, no wire; the next configuration starts from nothing.
    ///
    /// # Errors
    /// If even that fails, nothing more can be measured.
    pub async fn abandon(&mut self) -> Result<()> {
        self.guests.abandon();
        self.destroy(&Vec::from_iter(1..=self.most)).await?;
        self.most = 0;
        xen::abandon_pool(self).await?;
        Ok(self.lab.detach().await?)
    }
}
