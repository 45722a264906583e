//! The time that guests of Xen's waited for CPUs: dom0 does not see it, each guest does. What a guest's own counters call stolen, read
//! just before and just after the window, becomes the run delay of its vCPUs. Pure.

use crate::raw::{RawGuest, RawTrial};

/// Adds to each sample of the host how long the vCPUs of each guest had waited since the first sample, as if they had waited evenly,
/// and how long at least one guest had: the one that waited most.
pub(super) fn add_run_delays(raw: &mut RawTrial) {
    let Some(first_s) = raw.host.first().map(|sample| sample.at_s) else { return };
    let rates: Vec<f64> = (1..=raw.configuration.vms).map(|guest| stolen_of(&raw.guests, guest)).collect();
    let most = rates.iter().copied().fold(0.0, f64::max).min(1.0);
    for sample in &mut raw.host {
        let passed_s = (sample.at_s - first_s).max(0.0);
        sample.pressure_s = Some(most * passed_s);
        for (target, rate) in sample.targets.iter_mut().zip(&rates) {
            target.vcpu_delay_s = rate * passed_s;
        }
    }
}

/// Stolen time of a guest ÷ time, all its vCPUs together; 0 where it is not known.
fn stolen_of(guests: &[RawGuest], number: u32) -> f64 {
    let readings = guests.iter().find(|guest| guest.guest == number).map(|guest| guest.inside.as_slice());
    let Some([(before_s, before), .., (after_s, after)]) = readings else { return 0.0 };
    let rate = (after.steal - before.steal) / (after_s - before_s);
    if rate.is_finite() { rate.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::raw::CpuTimes;

    #[test]
    fn a_guest_that_had_no_cpu_for_half_of_the_time_waited_so_long() {
        let reading = |at_s, steal| (at_s, CpuTimes { steal, ..CpuTimes::default() });
        let guest =
            RawGuest { inside: vec![reading(10.0, 3.0), reading(20.0, 8.0)], ..RawGuest::new(2, "g2") };
        assert_eq!(stolen_of(std::slice::from_ref(&guest), 2), 0.5);
        assert_eq!(stolen_of(&[guest], 1), 0.0);
        let once = RawGuest { inside: vec![reading(10.0, 3.0)], ..RawGuest::new(1, "g1") };
        assert_eq!(stolen_of(&[once], 1), 0.0);
    }
    #[test]
    fn the_delay_of_each_guest_grows_over_the_samples_and_the_host_s_is_that_of_the_one_that_waited_most() {
        let configuration = fixture::configuration("virtio", 2);
        let mut raw = fixture::trial(configuration, &[900.0, 1100.0]);
        let reading = |at_s, steal| (at_s, CpuTimes { steal, ..CpuTimes::default() });
        for (guest, stolen_s) in raw.guests.iter_mut().zip([1.0, 4.0]) {
            guest.inside = vec![reading(10.0, 0.0), reading(20.0, stolen_s)];
        }
        add_run_delays(&mut raw);
        let (first, last) = (&raw.host[0], raw.host.last().unwrap());
        let passed_s = last.at_s - first.at_s;
        let delays = |index: usize| last.targets[index].vcpu_delay_s - first.targets[index].vcpu_delay_s;
        assert!((delays(0) - 0.1 * passed_s).abs() < 1e-9 && (delays(1) - 0.4 * passed_s).abs() < 1e-9);
        assert!((last.pressure_s.unwrap() - 0.4 * passed_s).abs() < 1e-9 && passed_s > 0.0);
    }
}
