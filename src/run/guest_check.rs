//! A fact of a guest: expected, and found. Pure.

use crate::raw::Check;

/// Guests that are checked at the same time: each has one command running on the host at a time.
pub(super) const AT_ONCE: usize = 8;

/// The check of a fact of a guest; a fact that cannot be read is `nothing`, and does not hold.
pub(super) fn check(guest: u32, what: &str, expected: impl ToString, found: Option<impl ToString>) -> Check {
    Check {
        what: format!("guest {guest}: {what}"),
        expected: expected.to_string(),
        found: found.map_or_else(|| "nothing".into(), |found| found.to_string()),
    }
}
