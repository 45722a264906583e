//! The memory of a machine when a run begins: swap, merged pages, huge pages, and the guests' demand. Pure.

use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// Allowance for QEMU's own memory beside its guest's, MiB: generous.
pub const QEMU_MIB: u64 = 1024;

/// Memory of a machine. What could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryState {
    /// Memory of all guests of the largest configuration, MiB; absent for a machine without guests.
    pub guests_mib: Option<u64>,
    /// The same with 1 GiB more for each guest's QEMU.
    pub guests_with_qemu_mib: Option<u64>,
    /// Whether that is more than the machine has.
    pub overcommitted: Option<bool>,
    /// Swap, MiB.
    pub swap_mib: Option<u64>,
    /// Swap in use, MiB.
    pub swap_used_mib: Option<u64>,
    /// How readily the kernel swaps.
    pub swappiness: Option<u64>,
    /// KSM's switch: 1 while it merges pages of equal content.
    pub ksm_run: Option<u64>,
    /// Pages that are merged already.
    pub ksm_pages_sharing: Option<u64>,
    /// Pages that KSM scans before it sleeps.
    pub ksm_pages_to_scan: Option<u64>,
    /// How long it sleeps, ms.
    pub ksm_sleep_ms: Option<u64>,
    /// Huge pages of 2 MiB in the pool.
    pub huge_pages: Option<u64>,
    /// Those of them that are free.
    pub huge_pages_free: Option<u64>,
    /// Transparent hugepages: the one in brackets is chosen.
    pub transparent_hugepages: Option<String>,
}

impl MemoryState {
    /// From the facts of a machine.
    pub(super) fn from_facts(facts: &Facts) -> MemoryState {
        let mib = |name: &str| Some(facts.memory(name)? / 1024);
        let swap_mib = mib("SwapTotal");
        MemoryState {
            swap_mib,
            swap_used_mib: swap_mib.zip(mib("SwapFree")).map(|(all, free)| all.saturating_sub(free)),
            swappiness: facts.number("/proc/sys/vm/swappiness"),
            ksm_run: facts.number("/sys/kernel/mm/ksm/run"),
            ksm_pages_sharing: facts.number("/sys/kernel/mm/ksm/pages_sharing"),
            ksm_pages_to_scan: facts.number("/sys/kernel/mm/ksm/pages_to_scan"),
            ksm_sleep_ms: facts.number("/sys/kernel/mm/ksm/sleep_millisecs"),
            huge_pages: facts.number("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
            huge_pages_free: facts.number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"),
            transparent_hugepages: facts
                .text("/sys/kernel/mm/transparent_hugepage/enabled")
                .map(str::to_owned),
            ..MemoryState::default()
        }
    }

    /// The settings alone: without the amounts in use, and without the pace of KSM, which the kernel and ksmtuned may change
    /// by themselves.
    pub(super) fn settings(&self) -> MemoryState {
        let (swap_used_mib, ksm_pages_sharing, huge_pages_free) = (None, None, None);
        let (ksm_pages_to_scan, ksm_sleep_ms) = (None, None);
        let settings = MemoryState { swap_used_mib, ksm_pages_sharing, huge_pages_free, ..self.clone() };
        MemoryState { ksm_pages_to_scan, ksm_sleep_ms, ..settings }
    }

    /// Adds the guests' demand: the number of guests and the memory of each, MiB, of every configuration. The machine has
    /// `machine_mib`.
    pub fn with_guests(
        self,
        configurations: impl Iterator<Item = (u32, u32)>,
        machine_mib: u64,
    ) -> MemoryState {
        let sums = |(guests, each): (u32, u32)| {
            let (guests, each) = (u64::from(guests), u64::from(each));
            (guests * (each + QEMU_MIB), guests * each)
        };
        let largest = configurations.filter(|(guests, _)| *guests > 0).map(sums).max();
        MemoryState {
            guests_mib: largest.map(|(_, alone)| alone),
            guests_with_qemu_mib: largest.map(|(all, _)| all),
            overcommitted: largest.map(|(all, _)| all > machine_mib),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_and_pools_are_read_where_they_are() {
        let meminfo = "/proc/meminfo:SwapTotal:  2097152 kB\n/proc/meminfo:SwapFree:  1048576 kB\n";
        let state = MemoryState::from_facts(&Facts::parse(&format!("{meminfo}/sys/kernel/mm/ksm/run:1\n")));
        assert_eq!((state.swap_mib, state.swap_used_mib, state.ksm_run), (Some(2048), Some(1024), Some(1)));
        assert_eq!((state.huge_pages, state.overcommitted), (None, None));
    }

    #[test]
    fn guests_need_a_gibibyte_beside_their_own() {
        let state = MemoryState::default().with_guests([(0, 128), (4, 512), (2, 1024)].into_iter(), 8192);
        assert_eq!((state.guests_mib, state.guests_with_qemu_mib), (Some(2048), Some(6144)));
        assert_eq!(state.overcommitted, Some(false));
        assert_eq!(state.with_guests([(8, 128)].into_iter(), 8192).overcommitted, Some(true));
        assert_eq!(MemoryState::default().with_guests([(0, 128)].into_iter(), 1).overcommitted, None);
    }
}
