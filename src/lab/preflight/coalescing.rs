//! Whether the host's end of the wire can coalesce interrupts.

use std::path::Path;

use super::Finding;
use crate::backend::coalescing::{Coalescing, ask};
use crate::backend::site::Wire;
use crate::exec::blocking;
use crate::exec::machine::Machine;
use crate::profile::Experiment;
use crate::profile::tuning::HostTuning;

const WHAT: &str = "interrupt coalescing";

/// This machine.
pub(super) fn look(experiment: &Experiment, wire: Option<&Wire>) -> Option<Finding> {
    let (asked, nic) = asked(experiment).zip(wire.map(name))?;
    let Some(nic) = nic else { return Some(veth()) };
    let said = blocking::run(Path::new("/"), &ask(nic));
    let said = said.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
    Some(finding(nic, asked, &said.unwrap_or_default()))
}

/// Another machine.
pub(super) async fn look_there(
    host: &Machine,
    experiment: &Experiment,
    wire: Option<&Wire>,
) -> Option<Finding> {
    let (asked, nic) = asked(experiment).zip(wire.map(name))?;
    let Some(nic) = nic else { return Some(veth()) };
    let said = host.run(&ask(nic)).await.map(|output| output.stdout);
    Some(finding(nic, asked, &said.unwrap_or_default()))
}

/// What the profile asks for: the same in all configurations.
fn asked(experiment: &Experiment) -> Option<&HostTuning> {
    let host = &experiment.configurations.first()?.tuning.host;
    (host.coalesce_rx_us.is_some() || host.coalesce_tx_us.is_some()).then_some(host)
}

fn name(wire: &Wire) -> Option<&str> {
    match wire {
        Wire::Veth => None,
        Wire::Nics(nics) => nics.host.first().map(|nic| nic.name.as_str()),
    }
}

fn veth() -> Finding {
    let fix = "name real NICs in [wire], or leave coalesce_rx and coalesce_tx out";
    Finding::bad(WHAT, "the wire is a veth pair, which has no interrupts", fix)
}

/// Which times a driver takes, only the attempt can tell.
fn finding(nic: &str, asked: &HostTuning, said: &str) -> Finding {
    let now = Coalescing::read(said);
    let ends =
        [("coalesce_rx", asked.coalesce_rx_us, now.rx_us), ("coalesce_tx", asked.coalesce_tx_us, now.tx_us)];
    let lacking = ends.iter().find(|(_, asked, now)| asked.is_some() && now.is_none());
    if let Some((key, ..)) = lacking {
        let fix = format!(
            "leave {key} out, or name another NIC (`ethtool -c` shows what it can; apt-get install ethtool)"
        );
        return Finding::bad(WHAT, format!("{nic} has no {}", key.replace("coalesce_", "") + "-usecs"), fix);
    }
    let wanted = ends.iter().filter_map(|(key, asked, now)| Some((key, (*asked)?, (*now)?)));
    let words: Vec<String> =
        wanted.map(|(key, us, now)| format!("{key} {now} us now, {us} us to be")).collect();
    Finding::good(WHAT, format!("{nic}: {}; put back at the end", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIRTIO: &str = include_str!("../../../tests/fixtures/ethtool/coalesce_virtio");
    const TAP: &str = include_str!("../../../tests/fixtures/ethtool/coalesce_tap");

    #[test]
    fn a_nic_that_cannot_coalesce_is_refused_with_what_it_lacks() {
        let asked = HostTuning { coalesce_rx_us: Some(50), ..HostTuning::default() };
        assert_eq!(
            finding("eth1", &asked, VIRTIO).found,
            "eth1: coalesce_rx 0 us now, 50 us to be; put back at the end"
        );
        let refused = finding("eth1", &asked, TAP);
        assert_eq!((refused.found.as_str(), refused.fix.is_some()), ("eth1 has no rx-usecs", true));
        assert!(finding("eth1", &asked, "").fix.is_some());
    }
}
