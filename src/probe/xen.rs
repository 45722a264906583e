//! CPU times on a Xen host: dom0's `/proc` shows neither the guests' nor the hypervisor's, so libvirt is asked for them.

use std::collections::BTreeMap;

use super::error::ProbeError;
use crate::libvirt::Hypervisor;
use crate::raw::CpuTimes;

/// The name of dom0 among the guests.
const DOM0: &str = "Domain-0";

/// Where the CPU times of a Xen host are read.
#[derive(Clone)]
pub struct XenCpu {
    /// Answers with the CPU time of each guest.
    pub hypervisor: Hypervisor,
    /// CPUs of the host, of which dom0 sees its own alone.
    pub cpus: u32,
    /// Name of the guest of each target, in the order of the targets.
    pub guests: Vec<String>,
}

impl std::fmt::Debug for XenCpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XenCpu")
            .field("cpus", &self.cpus)
            .field("guests", &self.guests)
            .finish_non_exhaustive()
    }
}

impl XenCpu {
    /// Reads the CPU time of every guest, s. Blocks.
    pub(super) fn read(&self) -> Result<BTreeMap<String, f64>, ProbeError> {
        self.hypervisor.cpu_times().map_err(|error| ProbeError::Read {
            what: "the CPU times of the guests".into(),
            source: std::io::Error::other(error.to_string()),
        })
    }
}

/// CPU times of the whole host: dom0's by mode, those of all guests as user time, as Linux counts guests, and idle what is left of all
/// CPUs since the host has been up. What dom0 had to wait for is no mode of the host's.
pub(super) fn host(dom0: &CpuTimes, guests: &BTreeMap<String, f64>, cpus: u32, up_s: f64) -> CpuTimes {
    let guests_s: f64 = guests.iter().filter(|(name, _)| *name != DOM0).map(|(_, seconds)| seconds).sum();
    let user = dom0.user + guests_s;
    let busy = user + dom0.nice + dom0.system + dom0.irq + dom0.softirq;
    let idle = (f64::from(cpus) * up_s - busy).max(0.0);
    CpuTimes { user, idle, iowait: 0.0, steal: 0.0, ..*dom0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_user_time_of_the_host_and_dom0_waits_for_nobody() {
        let dom0 =
            CpuTimes { user: 1.0, system: 2.0, idle: 50.0, iowait: 1.0, steal: 9.0, ..CpuTimes::default() };
        let guests = BTreeMap::from([(DOM0.to_owned(), 3.0), ("a".to_owned(), 10.0), ("b".to_owned(), 20.0)]);
        let host = host(&dom0, &guests, 2, 100.0);
        assert_eq!((host.user, host.system, host.idle), (31.0, 2.0, 167.0));
        assert_eq!((host.steal, host.iowait), (0.0, 0.0));
    }
}
