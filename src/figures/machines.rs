//! What was observed besides rates and totals: single CPUs, context switches, hiccups, all of the window; and the snapshots
//! just before and just after it: the tester, interrupts by queue, KVM's exits, the guests from inside. Those are of the time
//! between the two snapshots, which holds the window, or at least half of it where a guest was slow to answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::host::{busy, idle};
use super::interrupts::{IrqFigures, interrupts};
use super::snapshot_pair::pair;
use super::span::{OF_CPU, Span};
use super::tester::TesterFigures;
use crate::raw::{CpuTimes, KsmWait, Merged, RawGuest, RawTrial, Snapshot};
use crate::window::Window;

/// One CPU of the host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuFigures {
    /// Its number, from 0.
    pub cpu: u32,
    /// Busy time, %.
    pub busy_percent: f64,
    /// Soft interrupts, %.
    pub softirq_percent: f64,
    /// Interrupt handlers, %.
    pub irq_percent: f64,
}

/// What else was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Each CPU of the host.
    pub cpus: Vec<CpuFigures>,
    /// Pages that the host read back from swap; a guest, or its QEMU, waited for them.
    pub swapped_in_pages: Option<u64>,
    /// Pages that it wrote to swap.
    pub swapped_out_pages: Option<u64>,
    /// Pages that KSM had merged before and after the window.
    pub merged: Option<[Merged; 2]>,
    /// How long the trial waited for KSM before it began.
    pub merging: Option<KsmWait>,
    /// Of the host, 1/s.
    pub context_switches_per_s: Option<f64>,
    /// Of the host, 1/s.
    pub interrupts_per_s: Option<f64>,
    /// How busy the tester was.
    pub tester: TesterFigures,
    /// Of the NICs under test, on the host and in the guests, by queue.
    pub nics: Vec<IrqFigures>,
    /// Longest time in the window in which the host stood still, s; `None` where nobody watched.
    pub longest_hiccup_s: Option<f64>,
}

impl Seen {
    pub(super) fn compute(raw: &RawTrial, window: &Window) -> Seen {
        let longest_hiccup_s = raw.hiccups.as_ref().map(|hiccups| {
            let inside = hiccups.iter().filter(|hiccup| {
                hiccup.end_s > window.start_s && hiccup.end_s - hiccup.length_s < window.end_s
            });
            inside.map(|hiccup| hiccup.length_s).fold(0.0, f64::max)
        });
        let span = Span::between(&raw.host, window.start_s, window.end_s);
        let snapshots = pair_of_snapshots(raw);
        let swapped = snapshots.and_then(|(first, last)| first.swapped.zip(last.swapped));
        let merged = snapshots.and_then(|(first, last)| first.merged.zip(last.merged));
        Seen {
            cpus: span.iter().flat_map(|span| each_cpu(raw, span)).collect(),
            swapped_in_pages: swapped.map(|(before, after)| after.0.saturating_sub(before.0)),
            swapped_out_pages: swapped.map(|(before, after)| after.1.saturating_sub(before.1)),
            merged: merged.map(|(before, after)| [before, after]),
            merging: raw.merging,
            context_switches_per_s: span.and_then(|span| span.context_switches_per_s()),
            interrupts_per_s: span.and_then(|span| span.interrupts_per_s()),
            tester: snapshots.map(|snapshots| TesterFigures::compute(raw, snapshots)).unwrap_or_default(),
            nics: interrupts(raw, window),
            longest_hiccup_s,
        }
    }

    /// Whether the host stood still in the window; `None` where nobody watched.
    pub fn host_hiccup(&self) -> Option<bool> {
        self.longest_hiccup_s.map(|longest_s| longest_s > 0.0)
    }

    /// The busiest CPU of the host.
    pub fn busiest_cpu_percent(&self) -> Option<f64> {
        self.cpus.iter().map(|cpu| cpu.busy_percent).reduce(f64::max)
    }

    /// The CPU with the most soft interrupts: where one queue's packets all end up.
    pub fn most_softirq_percent(&self) -> Option<f64> {
        self.cpus.iter().map(|cpu| cpu.softirq_percent).reduce(f64::max)
    }

