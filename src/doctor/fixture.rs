//! Machines of the tests: the output of `gather.sh` on each, one file per machine.

use super::{HostReport, examine};
use crate::host::facts::Facts;

/// Their names, as the files'.
pub(super) const MACHINES: [&str; 4] = ["two-socket-intel", "amd-epyc", "kvm-guest", "no-virtualisation"];

/// The facts of a machine.
pub(super) fn facts(machine: &str) -> Facts {
    let path = format!("{}/tests/fixtures/doctor/{machine}.txt", env!("CARGO_MANIFEST_DIR"));
    Facts::parse(&std::fs::read_to_string(path).expect("the fixture exists"))
}

/// Every subject of a machine.
pub(super) fn report(machine: &str) -> HostReport {
    examine(&facts(machine), None).expect("the table is valid")
}
