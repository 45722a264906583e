//! A Xen dom0: the scheduler of the guests, the CPUs that dom0 keeps, the pools of CPUs.

use super::host_state::HostState;
use crate::host::facts::Facts;
use crate::host::xl::{self, POOL_0};

/// The group of the subjects that only a dom0 has.
pub(super) const GROUP: &str = "Xen";
/// Subjects that a dom0 has not: they are KVM's, or what Linux does with guests that are processes.
const OF_KVM: [&str; 12] = [
    "virtualisation",
    "nested guests",
    "pause-loop exits",
    "halt polling",
    "exit counters",
    "KSM",
    "huge pages",
    "THP",
    "time slice",
    "autogroup",
    "cgroups",
    "vhost",
];

/// Whether a machine has a subject.
pub(super) fn has(group: &str, name: &str, facts: &Facts) -> bool {
    if xl::is_dom0(facts) { !OF_KVM.contains(&name) } else { group != GROUP }
}

pub(super) fn scheduler(facts: &Facts) -> Result<HostState, String> {
    let pools = xl::schedulers(facts.text(xl::POOLS).unwrap_or_default());
    let found = pools.get(POOL_0).ok_or("`xl cpupool-list` does not answer")?;
    let state = match found.as_str() {
        "credit2" => HostState::new("xen-credit2"),
        "credit" => HostState::new("xen-credit"),
        _ => HostState::new("xen-other"),
    };
    Ok(state.with("scheduler", found))
}

pub(super) fn dom0_cpus(facts: &Facts) -> Result<HostState, String> {
    let affinities = xl::affinities(facts.text(xl::VCPUS).unwrap_or_default());
    let vcpus = affinities.get("Domain-0").ok_or("`xl vcpu-list` does not answer")?;
    let host =
        facts.text(xl::INFO).and_then(|info| xl::info(info, "nr_cpus")).ok_or("`xl info` does not answer")?;
    let is_pinned = vcpus.values().all(|cpus| cpus != "all");
    let state = if is_pinned { HostState::new("dom0-pinned") } else { HostState::new("dom0-anywhere") };
    Ok(state.with("count", vcpus.len() as u64).with("host", host))
}

pub(super) fn pools(facts: &Facts) -> Result<HostState, String> {
    let cpus = xl::pool_cpus(facts.text(xl::POOL_CPUS).unwrap_or_default());
    let own = cpus.get(POOL_0).ok_or("`xl cpupool-list -c` does not answer")?;
    let others: Vec<&str> = cpus.keys().map(String::as_str).filter(|name| *name != POOL_0).collect();
    let state = if others.is_empty() { HostState::new("one-pool") } else { HostState::new("several-pools") };
    Ok(state.with("cpus", crate::profile::pin::list(own)).with("others", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::{Rating, examine};
    use super::*;

    const DOM0: &str = include_str!("../../tests/fixtures/xen/dom0.txt");

    fn found(facts: &str) -> Vec<(String, String, Rating)> {
        let subjects = examine(&Facts::parse(facts), None).unwrap().subjects.into_iter();
        let own = subjects.filter(|subject| subject.group == GROUP);
        own.map(|subject| (subject.subject, subject.found, subject.rating)).collect()
    }

    #[test]
    fn a_dom0_has_subjects_of_its_own_and_none_of_kvms() {
        let [scheduler, dom0, pools] = &found(DOM0)[..] else { panic!("{:?}", found(DOM0)) };
        assert_eq!((scheduler.1.as_str(), scheduler.2), ("credit2 in Pool-0", Rating::Good));
        assert_eq!((dom0.1.as_str(), dom0.2), ("1 vCPU pinned, of 2 CPUs", Rating::Good));
        assert_eq!((pools.1.as_str(), pools.2), ("Pool-0 alone, CPUs 0-1", Rating::Good));
        let all = examine(&Facts::parse(DOM0), None).unwrap().subjects;
        assert!(!all.iter().any(|subject| subject.subject == "halt polling"));
        assert_eq!(found(""), []);
    }

    #[test]
    fn a_dom0_that_runs_where_guests_run_and_the_old_scheduler_are_noted() {
        let free = DOM0
            .replace("24.2  0 / all", "")
            .replace("  0 / all", "  all / all")
            .replace("credit2  ", "credit  ");
        let ratings: Vec<Rating> = found(&free).into_iter().map(|(_, _, rating)| rating).collect();
        assert_eq!(ratings, [Rating::Note, Rating::Note, Rating::Good]);
    }
}
