//! Streams held to a rate where they start: on the tester's interface each guest that is paced has a class of its own (HTB).
//! What goes to others passes by the classes, in no bucket.
//!
//! netperf could pace itself, but distributions build it without. The rate counts whole frames.

use super::step::{Side, Step};
use crate::address::{Net, Station, address};

/// A guest, and what the tester sends it at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Its number.
    pub guest: u32,
    /// Bits/s.
    pub bits: u64,
}

/// The bucket holds what comes in this part of a second.
const BURST_PARTS: u64 = 100;
/// At the least two full frames.
const LEAST_BURST: u64 = 4_096;
/// Bytes that a class may send at a time; tc's own choice is too small at low rates, and the kernel complains.
const QUANTUM: u32 = 3_028;

/// The queueing discipline that is ours; nobody else has a reason to give his this number.
const HANDLE: &str = "4b46:";

/// Paces guests on the tester's interface. All goes with the first step's undo, which the kernel refuses where another
/// queueing discipline is the root.
pub fn steps(interface: &str, paces: &[Pace]) -> Vec<Step> {
    let root = Step::new(Side::Tester, &format!("tc qdisc add dev {interface} root handle {HANDLE} htb"))
        .undone_by(&format!("tc qdisc del dev {interface} root handle {HANDLE}"));
    std::iter::once(root).chain(paces.iter().flat_map(|pace| class(interface, pace))).collect()
}

fn class(interface: &str, Pace { guest, bits }: &Pace) -> [Step; 2] {
    let burst = (bits / 8 / BURST_PARTS).max(LEAST_BURST);
    let to = address(Net::Test, Station::Guest(*guest));
    [
        format!(
            "tc class add dev {interface} parent {HANDLE} classid {HANDLE}{guest:x} htb rate {bits}bit burst {burst} quantum {QUANTUM}"
        ),
        format!(
            "tc filter add dev {interface} parent {HANDLE} protocol ip prio 1 u32 match ip dst {to}/32 flowid {HANDLE}{guest:x}"
        ),
    ]
    .map(|command| Step::new(Side::Tester, &command))
}

/// The rate at which a guest is paced, bits/s, in what `tc class show` and `tc filter show` say; `None` if it has no class,
/// or nothing leads to it.
pub fn seen(classes: &str, filters: &str, guest: u32) -> Option<u64> {
    let class = format!("{HANDLE}{guest:x}");
    let led = format!("match {:08x}/ffffffff at 16", u32::from(address(Net::Test, Station::Guest(guest))));
    let elsewhere = |line: &&str| !line.split_whitespace().any(|word| word == class);
    let mut lines = filters.lines().skip_while(elsewhere).skip(1);
    if !lines.next()?.contains(&led) {
        return None;
    }
    let words = classes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = words.into_iter().find(|words| words.starts_with(&["class", "htb", &class]))?;
    rate(own.iter().skip_while(|word| **word != "rate").nth(1)?)
}

/// The queueing discipline that somebody gave an interface, in what `tc qdisc show` says: the kernel's own choice has the
/// number 0.
pub fn root(qdiscs: &str) -> Option<&str> {
    let given = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], ["qdisc", _, handle, "root", ..] if handle != "0:")
    };
    qdiscs.lines().find(given).map(str::trim)
}

/// A rate as tc prints it: `2Mbit`.
fn rate(word: &str) -> Option<u64> {
    word.parse::<crate::units::Rate>().ok().map(|rate| rate.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Said by iproute2 6.1.0 after the steps for guests 1 and 10.
    const CLASSES: &str = "class htb 4b46:a root prio 0 rate 2500Kbit ceil 2500Kbit burst 4Kb cburst 1600b \n\
                           class htb 4b46:1 root prio 0 rate 2Mbit ceil 2Mbit burst 4Kb cburst 1600b \n";
    const FILTERS: &str = include_str!("pace_filters.txt");

    #[test]
    fn the_rate_of_a_guest_is_read_back_where_its_packets_are_led_into_its_class() {
        assert_eq!(seen(CLASSES, FILTERS, 1), Some(2_000_000));
        assert_eq!(seen(CLASSES, FILTERS, 10), Some(2_500_000));
        assert_eq!(seen(CLASSES, FILTERS, 2), None);
        assert_eq!(seen(CLASSES, "", 1), None, "a class without a filter holds nothing back");
        assert_eq!(seen("", FILTERS, 1), None);
    }

    #[test]
    fn a_queueing_discipline_that_somebody_gave_is_told_from_the_kernels_own() {
        let own = "qdisc mq 0: root \nqdisc pfifo_fast 0: parent :1 bands 3\nqdisc clsact ffff: parent ffff:fff1 \n";
        let given = "qdisc tbf 8681: root refcnt 3 rate 1Mbit burst 4Kb lat 50ms \n";
        assert_eq!(root(own), None);
        assert_eq!(root("qdisc noqueue 0: root refcnt 2 \n"), None);
        assert_eq!(root(&[own, given].concat()), Some(given.trim()));
    }

    #[test]
    fn one_undo_takes_all_classes_away() {
        let steps = steps("p0", &[Pace { guest: 1, bits: 2_000_000 }, Pace { guest: 10, bits: 64_000 }]);
        let words: Vec<String> = steps.iter().map(|step| format!("{:?}", step.action)).collect();
        assert_eq!(words.iter().filter(|words| words.contains("\"del\"")).count(), 1);
        assert!(steps.iter().all(|step| step.side == Side::Tester));
        assert!(
            words.iter().any(|words| words.contains("\"4b46:a\", \"htb\", \"rate\", \"64000bit\"")),
            "{words:?}"
        );
    }
}
