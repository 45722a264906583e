//! Machines of the tests: the output of `gather.sh` on each, one file per machine.

use super::{HostReport, examine};
use crate::host::facts::Facts;

/// Their names, as the files'.
pub(super) const MACHINES: [&str; 4] = ["two-socket-intel", "amd-epyc", "kvm-guest", "no-virtualisation"];

/// What the script printed.
pub(super) fn text(machine: &str) -> String {
    let path = format!("{}/tests/fixtures/doctor/{machine}.txt", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the fixture exists")
}

/// The facts of a machine.
pub(super) fn facts(machine: &str) -> Facts {
    Facts::parse(&text(machine))
}

/// Every subject of a machine.
pub(super) fn report(machine: &str) -> HostReport {
    examine(&facts(machine), None).expect("the table is valid")
}
