//! Pauses of this whole machine: a thread that sleeps for 10 ms at a time, and how late it wakes up.
//!
//! A host that is itself a guest, or runs firmware code (SMM), pauses without a counter that shows it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock::wall_clock;
use crate::raw::Hiccup;

/// Between two wake-ups.
const NAP: Duration = Duration::from_millis(10);
/// Later than this is a hiccup.
const LATE: Duration = Duration::from_millis(50);

/// A running meter. Dropping it ends it.
#[derive(Debug)]
pub struct HiccupMeter {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<Vec<Hiccup>>>,
}

impl HiccupMeter {
    /// Starts the thread; without one, nothing is measured.
    pub fn start() -> HiccupMeter {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new().name("hiccups".into()).spawn(move || watch(&stopped));
        HiccupMeter { stop: Some(stop), thread: thread.ok() }
    }

    /// The hiccups since the start; `None` if they were not measured.
    pub fn stop(mut self) -> Option<Vec<Hiccup>> {
        self.stop = None;
        self.thread.take()?.join().ok()
    }
}

fn watch(stopped: &mpsc::Receiver<()>) -> Vec<Hiccup> {
    let mut hiccups = Vec::new();
    let (mut before, mut waited) = (Instant::now(), waited_for_a_cpu());
    while stopped.recv_timeout(NAP) == Err(RecvTimeoutError::Timeout) {
        let (now, waits) = (Instant::now(), waited_for_a_cpu());
        if let Some(late) = pause(now.duration_since(before), waits.saturating_sub(waited)) {
            hiccups.push(Hiccup { end_s: wall_clock(), length_s: late.as_secs_f64() });
        }
        (before, waited) = (now, waits);
    }
    hiccups
}

/// How late a wake-up was that came so long after the one before, if that is a hiccup; the time that the thread waited for a CPU
/// is not one.
fn pause(since: Duration, waited: Duration) -> Option<Duration> {
    Some(since.saturating_sub(NAP).saturating_sub(waited)).filter(|late| *late > LATE)
}

/// How long this thread has waited for a CPU that others had: that is load, which other counters show. Zero where the kernel
/// does not count it.
fn waited_for_a_cpu() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = schedstat.split_ascii_whitespace().nth(1).and_then(|word| word.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_for_a_cpu_did_not_stand_still() {
        let ms = Duration::from_millis;
        assert_eq!(pause(ms(310), ms(0)), Some(ms(300)));
        assert_eq!(pause(ms(310), ms(290)), None);
        assert_eq!(pause(ms(310), ms(200)), Some(ms(100)));
        assert_eq!(pause(ms(10), ms(40)), None);
    }

    #[test]
    fn a_meter_that_is_stopped_says_what_it_saw() {
        let hiccups = HiccupMeter::start().stop().unwrap();
        assert!(hiccups.iter().all(|hiccup| hiccup.length_s > LATE.as_secs_f64()));
    }
}
