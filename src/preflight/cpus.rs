//! CPUs that a profile names: whether they are online on the VM host. Words ("all", "spread") stand for CPUs that are.

use std::collections::{BTreeMap, BTreeSet};

use super::CheckResult;
use crate::host::facts::Facts;
use crate::profile::cpus::{Cpus, ONLINE, of_list};
use crate::profile::pin::{Pin, list};
use crate::profile::{Configuration, Experiment, Value};

/// Checks every list.
pub(super) fn examine(experiment: &Experiment, facts: &Facts) -> Vec<CheckResult> {
    if experiment.host.xen.is_some() {
        return Vec::new(); // dom0 sees its own CPUs, guests have others; Xen refuses one that the pool has not
    }
    findings(experiment, facts.text(ONLINE).unwrap_or_default())
}

/// One for each key that names CPUs.
fn findings(experiment: &Experiment, online: &str) -> Vec<CheckResult> {
    let named = named(experiment);
    if named.is_empty() {
        return Vec::new();
    }
    let Some(online) = of_list(online) else {
        let fix = "mount sysfs on /sys; or leave lists and masks of CPUs out";
        return vec![CheckResult::bad("CPUs that are online", format!("{ONLINE} cannot be read"), fix)];
    };
    named.into_iter().map(|(key, cpus)| finding(key, &cpus, &online)).collect()
}

fn finding(key: &str, cpus: &BTreeSet<u32>, online: &BTreeSet<u32>) -> CheckResult {
    let what = format!("CPUs of {key}");
    let off: BTreeSet<u32> = cpus.difference(online).copied().collect();
    let Some(one) = off.first() else {
        return CheckResult::good(&what, format!("{}: online", list(cpus)));
    };
    let (plural, verb) = if off.len() == 1 { ("", "is") } else { ("s", "are") };
    let found = format!("CPU{plural} {} {verb} offline or not there; online: {}", list(&off), list(online));
    let fix = format!(
        "name others in {key}; or switch them on: `echo 1 > /sys/devices/system/cpu/cpu{one}/online`, and where SMT is \
         off first `echo on > /sys/devices/system/cpu/smt/control`"
    );
    CheckResult::bad(&what, found, fix)
}

/// All CPUs that any configuration names, by the key that does.
fn named(experiment: &Experiment) -> BTreeMap<&'static str, BTreeSet<u32>> {
    let mut named: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (key, cpus) in experiment.configurations.iter().flat_map(named_by) {
        named.entry(key).or_default().extend(cpus);
    }
    named.retain(|_, cpus| !cpus.is_empty()); // "none" switches RPS off
    named
}

fn named_by(configuration: &Configuration) -> impl Iterator<Item = (&'static str, &BTreeSet<u32>)> {
    let pins = [
        ("pin", &configuration.pin),
        ("pin_emulator", &configuration.pin_emulator),
        ("pin_vhost", &configuration.pin_vhost),
    ];
    let pins = pins.into_iter().filter_map(|(key, pin)| match pin {
        Some(Pin::Cpus(cpus)) => Some((key, cpus)),
        _ => None,
    });
    let masks = configuration.settings.iter().filter_map(|(factor, level)| match level {
        Value::Cpus(Cpus::Some(cpus)) if !factor.is_of_guests() => Some((factor.key(), cpus)),
        _ => None,
    });
    pins.chain(masks)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse};

    fn found(more: &str, online: &str) -> Vec<CheckResult> {
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"virtio\"\n";
        let facts = HostFacts { memory_mib: 1024, cpus: 8 };
        let text = format!("{text}{more}");
        findings(&parse(&text, Path::new("p.toml"), facts).expect("valid"), online)
    }

    #[test]
    fn a_list_that_names_an_offline_cpu_is_refused_with_its_name_and_the_way_to_switch_it_on() {
        let found = found("guest.pin = \"2-3\"\nguest.pin_emulator = \"0\"\n", "0,2,4,6\n");
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].what.as_str(), found[0].found.as_str()),
            ("CPUs of pin", "CPU 3 is offline or not there; online: 0,2,4,6")
        );
        let fix = found[0].fix.as_ref().expect("refused");
        assert!(fix.contains("echo 1 > /sys/devices/system/cpu/cpu3/online"), "{fix}");
        assert_eq!(found[1], CheckResult::good("CPUs of pin_emulator", "0: online"));
    }

    #[test]
    fn masks_of_all_levels_are_checked_together() {
        let found = found(
            "[sweep]\nhost_rps = [\"none\", \"3\", \"8\"]\nhost_irq_affinity = [\"all\", \"4\"]\n",
            "0,2\n",
        );
        assert_eq!(found[1].found, "CPUs 1,3 are offline or not there; online: 0,2");
        assert_eq!(found[0], CheckResult::good("CPUs of host_irq_affinity", "2: online"));
    }

    #[test]
    fn words_name_no_cpus() {
        let words =
            "guest.pin = \"spread\"\nguest.pin_emulator = \"none\"\ntuning.host = { rps = \"all\" }\n";
        assert_eq!(found(words, "0,2\n"), []);
    }

    #[test]
    fn a_list_is_refused_where_the_online_cpus_are_unknown() {
        assert!(found("guest.pin = \"0\"\n", "")[0].fix.is_some());
    }
}
