//! What on a machine may keep netperf's packets from their way: firewalls, another netserver on the port, a wrong address or
//! MTU. Asked only after netperf failed.

use std::net::IpAddr;

use super::facts::Facts;
use crate::machine::Machine;

/// Prints rules, listeners, routes and neighbours; reads only.
const SCRIPT: &str = include_str!("obstacles.sh");

/// So many rules of a firewall are named.
const RULES: usize = 3;

/// The way that netperf's packets take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketPath {
    /// The address of the other end, if this machine is the one that starts netperf.
    pub to: Option<IpAddr>,
    /// The MTU that the profile asks for, bytes.
    pub mtu: u32,
    /// netserver's port, if this machine is the one that starts netserver.
    pub port: Option<u16>,
}

/// Everything on a machine that may be in the way, each as a sentence with the next step. Empty if nothing was found, or the
/// machine does not answer.
pub async fn find(machine: &Machine, path: &PacketPath) -> Vec<String> {
    let to = path.to.map(|to| to.to_string()).unwrap_or_default();
    let port = path.port.map(|port| port.to_string()).unwrap_or_default();
    let printed = machine.run(&["sh", "-c", SCRIPT, "obstacles", &to, &port]).await;
    let facts = printed.map(|output| Facts::parse(&output.stdout)).unwrap_or_default();
    read(&facts, path)
}

fn read(facts: &Facts, path: &PacketPath) -> Vec<String> {
    let rules = [nft(facts.lines("nft")), iptables(facts.lines("iptables"))].concat();
    let named = rules.iter().take(RULES).map(|rule| format!("a firewall drops packets: {rule}"));
    let bridge = (!rules.is_empty() && facts.text("bridge-nf") == Some("1")).then(|| {
        "bridge-nf-call-iptables is 1: iptables' FORWARD chain filters the guests' packets (sysctl -w \
         net.bridge.bridge-nf-call-iptables=0)"
            .to_owned()
    });
    let listeners =
        path.port.into_iter().flat_map(|port| facts.lines("listeners").map(move |line| listener(line, port)));
    let way =
        path.to.into_iter().flat_map(|to| neighbour(facts, to).into_iter().chain(route(facts, to, path.mtu)));
    named.chain(bridge).chain(listeners).chain(way).collect()
}

/// Rules and policies of nftables that drop or reject, each with its table and chain.
fn nft<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    let (mut table, mut chain, mut found) = (String::new(), String::new(), Vec::new());
    for line in lines.map(str::trim) {
        let words: Vec<&str> = line.split([' ', ';']).collect();
        match words.as_slice() {
            ["table", family, name, ..] => table = format!("{family} {name}"),
            ["chain", name, ..] => chain = (*name).to_owned(),
            ["type", ..] if line.contains("policy drop") => {
                found.push(format!("nft table {table}, chain {chain}: {line}"));
            }
            words if words.contains(&"drop") || words.contains(&"reject") => {
                found.push(format!("nft table {table}, chain {chain}: {line}"));
            }
            _ => {}
        }
    }
    found
}

/// The same of what `iptables-save` prints.
fn iptables<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    let policy = |line: &str| line.starts_with(':') && line.split(' ').nth(1) == Some("DROP");
    let rule =
        |line: &str| line.starts_with("-A ") && ["-j DROP", "-j REJECT"].iter().any(|j| line.contains(j));
    lines.filter(|line| policy(line) || rule(line)).map(|line| format!("iptables {line}")).collect()
}

/// A line of `ss -Hltnp`: its sixth word names the process.
fn listener(line: &str, port: u16) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let process = words.get(5).and_then(|word| word.split('"').nth(1)).unwrap_or("a process");
    let at = words.get(3).unwrap_or(&"?");
    format!(
        "{process} listens on {at} already, and netserver needs port {port} (systemctl disable --now netperf, or end it)"
    )
}

fn neighbour(facts: &Facts, to: IpAddr) -> Option<String> {
    let failed = facts.lines("neighbour").any(|line| line.contains("FAILED") || line.contains("INCOMPLETE"));
    failed.then(|| {
        format!(
            "no answer to ARP for {to}: check the cable, the switch's VLANs and MAC filters, and the address"
        )
    })
}

