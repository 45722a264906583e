//! Linux bridges: who shares them, and whether the firewall looks at every packet on them.

use std::collections::BTreeMap;

use super::net::{some, taps};
use super::subject::{Subject, Verdict, count};
use crate::host::facts::Facts;

const NET: &str = "/sys/class/net/";

/// Guests on one bridge above which its own work shows.
const MANY: usize = 16;

/// The ports of each bridge; bridges without any have an empty list.
fn all(facts: &Facts) -> BTreeMap<&str, Vec<&str>> {
    let mut bridges: BTreeMap<&str, Vec<&str>> =
        facts.like(NET, "/bridge").into_iter().map(|(name, _)| (name, Vec::new())).collect();
    for (port, bridge) in facts.like(NET, "/brport/bridge") {
        bridges.entry(bridge).or_default().push(port);
    }
    bridges
}

pub(super) fn bridges(facts: &Facts) -> Subject {
    const UPLINKS: &str = "With two ways out it is a switch for others too: their packets take CPU time from whichever \
                           guest's core they arrive on.";
    const CROWDED: &str =
        "Broadcasts and packets for unknown addresses are copied to every guest: each pays for all.";
    const PLAIN: &str = "No bridge carries anybody's packets but its guests'.";
    let subject = |verdict, found: String, effect: &str| Subject::new("bridges", verdict, found, effect);
    let guests = taps(facts);
    let real =
        |port: &&str| ["device", "bonding"].iter().any(|file| facts.has(&format!("{NET}{port}/{file}")));
    let (mut found, mut twice, mut crowded) = (Vec::new(), None, None);
    for (bridge, on_it) in all(facts) {
        let uplinks: Vec<&str> = on_it.iter().copied().filter(real).collect();
        let taps = on_it.iter().filter(|port| guests.contains(port)).count();
        let out = if uplinks.is_empty() { "no NIC".into() } else { some(&uplinks) };
        found.push(match on_it.len() {
            0 => format!("{bridge} (no ports)"),
            n => format!("{bridge} ({}: {}, {out})", count(n, "port"), count(taps, "guest")),
        });
        twice = twice.or((uplinks.len() > 1).then(|| uplinks[1].to_owned()));
        crowded = crowded.or((taps >= MANY).then(|| bridge.to_owned()));
    }
    let found = if found.is_empty() { "none".into() } else { found.join(", ") };
    match (twice, crowded) {
        (Some(port), _) => {
            subject(Verdict::Note, found, UPLINKS).change(format!("ip link set {port} nomaster"))
        }
        (None, Some(bridge)) => subject(Verdict::Note, found, CROWDED)
            .change(format!("bridge link set dev TAP flood off mcast_flood off  # for each tap of {bridge}")),
        (None, None) => subject(Verdict::Good, found, PLAIN),
    }
}

/// Share of the connection table above which it may fill during a trial, percent.
const FULL: u64 = 80;

pub(super) fn netfilter(facts: &Facts) -> Subject {
    const PASS: &str = "Packets between guests and NIC pass no firewall of the host's.";
    const CALLS: &str = "Every bridged packet passes iptables and the connection table, which all guests share: a guest \
                         with many connections slows the others, and fills the table for all.";
    const READY: &str = "As soon as guests are on a bridge, each of their packets passes iptables and the connection \
                         table, which all guests share.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("bridge netfilter", verdict, found, effect);
    let switch = |family: &str| facts.switch(&format!("/proc/sys/net/bridge/bridge-nf-call-{family}tables"));
    let table = table(facts);
    let found = |state: &str| table.as_ref().map_or(state.into(), |(words, _)| format!("{state}; {words}"));
    let change = "sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0";
    match (switch("ip"), switch("ip6")) {
        (None, None) => subject(Verdict::Good, found("br_netfilter is not loaded"), PASS),
        (Some(true), _) | (_, Some(true)) if all(facts).values().all(Vec::is_empty) => {
            subject(Verdict::Note, found("on, but no bridge has ports"), READY).change(change)
        }
        (Some(true), _) | (_, Some(true)) => subject(Verdict::Bad, found("on"), CALLS).change(change),
        _ if table.as_ref().is_some_and(|(_, full)| *full) => subject(
            Verdict::Note,
            found("off"),
            "The host's own connections, netperf's too, are refused when the table is full.",
        )
        .change("sysctl -w net.netfilter.nf_conntrack_max=1048576"),
        _ => subject(Verdict::Good, found("off"), PASS),
    }
}

/// How full the connection table is, and whether that is too full.
fn table(facts: &Facts) -> Option<(String, bool)> {
    let count = facts.number("/proc/sys/net/netfilter/nf_conntrack_count")?;
    let most = facts.number("/proc/sys/net/netfilter/nf_conntrack_max")?;
    Some((format!("{count} of {most} connections tracked"), count * 100 > most * FULL))
}
