//! A configuration: one combination of levels.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::background::Background;
use super::names::Factor;
use super::pin::Pin;
use super::policy::Policy;
use super::test::Test;
use super::tuning::Tuning;
use super::value::Value;
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
    /// CPUs of QEMU's other threads and of the vhost workers; `None`: as libvirt leaves them.
    #[serde(default)]
    pub pin_emulator: Option<Pin>,
    /// Scheduling policy of the vCPUs; `None`: as they start, which is `other`.
    #[serde(default)]
    pub scheduler: Option<Policy>,
    /// Whether the guests' memory lies in huge pages of the host's pool; `None`: it does not, and nobody looks.
    #[serde(default)]
    pub hugepages: Option<bool>,
    /// NUMA node of the guests' memory; `None`: the kernel's choice.
    #[serde(default)]
    pub numa_node: Option<u32>,
    /// netperf test.
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
    /// Settings of the host and inside the guests.
    #[serde(default)]
    pub tuning: Tuning,
    /// What the guests do that are not measured.
    #[serde(default)]
    pub background: Background,
    /// Whether the groups have the shares, quotas and caps that they are written with; `None`: they have.
    #[serde(default)]
    pub group_limits: Option<bool>,
    /// CPU time of each vCPU in each 100 ms, µs; 0: unlimited, or as its group says.
    #[serde(default)]
    pub quota_us: u32,
    /// How many of the guests carry no measured flow: it follows from `vms` and the profile's groups.
    #[serde(default)]
    pub unmeasured: u32,
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
            scheduler: None,
            hugepages: None,
            numa_node: None,
            test: Test::TCP_RR,
            flows: 0,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: 64 * 1024,
            burst: 0,
            tuning: Tuning::default(),
            background: Background::AsWritten,
            group_limits: None,
            quota_us: 0,
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

    /// The level of one factor.
    pub fn value(&self, factor: Factor) -> Value {
        match factor {
            Factor::Backend => Value::Backend(self.backend),
            Factor::Vms => Value::Number(self.vms),
            Factor::Vcpus => Value::Number(self.vcpus),
            Factor::Memory => Value::Number(self.memory_mib),
            Factor::Mtu => Value::Number(self.mtu),
            Factor::Queues => self.nic.queues.map_or(Value::AsFound, Value::Number),
            Factor::QueueSize => self.nic.queue_size.map_or(Value::AsFound, Value::Number),
            Factor::Offloads => self.nic.offloads.map_or(Value::AsFound, Value::Switch),
            Factor::Emulator => match &self.emulator {
                Some(path) => Value::Word(path.display().to_string()),
                None => Value::AsFound,
            },
            Factor::Test => Value::Test(self.test),
            Factor::Flows => Value::Number(self.flows),
            Factor::Request => Value::Number(self.request_bytes),
            Factor::Response => Value::Number(self.response_bytes),
            Factor::Message => Value::Number(self.message_bytes),
            Factor::Burst => Value::Number(self.burst),
            Factor::Pin => word(self.pin.as_ref()),
            Factor::PinEmulator => word(self.pin_emulator.as_ref()),
            Factor::Scheduler => word(self.scheduler.as_ref()),
            Factor::Hugepages => self.hugepages.map_or(Value::AsFound, Value::Switch),
            Factor::NumaNode => self.numa_node.map_or(Value::AsFound, Value::Number),
            Factor::Background => Value::Background(self.background),
            Factor::GroupLimits => self.group_limits.map_or(Value::AsFound, Value::Switch),
            Factor::Quota if self.quota_us == 0 => Value::AsFound,
            Factor::Quota => Value::Number(self.quota_us),
            of_tuning => self.tuning.value(of_tuning),
        }
    }

    /// Changes the level of one factor; a value that the factor cannot have changes nothing.
    pub fn set(&mut self, factor: Factor, value: &Value) {
        match (factor, value) {
            (Factor::Backend, Value::Backend(backend)) => self.backend = *backend,
            (Factor::Test, Value::Test(test)) => self.test = *test,
            (Factor::Queues, Value::Number(queues)) => self.nic.queues = Some(*queues),
            (Factor::Queues, Value::AsFound) => self.nic.queues = None,
            (Factor::QueueSize, Value::Number(size)) => self.nic.queue_size = Some(*size),
            (Factor::QueueSize, Value::AsFound) => self.nic.queue_size = None,
            (Factor::Offloads, Value::Switch(on)) => self.nic.offloads = Some(*on),
            (Factor::Offloads, Value::AsFound) => self.nic.offloads = None,
            (Factor::Emulator, Value::Word(path)) => self.emulator = Some(path.into()),
            (Factor::Emulator, Value::AsFound) => self.emulator = None,
            (Factor::Pin, Value::Word(pin)) => self.pin = pin.parse().ok(),
            (Factor::Pin, Value::AsFound) => self.pin = None,
            (Factor::PinEmulator, Value::Word(pin)) => self.pin_emulator = pin.parse().ok(),
            (Factor::PinEmulator, Value::AsFound) => self.pin_emulator = None,
            (Factor::Scheduler, Value::Word(policy)) => self.scheduler = policy.parse().ok(),
            (Factor::Scheduler, Value::AsFound) => self.scheduler = None,
            (Factor::Hugepages, Value::Switch(on)) => self.hugepages = Some(*on),
            (Factor::Hugepages, Value::AsFound) => self.hugepages = None,
            (Factor::NumaNode, Value::Number(node)) => self.numa_node = Some(*node),
            (Factor::NumaNode, Value::AsFound) => self.numa_node = None,
            (Factor::Background, Value::Background(background)) => self.background = *background,
            (Factor::GroupLimits, Value::Switch(on)) => self.group_limits = Some(*on),
            (Factor::GroupLimits, Value::AsFound) => self.group_limits = None,
            (Factor::Quota, Value::AsFound) => self.quota_us = 0,
            (factor, value) => match (self.number(factor), value) {
                (Some(field), Value::Number(number)) => *field = *number,
                _ => self.tuning.set(factor, value),
            },
        }
    }

    /// The field of a factor whose levels are numbers.
    fn number(&mut self, factor: Factor) -> Option<&mut u32> {
        Some(match factor {
            Factor::Vms => &mut self.vms,
            Factor::Vcpus => &mut self.vcpus,
            Factor::Memory => &mut self.memory_mib,
            Factor::Mtu => &mut self.mtu,
            Factor::Flows => &mut self.flows,
            Factor::Request => &mut self.request_bytes,
            Factor::Response => &mut self.response_bytes,
            Factor::Message => &mut self.message_bytes,
            Factor::Burst => &mut self.burst,
            Factor::Quota => &mut self.quota_us,
            _ => return None,
        })
    }

    /// The level of one factor, as it stands in tables and file names; empty where it has none, or it means nothing to the
    /// test.
    pub fn level(&self, factor: Factor) -> String {
        if self.test.heeds(factor) { self.value(factor).to_string() } else { String::new() }
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

    /// Whether guests booted for `other` can serve this configuration too.
    pub fn same_boot(&self, other: &Configuration) -> bool {
        needing_boot().all(|factor| self.value(factor) == other.value(factor))
    }

    /// The levels that guests are booted for: configurations with the same ones can share guests.
    pub fn boot(&self) -> Vec<Value> {
        needing_boot().map(|factor| self.value(factor)).collect()
    }
}

fn needing_boot() -> impl Iterator<Item = Factor> {
    Factor::ALL.into_iter().filter(|factor| factor.needs_boot())
}

/// A level that has a name; as found if there is none.
fn word(level: Option<&impl ToString>) -> Value {
    level.map_or(Value::AsFound, |level| Value::Word(level.to_string()))
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
