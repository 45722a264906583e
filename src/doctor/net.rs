//! The way of a packet, bridges apart: interrupts, NICs, vhost.

use super::numa::number_of_nodes;
use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

const NET: &str = "/sys/class/net/";

pub(super) fn irqbalance(facts: &Facts) -> Subject {
    const MOVES: &str = "It moves the NIC's interrupts between cores during a trial: the guests on the core that gets \
                         them lose time.";
    const STAYS: &str =
        "Interrupts stay where they are; /proc/interrupts shows whether the NIC's queues are spread.";
    if facts.runs("irqbalance") {
        return Subject::new("irqbalance", Verdict::Note, "running", MOVES)
            .change("systemctl stop irqbalance");
    }
    Subject::new("irqbalance", Verdict::Good, "not running", STAYS)
}

/// A NIC with hardware behind it; virtual functions are counted with their NIC.
struct PhysicalNic<'a> {
    name: &'a str,
    node: Option<i64>,
    /// Mbit/s; 0 where it is down, or does not say.
    speed: i64,
    words: String,
}

fn nic<'a>(facts: &Facts, name: &'a str) -> PhysicalNic<'a> {
    let of = |file: &str| facts.text(&format!("{NET}{name}/{file}"));
    let node = of("device/numa_node").and_then(|node| node.parse().ok()).filter(|node| *node >= 0);
    let speed = of("speed").and_then(|mbit| mbit.parse::<i64>().ok()).filter(|mbit| *mbit > 0);
    let state = of("operstate").filter(|state| *state == "down").map(str::to_owned);
    let words = [
        of("device/driver").map(str::to_owned),
        speed.map(|mbit| {
            if mbit % 1000 == 0 { format!("{} Gbit/s", mbit / 1000) } else { format!("{mbit} Mbit/s") }
        }),
        node.map(|node| format!("node {node}")),
        state,
    ];
    PhysicalNic {
        name,
        node,
        speed: speed.unwrap_or(0),
        words: words.into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

pub(super) fn nics(facts: &Facts) -> Subject {
    const NEAR: &str = "Every core is equally near to the NIC.";
    const FAR: &str = "Guests on another node than the NIC's reach it across the link between sockets, and fall behind \
                       those on its own.";
    let subject = |verdict, found: String, effect: &str| Subject::new("NICs", verdict, found, effect);
    let real = facts.like(NET, "/device").into_iter().map(|(name, _)| name);
    let real = real.filter(|name| !facts.has(&format!("{NET}{name}/device/physfn")));
    let nics: Vec<PhysicalNic> = real.map(|name| nic(facts, name)).collect();
    if nics.is_empty() {
        return subject(Verdict::Unknown, "none with hardware behind it".into(), FAR);
    }
    let found = nics.iter().map(|nic| format!("{} ({})", nic.name, nic.words)).collect::<Vec<_>>().join(", ");
    let fastest = nics.iter().filter(|nic| nic.node.is_some()).max_by_key(|nic| nic.speed);
    match (number_of_nodes(facts), fastest.and_then(|nic| Some((nic.name, nic.node?)))) {
        (1, _) => subject(Verdict::Good, found, NEAR),
        (0, _) | (_, None) => subject(Verdict::Unknown, found, FAR),
        (_, Some((name, node))) => subject(Verdict::Note, found, FAR).change(format!(
            "virsh numatune GUEST --mode strict --nodeset {node} --config  # if {name} serves it"
        )),
    }
}

pub(super) fn vhost(facts: &Facts) -> Subject {
    const ZERO_COPY: &str = "/sys/module/vhost_net/parameters/experimental_zcopytx";
    const KERNEL: &str =
        "A kernel thread of its own serves each guest's NIC, and its CPU time is counted as the guest's.";
    const QEMU: &str =
        "virtio guests are served by QEMU itself, slower; what vhost would do cannot be measured.";
    const HELD: &str = "A guest's packet stays in its queue until the NIC has sent it: behind one slow receiver all of \
                        that guest's flows wait.";
    let subject = |verdict, found, effect| Subject::new("vhost", verdict, found, effect);
    if facts.switch(ZERO_COPY) == Some(true) {
        return subject(Verdict::Note, "vhost_net, with experimental_zcopytx", HELD).change(
            "modprobe -r vhost_net && modprobe vhost_net experimental_zcopytx=0  # while no guest runs",
        );
    }
    match (facts.has("/sys/module/vhost_net"), facts.has("/dev/vhost-net")) {
        (true, _) => subject(Verdict::Good, "vhost_net, without zero copy", KERNEL),
        (false, true) => subject(Verdict::Good, "vhost_net, loaded when it is needed", KERNEL),
        (false, false) => subject(Verdict::Note, "no vhost_net", QEMU).change("modprobe vhost_net"),
    }
}

/// Guests' interfaces of the host: taps, macvtaps apart.
pub(super) fn taps(facts: &Facts) -> Vec<&str> {
    facts.like(NET, "/tun_flags").into_iter().map(|(name, _)| name).collect()
}

/// `eth0, eth1 and 3 more`.
pub(super) fn some(names: &[&str]) -> String {
    match names {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", names.len() - 3),
        _ => names.join(", "),
    }
}
