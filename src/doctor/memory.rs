//! Where guests' pages are: NUMA nodes, swap, merged pages, huge pages.

use super::guests;
use super::subject::{Judgement, Subject, bad, count, good, note, size};
use crate::host::facts::{Facts, selected};

const APART: &str = "A guest whose vCPUs, memory, vhost thread and NIC are on different nodes is slower than its \
                     neighbours, for as long as it runs.";
const SWAPPABLE: &str =
    "Under memory pressure the kernel may swap out pages of a quiet guest, which then waits for the disk.";
const NO_POOL: &str = "Guests get huge pages only while memory is not fragmented: those booted last may get fewer, and be slower.";
const POOLS: &str = "/sys/kernel/mm/hugepages/hugepages-";

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "NUMA",
        unknown: APART,
        judge: |facts, _| {
            let distances = facts.like("/sys/devices/system/node/node", "/distance");
            let rows = distances.iter().flat_map(|(_, row)| row.split_whitespace());
            let farthest = rows.filter_map(|distance| distance.parse::<u32>().ok()).max().unwrap_or(0);
            match distances.len() {
                0 => Err("the kernel shows no nodes".into()),
                1 => Ok(good("1 node", "All memory is equally far from every core.")),
                nodes => Ok(note(
                    format!("{nodes} nodes, farthest distance {farthest} (10 is near)"),
                    APART,
                    "virsh numatune GUEST --mode strict --nodeset 0 --config  # and vcpupin, emulatorpin on that node",
                )),
            }
        },
    },
    Subject {
        name: "NUMA balancing",
        unknown: "Where pages are moved between nodes, each guest stalls at times of its own.",
        judge: |facts, _| numa_balancing(facts),
    },
    Subject { name: "swap", unknown: SWAPPABLE, judge: |facts, _| swap(facts) },
    Subject { name: "KSM", unknown: "", judge: |facts, _| Ok(same_page_merging(facts)) },
    Subject { name: "huge pages", unknown: NO_POOL, judge: |facts, _| huge_pages(facts) },
    Subject {
        name: "THP",
        unknown: "Without transparent huge pages guests run in 4 KiB pages: slower, but all alike.",
        judge: |facts, _| {
            const ENABLED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
            const DEFRAG: &str = "/sys/kernel/mm/transparent_hugepage/defrag";
            let enabled = facts.text(ENABLED).and_then(selected).ok_or("not in this kernel")?;
            let defrag = facts.text(DEFRAG).and_then(selected).unwrap_or("unknown");
            Ok(match (enabled, defrag) {
                ("never", _) => note(
                    "never",
                    "Guests without a reserved pool run in 4 KiB pages: slower, but all alike.",
                    format!("echo madvise > {ENABLED}"),
                ),
                (_, "always") => note(
                    format!("{enabled}; defrag always"),
                    "Any process that touches new memory, QEMU included, may wait until the kernel has assembled a \
                     huge page: some guests stall, at random.",
                    format!("echo madvise > {DEFRAG}"),
                ),
                _ => good(
                    format!("{enabled}; defrag {defrag}"),
                    "QEMU asks for them for all of a guest's memory, so guests miss the TLB less.",
                ),
            })
        },
    },
    Subject {
        name: "memory for guests",
        unknown: "Where guests have more memory than the host, the kernel swaps, or kills the largest of them.",
        judge: guests::memory,
    },
];

/// NUMA nodes of the machine; 0 if it shows none.
pub(super) fn number_of_nodes(facts: &Facts) -> usize {
    facts.like("/sys/devices/system/node/node", "/distance").len()
}

fn numa_balancing(facts: &Facts) -> Result<Judgement, String> {
    const STAYS: &str = "No page of a guest is moved to another node while it runs.";
    let kernel = facts.number("/proc/sys/kernel/numa_balancing").is_some_and(|mode| mode > 0);
    let movers = [
        (kernel, "by the kernel", "sysctl -w kernel.numa_balancing=0"),
        (facts.runs("numad"), "by numad", "systemctl stop numad"),
    ];
    let movers = movers.into_iter().filter(|(moves, _, _)| *moves);
    let (names, stop): (Vec<&str>, Vec<&str>) = movers.map(|(_, name, stop)| (name, stop)).unzip();
    match number_of_nodes(facts) {
        0 => Err("the kernel shows no nodes".into()),
        1 => Ok(good("nothing to balance: one node", STAYS)),
        _ if names.is_empty() => Ok(good("off", STAYS)),
        nodes => Ok(note(
            format!("{} between {nodes} nodes", names.join(" and ")),
            "Guests' pages are unmapped to find out who uses them, and moved: each guest stalls at times of its own.",
            stop.join(" && "),
        )),
    }
}

