//! The way of a packet: interrupts, NICs, bridges and their firewall, vhost.

use std::collections::BTreeMap;

use super::memory::number_of_nodes;
use super::subject::{Judgement, Subject, bad, count, good, note};
use crate::host::facts::Facts;

const NET: &str = "/sys/class/net/";
const REMOTE_NODE: &str = "Guests on another node than the NIC reach it across the link between sockets, and fall behind \
                           those on its node.";
/// Guests on one bridge from which on its own work shows.
const MANY: usize = 16;
/// Use of the connection table above which it may fill during a trial, percent.
const FULL: u64 = 80;

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "irqbalance",
        unknown: "",
        judge: |facts, _| {
            Ok(match facts.runs("irqbalance") {
                true => note(
                    "running",
                    "It moves the NIC's interrupts between cores during a trial: the guests on the core that gets \
                     them lose time.",
                    "systemctl stop irqbalance",
                ),
                false => good(
                    "not running",
                    "Interrupts stay where they are; /proc/interrupts shows whether the NIC's queues are spread.",
                ),
            })
        },
    },
    Subject { name: "NICs", unknown: REMOTE_NODE, judge: |facts, _| nics(facts) },
    Subject { name: "bridges", unknown: "", judge: |facts, _| Ok(bridges(facts)) },
    Subject { name: "bridge netfilter", unknown: "", judge: |facts, _| Ok(bridge_netfilter(facts)) },
    Subject {
        name: "vhost",
        unknown: "",
        judge: |facts, _| {
            const SERVED: &str =
                "Each guest's NIC has a kernel thread of its own, whose CPU time is counted as the guest's.";
            if facts.switch("/sys/module/vhost_net/parameters/experimental_zcopytx") == Some(true) {
                return Ok(note(
                    "vhost_net, with experimental_zcopytx",
                    "A guest's packet stays in its queue until the NIC has sent it: behind one slow receiver all flows \
                     of that guest wait.",
                    "modprobe -r vhost_net && modprobe vhost_net experimental_zcopytx=0  # while no guest runs",
                ));
            }
            Ok(if facts.has("/sys/module/vhost_net") {
                good("vhost_net, without zero copy", SERVED)
            } else if facts.has("/dev/vhost-net") {
                good("vhost_net, loaded on demand", SERVED)
            } else {
                note(
                    "no vhost_net",
                    "QEMU itself serves virtio guests, more slowly, and vhost cannot be measured.",
                    "modprobe vhost_net",
                )
            })
        },
    },
];

/// A NIC with hardware behind it.
struct PhysicalNic<'a> {
    name: &'a str,
    node: Option<i64>,
    /// Mbit/s; `None` where it is down, or has no speed.
    speed: Option<i64>,
    /// `igb, 1 Gbit/s, node 0`
    description: String,
}

fn physical_nic<'a>(facts: &Facts, name: &'a str) -> PhysicalNic<'a> {
    let file = |file: &str| facts.text(&format!("{NET}{name}/{file}"));
    let number = |path: &str| file(path).and_then(|number| number.parse::<i64>().ok());
    let node = number("device/numa_node").filter(|node| *node >= 0);
    let speed = number("speed").filter(|mbit| *mbit > 0);
    let rate =
        |mbit| if mbit % 1000 == 0 { format!("{} Gbit/s", mbit / 1000) } else { format!("{mbit} Mbit/s") };
    let parts = [
        file("device/driver").map(str::to_owned),
        speed.map(rate),
        node.map(|node| format!("node {node}")),
        file("operstate").filter(|state| *state == "down").map(str::to_owned),
    ];
    let description = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    PhysicalNic { name, node, speed, description }
}

/// Virtual functions are part of their NIC.
fn nics(facts: &Facts) -> Result<Judgement, String> {
    let names = facts.like(NET, "/device").into_iter().map(|(name, _)| name);
    let names = names.filter(|name| !facts.has(&format!("{NET}{name}/device/physfn")));
    let nics: Vec<PhysicalNic> = names.map(|name| physical_nic(facts, name)).collect();
    if nics.is_empty() {
        return Err("none with hardware behind it".into());
    }
    let found: Vec<String> = nics.iter().map(|nic| format!("{} ({})", nic.name, nic.description)).collect();
    let found = found.join(", ");
    let fastest = nics.iter().filter(|nic| nic.node.is_some()).max_by_key(|nic| nic.speed);
    match (number_of_nodes(facts), fastest.and_then(|nic| Some((nic.name, nic.node?)))) {
        (1, _) => Ok(good(found, "Every core is equally near to the NIC.")),
        (0, _) | (_, None) => Err(found),
        (_, Some((name, node))) => Ok(note(
            found,
            REMOTE_NODE,
            format!("virsh numatune GUEST --mode strict --nodeset {node} --config  # if {name} serves it"),
        )),
    }
}