    /// Forgets all CPUs but those that the two figures above come from.
    pub(super) fn keep_busiest_cpus(&mut self) {
        let (busy, softirq) = (self.busiest_cpu_percent(), self.most_softirq_percent());
        let is_most =
            |cpu: &CpuFigures| Some(cpu.busy_percent) == busy || Some(cpu.softirq_percent) == softirq;
        self.cpus.retain(is_most);
        self.cpus.shrink_to_fit();
    }
}

/// Numbers of the host's CPUs, in the order in which samples have them.
pub(super) fn cpu_numbers(raw: &RawTrial) -> Vec<u32> {
    let known = !raw.online_cpus.is_empty();
    let numbers =
        if known { raw.online_cpus.iter().copied().collect() } else { (0..raw.host_cpus).collect() };
    if raw.host.iter().any(|sample| sample.cpus.is_empty()) { Vec::new() } else { numbers }
}

fn each_cpu(raw: &RawTrial, span: &Span) -> Vec<CpuFigures> {
    let of = |(index, cpu): (usize, u32)| {
        let [busy, softirq, irq] = OF_CPU.map(|(_, figure)| figure(span, index));
        Some(CpuFigures { cpu, busy_percent: busy?, softirq_percent: softirq?, irq_percent: irq? })
    };
    cpu_numbers(raw).into_iter().enumerate().filter_map(of).collect()
}

fn pair_of_snapshots(raw: &RawTrial) -> Option<(&Snapshot, &Snapshot)> {
    let [first, .., last] = raw.snapshots.as_slice() else { return None };
    Some((first, last))
}

/// A part of the time between two readings, %; `None` if no time passed.
fn percent(before: &CpuTimes, after: &CpuTimes, part: fn(&CpuTimes) -> f64) -> Option<f64> {
    let all = |cpu: &CpuTimes| busy(cpu) + idle(cpu) + cpu.steal;
    let total = all(after) - all(before);
    (total > 0.0).then(|| (100.0 * (part(after) - part(before)) / total).clamp(0.0, 100.0))
}

/// Exits of a guest by reason, 1/s between the two snapshots; empty for an emulated guest.
pub(super) fn exits_per_s(guest: &RawGuest, window: &Window) -> BTreeMap<String, f64> {
    let Some((first, last, length_s)) = pair(&guest.exits, window) else { return BTreeMap::new() };
    let gained = |(name, count): (&String, &u64)| {
        let before = first.get(name).copied().unwrap_or(0);
        (name.clone(), count.saturating_sub(before) as f64 / length_s)
    };
    last.iter().map(gained).collect()
}