/// The device that the route leads over, if its MTU is another than the profile's; or that there is no route.
fn route(facts: &Facts, to: IpAddr, wanted: u32) -> Option<String> {
    let Some(route) = facts.lines("route").next() else {
        return Some(format!("there is no route to {to}: check the addresses with `ip address`"));
    };
    let after =
        |line: &str, word: &str| line.split_whitespace().skip_while(|w| *w != word).nth(1).map(str::to_owned);
    let device = after(route, "dev")?;
    let name =
        |line: &&str| line.split(": ").nth(1).is_some_and(|name| name.split('@').next() == Some(&*device));
    let mtu: u32 = after(facts.lines("link").find(name)?, "mtu")?.parse().ok()?;
    let other = mtu != wanted && device != "lo";
    other.then(|| {
        format!("the route to {to} leads over {device}, whose MTU is {mtu}, and the profile's is {wanted}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: PacketPath = PacketPath {
        to: Some(IpAddr::V4(std::net::Ipv4Addr::new(198, 19, 0, 1))),
        mtu: 1500,
        port: Some(12865),
    };
    const ROUTE: &str = "route:198.19.0.1 dev wire0 src 198.19.0.2 uid 0 \\    cache\n\
                         link:2: wire0@if3: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP\n";

    fn found(more: &str) -> Vec<String> {
        read(&Facts::parse(&format!("{ROUTE}{more}")), &PATH)
    }

    #[test]
    fn a_clear_way_has_no_obstacles() {
        assert_eq!(
            found("nft:table inet filter {\nnft:\tchain input {\nbridge-nf:0\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn rules_and_policies_that_drop_are_named_with_table_and_chain() {
        let rules = "nft:table inet lab {\nnft:\tchain in {\n\
                     nft:\t\ttype filter hook input priority filter; policy accept;\nnft:\t\ttcp dport 12865 drop\n\
                     nft:\t}\nnft:\tchain fwd {\nnft:\t\ttype filter hook forward priority filter; policy drop;\n";
        assert_eq!(
            found(rules),
            [
                "a firewall drops packets: nft table inet lab, chain in: tcp dport 12865 drop",
                "a firewall drops packets: nft table inet lab, chain fwd: type filter hook forward priority filter; \
                 policy drop;"
            ]
        );
        let saved = "iptables:*filter\niptables::FORWARD DROP [0:0]\niptables:-A INPUT -p tcp -j REJECT --reject-with x\n";
        assert_eq!(found(saved).len(), 2, "{:?}", found(saved));
    }

    #[test]
    fn a_netserver_that_holds_the_port_is_named_with_its_address() {
        let listener = "listeners:LISTEN 0 128 *:12865 *:* users:((\"netserver\",pid=7,fd=3))\n";
        assert!(
            found(listener)[0].starts_with("netserver listens on *:12865 already"),
            "{:?}",
            found(listener)
        );
    }

    #[test]
    fn bridged_packets_that_iptables_filters_are_named() {
        let both = found("iptables::FORWARD DROP [0:0]\nbridge-nf:1\n");
        assert!(both[1].contains("sysctl -w net.bridge.bridge-nf-call-iptables=0"), "{both:?}");
        assert_eq!(found("bridge-nf:1\n"), Vec::<String>::new(), "without a rule it drops nothing");
    }

    #[test]
    fn a_silent_neighbour_another_mtu_and_a_missing_route_are_named() {
        let silent = found("neighbour:198.19.0.1 dev wire0 FAILED\n");
        assert!(silent[0].starts_with("no answer to ARP for 198.19.0.1"), "{silent:?}");
        let jumbo = read(&Facts::parse(ROUTE), &PacketPath { mtu: 9000, ..PATH });
        assert_eq!(
            jumbo,
            ["the route to 198.19.0.1 leads over wire0, whose MTU is 1500, and the profile's is 9000"]
        );
        assert!(read(&Facts::default(), &PATH)[0].starts_with("there is no route to 198.19.0.1"));
    }
}
