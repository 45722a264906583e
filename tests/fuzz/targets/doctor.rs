//! Facts of a VM host, as `doctor` rates them.

#![no_main]

use kvmfair::doctor;
use kvmfair::host::facts::Facts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let report = doctor::examine(&Facts::parse(text), None);
    assert!(report.is_ok());
});
