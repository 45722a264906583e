//! How the guests' exits are counted on the VM host. A host that cannot count them is good enough, unless the profile names a way.

use super::CheckResult;
use super::machine::at_least;
use crate::host::facts::Facts;
use crate::profile::{AccelChoice, ExitChoice, Experiment};

/// Checks the ways to count; nothing where no guest has exits.
pub(super) fn examine(experiment: &Experiment, facts: &Facts) -> Option<CheckResult> {
    has_exits(experiment, facts.kvm_usable()).then(|| finding(experiment.host.exits, facts))
}

/// Where the kernel's tracepoints are.
const TRACING: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// An emulated guest has no exits.
fn has_exits(experiment: &Experiment, kvm: bool) -> bool {
    kvm && experiment.host.accel != AccelChoice::Tcg && experiment.has_guests()
}

fn finding(choice: ExitChoice, facts: &Facts) -> CheckResult {
    const QEMU: &str = "KVM's statistics through QEMU";
    const DEBUGFS: &str = "KVM's statistics in debugfs";
    const TRACEPOINT: &str = "the kernel's tracepoint kvm_exit";
    let what = "count of exits";
    let by_qemu = at_least(facts.version("qemu").unwrap_or_default(), 7, 1);
    let by_debugfs = facts.has("/sys/kernel/debug/kvm");
    let by_tracepoint = TRACING.iter().any(|root| facts.has(&format!("{root}/events/kvm/kvm_exit/hist")));
    let named = |works, way: &str, lacks: &str, fix: &str| match works {
        true => CheckResult::good(what, way),
        false => CheckResult::bad(what, lacks, format!("{fix}, or set exits = \"auto\" in [host]")),
    };
    match choice {
        ExitChoice::QueryStats => named(
            by_qemu,
            QEMU,
            "QEMU before 7.1 has no query-stats",
            "use QEMU 7.1 or newer, or exits = \"debugfs\"",
        ),
        ExitChoice::Debugfs => named(
            by_debugfs,
            DEBUGFS,
            "there is no /sys/kernel/debug/kvm",
            "mount -t debugfs none /sys/kernel/debug; not available under kernel lockdown",
        ),
        ExitChoice::Tracepoint => named(
            by_tracepoint,
            TRACEPOINT,
            "there is no events/kvm/kvm_exit/hist in /sys/kernel/tracing",
            "mount -t tracefs none /sys/kernel/tracing, on a kernel with CONFIG_HIST_TRIGGERS",
        ),
        ExitChoice::Auto if by_qemu => CheckResult::good(what, QEMU),
        ExitChoice::Auto if by_debugfs => CheckResult::good(what, DEBUGFS),
        ExitChoice::Auto if by_tracepoint => CheckResult::good(what, TRACEPOINT),
        ExitChoice::Auto => CheckResult::good(
            what,
            "not counted, their columns stay empty: QEMU before 7.1, no debugfs, no tracefs",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBUGFS: &str = "/sys/kernel/debug/kvm:\n";
    const TRACEPOINT: &str = "/sys/kernel/tracing/events/kvm/kvm_exit/hist:\n";

    fn qemu(version: &str) -> String {
        format!("qemu:QEMU emulator version {version}\n")
    }

    fn found(choice: ExitChoice, facts: &[&str]) -> CheckResult {
        finding(choice, &Facts::parse(&facts.concat()))
    }

    #[test]
    fn the_first_way_to_count_is_named_and_without_any_the_columns_stay_empty() {
        let found = |facts: &[&str]| found(ExitChoice::Auto, facts);
        assert_eq!(found(&[&qemu("7.2.22"), DEBUGFS]).found, "KVM's statistics through QEMU");
        assert_eq!(found(&[&qemu("5.2.0"), DEBUGFS, TRACEPOINT]).found, "KVM's statistics in debugfs");
        assert_eq!(found(&[&qemu("5.2.0"), TRACEPOINT]).found, "the kernel's tracepoint kvm_exit");
        let none = found(&[]);
        assert!(none.fix.is_none() && none.found.contains("stay empty"));
    }

    #[test]
    fn a_way_that_the_profile_names_must_work() {
        let fix = |choice, facts: &[&str]| found(choice, facts).fix;
        assert!(fix(ExitChoice::Tracepoint, &[&qemu("10.0.2"), DEBUGFS]).unwrap().contains("tracefs"));
        assert_eq!(fix(ExitChoice::Tracepoint, &[&qemu("10.0.2"), TRACEPOINT]), None);
        assert!(fix(ExitChoice::QueryStats, &[&qemu("6.2.0")]).is_some());
        assert!(fix(ExitChoice::Debugfs, &[]).is_some());
    }
}
