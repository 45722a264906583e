//! This machine's clocks. netperf stamps its interim results with the wall clock, so it must not be stepped during a trial.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Largest change of [`clock_offset`] during a trial, s. Beyond it the time stamps of the flows cannot be trusted.
pub const MAX_STEP_S: f64 = 0.001;

/// Wall clock minus monotonic clock, s.
///
/// The wall clock is read between two readings of the monotonic one. The narrowest of five attempts counts, so that a
/// thread that is descheduled in between does not mistake the delay for a step.
pub fn clock_offset() -> f64 {
    let narrowest = (0..5).map(|_| reading()).min_by(|a, b| a.0.total_cmp(&b.0));
    narrowest.map_or(0.0, |(_, offset)| offset)
}

/// The wall clock, s since the epoch.
pub fn wall_clock() -> f64 {
    seconds(ClockId::CLOCK_REALTIME)
}

/// The monotonic clock, s.
pub fn monotonic() -> f64 {
    seconds(ClockId::CLOCK_MONOTONIC)
}

/// The width of one attempt and the offset it measured, s.
fn reading() -> (f64, f64) {
    let before = seconds(ClockId::CLOCK_MONOTONIC);
    let wall = wall_clock();
    let after = seconds(ClockId::CLOCK_MONOTONIC);
    (after - before, wall - (before + after) / 2.0)
}

/// Both clocks exist on every Linux, so reading them cannot fail.
fn seconds(clock: ClockId) -> f64 {
    clock_gettime(clock).map_or(0.0, |t| Duration::from(t).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_turns_the_monotonic_clock_into_the_wall_clock() {
        let wall = seconds(ClockId::CLOCK_MONOTONIC) + clock_offset();
        assert!((wall - jiff::Timestamp::now().as_second() as f64).abs() < 60.0);
    }
}
