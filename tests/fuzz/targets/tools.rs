//! What tools on the VM host and the tester print (ip, tc, QEMU, sysfs), and words that people write.

#![no_main]

use std::str::FromStr;

use kvmfair::backend::cap;
use kvmfair::factor::cpus::{self, Cpus};
use kvmfair::guest::emulator;
use kvmfair::host::environment::Environment;
use kvmfair::host::facts::{self, Facts};
use kvmfair::host::settings;
use kvmfair::host_nic::PciAddress;
use kvmfair::lab::state::RunId;
use kvmfair::machine::login::SshAddress;
use kvmfair::plan::Partition;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    cap::rate(text);
    emulator::printed_version(text);
    emulator::reported_version(text);
    facts::selected(text);
    facts::version(text);
    PciAddress::parse(text);
    SshAddress::parse(text);
    RunId::parse(text);
    _ = Partition::from_str(text);
    _ = Cpus::from_str(text);
    cpus::of_list(text);
    let facts = Facts::parse(text);
    let environment = Environment::from_facts(&facts, "p.toml", "");
    environment.comparable();
    settings::base_slice(&facts);
});