fn swap(facts: &Facts) -> Result<Judgement, String> {
    let total = facts.memory("SwapTotal").ok_or("not in /proc/meminfo")?;
    if total == 0 {
        return Ok(good("none", "No guest ever waits for its pages to be read back."));
    }
    let used = total.saturating_sub(facts.memory("SwapFree").unwrap_or(total));
    let swappiness = facts.number("/proc/sys/vm/swappiness");
    let shown = swappiness.map_or("unknown".into(), |value| value.to_string());
    let found = format!("{} of {} in use, swappiness {shown}", size(used), size(total));
    Ok(match (used, swappiness) {
        // The swap of any host that has been up for long holds a few pages that nobody misses.
        (used, _) if used * 100 > facts.memory("MemTotal").unwrap_or(0) => bad(
            found,
            "A guest whose pages are swapped out waits for the disk, or for decompression, while its neighbours run.",
            "swapoff -a  # if enough memory is free",
        ),
        (0, Some(..=10)) => good(found, SWAPPABLE),
        _ => note(found, SWAPPABLE, "sysctl -w vm.swappiness=1  # or swapoff -a"),
    })
}

fn same_page_merging(facts: &Facts) -> Judgement {
    const RUNS: &str =
        "ksmd takes a core at times of its own, and a guest that writes to a merged page waits for a copy.";
    const MERGED: &str =
        "KSM is idle, but a guest that writes to a page merged before still waits for a copy.";
    const OFF: &str = "Each guest has its pages to itself.";
    const STOP: &str = "echo 2 > /sys/kernel/mm/ksm/run";
    let Some(run) = facts.number("/sys/kernel/mm/ksm/run") else { return good("not in this kernel", OFF) };
    let sharing = facts.number("/sys/kernel/mm/ksm/pages_sharing").unwrap_or(0);
    let daemon = facts.runs("ksmtuned");
    let found = format!(
        "{}, {} merged{}",
        if run == 1 { "running" } else { "stopped" },
        count(sharing as usize, "page"),
        if daemon { ", and ksmtuned may start it" } else { "" }
    );
    let stop = if daemon { format!("systemctl stop ksmtuned && {STOP}") } else { STOP.into() };
    match (run, sharing) {
        (1, 1..) => bad(found, RUNS, stop),
        (1, _) => note(found, RUNS, stop),
        (_, 1..) => note(found, MERGED, stop),
        _ if daemon => note(found, RUNS, stop),
        _ => good(found, OFF),
    }
}

fn huge_pages(facts: &Facts) -> Result<Judgement, String> {
    let pools = facts.like(POOLS, "kB/nr_hugepages");
    if pools.is_empty() {
        return Err("the kernel shows no pools".into());
    }
    let pool = |(kib, pages): (&str, &str)| {
        let free = facts.number(&format!("{POOLS}{kib}kB/free_hugepages"))?;
        Some((kib.parse::<u64>().ok()?, pages.parse::<u64>().ok()?, free))
    };
    let pools: Vec<_> = pools.into_iter().filter_map(pool).filter(|(_, pages, _)| *pages > 0).collect();
    let reserved = pools.iter().find(|(kib, _, _)| *kib == 2048).map_or(0, |(_, pages, _)| *pages);
    let reserve = format!(
        "echo {} > {POOLS}2048kB/nr_hugepages  # 2 GiB more; soon after boot, before memory is fragmented",
        reserved + 1024
    );
    let found = pools.iter().map(|(kib, pages, free)| format!("{pages} of {}, {free} free", size(*kib)));
    let found = found.collect::<Vec<_>>().join("; ");
    Ok(if pools.is_empty() {
        note("none reserved", NO_POOL, reserve)
    } else if pools.iter().all(|(_, _, free)| *free == 0) {
        note(found, "All are in use: the next guest that asks for them does not start.", reserve)
    } else {
        good(found, "Guests that ask for huge pages get them, and none gets fewer than its neighbours.")
    })
}
