//! CPU figures of the host: all CPUs together, by mode, and kvmfair's own share.
//!
//! 100 % = every CPU of the host. Guest time is inside `user`; soft interrupts belong to no guest and stand alone.

use serde::{Deserialize, Serialize};

use crate::raw::{CpuTimes, HostSample};
use crate::stats;
use crate::window::Window;

/// The host's CPUs in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFigures {
    /// Busy time: every mode but idle and steal; % of all host CPUs.
    pub busy_percent: f64,
    /// The same in seconds of CPU time.
    pub busy_s: f64,
    /// By mode, % of all host CPUs.
    pub modes: CpuModes,
    /// CPU time of kvmfair itself, % of one CPU.
    pub orchestrator_percent: Option<f64>,
    /// Time in which something waited for a CPU (PSI, `some`), % of the window; `None` if the kernel does not report it.
    pub pressure_percent: Option<f64>,
}

/// CPU time by mode, % of all CPUs; they add up to 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuModes {
    /// User mode, niced or not, guests included.
    pub user_percent: f64,
    /// Kernel mode.
    pub system_percent: f64,
    /// Interrupt handlers.
    pub irq_percent: f64,
    /// Soft interrupts.
    pub softirq_percent: f64,
    /// Taken by a hypervisor below this host.
    pub steal_percent: f64,
    /// Idle, waiting for a disk included.
    pub idle_percent: f64,
}

impl HostFigures {
    /// What the samples say about `window`; `None` if they do not cover it.
    pub(super) fn compute(samples: &[HostSample], window: &Window) -> Option<HostFigures> {
        let gained = |counter: fn(&HostSample) -> f64| {
            let samples = samples.iter().map(|sample| (sample.at_s, counter(sample)));
            stats::difference(samples, window.start_s, window.end_s)
        };
        let busy_s = gained(|sample| busy(&sample.cpu))?;
        let steal_s = gained(|sample| sample.cpu.steal)?;
        let idle_s = gained(|sample| idle(&sample.cpu))?;
        let total_s = busy_s + steal_s + idle_s;
        if total_s <= 0.0 {
            return None;
        }
        let percent = |seconds: f64| 100.0 * seconds / total_s;
        let pressure: Option<Vec<(f64, f64)>> =
            samples.iter().map(|s| Some((s.at_s, s.pressure_s?))).collect();
        let pressure_s = pressure.and_then(|known| stats::difference(known, window.start_s, window.end_s));
        Some(HostFigures {
            busy_percent: percent(busy_s),
            busy_s,
            modes: CpuModes {
                user_percent: percent(gained(|sample| sample.cpu.user + sample.cpu.nice)?),
                system_percent: percent(gained(|sample| sample.cpu.system)?),
                irq_percent: percent(gained(|sample| sample.cpu.irq)?),
                softirq_percent: percent(gained(|sample| sample.cpu.softirq)?),
                steal_percent: percent(steal_s),
                idle_percent: percent(idle_s),
            },
            orchestrator_percent: gained(|s| s.orchestrator_s).map(|own| 100.0 * own / window.length_s()),
            pressure_percent: pressure_s.map(|waited| 100.0 * waited / window.length_s()),
        })
    }
}

/// Time in which the CPUs worked. Steal is not: another machine had the CPU.
pub(super) fn busy(cpu: &CpuTimes) -> f64 {
    cpu.user + cpu.nice + cpu.system + cpu.irq + cpu.softirq
}

/// Time in which the CPUs had nothing to do. `iowait` alone may run backwards (proc(5)); the sum does not.
pub(super) fn idle(cpu: &CpuTimes) -> f64 {
    cpu.idle + cpu.iowait
}
