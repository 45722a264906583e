//! How the threads of guests run: ways to pin vCPUs and QEMU's other threads, CPUs that the host has, scheduling policies.

use super::configurations::levels_of;
use super::factors::Levels;
use super::{Check, Fault};
use crate::profile::pin::Pin;
use crate::profile::policy::Policy;
use crate::profile::{Factor, Value};

/// A way to pin vCPUs, in its one spelling.
pub(super) fn pin(text: &str) -> Result<Value, Fault> {
    let hint = "write \"none\", \"spread\", \"compact\" or a CPU list such as \"0-3\"";
    let pin = text.parse::<Pin>().map_err(|message| Fault::new(message, "", hint))?;
    Ok(Value::Word(pin.to_string()))
}

/// The CPUs of QEMU's other threads, in their one spelling: there is nothing to spread.
pub(super) fn emulator(text: &str) -> Result<Value, Fault> {
    match text.parse::<Pin>() {
        Ok(pin @ (Pin::None | Pin::Cpus(_))) => Ok(Value::Word(pin.to_string())),
        Ok(Pin::Spread | Pin::Compact) | Err(_) => {
            let message = format!("\"{text}\" is no way to pin QEMU's other threads");
            Err(Fault::new(message, "", "write a CPU list such as \"0-3\", or \"none\" for all CPUs"))
        }
    }
}

/// A scheduling policy of vCPUs.
pub(super) fn scheduler(text: &str) -> Result<Value, Fault> {
    let hint = "write \"other\", \"rr\" or \"fifo\"; the last two are real-time";
    let policy = text.parse::<Policy>().map_err(|message| Fault::new(message, "", hint))?;
    Ok(Value::Word(policy.to_string()))
}

/// A list must not name CPUs that are not there.
pub(super) fn in_range(check: &mut Check, factors: &[Levels]) {
    let cpus = check.facts.cpus;
    let of_vcpus = levels_of(factors, Factor::Pin).iter().map(|level| (level, "vCPUs"));
    let of_emulator = levels_of(factors, Factor::PinEmulator).iter().map(|level| (level, "threads of QEMU"));
    for (level, what) in of_vcpus.chain(of_emulator) {
        let highest = level.value.to_string().parse::<Pin>().ok().and_then(|pin| pin.highest());
        if let Some(highest) = highest.filter(|highest| *highest >= cpus) {
            let last = cpus.saturating_sub(1);
            let message = format!("{what} cannot be pinned to CPU {highest}: the host's last is CPU {last}");
            let hint = "CPUs count from 0; `kvmfair check` says which of them are offline";
            check.fault(&level.path, Fault::new(message, "", hint));
        }
    }
}
