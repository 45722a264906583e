//! KVM's exits of trials by reason: a sum and its parts.
//!
//! KVM's statistics count all exits and some of their reasons; the tracepoint has a reason for each, the CPU's own. So the parts
//! are the largest of what was counted, and the rest. What statistics give no reason for (page faults of the guest's memory,
//! among them the doorbells of virtio and vhost, MSR and CPUID accesses) is in the rest.

use std::collections::BTreeMap;

use super::Numbers;
use crate::raw::ExitSource;

/// Reasons that are told apart at most: more are no picture.
const MOST: usize = 6;
/// The sum, and returns to QEMU without an exit of their own, which are no part of it.
const NO_REASONS: [&str; 3] = ["exits", "signal_exits", "request_irq_exits"];
/// What KVM's names mean.
const WORDS: [(&str, &str); 5] = [
    ("io_exits", "port I/O"),
    ("mmio_exits", "MMIO to QEMU"),
    ("halt_exits", "halt"),
    ("irq_exits", "host interrupt"),
    ("irq_window_exits", "interrupt window"),
];

/// The names of the reasons that were counted most often in some trials, six at most, the most frequent first.
pub fn exit_reasons<'n>(trials: impl IntoIterator<Item = &'n Numbers>) -> Vec<String> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    let measured = trials.into_iter().flat_map(|trial| &trial.guests).filter(|guest| guest.is_measured());
    for (name, per_s) in measured.flat_map(|guest| &guest.exits_per_s) {
        *sums.entry(name).or_default() += per_s;
    }
    let mut sums: Vec<(&str, f64)> =
        sums.into_iter().filter(|(name, sum)| *sum > 0.0 && !NO_REASONS.contains(name)).collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums.into_iter().take(MOST).map(|(name, _)| name.to_owned()).collect()
}

/// Who counted the exits of some trials' measured guests.
pub fn exit_sources<'n>(trials: impl IntoIterator<Item = &'n Numbers>) -> Vec<ExitSource> {
    let measured = trials.into_iter().flat_map(|trial| &trial.guests).filter(|guest| guest.is_measured());
    let mut sources = Vec::new();
    for source in measured.filter_map(|guest| guest.exits_from) {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// A reason in words; the CPU's own have none but their names.
pub fn exit_words(reason: &str) -> &str {
    WORDS.iter().find(|(name, _)| *name == reason).map_or(reason, |(_, words)| words)
}

impl Numbers {
    /// Exits of all measured guests, 1/s, in the order of `reasons`, then all others; `None` if one of the guests has no
    /// counters.
    pub fn exits_by(&self, reasons: &[String]) -> Option<Vec<f64>> {
        let measured: Vec<_> = self.guests.iter().filter(|guest| guest.is_measured()).collect();
        let sum =
            |name: &str| -> f64 { measured.iter().filter_map(|guest| guest.exits_per_s.get(name)).sum() };
        let known = !measured.is_empty() && measured.iter().all(|g| g.exits_per_s.contains_key("exits"));
        let mut parts: Vec<f64> = reasons.iter().map(|name| sum(name)).collect();
        parts.push((sum("exits") - parts.iter().sum::<f64>()).max(0.0));
        known.then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};

    fn numbers(counted: &[(&str, u64)]) -> Numbers {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        fixture::exits(&mut raw, counted);
        TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers")
    }

    #[test]
    fn what_no_reason_is_counted_for_is_the_rest_and_the_parts_are_the_sum() {
        let counted = [("exits", 1000), ("io_exits", 600), ("halt_exits", 100), ("signal_exits", 50)];
        let numbers = numbers(&counted);
        let reasons = exit_reasons([&numbers]);
        assert_eq!(reasons, ["io_exits", "halt_exits"]);
        assert_eq!(numbers.exits_by(&reasons), Some(vec![1200.0, 200.0, 600.0])); // two guests, per second
    }

    #[test]
    fn the_cpu_s_own_reasons_are_told_apart_and_the_smallest_are_the_rest() {
        let own = [("NPF", 800), ("MSR", 300), ("CPUID", 5), ("PAUSE", 40), ("VMMCALL", 30), ("READ_CR0", 6)];
        let numbers = numbers(&[&own[..], &[("exits", 1210), ("halt_exits", 20), ("RDTSC", 0)]].concat());
        let reasons = exit_reasons([&numbers]);
        assert_eq!(reasons, ["NPF", "MSR", "PAUSE", "VMMCALL", "halt_exits", "READ_CR0"]);
        assert_eq!(numbers.exits_by(&reasons).unwrap().last(), Some(&28.0));
    }

    #[test]
    fn reasons_are_those_of_all_trials_together() {
        let (a, b) = (numbers(&[("exits", 9), ("NPF", 9)]), numbers(&[("exits", 90), ("MSR", 90)]));
        assert_eq!(exit_reasons([&a, &b]), ["MSR", "NPF"]);
    }

    #[test]
    fn an_emulated_guest_has_no_exits_to_tell_apart() {
        assert_eq!(numbers(&[]).exits_by(&[]), None);
        assert!(exit_reasons([&numbers(&[])]).is_empty());
    }
}
