//! The limits of a configuration's groups, applied to running guests: CPU time through libvirt and control groups, bandwidth
//! through tc. No guest is rebooted for them.

use anyhow::{Context, Result};

use crate::backend::{Counted, Side};
use crate::lab::RunId;
use crate::lab::control_group::{ControlGroup, default_shares};
use crate::profile::Configuration;
use crate::profile::groups::{CpuSettings, Members, members, of_guest};
use crate::run::lab_session::{GuestLimits, LabSession};

impl LabSession {
    /// Makes the control groups that hold whole groups of guests, and gives them what they may have.
    pub(in crate::run) fn make_control_groups(&mut self, configuration: &Configuration) -> Result<()> {
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
    pub(in crate::run) async fn apply_limits(&mut self, configuration: &Configuration) -> Result<()> {
        let groups = members(self.groups(), configuration);
        for guest in 1..=configuration.vms {
            let group = of_guest(&groups, guest);
            let wanted = GuestLimits {
                cpu: group.map(Members::of_each).unwrap_or_default(),
                bandwidth_bps: group.and_then(|group| group.bandwidth_bps),
            };
            // Its domain XML has the CPU time that it starts with.
            let has = self
                .applied_limits
                .get(&guest)
                .copied()
                .unwrap_or(GuestLimits { bandwidth_bps: None, ..wanted });
            if wanted.cpu != has.cpu && self.xen.is_none() {
                self.apply_cpu(guest, wanted.cpu).await?;
            }
            if wanted.bandwidth_bps != has.bandwidth_bps {
                self.apply_bandwidth(configuration, guest, wanted.bandwidth_bps).await?;
            }
            self.applied_limits.insert(guest, wanted);
        }
        Ok(())
    }

    async fn apply_cpu(&self, guest: u32, cpu: CpuSettings) -> Result<()> {
        let Some(known) = self.fleet.get(guest) else { return Ok(()) };
        let v2 = self.lab.side(Side::Host).read("/sys/fs/cgroup/cgroup.controllers").await.is_ok();
        Ok(self.fleet.hypervisor()?.set_scheduler(&known.name, cpu, default_shares(v2)).await?)
    }

    async fn apply_bandwidth(
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
