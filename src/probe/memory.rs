//! How a machine's memory was when a run began: swap, merged pages, huge pages, and what the guests were about to take. Pure.

use serde::{Deserialize, Serialize};

/// What QEMU may need beside a guest's own memory, MiB: generous.
const BESIDE_MIB: u64 = 1024;

/// Memory of a VM host. What could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryState {
    /// What the guests may have in the largest configuration, MiB; absent for a machine without guests.
    pub guests_mib: Option<u64>,
    /// The same with 1 GiB more for each guest's QEMU.
    pub guests_with_qemu_mib: Option<u64>,
    /// Whether more than the machine has is promised so.
    pub overcommitted: Option<bool>,
    /// Swap, MiB.
    pub swap_mib: Option<u64>,
    /// Swap in use, MiB.
    pub swap_used_mib: Option<u64>,
    /// How readily the kernel swaps.
    pub swappiness: Option<u64>,
    /// Whether pages of equal content are merged: 1 while they are.
    pub ksm_run: Option<u64>,
    /// Pages that were merged already.
    pub ksm_pages_sharing: Option<u64>,
    /// Pages that KSM looks at before it sleeps.
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

/// The files beside `/proc/meminfo` that it is made of.
pub(super) const FILES: &str = "/proc/sys/vm/swappiness /sys/kernel/mm/ksm/run /sys/kernel/mm/ksm/pages_sharing \
    /sys/kernel/mm/ksm/pages_to_scan /sys/kernel/mm/ksm/sleep_millisecs \
    /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages \
    /sys/kernel/mm/transparent_hugepage/enabled";

impl MemoryState {
    /// From the text of each file, by its path.
    pub(super) fn of(text: impl Fn(&str) -> Option<String>) -> MemoryState {
        let meminfo = text("/proc/meminfo").unwrap_or_default();
        let number = |path: &str| text(path)?.trim().parse().ok();
        let swap_mib = mib(&meminfo, "SwapTotal");
        MemoryState {
            swap_mib,
            swap_used_mib: swap_mib
                .zip(mib(&meminfo, "SwapFree"))
                .map(|(all, free)| all.saturating_sub(free)),
            swappiness: number("/proc/sys/vm/swappiness"),
            ksm_run: number("/sys/kernel/mm/ksm/run"),
            ksm_pages_sharing: number("/sys/kernel/mm/ksm/pages_sharing"),
            ksm_pages_to_scan: number("/sys/kernel/mm/ksm/pages_to_scan"),
            ksm_sleep_ms: number("/sys/kernel/mm/ksm/sleep_millisecs"),
            huge_pages: number("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
            huge_pages_free: number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"),
            transparent_hugepages: text("/sys/kernel/mm/transparent_hugepage/enabled"),
            ..MemoryState::default()
        }
    }

    /// Without what is in use at the moment, and the pace of KSM, which the kernel and ksmtuned may change by themselves: how
    /// the machine is set up.
    pub(super) fn settings(&self) -> MemoryState {
        let (swap_used_mib, ksm_pages_sharing, huge_pages_free) = (None, None, None);
        let (ksm_pages_to_scan, ksm_sleep_ms) = (None, None);
        let settings = MemoryState { swap_used_mib, ksm_pages_sharing, huge_pages_free, ..self.clone() };
        MemoryState { ksm_pages_to_scan, ksm_sleep_ms, ..settings }
    }

    /// With the guests to come: of each configuration how many, and the memory of each, MiB. The machine has `there_mib`.
    pub fn with_guests(
        self,
        configurations: impl Iterator<Item = (u32, u32)>,
        there_mib: u64,
    ) -> MemoryState {
        let sums = |(guests, each): (u32, u32)| {
            let (guests, each) = (u64::from(guests), u64::from(each));
            (guests * (each + BESIDE_MIB), guests * each)
        };
        let largest = configurations.filter(|(guests, _)| *guests > 0).map(sums).max();
        MemoryState {
            guests_mib: largest.map(|(_, alone)| alone),
            guests_with_qemu_mib: largest.map(|(all, _)| all),
            overcommitted: largest.map(|(all, _)| all > there_mib),
            ..self
        }
    }
}

/// A line of `/proc/meminfo`, MiB.
fn mib(meminfo: &str, name: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}

/// `/proc/vmstat` -> pages read back from swap, and written to it, since boot.
pub fn swapped(vmstat: &str) -> Option<(u64, u64)> {
    let of = |name: &str| {
        vmstat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.trim().parse().ok()
    };
    Some((of("pswpin")?, of("pswpout")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_and_pools_are_read_where_they_are() {
        let text = |path: &str| match path {
            "/proc/meminfo" => Some("MemTotal: 1 kB\nSwapTotal:  2097152 kB\nSwapFree:  1048576 kB\n".into()),
            "/sys/kernel/mm/ksm/run" => Some("1\n".into()),
            _ => None,
        };
        let seen = MemoryState::of(text);
        assert_eq!((seen.swap_mib, seen.swap_used_mib, seen.ksm_run), (Some(2048), Some(1024), Some(1)));
        assert_eq!((seen.huge_pages, seen.overcommitted), (None, None));
    }

    #[test]
    fn guests_need_a_gibibyte_beside_their_own() {
        let seen = MemoryState::default().with_guests([(0, 128), (4, 512), (2, 1024)].into_iter(), 8192);
        assert_eq!((seen.guests_mib, seen.guests_with_qemu_mib), (Some(2048), Some(6144)));
        assert_eq!(seen.overcommitted, Some(false));
        assert_eq!(seen.with_guests([(8, 128)].into_iter(), 8192).overcommitted, Some(true));
        assert_eq!(MemoryState::default().with_guests([(0, 128)].into_iter(), 1).overcommitted, None);
    }

    #[test]
    fn pages_from_and_to_swap_are_counted_apart() {
        assert_eq!(swapped("pswpin 3\npswpout 5\npswpin_zero 9\n"), Some((3, 5)));
        assert_eq!(swapped("pgfault 1\n"), None);
    }
}
