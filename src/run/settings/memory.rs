//! The proof of where a guest's memory lies: in huge pages or not, on which NUMA node. From QEMU's `smaps` and `numa_maps`.

use std::collections::BTreeSet;

use crate::backend::{Datapath, Side};
use crate::guest::fleet::RunningGuest;
use crate::profile::{Configuration, Factor, Value};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Whether the memory of a guest is as the configuration asks.
pub(in crate::run) async fn checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Vec<Check> {
    let path = |file: &str| format!("/proc/{}/{file}", guest.pid.unwrap_or_default());
    let pinned = match configuration.backend.datapath() {
        Some(Datapath::VhostVdpa) => {
            let status = session.lab.side(Side::Host).read(&path("status")).await.unwrap_or_default();
            Some(pinned(&status, guest.number, configuration.memory_mib))
        }
        _ => None,
    };
    let thp = configuration.settings.contains_key(&Factor::Thp);
    if configuration.hugepages.is_none() && configuration.numa_node.is_none() && !thp {
        return Vec::from_iter(pinned);
    }
    let read = async |file| session.lab.side(Side::Host).read(&path(file)).await.unwrap_or_default();
    let smaps = read("smaps").await;
    let numa_maps = if configuration.numa_node.is_some() { read("numa_maps").await } else { String::new() };
    let compared = compare(&smaps, &numa_maps, guest.number, configuration);
    pinned.into_iter().chain(compared).collect()
}

/// Whether a device may write to all of a guest's memory at any time: the kernel has pinned it (`VmPin` in QEMU's `status`). Pure.
fn pinned(status: &str, guest: u32, mib: u32) -> Check {
    let line = status.lines().find_map(|line| line.strip_prefix("VmPin:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let found = kib.map(|kib| match kib / 1024 {
        pinned if pinned >= mib.into() => "all of it".to_owned(),
        pinned => format!("{pinned} of {mib} MiB"),
    });
    check(guest, "memory pinned for the NIC", "all of it", found)
}

/// Pure part of [`checks`].
fn compare(smaps: &str, numa_maps: &str, guest: u32, configuration: &Configuration) -> Vec<Check> {
    let mib = configuration.memory_mib;
    let memory = Mapping::of_memory(smaps, u64::from(mib) * 1024);
    let huge = configuration.hugepages.map(|huge| {
        let expected = if huge { format!("{mib} MiB in pages of 2048 kB") } else { "none".into() };
        check(
            guest,
            "memory in huge pages of the pool",
            expected,
            memory.as_ref().map(Mapping::in_huge_pages),
        )
    });
    // What a guest has touched before the setting was written stays as it was; "always" is no promise of the kernel's.
    let never = configuration.value(Factor::Thp) == Value::Word("never".into());
    let transparent = never.then(|| {
        let found = memory.as_ref().map(|memory| format!("{} kB", memory.transparent_kib));
        check(guest, "memory in transparent huge pages", "0 kB", found)
    });
    let line = memory.as_ref().and_then(|memory| line_of(numa_maps, &memory.start));
    let node = configuration.numa_node.into_iter().flat_map(|node| {
        let policy = line.and_then(|line| line.split(' ').next());
        [
            check(guest, "NUMA policy of its memory", format!("bind:{node}"), policy),
            check(guest, "NUMA nodes of its memory", node, line.and_then(nodes)),
        ]
    });
    huge.into_iter().chain(transparent).chain(node).collect()
}

/// One mapping of a process.
#[derive(Debug, Default)]
struct Mapping {
    /// Its first address, hexadecimal as both files write it.
    start: String,
    size_kib: u64,
    page_kib: u64,
    huge_kib: u64,
    transparent_kib: u64,
}

impl Mapping {
    /// The one that holds a guest's memory: the smallest writable one that is large enough. QEMU makes it as large as the
    /// memory.
    fn of_memory(smaps: &str, kib: u64) -> Option<Mapping> {
        let all = mappings(smaps).into_iter().filter(|mapping| mapping.size_kib >= kib);
        all.min_by_key(|mapping| mapping.size_kib)
    }

    fn in_huge_pages(&self) -> String {
        match self.huge_kib {
            0 => "none".into(),
            kib => format!("{} MiB in pages of {} kB", kib / 1024, self.page_kib),
        }
    }
}

