//! How the threads of guests run: ways to pin vCPUs and QEMU's other threads, CPUs that the host has, scheduling policies.

use super::factors::{Levels, levels_of};
use super::{Check, Fault};
use crate::profile::{Factor, Value};

/// A list must not name CPUs that are not there.
pub(super) fn in_range(check: &mut Check, factors: &[Levels]) {
    let cpus = check.facts.cpus;
    let of_vcpus = levels_of(factors, Factor::Pin).iter().map(|level| (level, "vCPUs"));
    let of_emulator = levels_of(factors, Factor::PinEmulator).iter().map(|level| (level, "threads of QEMU"));
    for (level, what) in of_vcpus.chain(of_emulator) {
        let Value::Pin(pin) = &level.value else { continue };
        let highest = pin.highest();
        if let Some(highest) = highest.filter(|highest| *highest >= cpus) {
            let last = cpus.saturating_sub(1);
            let message = format!("{what} cannot be pinned to CPU {highest}: the host's last is CPU {last}");
            let hint = "CPUs count from 0; `kvmfair check` says which of them are offline";
            check.fault(&level.path, Fault::new(message, "", hint));
        }
    }
}
