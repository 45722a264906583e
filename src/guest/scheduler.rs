//! CPU time of a running guest: libvirt's scheduler parameters, set live and read back.

use virt::domain::{Domain, SchedBandwidth, SchedulerInfo};
use virt::sys;

use crate::libvirt::{Hypervisor, LibvirtError};
use crate::profile::groups::CpuSettings;

/// Quotas from this value on mean "unlimited" in libvirt.
const UNLIMITED_US: i64 = 17_592_186_044_415;

/// Scheduler parameters that libvirt reports of a running guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduler {
    /// Weight.
    pub shares: Option<u64>,
    /// Quota and period of each vCPU, µs; `None` if unlimited.
    pub vcpu: Option<(u64, u64)>,
    /// The same of QEMU's other threads.
    pub emulator: Option<(u64, u64)>,
}

impl Hypervisor {
    /// Changes the settings of a running guest; where none is set, the kernel's default is written back.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn set_scheduler(
        &self,
        name: &str,
        cpu: CpuSettings,
        default_shares: u64,
    ) -> Result<(), LibvirtError> {
        let bandwidth = |quota: Option<u32>| SchedBandwidth {
            period: quota.map(|_| u64::from(cpu.period_us())),
            quota: Some(quota.map_or(-1, i64::from)),
        };
        let info = SchedulerInfo {
            cpu_shares: Some(cpu.shares.map_or(default_shares, u64::from)),
            vcpu_bw: bandwidth(cpu.quota_us),
            emulator_bw: bandwidth(cpu.emulator_quota_us),
            ..SchedulerInfo::default()
        };
        let set =
            move |domain: &Domain| domain.set_scheduler_parameters_flags(&info, sys::VIR_DOMAIN_AFFECT_LIVE);
        self.with_domain("set the CPU time of", name, move |domain| set(domain).map(drop)).await
    }

    /// Scheduler parameters that libvirt reports of a running guest.
    ///
    /// # Errors
    /// [`LibvirtError::Call`] with libvirt's message.
    pub async fn scheduler(&self, name: &str) -> Result<Scheduler, LibvirtError> {
        let ask = |domain: &Domain| domain.scheduler_parameters_flags(sys::VIR_DOMAIN_AFFECT_LIVE);
        let info = self.with_domain("read the CPU time of", name, ask).await?;
        let limited = |bandwidth: &SchedBandwidth| match (bandwidth.quota, bandwidth.period) {
            (Some(quota), Some(period)) if (1..UNLIMITED_US).contains(&quota) => Some((quota as u64, period)),
            _ => None,
        };
        Ok(Scheduler {
            shares: info.cpu_shares,
            vcpu: limited(&info.vcpu_bw),
            emulator: limited(&info.emulator_bw),
        })
    }
}
