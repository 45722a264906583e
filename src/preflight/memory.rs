//! Where guests' memory shall lie: huge pages that the host can find, NUMA nodes that it has.

use super::Finding;
use super::needs::FEWER_GUESTS;
use crate::machine::Machine;
use crate::profile::cpus;
use crate::profile::{Configuration, Experiment};

/// Prints the nodes that have memory, each node's memory, free memory, and the pool of huge pages of 2 MiB.
const SCRIPT: &str = r#"cd /sys/devices/system/node 2> /dev/null && echo "nodes $(cat has_memory)" && cat node*/meminfo
cat /proc/meminfo
cd /sys/kernel/mm/hugepages/hugepages-2048kB 2> /dev/null && echo "pool $(cat free_hugepages)"
true"#;

/// Checks what the experiment asks of the VM host's memory.
pub(super) async fn look(host: &Machine, experiment: &Experiment) -> Vec<Finding> {
    let printed = host.run(&["sh", "-c", SCRIPT]).await.map(|output| output.stdout);
    findings(experiment, &printed.unwrap_or_default())
}

fn findings(experiment: &Experiment, said: &str) -> Vec<Finding> {
    let of_nodes = most(experiment, |configuration| configuration.numa_node.is_some());
    huge_pages(experiment, said).into_iter().chain(of_nodes.into_iter().map(|c| node(c, said))).collect()
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

/// What is free in the pool, and what memory the pool could grow by. Whether that is in one piece only the attempt can tell.
fn huge_pages(experiment: &Experiment, said: &str) -> Option<Finding> {
    let what = "huge pages for guests";
    let configurations = experiment.configurations.iter();
    let need =
        configurations.map(|c| u64::from(c.vms) * c.huge_pages_each()).max().filter(|need| *need > 0)?;
    let Some(free) = value(said, "pool ") else {
        let fix =
            "leave `hugepages` out, or use a kernel with CONFIG_HUGETLBFS on a machine with pages of 2 MiB";
        return Some(Finding::bad(what, "the kernel has no pool of pages of 2 MiB", fix));
    };
    let could = free + value(said, "MemAvailable:").unwrap_or(0) / 2048;
    if need > could {
        let found = format!("{need} pages of 2 MiB are needed, {could} can be had at most");
        return Some(Finding::bad(what, found, FEWER_GUESTS));
    }
    let grows = if need > free { "; the pool grows for the run and is put back" } else { "" };
    Some(Finding::good(what, format!("{need} of 2 MiB are needed, {free} are free{grows}")))
}

/// Strictly on one node: what does not fit there is nowhere.
fn node(largest: &Configuration, said: &str) -> Finding {
    let node = largest.numa_node.unwrap_or(0);
    let what = format!("NUMA node {node}");
    let listed = said.lines().find_map(|line| line.strip_prefix("nodes "));
    let there = listed.and_then(cpus::of_list).unwrap_or_default(); // written as lists of CPUs are
    if !there.contains(&node) {
        let has = listed
            .map_or("the kernel knows no nodes".into(), |nodes| format!("there is memory on node {nodes}"));
        return Finding::bad(&what, has, "name a node that has memory, or leave `numa_node` out");
    }
    let mib = value(said, &format!("Node {node} MemTotal:")).unwrap_or(0) / 1024;
    let found = format!("{mib} MiB, of which guests take {}", all_mib(largest));
    if all_mib(largest) > mib {
        return Finding::bad(&what, found, FEWER_GUESTS);
    }
    Finding::good(&what, found)
}

/// The number after some words.
fn value(said: &str, words: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix(words))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    /// One node of 4 GiB, 100 pages free in the pool.
    const SAID: &str = "nodes 0\nNode 0 MemTotal:        4194304 kB\nNode 0 MemFree: 1 kB\nMemTotal:       4194304 kB\n\
                        MemAvailable:    204800 kB\npool 100\n";

    fn found(guest: &str, said: &str) -> Vec<Finding> {
        let facts = HostFacts { memory_mib: 65_536, cpus: 2 };
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\n[guest]\n";
        findings(&parse(&format!("{text}{guest}"), Path::new("p.toml"), facts).expect("valid"), said)
    }

    #[test]
    fn who_asks_for_nothing_is_told_nothing() {
        assert_eq!(found("hugepages = false", SAID), []);
    }

    #[test]
    fn huge_pages_are_those_in_the_pool_and_those_that_memory_could_give() {
        let good = &found("hugepages = true", SAID)[0];
        assert_eq!((good.found.as_str(), &good.fix), ("64 of 2 MiB are needed, 100 are free", &None));
        let grows = &found("hugepages = true\nmemory = \"256 MiB\"", SAID)[0];
        assert!(grows.found.ends_with("the pool grows for the run and is put back"), "{grows:?}");
        let bad = &found("hugepages = true\nmemory = \"256 MiB\"\nvms = 2", SAID)[0];
        assert_eq!(bad.found, "256 pages of 2 MiB are needed, 200 can be had at most");
        assert!(found("hugepages = true", "")[0].fix.is_some());
    }

    #[test]
    fn a_node_must_be_there_and_hold_all_guests() {
        assert_eq!(found("numa_node = 0", SAID)[0].found, "4096 MiB, of which guests take 128");
        let bad = &found("numa_node = 1", SAID)[0];
        assert_eq!((bad.found.as_str(), bad.fix.is_some()), ("there is memory on node 0", true));
        assert!(found("numa_node = 0\nmemory = \"8 GiB\"", SAID)[0].fix.is_some());
        assert_eq!(found("numa_node = 0", "")[0].found, "the kernel knows no nodes");
    }
}
