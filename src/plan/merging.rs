//! How long KSM may take over the guests' memory before it has merged what is equal in it.

use serde::{Deserialize, Serialize};

use crate::raw::KSM_SCANS;

/// How fast the kernel's KSM goes over memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Pages of 4 KiB at a time (`pages_to_scan`).
    pub pages_to_scan: u32,
    /// Pause between two times, ms (`sleep_millisecs`).
    pub sleep_ms: u32,
}

impl Default for Scan {
    /// What kernels begin with.
    fn default() -> Scan {
        Scan { pages_to_scan: 100, sleep_ms: 20 }
    }
}

/// Reading a page and looking it up, s: generous.
const PAGE_S: f64 = 5e-6;
/// The kernel sleeps longer than it is set to: 24 ms for 20 with a clock of 250 Hz.
const MARGIN: f64 = 1.3;
/// What even the smallest guests are given, s.
const LEAST_S: f64 = 5.0;

impl Scan {
    /// From what the kernel's files say; what it does not say is as kernels begin with.
    pub fn from_kernel(pages_to_scan: Option<u64>, sleep_ms: Option<u64>) -> Scan {
        let begin = Scan::default();
        let or = |reported: Option<u64>, begin| {
            reported.and_then(|value| u32::try_from(value).ok()).unwrap_or(begin)
        };
        Scan { pages_to_scan: or(pages_to_scan, begin.pages_to_scan), sleep_ms: or(sleep_ms, begin.sleep_ms) }
    }

    /// How long a run waits at most for [`KSM_SCANS`] passes over so many guests of `memory_mib` each, s. All of
    /// their memory counts; the kernel passes over what they have not touched, so that it may be much sooner. 0 without guests.
    pub fn bound_s(self, guests: u32, memory_mib: u32) -> f64 {
        if guests == 0 {
            return 0.0;
        }
        let pages = f64::from(guests) * f64::from(memory_mib) * 256.0;
        let pause_s = f64::from(self.sleep_ms) / 1000.0 / f64::from(self.pages_to_scan.max(1));
        LEAST_S + MARGIN * KSM_SCANS as f64 * pages * (pause_s + PAGE_S)
    }
}

/// What a plan has to know of the VM host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostCapacity {
    /// Its CPUs.
    pub cpus: u32,
    /// The pace of its KSM.
    pub scan: Scan,
}

impl From<u32> for HostCapacity {
    /// A host with so many CPUs whose KSM is as kernels begin with.
    fn from(cpus: u32) -> HostCapacity {
        HostCapacity { cpus, scan: Scan::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_gibibytes_take_minutes_at_the_pace_that_kernels_begin_with() {
        let bound_s = Scan::default().bound_s(4, 1024);
        assert!((bound_s - (5.0 + 1.3 * 3.0 * (1_048_576.0 * 0.000_205))).abs() < 1e-6, "{bound_s}");
        let faster = Scan { pages_to_scan: 1000, sleep_ms: 20 };
        assert!(faster.bound_s(4, 1024) < bound_s / 5.0);
    }

    #[test]
    fn what_a_kernel_does_not_say_is_taken_for_its_beginning_and_nobody_waits_for_no_guests() {
        assert_eq!(Scan::from_kernel(Some(500), None), Scan { pages_to_scan: 500, sleep_ms: 20 });
        assert_eq!(Scan::from_kernel(Some(u64::MAX), Some(0)), Scan { pages_to_scan: 100, sleep_ms: 0 });
        assert_eq!(Scan::default().bound_s(0, 1024), 0.0);
        assert!(Scan { pages_to_scan: 0, sleep_ms: 1 }.bound_s(1, 1).is_finite());
    }
}
