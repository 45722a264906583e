//! KVM's exits of a trial by reason: a sum and its parts.
//!
//! KVM counts all exits and some of their reasons. What it gives no reason for (page faults of the guest's memory, among them
//! the doorbells of virtio and vhost, MSR and CPUID accesses) is the rest. `signal_exits` and `request_irq_exits` are returns
//! to QEMU without an exit of their own: they are no part of the sum.

use super::Numbers;

/// The reasons that KVM counts, by its name and in words; the last is the rest.
pub const EXIT_REASONS: [(&str, &str); 6] = [
    ("io_exits", "port I/O"),
    ("mmio_exits", "MMIO to QEMU"),
    ("halt_exits", "halt"),
    ("irq_exits", "host interrupt"),
    ("irq_window_exits", "interrupt window"),
    ("", "other"),
];

impl Numbers {
    /// Exits of all measured guests, 1/s, in the order of [`EXIT_REASONS`]; `None` if one of them has no counters.
    pub fn exits_by_reason(&self) -> Option<[f64; EXIT_REASONS.len()]> {
        let measured: Vec<_> = self.guests.iter().filter(|guest| guest.is_measured()).collect();
        let sum =
            |name: &str| -> f64 { measured.iter().filter_map(|guest| guest.exits_per_s.get(name)).sum() };
        let known = !measured.is_empty() && measured.iter().all(|g| g.exits_per_s.contains_key("exits"));
        let mut parts = EXIT_REASONS.map(|(name, _)| sum(name));
        let named: f64 = parts.iter().sum();
        parts[EXIT_REASONS.len() - 1] = (sum("exits") - named).max(0.0);
        known.then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};

    fn parts(counted: &[(&str, u64)]) -> Option<[f64; EXIT_REASONS.len()]> {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        fixture::exits(&mut raw, counted);
        TrialFigures::of(&raw, &fixture::timing()).numbers.expect("the fixture has numbers").exits_by_reason()
    }

    #[test]
    fn what_no_reason_is_counted_for_is_the_rest_and_the_parts_are_the_sum() {
        let counted = [("exits", 1000), ("io_exits", 600), ("halt_exits", 100), ("signal_exits", 50)];
        assert_eq!(parts(&counted), Some([1200.0, 0.0, 200.0, 0.0, 0.0, 600.0])); // two guests, per second
    }

    #[test]
    fn an_emulated_guest_has_no_exits_to_tell_apart() {
        assert_eq!(parts(&[]), None);
    }
}
