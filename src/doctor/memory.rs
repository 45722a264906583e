//! Where guests' pages are: NUMA nodes, swap, merged pages, huge pages.

use super::host_state::{HostState, count, size};
use crate::host::facts::{Facts, selected};

pub(super) fn numa(facts: &Facts) -> Result<HostState, String> {
    let distances = facts.like("/sys/devices/system/node/node", "/distance");
    let rows = distances.iter().flat_map(|(_, row)| row.split_whitespace());
    let farthest = rows.filter_map(|distance| distance.parse::<u32>().ok()).max().unwrap_or(0);
    match distances.len() {
        0 => Err("the kernel shows no nodes".into()),
        1 => Ok(HostState::new("one")),
        nodes => Ok(HostState::new("several").with("nodes", nodes).with("distance", farthest)),
    }
}

/// NUMA nodes of the machine; 0 if it shows none.
pub(super) fn number_of_nodes(facts: &Facts) -> usize {
    facts.like("/sys/devices/system/node/node", "/distance").len()
}

pub(super) fn numa_balancing(facts: &Facts) -> Result<HostState, String> {
    let kernel = facts.number("/proc/sys/kernel/numa_balancing").is_some_and(|mode| mode > 0);
    let movers = [
        (kernel, "by the kernel", "sysctl -w kernel.numa_balancing=0"),
        (facts.runs("numad"), "by numad", "systemctl stop numad"),
    ];
    let movers = movers.into_iter().filter(|(moves, _, _)| *moves);
    let (names, stop): (Vec<&str>, Vec<&str>) = movers.map(|(_, name, stop)| (name, stop)).unzip();
    match number_of_nodes(facts) {
        0 => Err("the kernel shows no nodes".into()),
        1 => Ok(HostState::new("one-node")),
        _ if names.is_empty() => Ok(HostState::new("off")),
        nodes => {
            let state = HostState::new("on").with("movers", names.join(" and ")).with("nodes", nodes);
            Ok(state.with("stop", stop.join(" && ")))
        }
    }
}

pub(super) fn swap(facts: &Facts) -> Result<HostState, String> {
    let total = facts.memory("SwapTotal").ok_or("not in /proc/meminfo")?;
    let used = total.saturating_sub(facts.memory("SwapFree").unwrap_or(total));
    let swappiness = facts.number("/proc/sys/vm/swappiness");
    let state = match (used, swappiness) {
        _ if total == 0 => HostState::new("none"),
        // The swap of any host that has been up for long holds a few pages that nobody misses.
        (used, _) if used.saturating_mul(100) > facts.memory("MemTotal").unwrap_or(0) => {
            HostState::new("used")
        }
        (0, Some(..=10)) => HostState::new("unused"),
        _ => HostState::new("available"),
    };
    let swappiness = swappiness.map_or("unknown".into(), |value| value.to_string());
    Ok(state.with("used", size(used)).with("total", size(total)).with("swappiness", swappiness))
}

pub(super) fn ksm(facts: &Facts) -> Result<HostState, String> {
    const STOP: &str = "echo 2 > /sys/kernel/mm/ksm/run";
    let Some(run) = facts.number("/sys/kernel/mm/ksm/run") else { return Ok(HostState::new("absent")) };
    let sharing = facts.number("/sys/kernel/mm/ksm/pages_sharing").unwrap_or(0);
    let daemon = facts.runs("ksmtuned");
    let state = match (run, sharing) {
        (1, 1..) => HostState::new("runs"),
        (1, _) => HostState::new("may-run").with("state", "running"),
        (_, 1..) => HostState::new("merged"),
        _ if daemon => HostState::new("may-run").with("state", "stopped"),
        _ => HostState::new("off"),
    };
    let state = state.with("pages", count(sharing as usize, "page"));
    let state = state.with("daemon", if daemon { ", and ksmtuned may start it" } else { "" });
    Ok(state.with("stop", if daemon { format!("systemctl stop ksmtuned && {STOP}") } else { STOP.into() }))
}

pub(super) fn huge_pages(facts: &Facts) -> Result<HostState, String> {
    const POOLS: &str = "/sys/kernel/mm/hugepages/hugepages-";
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
    let state = match pools.iter().all(|(_, _, free)| *free == 0) {
        _ if pools.is_empty() => HostState::new("none"),
        true => HostState::new("taken"),
        false => HostState::new("free"),
    };
    let pools = pools.iter().map(|(kib, pages, free)| format!("{pages} of {}, {free} free", size(*kib)));
    Ok(state.with("pools", pools.collect::<Vec<_>>().join("; ")).with("pages", reserved.saturating_add(1024)))
}

pub(super) fn thp(facts: &Facts) -> Result<HostState, String> {
    let choice = |file| facts.text(&format!("/sys/kernel/mm/transparent_hugepage/{file}")).and_then(selected);
    let enabled = choice("enabled").ok_or("not in this kernel")?;
    let defrag = choice("defrag").unwrap_or("unknown");
    let state = match (enabled, defrag) {
        ("never", _) => HostState::new("never"),
        (_, "always") => HostState::new("stalls"),
        _ => HostState::new("offered"),
    };
    Ok(state.with("enabled", enabled).with("defrag", defrag))
}
