//! The cap on the NIC of each guest of a group, and what `tc` can hold a NIC to.

use super::factors::Levels;
use super::{Check, Fault};
use crate::backend::{Attachment, Backend};
use crate::profile::written::Group;
use crate::profile::{Factor, Value};
use crate::units::Rate;

/// The least cap with which netperf still sets its connections up, bits/s.
pub(super) const LEAST_BANDWIDTH: u64 = 64_000;
/// The most that tc can hold, bits/s: the bytes of its bucket (10 ms) and of the queue before it (50 ms) have 32 bits. Beyond
/// 572 Gbit/s it takes the command and wraps around.
pub(super) const MOST_BANDWIDTH: u64 = 500_000_000_000;

/// A cap is set on the host's interface of a guest; there must be one that every packet passes.
pub(super) fn bandwidth(check: &mut Check, path: &str, group: &Group, factors: &[Levels]) -> Option<u64> {
    let Rate(bits) = group.bandwidth?;
    let path = format!("{path}.bandwidth");
    if bits < LEAST_BANDWIDTH {
        let hint = "use at least \"64 kbit\"; is the unit the one you meant?";
        let shown = check.places.written(&path).map_or(Rate(bits).to_string(), str::to_owned);
        check.fault(&path, Fault::new(format!("no flow lives with {shown}"), "too little", hint));
    }
    if bits > MOST_BANDWIDTH {
        let fault = beyond_tc(check, &path);
        check.fault(&path, fault);
    }
    for level in factors.iter().filter(|levels| levels.factor == Factor::Backend).flat_map(|all| &all.levels)
    {
        if let Value::Backend(backend) = level.value
            && !can_be_capped(backend)
        {
            let hint = "use a backend with a tap on a Linux bridge or a macvtap, or leave `bandwidth` out";
            check.fault(&path, Fault::new(format!("the NIC of {backend} cannot be capped"), "", hint));
        }
    }
    Some(bits)
}

/// A rate above [`MOST_BANDWIDTH`].
pub(super) fn beyond_tc(check: &Check, path: &str) -> Fault {
    let shown = check.places.written(path).unwrap_or("so much");
    let hint = format!("use at most \"{}\"; is the unit the one you meant?", Rate(MOST_BANDWIDTH));
    Fault::new(format!("tc cannot hold a NIC to {shown}"), "too much", hint)
}

fn can_be_capped(backend: Backend) -> bool {
    match backend {
        Backend::Baremetal => true, // has no guests
        Backend::Guest { attachment, .. } => {
            matches!(attachment, Attachment::Bridge | Attachment::Macvtap(_) | Attachment::VfMacvtap)
        }
    }
}
