//! How often, and why, KVM left a guest: QEMU's answer to `query-stats` -> counters. Pure.
//!
//! Unprivileged and per guest, unlike debugfs and tracepoints; QEMU has it since 7.1. An emulated guest has no exits.

use std::collections::BTreeMap;

use serde_json::Value;

/// The question, as libvirt's monitor command takes it.
pub const QUERY: &str =
    r#"{"execute":"query-stats","arguments":{"target":"vcpu","providers":[{"provider":"kvm"}]}}"#;

/// Counters that are kept: all exits, and those by reason.
const KEPT: [&str; 8] = [
    "exits",
    "io_exits",
    "mmio_exits",
    "halt_exits",
    "irq_exits",
    "signal_exits",
    "irq_window_exits",
    "request_irq_exits",
];

/// The counters of all vCPUs together, cumulative; `None` if there are none.
pub fn exits(answer: &str) -> Option<BTreeMap<String, u64>> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let mut counters = BTreeMap::new();
    for stat in answer["return"].as_array()?.iter().filter_map(|vcpu| vcpu["stats"].as_array()).flatten() {
        if let (Some(name), Some(value)) = (stat["name"].as_str(), stat["value"].as_u64())
            && KEPT.contains(&name)
        {
            *counters.entry(name.to_owned()).or_default() += value;
        }
    }
    (!counters.is_empty()).then_some(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_all_vcpus_are_added_and_histograms_passed_over() {
        let vcpu = r#"{"provider":"kvm","qom-path":"/machine/unattached/device[0]","stats":[{"name":"exits","value":7},
            {"name":"halt_exits","value":2},{"name":"halt_wait_hist","value":[1,2]},{"name":"guest_mode","value":0}]}"#;
        let answer = format!(r#"{{"return":[{vcpu},{vcpu}],"id":"libvirt-20"}}"#);
        let expected = BTreeMap::from([("exits".to_owned(), 14), ("halt_exits".to_owned(), 4)]);
        assert_eq!(exits(&answer), Some(expected));
    }

    #[test]
    fn an_emulated_guest_has_none() {
        assert_eq!(exits(r#"{"return":[],"id":"libvirt-9"}"#), None);
        assert_eq!(exits("no answer"), None);
    }
}
