//! How often, and why, KVM left a guest: the reports of QEMU and the kernel -> counters. Pure.
//!
//! There are three sources, and the first that answers is used:
//!
//! - QEMU's `query-stats` (QEMU 7.1, Linux 5.14), which costs nothing;
//! - KVM's statistics in debugfs: the same counters on older systems, unavailable under lockdown;
//! - a histogram of the tracepoint `kvm:kvm_exit`, which costs each exit a little, and has the CPU's own reason.
//!
//! libvirt's statistics of exits are QEMU's. An emulated guest has no exits.

use std::collections::BTreeMap;

use serde_json::Value;

use super::exit_reasons;

/// Counters by reason; `exits` is all of them together.
pub type Counters = BTreeMap<String, u64>;

/// The QMP command, as libvirt's monitor call takes it.
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
pub fn exits(answer: &str) -> Option<Counters> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let mut counters = BTreeMap::new();
    for stat in answer["return"].as_array()?.iter().filter_map(|vcpu| vcpu["stats"].as_array()).flatten() {
        if let (Some(name), Some(value)) = (stat["name"].as_str(), stat["value"].as_u64())
            && KEPT.contains(&name)
        {
            add(&mut counters, name.to_owned(), value);
        }
    }
    (!counters.is_empty()).then_some(counters)
}

/// Counters that no machine can have stay within their type.
fn add(counters: &mut Counters, name: String, count: u64) {
    let counter = counters.entry(name).or_default();
    *counter = counter.saturating_add(count);
}

/// `sh -c SCRIPT exits INSTANCE PID...`: the kernel's counters of guests, by the processes of their QEMU.
pub const SCRIPT: &str = include_str!("exits.sh");

/// The kernel's counters of one guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelCounters {
    /// KVM's statistics in debugfs; `None` if they are missing.
    pub debugfs: Option<Counters>,
    /// The tracepoint's histogram; `None` if there is none, or if it lost some.
    pub tracepoint: Option<Counters>,
}

/// The output of the script -> counters by QEMU's process.
pub fn kernel_counters(output: &str) -> BTreeMap<i32, KernelCounters> {
    let (guests, histogram) = match output.split_once("== histogram\n") {
        Some((guests, text)) => (guests, histogram(text)),
        None => (output, None),
    };
    let guests = guests.split("== guest ").skip(1);
    guests.filter_map(|text| guest_counters(text, histogram.as_deref())).collect()
}

fn guest_counters(text: &str, histogram: Option<&[Bucket]>) -> Option<(i32, KernelCounters)> {
    let (pid, lines) = text.split_once('\n')?;
    let numbers: Vec<(&str, u64)> = lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(k, n)| Some((k, n.parse().ok()?)))
        .collect();
    let kept = numbers.iter().filter(|(name, _)| KEPT.contains(name));
    let debugfs: Counters = kept.map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let tasks: Vec<u64> = numbers.iter().filter(|(name, _)| *name == "task").map(|(_, tid)| *tid).collect();
    let by_reason = histogram.map(|buckets| {
        let mut counters = Counters::from([("exits".to_owned(), 0)]);
        for bucket in buckets.iter().filter(|bucket| tasks.contains(&bucket.pid)) {
            add(&mut counters, "exits".to_owned(), bucket.count);
            add(&mut counters, exit_reasons::name(bucket.isa, bucket.reason), bucket.count);
        }
        counters
    });
    let debugfs = debugfs.contains_key("exits").then_some(debugfs);
    Some((pid.trim().parse().ok()?, KernelCounters { debugfs, tracepoint: by_reason }))
}

/// Exits of one thread for one reason.
struct Bucket {
    pid: u64,
    isa: u64,
    reason: u64,
    count: u64,
}

/// `{ common_pid: 1844, isa: 1, exit_reason: 12 } hitcount: 5`, and at the end `Dropped: 0`. `None` if it is
/// incomplete.
fn histogram(text: &str) -> Option<Vec<Bucket>> {
    let dropped = text.lines().find_map(|line| line.trim().strip_prefix("Dropped:"))?;
    (dropped.trim() == "0").then(|| text.lines().filter_map(bucket).collect())
}

fn bucket(line: &str) -> Option<Bucket> {
    let (keys, rest) = line.trim().strip_prefix('{')?.split_once('}')?;
    let key = |name: &str| {
        let mut pairs = keys.split(',').filter_map(|pair| pair.split_once(':'));
        pairs.find(|(key, _)| key.trim() == name)?.1.trim().parse().ok()
    };
    let count = rest.split_once("hitcount:")?.1.split_whitespace().next()?.parse().ok()?;
    Some(Bucket { pid: key("common_pid")?, isa: key("isa")?, reason: key("exit_reason")?, count })
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

    /// As the kernel's documentation (trace/histogram) writes a histogram.
    const SAID: &str = "== guest 4711
exits 1200
io_exits 30
remote_tlb_flush_requests_exits 9
task 4711
task 4720
task 4721
== guest 4800
task 4800
== histogram
# event histogram
#
# trigger info: hist:keys=common_pid,isa,exit_reason:vals=hitcount:sort=hitcount:size=16384 [active]
#

{ common_pid:       4720, isa:          1, exit_reason:         30 } hitcount:          8
{ common_pid:       4721, isa:          1, exit_reason:         12 } hitcount:         70
{ common_pid:       4720, isa:          1, exit_reason:         12 } hitcount:        300
{ common_pid:       4721, isa:          1, exit_reason:         32 } hitcount:        100
{ common_pid:       9999, isa:          1, exit_reason:         12 } hitcount:       5000

Totals:
    Hits: 5478
    Entries: 5
    Dropped: 0
";

    fn counters(pairs: &[(&str, u64)]) -> Option<Counters> {
        Some(pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect())
    }

    #[test]
    fn a_guest_s_exits_are_those_of_its_own_threads() {
        let found = kernel_counters(SAID);
        assert_eq!(found[&4711].debugfs, counters(&[("exits", 1200), ("io_exits", 30)]));
        assert_eq!(
            found[&4711].tracepoint,
            counters(&[("exits", 478), ("halt_exits", 370), ("io_exits", 8), ("MSR_WRITE", 100)])
        );
        assert_eq!(found[&4800], KernelCounters { debugfs: None, tracepoint: counters(&[("exits", 0)]) });
    }

    #[test]
    fn a_histogram_that_lost_some_or_was_cut_counts_nothing() {
        let lost = SAID.replace("Dropped: 0", "Dropped: 7");
        assert_eq!(kernel_counters(&lost)[&4711].tracepoint, None);
        let cut = SAID.split("Totals").next().unwrap();
        assert_eq!(kernel_counters(cut)[&4711].tracepoint, None);
        assert!(kernel_counters(cut)[&4711].debugfs.is_some());
    }

    #[test]
    fn a_kernel_that_counts_nothing_says_nothing() {
        let found = kernel_counters("== guest 4711\ntask 4711\n");
        assert_eq!(found[&4711], KernelCounters::default());
    }
}