/// The writable mappings: a line with the addresses, and below it lines such as `Size: 98304 kB`.
fn mappings(smaps: &str) -> Vec<Mapping> {
    let mut all: Vec<(Mapping, bool)> = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match first.strip_suffix(':') {
            None => {
                if let Some((start, _)) = first.split_once('-') {
                    all.push((Mapping { start: start.into(), ..Mapping::default() }, second.contains('w')));
                }
            }
            Some(name) => {
                if let (Some((mapping, _)), Ok(kib)) = (all.last_mut(), second.parse::<u64>()) {
                    match name {
                        "Size" => mapping.size_kib = kib,
                        "KernelPageSize" => mapping.page_kib = kib,
                        "Shared_Hugetlb" | "Private_Hugetlb" => mapping.huge_kib += kib,
                        "AnonHugePages" => mapping.transparent_kib = kib,
                        _ => {}
                    }
                }
            }
        }
    }
    all.into_iter().filter(|(_, writable)| *writable).map(|(mapping, _)| mapping).collect()
}

/// The line of `numa_maps` for the mapping that starts there, its policy first.
fn line_of<'m>(numa_maps: &'m str, start: &str) -> Option<&'m str> {
    numa_maps.lines().find_map(|line| line.strip_prefix(start)?.strip_prefix(' '))
}

/// The nodes that have pages of a mapping: words such as `N0=48` of its line.
fn nodes(line: &str) -> Option<String> {
    let node = |word: &str| {
        let (node, pages) = word.strip_prefix('N')?.split_once('=')?;
        (pages != "0").then(|| node.parse::<u32>().ok())?
    };
    let nodes: BTreeSet<u32> = line.split(' ').filter_map(node).collect();
    let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();
    (!nodes.is_empty()).then(|| nodes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some mappings of a real QEMU 7.2 whose guest has 96 MiB in huge pages, bound to node 0.
    const SMAPS: &str = include_str!("../../../tests/fixtures/proc/qemu_smaps");
    const NUMA_MAPS: &str = include_str!("../../../tests/fixtures/proc/qemu_numa_maps");

    fn asked(hugepages: bool, numa_node: u32) -> Configuration {
        let (hugepages, numa_node) = (Some(hugepages), Some(numa_node));
        Configuration { hugepages, numa_node, memory_mib: 96, ..Configuration::default() }
    }

    fn holds(checks: &[Check]) -> Vec<bool> {
        checks.iter().map(Check::holds).collect()
    }

    #[test]
    fn the_memory_of_a_real_guest_is_found_in_its_pages_and_on_its_node() {
        let checks = compare(SMAPS, NUMA_MAPS, 1, &asked(true, 0));
        let found: Vec<&str> = checks.iter().map(|check| check.found.as_str()).collect();
        assert_eq!(found, ["96 MiB in pages of 2048 kB", "bind:0", "0"]);
        assert_eq!(holds(&checks), [true; 3]);
    }

    #[test]
    fn huge_pages_that_nobody_asked_for_and_another_node_are_found_out() {
        assert_eq!(holds(&compare(SMAPS, NUMA_MAPS, 1, &asked(false, 1))), [false; 3]);
        let on_two_nodes = NUMA_MAPS.replace("N0=48", "N0=47 N1=1");
        assert_eq!(compare(SMAPS, &on_two_nodes, 1, &asked(true, 0))[2].found, "0, 1");
    }

    #[test]
    fn pages_that_are_not_there_yet_do_not_count() {
        let ordinary = SMAPS.replace("Private_Hugetlb:   98304 kB", "Private_Hugetlb:   40960 kB");
        assert_eq!(compare(&ordinary, "", 1, &asked(true, 0))[0].found, "40 MiB in pages of 2048 kB");
    }

    #[test]
    fn a_guest_that_lies_in_transparent_huge_pages_all_the_same_is_found_out() {
        let mut asked = Configuration { memory_mib: 96, ..Configuration::default() };
        asked.settings.insert(Factor::Thp, Value::Word("never".into()));
        assert_eq!(holds(&compare(SMAPS, "", 1, &asked)), [true]);
        let transparent = SMAPS.replace("AnonHugePages:         0 kB", "AnonHugePages:      2048 kB");
        assert_eq!(compare(&transparent, "", 1, &asked)[0].found, "2048 kB");
        assert_eq!(holds(&compare("", "", 1, &asked)), [false]);
    }

    #[test]
    fn memory_that_the_nic_may_not_write_to_is_found_out() {
        let found = |status: &str| pinned(status, 1, 128).found;
        assert_eq!(found("VmLck:\t       0 kB\nVmPin:\t  131328 kB\n"), "all of it");
        assert_eq!(found("VmPin:\t       0 kB\n"), "0 of 128 MiB");
        assert!(!pinned("", 1, 128).holds());
    }

    #[test]
    fn a_process_that_is_gone_proves_nothing() {
        assert_eq!(holds(&compare("", "", 1, &asked(false, 0))), [false; 3]);
    }
}
