//! The rate of paced guests: there where it is needed, and nowhere else.

use super::bandwidth::{LEAST_BANDWIDTH, MOST_BANDWIDTH, beyond_tc};
use super::factors::Levels;
use super::{Check, Fault};
use crate::profile::written::Group;
use crate::profile::{Background, Role, Value};
use crate::units::Rate;

/// The rate of a group at the path, bits/s, and what is wrong with it.
pub(super) fn rate(check: &mut Check, path: &str, group: &Group, factors: &[Levels]) -> Option<u64> {
    let path = format!("{path}.rate");
    let paced = match group.role.unwrap_or_default() {
        Role::Paced => true,
        Role::Measured => false,
        _ => is_swept(factors),
    };
    let fault = match group.rate {
        None if paced => {
            check.missing(&path, "say what each guest receives, for example rate = \"20 Mbit\"");
            return None;
        }
        None => return None,
        Some(_) if !paced => {
            let hint = "write role = \"paced\", or leave it out; `bandwidth` caps what every guest can move";
            Fault::new("`rate` means nothing to guests that are not paced", "makes no difference", hint)
        }
        Some(Rate(bits)) if bits < LEAST_BANDWIDTH => {
            let hint = "use at least \"64 kbit\"; is the unit the one you meant?";
            Fault::new(format!("no stream lives with {}", Rate(bits)), "too little", hint)
        }
        Some(Rate(bits)) if bits > MOST_BANDWIDTH => beyond_tc(check, &path),
        Some(Rate(bits)) => match group.bandwidth.filter(|cap| cap.0 < bits) {
            None => return Some(bits),
            Some(cap) => {
                let hint = "raise `bandwidth`, lower `rate`, or leave one of them out";
                Fault::new(format!("a cap of {cap} lets no {} through", Rate(bits)), "too much", hint)
            }
        },
    };
    check.fault(&path, fault);
    group.rate.map(|Rate(bits)| bits)
}

/// Whether guests that are not measured are paced in some configurations.
fn is_swept(factors: &[Levels]) -> bool {
    let levels = factors.iter().flat_map(|levels| &levels.levels);
    levels.into_iter().any(|level| level.value == Value::Background(Background::Paced))
}
