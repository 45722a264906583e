//! Mitigations that lengthen the way in or out of a guest, read from the kernel's own words; and who counts the exits.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

const DIRECTORY: &str = "/sys/devices/system/cpu/vulnerabilities/";

/// A vulnerability (empty: any), words of its state, and what that state costs.
const COSTS: [(&str, &str, &str); 13] = [
    ("l1tf", "conditional cache flushes", "L1D flushed on many VM entries"),
    ("l1tf", "VMX: cache flushes", "L1D flushed on every VM entry"),
    ("l1tf", "EPT disabled", "shadow page tables: an exit for each page-table change of a guest"),
    ("itlb_multihit", "Split huge pages", "guest code in 4 KiB pages"),
    ("", "Clear CPU buffers", "CPU buffers cleared on VM entry"),
    ("", "Clear Register File", "CPU buffers cleared on VM entry"),
    ("retbleed", "Mitigation: IBRS", "IBRS written on every exit"),
    ("retbleed", "Mitigation: IBPB", "branch predictor flushed on kernel entry"),
    ("spec_rstack_overflow", "IBPB", "branch predictor flushed on exits"),
    ("spec_rstack_overflow", "Safe RET", "slower returns in the kernel"),
    ("spectre_v2", "KVM: SW loop", "branch history cleared on every exit"),
    ("vmscape", "IBPB on VMEXIT", "branch predictor flushed on every exit"),
    ("vmscape", "IBPB before exit to userspace", "branch predictor flushed before QEMU handles an exit"),
];

pub(super) fn mitigations(facts: &Facts) -> Subject {
    let subject = |verdict, found: String, effect: &str| Subject::new("mitigations", verdict, found, effect);
    let states = facts.like(DIRECTORY, "");
    if states.is_empty() {
        return subject(
            Verdict::Unknown,
            format!("{DIRECTORY} is not there"),
            "A mitigation on the way into guests or out makes every exit dearer.",
        );
    }
    let open = states.iter().filter(|(_, state)| is_open(state)).count();
    let open = if open == 0 { String::new() } else { format!("; {} open", many(open)) };
    let dear = costs(&states);
    if dear.is_empty() {
        return subject(Verdict::Good, format!("none on the way into guests or out{open}"), CHEAP);
    }
    subject(Verdict::Note, format!("{}{open}", dear.join(", ")), DEARER)
        .change("boot with mitigations=off, only where every guest is trusted; else compare like with like")
}

/// What exits cost, each with the vulnerabilities that it is for.
fn costs(states: &[(&str, &str)]) -> Vec<String> {
    let mut costs: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, state) in states {
        let Some(cost) = cost(name, state) else { continue };
        match costs.iter_mut().find(|(other, _)| *other == cost) {
            Some((_, names)) => names.push(name),
            None => costs.push((cost, vec![name])),
        }
    }
    costs.iter().map(|(cost, names)| format!("{cost} ({})", names.join(", "))).collect()
}

const CHEAP: &str = "No mitigation makes exits dearer, and with them the backends that exit most.";
const DEARER: &str = "Every exit costs more, so guests with emulated NICs or many small packets pay more than their neighbours.";

fn many(open: usize) -> String {
    format!("{open} vulnerabilit{}", if open == 1 { "y" } else { "ies" })
}

/// No mitigation, or one that the CPU's microcode does not support.
fn is_open(state: &str) -> bool {
    state.starts_with("Vulnerable") || state.starts_with("KVM: Vulnerable")
}

fn cost(name: &str, state: &str) -> Option<&'static str> {
    if is_open(state) {
        return None;
    }
    let fits = |(of, words, _): &&(&str, &str, &str)| (of.is_empty() || *of == name) && state.contains(words);
    COSTS.iter().find(fits).map(|(_, _, cost)| *cost)
}

/// Who can say how often guests are left, and why.
pub(super) fn counters(facts: &Facts) -> Subject {
    const SEEN: &str = "What a backend costs in exits is told beside its speed.";
    const UNSEEN: &str = "Nobody tells what a backend costs in exits: the columns of exits stay empty.";
    let subject =
        |verdict, found: String, effect: &str| Subject::new("exit counters", verdict, found, effect);
    let version = facts.version("qemu");
    let by_qemu = version.filter(|version| at_least(version, 7, 1)).map(|version| format!("QEMU {version}"));
    let there = |path, name: &str| facts.has(path).then(|| name.to_owned());
    let found: Vec<String> = [
        by_qemu,
        there("/sys/kernel/debug/kvm", "debugfs"),
        there("/sys/kernel/tracing/events/kvm/kvm_exit/hist", "tracepoint"),
    ]
    .into_iter()
    .flatten()
    .collect();
    match (found.is_empty(), version) {
        (false, _) => subject(Verdict::Good, found.join(", "), SEEN),
        (true, None) => subject(Verdict::Unknown, "no QEMU, debugfs or tracefs to be seen".into(), UNSEEN),
        (true, Some(version)) => subject(
            Verdict::Note,
            format!("QEMU {version} does not tell, nor do debugfs and tracefs"),
            UNSEEN,
        )
        .change("mount -t debugfs none /sys/kernel/debug  # with KVM's module loaded; or QEMU 7.1"),
    }
}

fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_kernel_are_understood() {
        let of = |name, state| cost(name, state).unwrap_or("none");
        assert_eq!(
            of("l1tf", "Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT vulnerable"),
            "L1D flushed on many VM entries"
        );
        assert_eq!(of("l1tf", "Mitigation: PTE Inversion; VMX: flush not necessary, SMT disabled"), "none");
        assert_eq!(
            of("mds", "Mitigation: Clear CPU buffers; SMT vulnerable"),
            "CPU buffers cleared on VM entry"
        );
        assert_eq!(of("mds", "Vulnerable: Clear CPU buffers attempted, no microcode"), "none");
        assert_eq!(of("retbleed", "Mitigation: Enhanced IBRS"), "none");
        assert_eq!(of("retbleed", "Mitigation: IBRS"), "IBRS written on every exit");
        assert_eq!(of("spectre_v2", "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional"), "none");
        assert_eq!(of("itlb_multihit", "KVM: Mitigation: VMX disabled"), "none");
    }

    #[test]
    fn a_cost_that_several_mitigations_share_is_told_once() {
        let states = [("mds", "Mitigation: Clear CPU buffers"), ("tsa", "Mitigation: Clear CPU buffers")];
        assert_eq!(costs(&states), ["CPU buffers cleared on VM entry (mds, tsa)"]);
    }

    #[test]
    fn exits_are_counted_by_a_new_qemu_or_by_the_kernel() {
        let found = |facts: &str| {
            let subject = counters(&Facts::parse(facts));
            (subject.verdict, subject.found)
        };
        assert_eq!(found("qemu:QEMU emulator version 7.1.0\n"), (Verdict::Good, "QEMU 7.1.0".into()));
        let old = "qemu:QEMU emulator version 5.2.0 (Debian)\n";
        assert_eq!(found(&format!("{old}/sys/kernel/debug/kvm:\n")), (Verdict::Good, "debugfs".into()));
        assert_eq!(found(old).0, Verdict::Note);
        assert_eq!(found("").0, Verdict::Unknown);
    }
}
