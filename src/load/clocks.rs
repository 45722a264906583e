//! The wall clocks of the lab's machines against this machine's monotonic clock: netperf stamps its results with the
//! tester's, the host's counters are stamped with the host's, and one has to be turned into the other.
//!
//! Another machine's clock is read by round trips over an open pipe; of several the shortest counts, and half of it is
//! what remains uncertain. It is read before and after a load: a clock that was set in between, or that nobody can read
//! well, makes a trial fail rather than wrong.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::clock::{self, MAX_STEP_S};
use crate::machine::Machine;

/// How far a clock may move between two readings beyond what they leave uncertain, s: two machines that follow NTP stay
/// within it, and it is a small part of the shortest interval (100 ms).
const MAX_DRIFT_S: f64 = 0.005;
/// How uncertain a reading may be, s.
const MAX_UNCERTAINTY_S: f64 = 0.050;
/// Round trips of one reading.
const TRIPS: u32 = 12;
/// For one round trip.
const LIMIT: Duration = Duration::from_secs(10);
/// Answers each line with the time.
const ANSWER: &str = "while read -r _; do date +%s.%N; done";

/// Why the clocks cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// It could not be read.
    #[error("failed to read the clock of the {0}: {1}")]
    Unreadable(&'static str, std::io::Error),
    /// The way there is too slow.
    #[error(
        "the clock of the {0} can only be read to {1:.0} ms (hint: at most 50; look at the control network)"
    )]
    Uncertain(&'static str, f64),
    /// It was set.
    #[error("the clock of the {0} moved by {1:.1} ms during the load (hint: let NTP settle it first)")]
    Moved(&'static str, f64),
}

/// A wall clock minus this machine's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset {
    /// The difference, s.
    pub s: f64,
    /// How far off that may be, s.
    pub uncertainty_s: f64,
}

/// The wall clocks of the lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clocks {
    here: Offset,
    host: Offset,
    tester: Offset,
}

impl Clocks {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`ClockError`] with the first that cannot be read well.
    pub async fn read(host: &Machine, tester: &Machine) -> Result<Clocks, ClockError> {
        let here = Offset { s: clock::clock_offset(), uncertainty_s: 0.0 };
        let host = offset("VM host", host).await?;
        Ok(Clocks { here, host, tester: offset("tester", tester).await? })
    }

    /// The clocks during a load: the mean of the readings before and after it.
    ///
    /// # Errors
    /// [`ClockError::Moved`] with the first that was set meanwhile.
    pub fn steady(self, after: Clocks) -> Result<Clocks, ClockError> {
        Ok(Clocks {
            here: between("machine that kvmfair runs on", self.here, after.here)?,
            host: between("VM host", self.host, after.host)?,
            tester: between("tester", self.tester, after.tester)?,
        })
    }

    /// What the tester's clock said when the host's said `host_s`, s.
    pub fn of_host(&self, host_s: f64) -> f64 {
        host_s - self.host.s + self.tester.s
    }

    /// What the tester's clock said when this machine's said `here_s`, s.
    pub fn of_here(&self, here_s: f64) -> f64 {
        here_s - self.here.s + self.tester.s
    }
}

fn between(what: &'static str, before: Offset, after: Offset) -> Result<Offset, ClockError> {
    let uncertainty_s = before.uncertainty_s.max(after.uncertainty_s);
    let tolerance = if uncertainty_s == 0.0 { MAX_STEP_S } else { MAX_DRIFT_S };
    let moved = (after.s - before.s).abs();
    if moved > tolerance + before.uncertainty_s + after.uncertainty_s {
        return Err(ClockError::Moved(what, moved * 1e3));
    }
    Ok(Offset { s: (before.s + after.s) / 2.0, uncertainty_s })
}

async fn offset(what: &'static str, machine: &Machine) -> Result<Offset, ClockError> {
    let offset = match machine {
        Machine::Local(_) => Offset { s: clock::clock_offset(), uncertainty_s: 0.0 },
        Machine::Remote(_) => {
            round_trips(machine).await.map_err(|error| ClockError::Unreadable(what, error))?
        }
    };
    tracing::debug!(what, offset.s, offset.uncertainty_s, "clock");
    if offset.uncertainty_s > MAX_UNCERTAINTY_S {
        return Err(ClockError::Uncertain(what, offset.uncertainty_s * 1e3));
    }
    Ok(offset)
}

async fn round_trips(machine: &Machine) -> std::io::Result<Offset> {
    let mut process = machine.start(&["sh", "-c", ANSWER]).await?;
    let broken = || std::io::Error::other("it does not answer");
    let mut stdout = BufReader::new(process.stdout.take().ok_or_else(broken)?);
    let mut best: Option<Offset> = None;
    for _ in 0..TRIPS {
        let stdin = process.stdin.as_mut().ok_or_else(broken)?;
        let sent = clock::monotonic();
        stdin.write_all(b"?\n").await?;
        stdin.flush().await?;
        let mut line = String::new();
        timeout(LIMIT, stdout.read_line(&mut line)).await.map_err(|_| broken())??;
        let back = clock::monotonic();
        let there: f64 =
            line.trim().parse().map_err(|_| std::io::Error::other(format!("it says `{}`", line.trim())))?;
        let trip = Offset { s: there - (sent + back) / 2.0, uncertainty_s: (back - sent) / 2.0 };
        best = best.filter(|best| best.uncertainty_s <= trip.uncertainty_s).or(Some(trip));
    }
    process.end(LIMIT).await;
    best.ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(host: f64, tester: f64, uncertainty_s: f64) -> Clocks {
        let offset = |s| Offset { s, uncertainty_s };
        Clocks { here: Offset { s: 0.0, uncertainty_s: 0.0 }, host: offset(host), tester: offset(tester) }
    }

    #[test]
    fn moments_of_other_machines_become_the_testers() {
        let clocks = clocks(100.0, 103.0, 0.001);
        assert_eq!(clocks.of_host(150.0), 153.0);
        assert_eq!(clocks.of_here(50.0), 153.0);
    }

    #[test]
    fn a_clock_that_was_set_is_refused_and_one_that_is_only_uncertain_is_not() {
        let before = clocks(100.0, 103.0, 0.002);
        let steady = before.steady(clocks(100.0, 103.006, 0.002)).unwrap();
        assert!((steady.of_host(0.0) - 3.003).abs() < 1e-9);
        let moved = before.steady(clocks(100.0, 103.02, 0.002)).unwrap_err();
        assert!(moved.to_string().starts_with("the clock of the tester moved by 20.0 ms"), "{moved}");
    }
}
