//! Interrupts of the NICs under test, by queue: on the host and inside the guests, between the two snapshots around the
//! window.

use serde::{Deserialize, Serialize};

use super::snapshot_pair::pair;
use crate::raw::{Irq, RawGuest, RawTrial};
use crate::window::Window;

/// One interrupt line of a NIC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IrqFigures {
    /// The guest whose kernel took it; 0: the host's.
    pub guest: u32,
    /// The NIC: its name, its MAC, or its PCI address.
    pub nic: String,
    /// Its number on that machine.
    pub irq: u32,
    /// What the driver calls it.
    pub name: String,
    /// How often it came, on all CPUs, 1/s.
    pub per_s: f64,
}

/// Every line that was there in both snapshots: the host's first, then guest by guest.
pub(super) fn interrupts(raw: &RawTrial, window: &Window) -> Vec<IrqFigures> {
    let of_host =
        raw.snapshots.iter().map(|snapshot| (snapshot.at_s, snapshot.nics.as_slice())).collect::<Vec<_>>();
    let of_guests = raw.guests.iter().flat_map(|guest| of_one(guest, window));
    between(0, &of_host, window).into_iter().chain(of_guests).collect()
}

/// Interrupts that a guest's NIC sent to it, all queues together, 1/s; `None` without snapshots of them.
pub(super) fn of_guest(guest: &RawGuest, window: &Window) -> Option<f64> {
    of_one(guest, window).into_iter().map(|irq| irq.per_s).reduce(|sum, per_s| sum + per_s)
}

fn of_one(guest: &RawGuest, window: &Window) -> Vec<IrqFigures> {
    let snapshots: Vec<_> = guest.interrupts.iter().map(|(at_s, irqs)| (*at_s, irqs.as_slice())).collect();
    between(guest.guest, &snapshots, window)
}

fn between(guest: u32, snapshots: &[(f64, &[Irq])], window: &Window) -> Vec<IrqFigures> {
    let Some((before, after, length_s)) = pair(snapshots, window) else { return Vec::new() };
    let rate = |now: &Irq| {
        let same = before.iter().find(|then| (&then.nic, then.irq) == (&now.nic, now.irq))?;
        let per_s = now.count.checked_sub(same.count)? as f64 / length_s;
        Some(IrqFigures { guest, nic: now.nic.clone(), irq: now.irq, name: now.name.clone(), per_s })
    };
    after.iter().filter_map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    const WINDOW: Window = Window { start_s: 1.0, end_s: 9.0 };

    fn irq(irq: u32, name: &str, count: u64) -> Irq {
        Irq { nic: "52:54:00:74:00:02".into(), irq, name: name.into(), count }
    }

    #[test]
    fn each_queue_of_a_guest_has_a_rate_and_the_nic_their_sum() {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        let [first, last] = [(10, 5), (1010, 205)]
            .map(|(rx, tx)| vec![irq(26, "virtio1-input.0", rx), irq(27, "virtio1-output.0", tx)]);
        raw.guests[1].interrupts = vec![(0.0, first), (10.0, last)];
        let all = interrupts(&raw, &WINDOW);
        let rates: Vec<_> = all.iter().map(|irq| (irq.guest, irq.name.as_str(), irq.per_s)).collect();
        assert_eq!(rates, [(2, "virtio1-input.0", 100.0), (2, "virtio1-output.0", 20.0)]);
        assert_eq!(
            (of_guest(&raw.guests[1], &WINDOW), of_guest(&raw.guests[0], &WINDOW)),
            (Some(120.0), None)
        );
    }

    #[test]
    fn a_line_that_came_later_or_was_reset_has_no_rate() {
        let before = [irq(26, "a", 100), irq(27, "b", 100)];
        let after = [irq(26, "a", 50), irq(28, "c", 9), irq(27, "b", 100)];
        let found = between(1, &[(0.0, &before), (10.0, &after)], &WINDOW);
        assert_eq!(found.iter().map(|irq| (irq.irq, irq.per_s)).collect::<Vec<_>>(), [(27, 0.0)]);
    }
}
