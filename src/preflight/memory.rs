//! The guests' memory: how much there is, huge pages, NUMA nodes.

use super::CheckResult;
use crate::host::facts::Facts;
use crate::profile::cpus;
use crate::profile::{Configuration, Experiment};

/// Shown where guests need more than there is.
const FEWER_GUESTS: &str = "use fewer guests, or give each less memory";

/// Checks all of it.
pub(super) fn examine(experiment: &Experiment, facts: &Facts) -> Vec<CheckResult> {
    let on_nodes = most(experiment, |configuration| configuration.numa_node.is_some());
    let nodes = on_nodes.into_iter().map(|configuration| node(configuration, facts));
    guests(experiment, facts).into_iter().chain(huge_pages(experiment, facts)).chain(nodes).collect()
}

/// All guests of the largest configuration: a profile for another machine is read without its size.
fn guests(experiment: &Experiment, facts: &Facts) -> Option<CheckResult> {
    let most = experiment.configurations.iter().map(all_mib).max().filter(|most| *most > 0)?;
    let what = "memory";
    let Some(all) = facts.memory_mib() else {
        return Some(CheckResult::bad(what, "/proc/meminfo cannot be read", "mount /proc"));
    };
    let found = format!("{all} MiB, for guests of {most} MiB together");
    Some(if most <= all {
        CheckResult::good(what, found)
    } else {
        CheckResult::bad(what, found, FEWER_GUESTS)
    })
}

/// The largest configuration, in memory, of each NUMA node among some.
fn most(experiment: &Experiment, among: fn(&Configuration) -> bool) -> Vec<&Configuration> {
    let mut largest: Vec<&Configuration> = Vec::new();
    for configuration in experiment.configurations.iter().filter(|c| c.vms > 0 && among(c)) {
        match largest.iter_mut().find(|other| other.numa_node == configuration.numa_node) {
            Some(other) if all_mib(other) >= all_mib(configuration) => {}
            Some(other) => *other = configuration,
            None => largest.push(configuration),
        }
    }
    largest
}

fn all_mib(configuration: &Configuration) -> u64 {
    u64::from(configuration.vms) * u64::from(configuration.memory_mib)
}

/// What is free in the pool, and the memory that the pool could grow by. Whether that is contiguous shows only the attempt.
fn huge_pages(experiment: &Experiment, facts: &Facts) -> Option<CheckResult> {
    let what = "huge pages for guests";
    let configurations = experiment.configurations.iter();
    let need =
        configurations.map(|c| u64::from(c.vms) * c.huge_pages_each()).max().filter(|need| *need > 0)?;
    let Some(free) = facts.number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") else {
        let fix =
            "leave `hugepages` out, or use a kernel with CONFIG_HUGETLBFS on a machine with pages of 2 MiB";
        return Some(CheckResult::bad(what, "the kernel has no pool of pages of 2 MiB", fix));
    };
    let could = free.saturating_add(facts.memory("MemAvailable").unwrap_or(0) / 2048);
    if need > could {
        let found = format!("{need} pages of 2 MiB are needed, {could} can be had at most");
        return Some(CheckResult::bad(what, found, FEWER_GUESTS));
    }
    let grows = if need > free { "; the pool grows for the run and is put back" } else { "" };
    Some(CheckResult::good(what, format!("{need} of 2 MiB are needed, {free} are free{grows}")))
}

/// Strictly on one node: what does not fit there is nowhere.
fn node(largest: &Configuration, facts: &Facts) -> CheckResult {
    let node = largest.numa_node.unwrap_or(0);
    let what = format!("NUMA node {node}");
    let listed = facts.text("/sys/devices/system/node/has_memory");
    let nodes = listed.and_then(cpus::of_list).unwrap_or_default(); // written as lists of CPUs are
    if !nodes.contains(&node) {
        let has = listed
            .map_or("the kernel knows no nodes".into(), |nodes| format!("there is memory on node {nodes}"));
        return CheckResult::bad(&what, has, "name a node that has memory, or leave `numa_node` out");
    }
    let total = facts.text(&format!("/sys/devices/system/node/node{node}/meminfo"));
    let kib = total.and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let mib = kib.unwrap_or(0) / 1024;
    let found = format!("{mib} MiB, of which guests take {}", all_mib(largest));
    if all_mib(largest) > mib {
        return CheckResult::bad(&what, found, FEWER_GUESTS);
    }
    CheckResult::good(&what, found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    /// One node of 4 GiB, 100 pages free in the pool.
    const FACTS: &str = "/sys/devices/system/node/has_memory:0\n\
                         /sys/devices/system/node/node0/meminfo:Node 0 MemTotal:        4194304 kB\n\
                         /proc/meminfo:MemTotal:       4194304 kB\n/proc/meminfo:MemAvailable:    204800 kB\n\
                         /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages:100\n";

    fn found(guest: &str, facts: &str) -> Vec<CheckResult> {
        let host = HostFacts { memory_mib: 65_536, cpus: 2 };
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\n[guest]\n";
        let experiment = parse(&format!("{text}{guest}"), Path::new("p.toml"), host).expect("valid");
        examine(&experiment, &Facts::parse(facts)).split_off(1)
    }

    #[test]
    fn a_profile_without_huge_pages_and_nodes_has_no_findings_about_them() {
        assert_eq!(found("hugepages = false", FACTS), []);
    }

    #[test]
    fn huge_pages_are_those_in_the_pool_and_those_that_memory_could_give() {
        let good = &found("hugepages = true", FACTS)[0];
        assert_eq!((good.found.as_str(), &good.fix), ("64 of 2 MiB are needed, 100 are free", &None));
        let grows = &found("hugepages = true\nmemory = \"256 MiB\"", FACTS)[0];
        assert!(grows.found.ends_with("the pool grows for the run and is put back"), "{grows:?}");
        let bad = &found("hugepages = true\nmemory = \"256 MiB\"\nvms = 2", FACTS)[0];
        assert_eq!(bad.found, "256 pages of 2 MiB are needed, 200 can be had at most");
        assert!(found("hugepages = true", "")[0].fix.is_some());
    }

    #[test]
    fn a_node_must_be_there_and_hold_all_guests() {
        assert_eq!(found("numa_node = 0", FACTS)[0].found, "4096 MiB, of which guests take 128");
        let bad = &found("numa_node = 1", FACTS)[0];
        assert_eq!((bad.found.as_str(), bad.fix.is_some()), ("there is memory on node 0", true));
        assert!(found("numa_node = 0\nmemory = \"8 GiB\"", FACTS)[0].fix.is_some());
        assert_eq!(found("numa_node = 0", "")[0].found, "the kernel knows no nodes");
    }

    #[test]
    fn guests_that_need_more_memory_than_the_machine_has_are_refused() {
        let refused = |all_kib: &str| {
            let facts = Facts::parse(&format!("/proc/meminfo:MemTotal: {all_kib} kB\n"));
            let text =
                "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\nguest.vms = 4\n";
            let host = HostFacts { memory_mib: 65_536, cpus: 2 };
            examine(&parse(text, Path::new("p.toml"), host).expect("valid"), &facts)[0].clone()
        };
        assert_eq!(refused("524288").fix, None);
        assert_eq!(refused("524287").found, "511 MiB, for guests of 512 MiB together");
        assert!(refused("524287").fix.is_some());
    }
}
