//! A Xen host: whether it is a dom0 whose tools and libvirt answer, and whether the CPUs of the guests' pool can be taken.

use std::collections::BTreeSet;

use super::CheckResult;
use crate::factor::xen::XenScheduler;
use crate::host::facts::Facts;
use crate::host::xl::{self, POOL_0};
use crate::libvirt::daemon::{Daemon, LibvirtDriver};
use crate::machine::Machine;
use crate::profile::pin::list;
use crate::profile::{Experiment, XenHost};

/// Checks everything; nothing where the profile asks for another host.
pub(super) async fn examine(host: &Machine, experiment: &Experiment, facts: &Facts) -> Vec<CheckResult> {
    let Some(xen) = &experiment.host.xen else { return Vec::new() };
    let dom0 = dom0(facts);
    if dom0.iter().any(|finding| finding.fix.is_some()) {
        return dom0; // nothing else can be asked then
    }
    dom0.into_iter().chain([daemon(host).await]).chain(pool(experiment, xen, facts)).collect()
}

/// Whether this is dom0, and its tools reach the hypervisor.
fn dom0(facts: &Facts) -> Vec<CheckResult> {
    let what = "Xen";
    if !xl::is_dom0(facts) {
        let fix = "boot the machine with Xen (apt-get install xen-system-amd64); in a dom0 without it: mount -t xenfs xenfs /proc/xen";
        return vec![CheckResult::bad(
            what,
            "/proc/xen/capabilities shows no control_d: this is no dom0",
            fix,
        )];
    }
    match facts.text(xl::INFO).and_then(xl::version) {
        Some(version) => vec![CheckResult::good(what, format!("{version}, this is dom0"))],
        None => {
            let fix = "apt-get install xen-utils, and start Xen's services: systemctl start xen (xenstored, xenconsoled)";
            vec![CheckResult::bad(what, "`xl info` does not answer", fix)]
        }
    }
}

async fn daemon(host: &Machine) -> CheckResult {
    let what = "libvirt";
    let fix = "apt-get install libvirt-daemon libvirt-daemon-driver-xen libvirt0, and start it: systemctl enable --now libvirtd (there \
               is no embedded driver for Xen)";
    match Daemon::versions(host, LibvirtDriver::Xen).await {
        Ok((libvirt, xen)) => CheckResult::good(what, format!("{libvirt}, with Xen {xen}")),
        Err(error) => CheckResult::bad(what, error, fix),
    }
}

/// The pool of the guests, and its scheduler where that cannot be chosen.
fn pool(experiment: &Experiment, xen: &XenHost, facts: &Facts) -> Vec<CheckResult> {
    match &xen.cpupool {
        Some(cpus) => vec![own_pool(cpus, facts)],
        None => scheduler(experiment, facts).into_iter().collect(),
    }
}

fn own_pool(wanted: &BTreeSet<u32>, facts: &Facts) -> CheckResult {
    let what = "CPUs of cpupool";
    let pools = xl::pool_cpus(facts.text(xl::POOL_CPUS).unwrap_or_default());
    let free = pools.get(POOL_0).cloned().unwrap_or_default();
    let fix = format!("name CPUs of {POOL_0} in [host] cpupool, and leave one to dom0: `xl cpupool-list -c`");
    let missing: BTreeSet<u32> = wanted.difference(&free).copied().collect();
    match () {
        () if !missing.is_empty() => {
            let found = format!("CPU {} is not in {POOL_0}, which has {}", list(&missing), list(&free));
            CheckResult::bad(what, found, fix)
        }
        () if free.len() == wanted.len() => {
            CheckResult::bad(what, format!("{} are all that {POOL_0} has", list(wanted)), fix)
        }
        () => CheckResult::good(what, format!("{}, from {POOL_0}", list(wanted))),
    }
}

/// Without a pool of its own the run has the hypervisor's scheduler.
fn scheduler(experiment: &Experiment, facts: &Facts) -> Option<CheckResult> {
    let what = "Xen's scheduler";
    let wanted: BTreeSet<&str> = experiment
        .configurations
        .iter()
        .filter_map(|configuration| configuration.xen.scheduler.map(XenScheduler::as_str))
        .collect();
    let pools = xl::schedulers(facts.text(xl::POOLS).unwrap_or_default());
    let found = pools.get(POOL_0)?;
    let other = wanted.iter().find(|wanted| **wanted != found.as_str());
    Some(match other {
        None => CheckResult::good(what, found.as_str()),
        Some(other) => CheckResult::bad(
            what,
            format!("{found}, not {other}"),
            format!(
                "boot Xen with sched={other} on its command line, or give the guests a pool: cpupool = \"1\" in [host]"
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    /// What `gather.sh` prints in a dom0 with two CPUs.
    const DOM0: &str = include_str!("../../tests/fixtures/xen/dom0.txt");

    fn found(host: &str) -> Vec<CheckResult> {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"xen-netfront\"\n[host]\nuri = \"xen:///system\"\n{host}"
        );
        let facts = HostFacts { memory_mib: 1024, cpus: 1 };
        let experiment = parse(&text, Path::new("p.toml"), facts).expect("valid");
        let xen = experiment.host.xen.clone().expect("Xen");
        pool(&experiment, &xen, &Facts::parse(DOM0))
    }

    #[test]
    fn a_pool_is_made_of_cpus_of_pool_0_and_leaves_one_to_dom0() {
        assert_eq!(found("cpupool = \"1\""), [CheckResult::good("CPUs of cpupool", "1, from Pool-0")]);
        assert_eq!(found("cpupool = \"1-2\"")[0].found, "CPU 2 is not in Pool-0, which has 0-1");
        assert_eq!(found("cpupool = \"0-1\"")[0].found, "0-1 are all that Pool-0 has");
    }

    #[test]
    fn without_a_pool_the_scheduler_is_the_hypervisors() {
        assert_eq!(found("")[0], CheckResult::good("Xen's scheduler", "credit2"));
        let other = &found("xen_scheduler = \"credit\"")[0];
        assert_eq!(other.found, "credit2, not credit");
        assert!(other.fix.as_ref().expect("refused").starts_with("boot Xen with sched=credit "));
    }

    #[test]
    fn a_machine_without_xen_and_a_xen_without_its_services_are_told_apart() {
        assert!(dom0(&Facts::default())[0].found.contains("no dom0"));
        assert_eq!(dom0(&Facts::parse(DOM0))[0], CheckResult::good("Xen", "4.17.5, this is dom0"));
        let silent = dom0(&Facts::parse("/proc/xen/capabilities:control_d\n"));
        assert_eq!(silent[0].found, "`xl info` does not answer");
    }
}
