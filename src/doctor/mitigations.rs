//! Mitigations that lengthen the way into or out of a guest, read from the kernel's reports.

use super::host_state::HostState;
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

pub(super) fn mitigations(facts: &Facts) -> Result<HostState, String> {
    let states = facts.like(DIRECTORY, "");
    if states.is_empty() {
        return Err(format!("no {DIRECTORY}"));
    }
    let open = match states.iter().filter(|(_, state)| is_open(state)).count() {
        0 => String::new(),
        1 => "; 1 vulnerability open".into(),
        n => format!("; {n} vulnerabilities open"),
    };
    let costs = costs(&states);
    let state = if costs.is_empty() { HostState::new("none") } else { HostState::new("active") };
    Ok(state.with("open", open).with("costs", costs.join(", ")))
}

/// The costs of an exit, each with the vulnerabilities that cause it.
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

/// No mitigation, or one that the CPU's microcode does not support.
fn is_open(state: &str) -> bool {
    state.starts_with("Vulnerable") || state.starts_with("KVM: Vulnerable")
}

fn cost(name: &str, state: &str) -> Option<&'static str> {
    if is_open(state) {
        return None;
    }
    let matches = |(vulnerability, words, _): &&(&str, &str, &str)| {
        (vulnerability.is_empty() || *vulnerability == name) && state.contains(words)
    };
    COSTS.iter().find(matches).map(|(_, _, cost)| *cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reports_of_the_kernel_are_understood() {
        let cost = |name, state| cost(name, state).unwrap_or("none");
        assert_eq!(
            cost("l1tf", "Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT vulnerable"),
            "L1D flushed on many VM entries"
        );
        assert_eq!(cost("l1tf", "Mitigation: PTE Inversion; VMX: flush not necessary, SMT disabled"), "none");
        assert_eq!(
            cost("mds", "Mitigation: Clear CPU buffers; SMT vulnerable"),
            "CPU buffers cleared on VM entry"
        );
        assert_eq!(cost("mds", "Vulnerable: Clear CPU buffers attempted, no microcode"), "none");
        assert_eq!(cost("retbleed", "Mitigation: Enhanced IBRS"), "none");
        assert_eq!(cost("retbleed", "Mitigation: IBRS"), "IBRS written on every exit");
        assert_eq!(cost("spectre_v2", "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional"), "none");
        assert_eq!(cost("itlb_multihit", "KVM: Mitigation: VMX disabled"), "none");
    }

    #[test]
    fn a_cost_that_several_mitigations_share_is_listed_once() {
        let states = [("mds", "Mitigation: Clear CPU buffers"), ("tsa", "Mitigation: Clear CPU buffers")];
        assert_eq!(costs(&states), ["CPU buffers cleared on VM entry (mds, tsa)"]);
    }
}
