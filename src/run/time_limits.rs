//! How long a trial waits for guests and netperf.

use std::time::Duration;

/// For all flows to transfer something, beyond netperf's own wait.
pub(super) const START_LIMIT: Duration = Duration::from_secs(30);
/// A netperf process that is no longer controlled ends by itself this long after its trial should have ended.
pub(super) const ORPHAN_LIMIT: Duration = Duration::from_secs(60);
/// For one command inside a guest.
pub(super) const GUEST_QUERY: Duration = Duration::from_secs(20);
