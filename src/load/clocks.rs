//! The wall clocks of the lab's machines against this machine's monotonic clock: netperf stamps its results with the
//! tester's, the host's counters are stamped with the host's, and one has to be turned into the other.
//!
//! Another machine's clock is read by round trips over an open pipe. The shortest of several counts, and half of it is the
//! uncertainty. Clocks are read before and after a load: a trial fails if one was stepped in between, or if one cannot be
//! read with sufficient accuracy.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::clock::{self, MAX_STEP_S};
use crate::machine::Machine;
use crate::machine::line::read_line;

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
    /// The connection is too slow.
    #[error(
        "the clock of the {0} can only be read to within {1:.0} ms, and at most 50 ms are allowed (hint: check the latency of the control network)"
    )]
    Uncertain(&'static str, f64),
    /// It was set.
    #[error(
        "the clock of the {0} was stepped by {1:.3} s during the load (hint: wait until NTP has settled)"
    )]
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
    local: Offset,
    host: Offset,
    tester: Offset,
}

impl Clocks {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`ClockError`] with the first that cannot be read well.
    pub async fn read(host: &Machine, tester: &Machine) -> Result<Clocks, ClockError> {
        let local = Offset { s: clock::clock_offset(), uncertainty_s: 0.0 };
        let host = offset("VM host", host).await?;
        Ok(Clocks { local, host, tester: offset("tester", tester).await? })
    }

    /// The clocks during a load: the mean of the readings before and after it.
    ///
    /// # Errors
    /// [`ClockError::Moved`] with the first that was set meanwhile.
    pub fn steady(self, after: Clocks) -> Result<Clocks, ClockError> {
        Ok(Clocks {
            local: between("machine that kvmfair runs on", self.local, after.local)?,
            host: between("VM host", self.host, after.host)?,
            tester: between("tester", self.tester, after.tester)?,
        })
    }

    /// The tester's time at the host's time `host_s`, s.
    pub fn from_host(&self, host_s: f64) -> f64 {
        host_s - self.host.s + self.tester.s
    }

    /// The tester's clock minus this machine's monotonic clock, s.
    pub fn of_tester_s(&self) -> f64 {
        self.tester.s
    }

    /// The tester's time at this machine's time `local_s`, s.
    pub fn from_local(&self, local_s: f64) -> f64 {
        local_s - self.local.s + self.tester.s
    }
}

fn between(what: &'static str, before: Offset, after: Offset) -> Result<Offset, ClockError> {
    let uncertainty_s = before.uncertainty_s.max(after.uncertainty_s);
    let tolerance = if uncertainty_s == 0.0 { MAX_STEP_S } else { MAX_DRIFT_S };
    let moved = (after.s - before.s).abs();
    if moved > tolerance + before.uncertainty_s + after.uncertainty_s {
        return Err(ClockError::Moved(what, moved));
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
        let line = timeout(LIMIT, read_line(&mut stdout)).await.map_err(|_| broken())??;
        let back = clock::monotonic();
        let remote_s = seconds(&line)?;
        let trip = Offset { s: remote_s - (sent + back) / 2.0, uncertainty_s: (back - sent) / 2.0 };
        best = best.filter(|best| best.uncertainty_s <= trip.uncertainty_s).or(Some(trip));
    }
    process.end(LIMIT).await;
    best.ok_or_else(broken)
}

/// What `date +%s.%N` prints: seconds since the epoch.
fn seconds(line: &str) -> std::io::Result<f64> {
    let seconds = line.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite());
    seconds.ok_or_else(|| std::io::Error::other(format!("`date +%s.%N` printed `{}`", line.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(host: f64, tester: f64, uncertainty_s: f64) -> Clocks {
        let offset = |s| Offset { s, uncertainty_s };
        Clocks { local: Offset { s: 0.0, uncertainty_s: 0.0 }, host: offset(host), tester: offset(tester) }
    }

    #[test]
    fn only_a_finite_number_is_a_time() {
        assert_eq!(seconds("1700000000.25\n").unwrap(), 1_700_000_000.25);
        for line in ["", "inf", "NaN", "1700000000.%N"] {
            let error = seconds(line).unwrap_err().to_string();
            assert_eq!(error, format!("`date +%s.%N` printed `{line}`"));
        }
    }

    #[test]
    fn moments_of_other_machines_become_the_testers() {
        let clocks = clocks(100.0, 103.0, 0.001);
        assert_eq!(clocks.from_host(150.0), 153.0);
        assert_eq!(clocks.from_local(50.0), 153.0);
    }

    #[test]
    fn a_clock_that_was_set_is_refused_and_one_that_is_only_uncertain_is_not() {
        let before = clocks(100.0, 103.0, 0.002);
        let steady = before.steady(clocks(100.0, 103.006, 0.002)).unwrap();
        assert!((steady.from_host(0.0) - 3.003).abs() < 1e-9);
        let moved = before.steady(clocks(100.0, 103.02, 0.002)).unwrap_err();
        assert!(moved.to_string().starts_with("the clock of the tester was stepped by 0.020 s"), "{moved}");
    }
}
