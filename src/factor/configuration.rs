//! A configuration: one combination of levels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::background::Background;
use super::names::Factor;
use super::pin::Pin;
use super::policy::SchedulingPolicy;
use super::test::Test;
use super::value::Value;
use super::xen::XenSettings;
use crate::backend::{Backend, NicSettings};

/// One combination of levels: a point on a chart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// NIC model, datapath and attachment.
    pub backend: Backend,
    /// Guests; 0 for bare metal.
    pub vms: u32,
    /// vCPUs of each guest.
    pub vcpus: u32,
    /// Memory of each guest, MiB.
    pub memory_mib: u32,
    /// Largest frame payload on the test network, bytes.
    pub mtu: u32,
    /// Queues, their size and the offloads of the NIC under test.
    #[serde(default)]
    pub nic: NicSettings,
    /// The QEMU that runs the guests; `None`: the one that libvirt finds.
    #[serde(default)]
    pub emulator: Option<PathBuf>,
    /// How vCPUs are pinned to the host's CPUs; `None`: as libvirt leaves them.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// CPUs of QEMU's other threads; `None`: as libvirt leaves them.
    #[serde(default)]
    pub pin_emulator: Option<Pin>,
    /// CPUs of the vhost workers; `None`: as the kernel leaves them.
    #[serde(default)]
    pub pin_vhost: Option<Pin>,
    /// Scheduling policy of the vCPUs; `None`: as they start, which is `other`.
    #[serde(default)]
    pub scheduler: Option<SchedulingPolicy>,
    /// Whether the guests' memory lies in huge pages of the host's pool; `None`: it does not, and nobody looks.
    #[serde(default)]
    pub hugepages: Option<bool>,
    /// NUMA node of the guests' memory; `None`: the kernel's choice.
    #[serde(default)]
    pub numa_node: Option<u32>,
    /// Kind of load.
    pub test: Test,
    /// Connections over all guests; divided evenly.
    pub flows: u32,
    /// Request size, bytes.
    pub request_bytes: u32,
    /// Response size, bytes.
    pub response_bytes: u32,
    /// Size of one send of a stream, bytes.
    #[serde(default)]
    pub message_bytes: u32,
    /// Transactions in flight on each connection beyond the first.
    #[serde(default)]
    pub burst: u32,
    /// What a ping is like.
    #[serde(default, skip_serializing_if = "PingSettings::is_default")]
    pub ping: PingSettings,
    /// Levels of the settings of `[tuning]`; those that are left as found have none.
    #[serde(default)]
    pub settings: BTreeMap<Factor, Value>,
    /// What the guests do that are not measured.
    #[serde(default)]
    pub background: Background,
    /// Whether the groups have the shares, quotas and caps that they are written with; `None`: they have.
    #[serde(default)]
    pub group_limits: Option<bool>,
    /// CPU time of each vCPU in each 100 ms, µs; 0: unlimited, or as its group says.
    #[serde(default)]
    pub quota_us: u32,
    /// The scheduler of the guests on Xen.
    #[serde(default, skip_serializing_if = "XenSettings::is_default")]
    pub xen: XenSettings,
    /// How many of the guests carry no measured flow: it follows from `vms` and the profile's groups.
    #[serde(default)]
    pub unmeasured: u32,
}

/// What a ping is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PingSettings {
    /// From one to the next, ms: never less, and up to a tick of the tester's kernel more.
    pub interval_ms: u32,
    /// What each carries beside its headers, bytes.
    pub payload_bytes: u32,
}

/// The payload is ping's own default.
impl Default for PingSettings {
    fn default() -> PingSettings {
        PingSettings { interval_ms: 20, payload_bytes: 56 }
    }
}

impl PingSettings {
    fn is_default(&self) -> bool {
        *self == PingSettings::default()
    }
}

/// What is measured if nothing is written. Bare metal and no flows stand for what a profile must say itself.
impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            backend: Backend::Baremetal,
            vms: 1,
            vcpus: 1,
            memory_mib: 128,
            mtu: 1500,
            nic: NicSettings::default(),
            emulator: None,
            pin: None,
            pin_emulator: None,
            pin_vhost: None,
            scheduler: None,
            hugepages: None,
            numa_node: None,
            test: Test::TCP_RR,
            flows: 0,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: 64 * 1024,
            burst: 0,
            ping: PingSettings::default(),
            settings: BTreeMap::new(),
            background: Background::AsWritten,
            group_limits: None,
            quota_us: 0,
            xen: XenSettings::default(),
            unmeasured: 0,
        }
    }
}

impl Configuration {
    /// Machines that serve measured flows: guests, or the host itself for bare metal.
    pub fn targets(&self) -> u32 {
        (self.vms - self.unmeasured.min(self.vms)).max(1)
    }

    /// Connections to each target.
    pub fn flows_per_target(&self) -> u32 {
        self.flows / self.targets()
    }

    /// Transactions in flight on each connection.
    pub fn in_flight(&self) -> u32 {
        1 + self.burst
    }

    /// Huge pages that the memory of one guest takes; 0 if it lies in ordinary ones.
    pub fn huge_pages_each(&self) -> u64 {
        if self.hugepages == Some(true) {
            u64::from(self.memory_mib) * 1024 / u64::from(HUGE_PAGE_KIB)
        } else {
            0
        }
    }
}

/// Size of the huge pages that guests get, KiB: the one that every x86-64 host has.
pub const HUGE_PAGE_KIB: u32 = 2048;

/// Memory in MiB that a guest needs to serve so many connections at a time.
///
/// Measured with Debian's 6.1 kernel: of 96 MiB some 14 are free after the boot, 128 connections fit into 128 MiB, and in
/// 96 MiB the kernel begins to kill netservers at about 55.
pub fn memory_mib_for(connections: u32) -> u32 {
    96 + connections.saturating_sub(32).div_ceil(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_connections_fit_into_96_mib_and_128_into_128() {
        assert_eq!([0, 1, 32, 33, 128].map(memory_mib_for), [96, 96, 96, 97, 128]);
    }
}
