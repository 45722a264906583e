//! What the sampler reads of the host at every interval.

use serde::{Deserialize, Serialize};

/// The host's counters at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostSample {
    /// When they were read, s.
    pub at_s: f64,
    /// `/proc/stat`, all CPUs together.
    pub cpu: CpuTimes,
    /// CPU time of kvmfair itself, s.
    pub orchestrator_s: f64,
    /// Time in which something waited for a CPU (PSI, `some`), s since boot; `None` if the kernel does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_s: Option<f64>,
    /// Each CPU that is online, in the order of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<OneCpu>,
    /// Interrupts of all CPUs since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<u64>,
    /// Context switches of all CPUs since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_switches: Option<u64>,
    /// One entry for each target, in the order of their numbers.
    pub targets: Vec<TargetCounters>,
}

/// CPU time by mode, s, since boot. Guest time is not a field: Linux counts it inside `user` already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuTimes {
    /// Normal processes in user mode, guests included.
    pub user: f64,
    /// Niced processes in user mode.
    pub nice: f64,
    /// Kernel mode.
    pub system: f64,
    /// Idle.
    pub idle: f64,
    /// Idle while a disk was awaited.
    pub iowait: f64,
    /// Interrupt handlers.
    pub irq: f64,
    /// Soft interrupts.
    pub softirq: f64,
    /// Time the hypervisor gave to others.
    pub steal: f64,
}

/// CPU time of one CPU, s since boot. An array on disk, for there are many: all of it, busy, soft interrupts, interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct OneCpu {
    /// Time that passed, idle and stolen time included.
    pub all: f64,
    /// Every mode but idle and steal.
    pub busy: f64,
    /// Soft interrupts.
    pub softirq: f64,
    /// Interrupt handlers.
    pub irq: f64,
}

impl From<[f64; 4]> for OneCpu {
    fn from([all, busy, softirq, irq]: [f64; 4]) -> OneCpu {
        OneCpu { all, busy, softirq, irq }
    }
}

impl From<OneCpu> for [f64; 4] {
    fn from(cpu: OneCpu) -> [f64; 4] {
        [cpu.all, cpu.busy, cpu.softirq, cpu.irq]
    }
}

/// Cumulative counters of one guest as the host sees them; all CPU fields 0 for bare metal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetCounters {
    /// CPU time of the vCPU threads, s.
    pub vcpu_s: f64,
    /// Time the vCPU threads were runnable but waited for a CPU (run delay), s.
    pub vcpu_delay_s: f64,
    /// CPU time of QEMU's other threads, s.
    pub emulator_s: f64,
    /// Run delay of those other threads, s.
    #[serde(default)]
    pub emulator_delay_s: f64,
    /// CPU time of the vhost workers, s.
    pub vhost_s: f64,
    /// Run delay of the vhost workers, s.
    #[serde(default)]
    pub vhost_delay_s: f64,
    /// Time in which something of its control group waited for a CPU (PSI, `some`), s; `None` where guests have no groups of
    /// version 2, or the kernel no PSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_s: Option<f64>,
    /// Packets from the target into the host's network, as the tap, macvtap or wire counted them.
    pub from_target_packets: u64,
    /// Packets to the target.
    pub to_target_packets: u64,
    /// Bytes from the target.
    pub from_target_bytes: u64,
    /// Bytes to the target.
    pub to_target_bytes: u64,
}
