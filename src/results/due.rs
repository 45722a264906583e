//! When the tables of a run are written again: they are of all its trials, and take the longer the more there are.

use std::time::{Duration, Instant};

/// They are due once so many times the time has passed that they took: they cost at most some 3 % of a run.
const SPARING: u32 = 30;

/// When the tables were written, and whether trials came since.
pub(super) struct Due {
    /// When they had been written.
    pub at: Instant,
    /// How long that took.
    pub took: Duration,
    /// Whether a trial is not in them yet.
    pub behind: bool,
}

impl Due {
    /// Of a run that begins or goes on: nothing is known of the cost, and nothing is missing.
    pub fn never() -> Due {
        Due { at: Instant::now(), took: Duration::ZERO, behind: false }
    }

    /// Of tables that have just been written.
    pub fn after(begun: Instant, ended: Instant) -> Due {
        Due { at: ended, took: ended - begun, behind: false }
    }

    /// Whether writing them would take a small part of the time since they were written.
    pub fn is_now(&self, now: Instant) -> bool {
        now.duration_since(self.at) >= self.took * SPARING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_due_when_they_would_take_a_small_part_of_the_time_since_they_were_written() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let due = Due::after(begun, begun + second);
        assert!(!due.is_now(begun + second * 30));
        assert!(due.is_now(begun + second * 31));
    }

    #[test]
    fn the_first_tables_of_a_run_are_due_at_once() {
        assert!(Due::never().is_now(Instant::now()));
    }
}
