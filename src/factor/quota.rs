//! Quotas of CPU time.

use std::time::Duration;

/// Period of a quota where none is written, µs: the kernel's own.
pub const PERIOD_US: u32 = 100_000;
/// The least that the kernel takes, µs.
pub const LEAST_QUOTA_US: u32 = 1_000;

/// A time in µs; what does not fit is the most.
pub fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
