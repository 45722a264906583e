//! Who can count the guests' exits on the VM host. A host on which nobody can is good enough, unless the profile names
//! somebody.

use super::Finding;
use crate::machine::Machine;
use crate::profile::{AccelChoice, ExitChoice, Experiment};

/// Prints the version of QEMU, and a word for each other one that can.
const ASK: &str = r#"echo "qemu $("qemu-system-$(uname -m)" --version 2>/dev/null | sed -n 's/.*version \([0-9.]*\).*/\1/p')"
[ ! -d /sys/kernel/debug/kvm ] || echo debugfs
for root in /sys/kernel/tracing /sys/kernel/debug/tracing; do
[ ! -e "$root/events/kvm/kvm_exit/hist" ] || { echo tracepoint; break; }
done"#;

/// Checks who can count them; `kvm` is whether the host can run guests under KVM.
pub(super) async fn look(host: &Machine, experiment: &Experiment, kvm: bool) -> Option<Finding> {
    if !concerns(experiment, kvm) {
        return None;
    }
    let printed = host.run(&["sh", "-c", ASK]).await.map(|output| output.stdout).unwrap_or_default();
    Some(finding(experiment.host.exits, &printed))
}

/// An emulated guest has no exits.
fn concerns(experiment: &Experiment, kvm: bool) -> bool {
    kvm && experiment.host.accel != AccelChoice::Tcg && experiment.configurations.iter().any(|c| c.vms > 0)
}

fn finding(choice: ExitChoice, said: &str) -> Finding {
    const QEMU: &str = "KVM's statistics through QEMU";
    const DEBUGFS: &str = "KVM's statistics in debugfs";
    const TRACEPOINT: &str = "the kernel's tracepoint kvm_exit";
    let what = "count of exits";
    let qemu = said.lines().find_map(|line| line.strip_prefix("qemu ")).unwrap_or_default();
    let has = |word| said.lines().any(|line| line == word);
    let by_qemu = super::machine::at_least(qemu, 7, 1);
    let asked = |there, who: &str, lacks: &str, fix: &str| match there {
        true => Finding::good(what, who),
        false => Finding::bad(what, lacks, format!("{fix}, or set exits = \"auto\" in [host]")),
    };
    match choice {
        ExitChoice::QueryStats => {
            asked(by_qemu, QEMU, "QEMU before 7.1 does not tell", "take a newer QEMU, or exits = \"debugfs\"")
        }
        ExitChoice::Debugfs => asked(
            has("debugfs"),
            DEBUGFS,
            "there is no /sys/kernel/debug/kvm",
            "mount -t debugfs none /sys/kernel/debug; it is not to be had under lockdown",
        ),
        ExitChoice::Tracepoint => asked(
            has("tracepoint"),
            TRACEPOINT,
            "there is no events/kvm/kvm_exit/hist in /sys/kernel/tracing",
            "mount -t tracefs none /sys/kernel/tracing, on a kernel with CONFIG_HIST_TRIGGERS",
        ),
        ExitChoice::Auto if by_qemu => Finding::good(what, QEMU),
        ExitChoice::Auto if has("debugfs") => Finding::good(what, DEBUGFS),
        ExitChoice::Auto if has("tracepoint") => Finding::good(what, TRACEPOINT),
        ExitChoice::Auto => Finding::good(
            what,
            "nobody counts them, and their columns stay empty: QEMU before 7.1, no debugfs, no tracefs",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_can_count_is_named_and_without_any_the_run_goes_on() {
        let found = |said| finding(ExitChoice::Auto, said);
        assert_eq!(found("qemu 7.2.22\ndebugfs\n").found, "KVM's statistics through QEMU");
        assert_eq!(found("qemu 5.2.0\ndebugfs\ntracepoint\n").found, "KVM's statistics in debugfs");
        assert_eq!(found("qemu 5.2.0\ntracepoint\n").found, "the kernel's tracepoint kvm_exit");
        let nobody = found("qemu \n");
        assert!(nobody.fix.is_none() && nobody.found.contains("stay empty"));
    }

    #[test]
    fn one_that_the_profile_names_must_be_there() {
        let fix = |choice, said| finding(choice, said).fix;
        assert!(fix(ExitChoice::Tracepoint, "qemu 10.0.2\ndebugfs\n").unwrap().contains("tracefs"));
        assert_eq!(fix(ExitChoice::Tracepoint, "qemu 10.0.2\ntracepoint\n"), None);
        assert!(fix(ExitChoice::QueryStats, "qemu 6.2.0\n").is_some());
        assert!(fix(ExitChoice::Debugfs, "").is_some());
    }
}