/// Busy and stolen part of a guest's CPUs between the two snapshots, %.
pub(super) fn inside_cpu(guest: &RawGuest, window: &Window) -> Option<(f64, f64)> {
    let (first, last, _) = pair(&guest.inside, window)?;
    Some((percent(first, last, busy)?, percent(first, last, |cpu| cpu.steal)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::raw::Hiccup;

    fn snapshot(at_s: f64) -> Snapshot {
        Snapshot {
            at_s,
            swapped: Some((at_s as u64 - 100, 0)),
            merged: Some(Merged { shared: 2, sharing: at_s as u64 }),
            tester_cpus: Vec::new(),
            netperfs_s: vec![Some(at_s / 2.0)],
            nics: Vec::new(),
            throttled_guests_s: BTreeMap::new(),
            throttled_groups_s: BTreeMap::new(),
        }
    }

    fn trial() -> (RawTrial, Window) {
        let mut raw = fixture::trial(fixture::configuration("virtio", 1), &[1000.0]);
        raw.snapshots = vec![snapshot(100.0), snapshot(110.0)];
        let window = Window::common(&raw.flows, &fixture::timing()).unwrap();
        (raw, window)
    }

    #[test]
    fn each_cpu_has_figures_of_its_own_in_the_window() {
        let (raw, window) = trial();
        let seen = Seen::compute(&raw, &window);
        let rounded = |of: fn(&CpuFigures) -> f64| seen.cpus.iter().map(|cpu| of(cpu).round()).collect();
        let [busy, softirq]: [Vec<f64>; 2] =
            [rounded(|cpu| cpu.busy_percent), rounded(|cpu| cpu.softirq_percent)];
        assert_eq!((busy, softirq), (vec![90.0, 50.0, 50.0, 10.0], vec![40.0, 22.0, 22.0, 4.0]));
        assert_eq!(seen.busiest_cpu_percent(), Some(seen.cpus[0].busy_percent));
        let rates = [seen.context_switches_per_s, seen.interrupts_per_s].map(|rate| rate.map(f64::round));
        assert_eq!(rates, [Some(500.0), Some(1000.0)]);
    }

    #[test]
    fn the_busiest_cpus_are_the_same_once_the_others_are_forgotten() {
        let (raw, window) = trial();
        let whole = Seen::compute(&raw, &window);
        let mut seen = Seen { cpus: whole.cpus.clone(), ..whole.clone() };
        seen.cpus[0].softirq_percent = 0.0; // the busiest one, and the one with most soft interrupts, are two
        let before = (seen.busiest_cpu_percent(), seen.most_softirq_percent());
        seen.keep_busiest_cpus();
        assert_eq!((seen.busiest_cpu_percent(), seen.most_softirq_percent()), before);
        assert!(seen.cpus.len() < whole.cpus.len() && seen.cpus.len() > 1, "{:?}", seen.cpus);
    }

    #[test]
    fn the_tester_and_swap_are_of_the_time_between_the_snapshots() {
        let (mut raw, window) = trial();
        let seen = Seen::compute(&raw, &window);
        assert_eq!((seen.swapped_in_pages, seen.swapped_out_pages), (Some(10), Some(0)));
        assert_eq!(seen.merged.unwrap().map(|merged| merged.sharing), [100, 110]);
        assert_eq!(seen.tester.busiest_netperf_percent, Some(50.0));
        raw.snapshots.pop();
        assert_eq!(Seen::compute(&raw, &window).swapped_in_pages, None);
    }

    #[test]
    fn samples_without_single_cpus_give_no_figures_of_them() {
        let (mut raw, window) = trial();
        raw.host.iter_mut().for_each(|sample| sample.cpus.clear());
        assert_eq!(Seen::compute(&raw, &window).cpus, []);
    }

    #[test]
    fn cpus_keep_their_numbers_where_others_are_offline() {
        let (mut raw, window) = trial();
        let numbers =
            |raw: &RawTrial| Seen::compute(raw, &window).cpus.iter().map(|cpu| cpu.cpu).collect::<Vec<_>>();
        assert_eq!(numbers(&raw), [0, 1, 2, 3]);
        raw.online_cpus = [0, 2, 4, 6].into();
        assert_eq!(numbers(&raw), [0, 2, 4, 6]);
    }

    #[test]
    fn only_hiccups_that_touch_the_window_count() {
        let (mut raw, window) = trial();
        assert_eq!(Seen::compute(&raw, &window).longest_hiccup_s, None);
        let hiccup = |end_s, length_s| Hiccup { end_s, length_s };
        raw.hiccups = Some(vec![hiccup(window.start_s - 1.0, 9.0), hiccup(window.start_s + 1.0, 0.2)]);
        assert_eq!(Seen::compute(&raw, &window).longest_hiccup_s, Some(0.2));
    }

    #[test]
    fn exits_are_those_between_the_snapshots() {
        let (mut raw, window) = trial();
        let counters = |exits| BTreeMap::from([("exits".to_owned(), exits)]);
        let (before, after) = (window.start_s - 1.0, window.end_s + 1.0);
        raw.guests[0].exits = vec![(before, counters(100)), (after, counters(3700))];
        assert_eq!(exits_per_s(&raw.guests[0], &window), BTreeMap::from([("exits".to_owned(), 300.0)]));
        raw.guests[0].exits.pop();
        assert_eq!(exits_per_s(&raw.guests[0], &window), BTreeMap::new());
    }

    #[test]
    fn a_guest_that_answered_late_has_figures_and_one_that_missed_half_of_the_window_has_none() {
        let (mut raw, window) = trial();
        let cpu = |user| CpuTimes { user, idle: 10.0, ..CpuTimes::default() };
        let late = |part: f64| window.start_s + part * window.length_s();
        raw.guests[0].inside = vec![(late(0.49), cpu(0.0)), (late(1.5), cpu(5.0))];
        assert_eq!(inside_cpu(&raw.guests[0], &window), Some((100.0, 0.0)));
        raw.guests[0].inside[0].0 = late(0.51);
        assert_eq!(inside_cpu(&raw.guests[0], &window), None);
    }
}