/// The ports of each bridge; bridges without any have an empty list.
fn ports(facts: &Facts) -> BTreeMap<&str, Vec<&str>> {
    let empty = facts.like(NET, "/bridge").into_iter().map(|(name, _)| (name, Vec::new()));
    let mut bridges: BTreeMap<&str, Vec<&str>> = empty.collect();
    for (port, bridge) in facts.like(NET, "/brport/bridge") {
        bridges.entry(bridge).or_default().push(port);
    }
    bridges
}

fn bridges(facts: &Facts) -> Judgement {
    let has = |port: &str, file: &str| facts.has(&format!("{NET}{port}/{file}"));
    let (mut found, mut second_uplink, mut crowded) = (Vec::new(), None, None);
    for (bridge, ports) in ports(facts) {
        let uplinks: Vec<&str> =
            ports.iter().copied().filter(|port| has(port, "device") || has(port, "bonding")).collect();
        let taps = ports.iter().filter(|port| has(port, "tun_flags")).count();
        let out = if uplinks.is_empty() { "no NIC".into() } else { abridged(&uplinks) };
        found.push(match ports.len() {
            0 => format!("{bridge} (no ports)"),
            n => format!("{bridge} ({}: {}, {out})", count(n, "port"), count(taps, "guest")),
        });
        second_uplink = second_uplink.or(uplinks.get(1).copied());
        crowded = crowded.or((taps >= MANY).then_some(bridge));
    }
    let found = if found.is_empty() { "none".into() } else { found.join(", ") };
    match (second_uplink, crowded) {
        (Some(port), _) => note(
            found,
            "A bridge with two uplinks is a switch for others too: their packets take CPU time from the guest on whose \
             core they arrive.",
            format!("ip link set {port} nomaster"),
        ),
        (None, Some(bridge)) => note(
            found,
            "Broadcasts and packets for unknown addresses are copied to every guest: each pays for all.",
            format!("bridge link set dev TAP flood off mcast_flood off  # for each tap of {bridge}"),
        ),
        (None, None) => good(found, "No bridge carries packets of anything but its guests."),
    }
}

fn bridge_netfilter(facts: &Facts) -> Judgement {
    const BYPASSED: &str = "Packets between guests and NIC pass no firewall of the host.";
    let change = "sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0";
    let switch = |family: &str| facts.switch(&format!("/proc/sys/net/bridge/bridge-nf-call-{family}tables"));
    let table = connection_table(facts);
    let found = |state: &str| table.as_ref().map_or(state.into(), |(text, _)| format!("{state}; {text}"));
    match (switch("ip"), switch("ip6")) {
        (None, None) => good(found("br_netfilter is not loaded"), BYPASSED),
        (Some(true), _) | (_, Some(true)) if ports(facts).values().all(Vec::is_empty) => note(
            found("on, but no bridge has ports"),
            "As soon as guests are on a bridge, each of their packets passes iptables and the connection table, which \
             all guests share.",
            change,
        ),
        (Some(true), _) | (_, Some(true)) => bad(
            found("on"),
            "Every bridged packet passes iptables and the connection table, which all guests share: a guest with many \
             connections slows the others, and fills the table for all.",
            change,
        ),
        _ if table.as_ref().is_some_and(|(_, full)| *full) => note(
            found("off"),
            "The host's own connections, netperf's included, are refused when the table is full.",
            "sysctl -w net.netfilter.nf_conntrack_max=1048576",
        ),
        _ => good(found("off"), BYPASSED),
    }
}

/// How full the connection table is, and whether that is too full.
fn connection_table(facts: &Facts) -> Option<(String, bool)> {
    let used = facts.number("/proc/sys/net/netfilter/nf_conntrack_count")?;
    let most = facts.number("/proc/sys/net/netfilter/nf_conntrack_max")?;
    Some((format!("{used} of {most} connections tracked"), used * 100 > most * FULL))
}

/// `eth0, eth1, eth2 and 3 more`.
fn abridged(names: &[&str]) -> String {
    match names {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", names.len() - 3),
        _ => names.join(", "),
    }
}
