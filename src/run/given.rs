//! What the groups of a configuration may have, given to guests that run: CPU time by libvirt and in control groups, caps
//! by tc. Nobody is booted for it.

use anyhow::{Context, Result};

use super::lab_session::LabSession;
use crate::backend::{Counted, Side};
use crate::lab::RunId;
use crate::lab::control_group::{ControlGroup, default_shares};
use crate::profile::Configuration;
use crate::profile::groups::{CpuSettings, Group, Members, members, of_guest};

/// What one guest has been given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    cpu: CpuSettings,
    bandwidth_bps: Option<u64>,
}

impl LabSession {
    /// The profile's groups.
    pub fn groups(&self) -> &[Group] {
        &self.experiment.groups
    }

    /// Makes the control groups that hold whole groups of guests, and gives them what they may have.
    pub(super) fn make_control_groups(&mut self, configuration: &Configuration) -> Result<()> {
        for group in members(self.groups(), configuration).into_iter().filter(|group| group.cgroup) {
            if !self.control_groups.contains_key(&group.name) {
                let run = RunId::parse(&self.blueprint.site.names.run).context("a run has an id")?;
                let made = ControlGroup::make(&self.journal, &run, &group.name)?;
                self.control_groups.insert(group.name.clone(), made);
            }
            self.control_groups[&group.name].set(&group.cpu)?;
        }
        Ok(())
    }

    /// Gives every guest of a configuration what its group may have, where that is not what it has.
    pub(super) async fn give(&mut self, configuration: &Configuration) -> Result<()> {
        let groups = members(self.groups(), configuration);
        for guest in 1..=configuration.vms {
            let group = of_guest(&groups, guest);
            let wanted = Given {
                cpu: group.map(Members::of_each).unwrap_or_default(),
                bandwidth_bps: group.and_then(|group| group.bandwidth_bps),
            };
            // Its domain XML said what CPU time it starts with.
            let has = self.given.get(&guest).copied().unwrap_or(Given { bandwidth_bps: None, ..wanted });
            if wanted.cpu != has.cpu {
                self.give_cpu(guest, wanted.cpu).await?;
            }
            if wanted.bandwidth_bps != has.bandwidth_bps {
                self.give_bandwidth(configuration, guest, wanted.bandwidth_bps).await?;
            }
            self.given.insert(guest, wanted);
        }
        Ok(())
    }

    async fn give_cpu(&self, guest: u32, cpu: CpuSettings) -> Result<()> {
        let Some(known) = self.fleet.get(guest) else { return Ok(()) };
        let v2 = self.lab.side(Side::Host).read("/sys/fs/cgroup/cgroup.controllers").await.is_ok();
        Ok(self.fleet.hypervisor.set_scheduler(&known.name, cpu, default_shares(v2)).await?)
    }

    async fn give_bandwidth(
        &mut self,
        configuration: &Configuration,
        guest: u32,
        bits: Option<u64>,
    ) -> Result<()> {
        let counted = configuration.backend.counted(&self.site(configuration), guest);
        let done = match (counted, bits) {
            (Counted::OnHost { interface, .. }, Some(bits)) => self.lab.cap(guest, &interface, bits).await,
            (_, None) => self.lab.uncap(guest).await,
            (Counted::InGuest, Some(_)) => return Ok(()), // no valid profile asks for it
        };
        done.with_context(|| format!("failed to cap the NIC of guest {guest}"))
    }
}
