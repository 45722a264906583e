//! Counters of the host and of guests: texts of `/proc`, and samples that a script on another machine prints.

#![no_main]

use kvmfair::probe::transcript::ThreadTotals;
use kvmfair::probe::{exits, guest_counters, interrupts, proc, transcript};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    proc::cpu_times(text, proc::USER_HZ);
    proc::each_cpu(text, proc::USER_HZ);
    proc::counter(text, "intr");
    proc::online_cpus(text);
    proc::schedstat(text);
    proc::pressure_s(text);
    proc::swapped(text);
    proc::interfaces(text).for_each(drop);
    interrupts::interrupts(text);
    exits::exits(text);
    exits::kernel_counters(text);
    guest_counters::cpu_times(text);
    guest_counters::nic_packets(text, "52:54:00:00:00:01");
    let mut totals = ThreadTotals::default();
    let interfaces = [(Some("eth0".to_owned()), true), (None, false)];
    for printed in text.split("== next\n").filter_map(transcript::parse) {
        if let Ok(sample) = totals.sample(&printed, &interfaces) {
            assert_eq!(sample.targets.len(), interfaces.len());
        }
    }
});
