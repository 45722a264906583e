//! Pinning: ways that there are, CPUs that the host has.

use super::configurations::levels_of;
use super::factors::Levels;
use super::{Check, Fault};
use crate::profile::pin::Pin;
use crate::profile::{Factor, Value};

/// A way to pin vCPUs, in its one spelling.
pub(super) fn pin(text: &str) -> Result<Value, Fault> {
    let hint = "write \"none\", \"spread\", \"compact\" or a CPU list such as \"0-3\"";
    let pin = text.parse::<Pin>().map_err(|message| Fault::new(message, "", hint))?;
    Ok(Value::Word(pin.to_string()))
}

/// A list must not name CPUs that are not there.
pub(super) fn in_range(check: &mut Check, factors: &[Levels]) {
    let cpus = check.facts.cpus;
    for level in levels_of(factors, Factor::Pin) {
        let highest = level.value.to_string().parse::<Pin>().ok().and_then(|pin| pin.highest());
        if let Some(highest) = highest.filter(|highest| *highest >= cpus) {
            let message = format!("vCPUs cannot be pinned to CPU {highest}: the host has {cpus} of them");
            let hint = format!("CPUs count from 0: the last is {}", cpus.saturating_sub(1));
            check.fault(&level.path, Fault::new(message, "", hint));
        }
    }
}
