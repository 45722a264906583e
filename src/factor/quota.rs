//! Bounds of a quota of CPU time.

use std::time::Duration;

use super::fault::Fault;
use crate::units::Time;

/// Period of a quota where none is written, µs: the kernel's own.
pub const PERIOD_US: u32 = 100_000;
/// The least that the kernel takes, µs.
pub const LEAST_QUOTA_US: u32 = 1_000;

/// What is wrong with a quota of one thread in a period.
pub fn quota_fault(key: &str, quota_us: u32, period_us: u32) -> Option<Fault> {
    let shown = |us: u32| Time(Duration::from_micros(us.into()));
    let (quota, least, period) = (shown(quota_us), shown(LEAST_QUOTA_US), shown(period_us));
    let a = if key.starts_with('e') { "an" } else { "a" };
    match quota_us {
        us if us < LEAST_QUOTA_US => {
            let message = format!("{a} {key} of {quota} is less than the kernel takes");
            Some(Fault::new(message, "too little", format!("use at least \"{least}\"")))
        }
        us if us > period_us => {
            let message = format!("{a} {key} of {quota} in each {period} limits nothing");
            let hint = format!("no thread runs longer than the period: use \"{least}\" to \"{period}\"");
            Some(Fault::new(message, "too much", hint))
        }
        _ => None,
    }
}

/// A time in µs; what does not fit is the most.
pub fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
