//! NUMA: nodes, how far apart they are, and who moves pages between them.

use super::subject::{Subject, Verdict, count};
use crate::host::facts::Facts;

/// Nodes of the machine; 0 if it does not say.
pub(super) fn number_of_nodes(facts: &Facts) -> usize {
    facts.like("/sys/devices/system/node/node", "/distance").len()
}

pub(super) fn nodes(facts: &Facts) -> Subject {
    const ONE: &str = "All memory is equally far from every core.";
    const MANY: &str = "A guest whose vCPUs, memory, vhost thread and NIC lie on different nodes is slower than its \
                        neighbours, for as long as it runs.";
    let subject = |verdict, found: String, effect: &str| Subject::new("NUMA", verdict, found, effect);
    let distances = facts.like("/sys/devices/system/node/node", "/distance");
    let farthest = distances
        .iter()
        .flat_map(|(_, row)| row.split_whitespace())
        .filter_map(|d| d.parse::<u32>().ok())
        .max();
    match (distances.len(), farthest) {
        (0, _) => subject(Verdict::Unknown, "the kernel does not say".into(), MANY),
        (1, _) => subject(Verdict::Good, "1 node".into(), ONE),
        (nodes, farthest) => {
            let found = format!("{nodes} nodes, farthest distance {} (10 is near)", farthest.unwrap_or(0));
            subject(Verdict::Note, found, MANY)
                .change("virsh numatune GUEST --mode strict --nodeset 0 --config  # and vcpupin, emulatorpin on that node")
        }
    }
}

pub(super) fn balancing(facts: &Facts) -> Subject {
    const MOVES: &str =
        "Guests' pages are unmapped to see who uses them, and moved: each guest stalls at times of its own.";
    const STAYS: &str = "No page of a guest is moved to another node while it runs.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("NUMA balancing", verdict, found, effect);
    let kernel = facts.number("/proc/sys/kernel/numa_balancing");
    let mut movers = Vec::new();
    let mut stop = Vec::new();
    if kernel.is_some_and(|mode| mode > 0) {
        movers.push("by the kernel");
        stop.push("sysctl -w kernel.numa_balancing=0");
    }
    if facts.runs("numad") {
        movers.push("by numad");
        stop.push("systemctl stop numad");
    }
    match number_of_nodes(facts) {
        1 => subject(Verdict::Good, "nothing to balance: one node".into(), STAYS),
        0 => subject(
            Verdict::Unknown,
            "the kernel shows no nodes".into(),
            "Where pages are moved between nodes, guests stall at times of their own.",
        ),
        _ if movers.is_empty() => subject(Verdict::Good, "off".into(), STAYS),
        nodes => subject(
            Verdict::Note,
            format!("{} between {}", movers.join(" and "), count(nodes, "node")),
            MOVES,
        )
        .change(stop.join(" && ")),
    }
}
