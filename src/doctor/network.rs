//! The way of a packet: interrupts, NICs, bridges and their firewall, vhost.

use std::collections::BTreeMap;

use super::host_state::{HostState, count};
use super::memory::number_of_nodes;
use crate::host::facts::Facts;

const NET: &str = "/sys/class/net/";
/// Guests on one bridge from which on its own work shows.
const MANY: usize = 16;
/// Use of the connection table above which it may fill during a trial, percent.
const FULL: u64 = 80;

pub(super) fn irqbalance(facts: &Facts) -> Result<HostState, String> {
    Ok(if facts.runs("irqbalance") { HostState::new("running") } else { HostState::new("stopped") })
}

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
pub(super) fn nics(facts: &Facts) -> Result<HostState, String> {
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
        (1, _) => Ok(HostState::new("near").with("nics", found)),
        (0, _) | (_, None) => Err(found),
        (_, Some((name, node))) => {
            Ok(HostState::new("one-node").with("nics", found).with("node", node).with("fastest", name))
        }
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

pub(super) fn bridges(facts: &Facts) -> Result<HostState, String> {
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
    let state = match (second_uplink, crowded) {
        (Some(port), _) => HostState::new("uplinks").with("uplink", port),
        (None, Some(bridge)) => HostState::new("crowded").with("crowded", bridge),
        (None, None) => HostState::new("plain"),
    };
    Ok(state.with("bridges", if found.is_empty() { "none".into() } else { found.join(", ") }))
}

pub(super) fn bridge_netfilter(facts: &Facts) -> Result<HostState, String> {
    let switch = |family: &str| facts.switch(&format!("/proc/sys/net/bridge/bridge-nf-call-{family}tables"));
    let number = |name: &str| facts.number(&format!("/proc/sys/net/netfilter/nf_conntrack_{name}"));
    let table = number("count").zip(number("max"));
    let full = table.is_some_and(|(used, most)| used.saturating_mul(100) > most.saturating_mul(FULL));
    let state = match (switch("ip"), switch("ip6")) {
        (None, None) => HostState::new("not-loaded"),
        (Some(true), _) | (_, Some(true)) if ports(facts).values().all(Vec::is_empty) => {
            HostState::new("no-ports")
        }
        (Some(true), _) | (_, Some(true)) => HostState::new("on"),
        _ if full => HostState::new("full"),
        _ => HostState::new("off"),
    };
    let table = table.map(|(used, most)| format!("; {used} of {most} connections tracked"));
    Ok(state.with("table", table.unwrap_or_default()))
}

pub(super) fn vhost(facts: &Facts) -> Result<HostState, String> {
    let zero_copy = facts.switch("/sys/module/vhost_net/parameters/experimental_zcopytx");
    Ok(match (facts.has("/sys/module/vhost_net"), facts.has("/dev/vhost-net")) {
        _ if zero_copy == Some(true) => HostState::new("zero-copy"),
        (true, _) => HostState::new("loaded"),
        (false, true) => HostState::new("on-demand"),
        (false, false) => HostState::new("absent"),
    })
}

/// `eth0, eth1, eth2 and 3 more`.
fn abridged(names: &[&str]) -> String {
    match names {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", names.len() - 3),
        _ => names.join(", "),
    }
}
