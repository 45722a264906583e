//! The course of one trial: flows and probes on one clock, in slices that all of them share.
//!
//! Time 0 is the window's start; slices follow each other from there in both directions, so that the warm-up is seen too.
//! Rates of flows are means over a slice; counters are interpolated at its ends. What is read only before and after the
//! window is one point at its last reading: the mean since the first.
//!
//! A slice is as long as the interim interval. It is longer where a trial would have more points than asked for; where
//! fewer than [`FEWEST`] would be left in the window, first single CPUs are left out, then single flows: the host and the
//! guests stay. The interim results and samples themselves are in the raw trial.

use serde::Serialize;

use super::machines::{cpu_numbers, exits_per_s, inside_cpu};
use super::settled::Settled;
use super::span::{AT_INTERFACE, OF_CPU, OF_GUEST, OF_HOST, OfOne, Span};
use super::udp_received::received;
use super::{Seen, impossible};
use crate::profile::{Timing, Unit};
use crate::raw::{RawFlow, RawTrial};
use crate::stats;
use crate::window::Window;

/// Slices of the window that are wanted before single CPUs are given up, and then single flows.
const FEWEST: f64 = 20.0;
/// Slices of the window that are there in any case.
const LEAST: f64 = 5.0;

/// One value at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// End of the slice, s after the window's start; negative in the warm-up.
    pub at_s: f64,
    /// What it was seen at: `flow`, `background`, `guest`, `host`, `cpu`, `irq` or `tester`.
    pub source: &'static str,
    /// Which one: its number; of an interrupt its machine and name. Empty if there is one only.
    pub name: String,
    /// What it is, with its unit.
    pub metric: String,
    /// How much.
    pub value: f64,
}

/// All points of a trial, at most `limit` unless the host's alone are more; none if it failed, its raw data cannot be true, or its flows never ran together.
pub fn timeline(raw: &RawTrial, timing: &Timing, limit: usize) -> Vec<Point> {
    let raw = &received(raw);
    if raw.failure.is_some() || impossible::find(raw).is_some() {
        return Vec::new();
    }
    let settled = Settled::detect(raw, timing);
    let Some(Settled { window, .. }) = settled else { return Vec::new() };
    let course = TrialCourse::compute(raw, window, timing, limit);
    let all = [course.flows(), course.guests(), course.host(), course.cpus(), once(raw, &window)].concat();
    bounded(all, limit)
}

/// Leaves out what is too much: exits by reason, single interrupts, all of the guests but their rates, and at last the rates.
fn bounded(mut points: Vec<Point>, limit: usize) -> Vec<Point> {
    let is_exit = |point: &Point| point.source == "guest" && point.metric.ends_with("_per_s");
    let is_rate = |point: &Point| point.metric == "rate_tps" || point.metric == "throughput_mbps";
    let steps: [&dyn Fn(&Point) -> bool; 4] = [
        &is_exit,
        &|point| point.source == "irq",
        &|point| point.source == "guest" && !is_rate(point),
        &|point| point.source == "guest",
    ];
    for step in steps {
        if points.len() > limit {
            points.retain(|point| !step(point));
        }
    }
    points
}

/// A trial cut into slices.
struct TrialCourse<'a> {
    raw: &'a RawTrial,
    window: Window,
    slices: Vec<Window>,
    /// What the host's counters say of each slice.
    spans: Vec<Option<Span<'a>>>,
    single: Single,
}

/// What there is room for beside host and guests.
#[derive(Clone, Copy)]
struct Single {
    flows: bool,
    cpus: bool,
}

impl Single {
    const ALL: Single = Single { flows: true, cpus: true };
    const FLOWS: Single = Single { flows: true, cpus: false };
    const NONE: Single = Single { flows: false, cpus: false };

    /// How many values each slice has.
    fn series(self, raw: &RawTrial) -> usize {
        let others = targets(raw).len() * (1 + OF_GUEST.len() + AT_INTERFACE.len()) + OF_HOST.len();
        let flows = if self.flows { raw.flows.len() + raw.background.len() } else { 0 };
        let cpus = if self.cpus { cpu_numbers(raw).len() * OF_CPU.len() } else { 0 };
        others + flows + cpus
    }
}

impl<'a> TrialCourse<'a> {
    fn compute(raw: &'a RawTrial, window: Window, timing: &Timing, limit: usize) -> TrialCourse<'a> {
        let interval_s = timing.interval.as_secs_f64();
        let (first_s, last_s) = ends(raw, &window);
        let length_s = |single: Single| {
            ((last_s - first_s) * single.series(raw) as f64 / limit.max(1) as f64).max(interval_s)
        };
        let fits = |single: &Single| {
            let length_s = length_s(*single);
            length_s == interval_s || window.length_s() / length_s >= FEWEST
        };
        let single = [Single::ALL, Single::FLOWS].into_iter().find(fits).unwrap_or(Single::NONE);
        let length_s = length_s(single).min((window.length_s() / LEAST).max(interval_s));
        let slices = slices(&window, first_s, last_s, length_s);
        let spans = slices.iter().map(|slice| Span::between(&raw.host, slice.start_s, slice.end_s)).collect();
        TrialCourse { raw, window, slices, spans, single }
    }

    /// Each flow, and each that is background.
    fn flows(&self) -> Vec<Point> {
        if !self.single.flows {
            return Vec::new();
        }
        let of = |source, unit, flow: &RawFlow| {
            let rates = self.slices.iter().map(|slice| self.rate(slice, flow));
            self.points(source, flow.flow.to_string(), unit, rates)
        };
        let measured = self.raw.flows.iter().flat_map(|flow| of("flow", self.unit(), flow));
        let background =
            self.raw.background.iter().flat_map(|flow| of("background", "throughput_mbps", flow));
        measured.chain(background).collect()
    }

    /// Each guest's rate, threads and packets.
    fn guests(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for (index, guest) in targets(self.raw).into_iter().enumerate() {
            let own: Vec<&RawFlow> = self.raw.flows.iter().filter(|flow| flow.guest == guest).collect();
            let rate = |slice: &Window| {
                let rates = own.iter().map(|flow| self.rate(slice, flow)).collect::<Option<Vec<f64>>>();
                rates.filter(|rates| !rates.is_empty()).map(|rates| stats::total(rates.into_iter()))
            };
            let mut add = |metric, values: &mut dyn Iterator<Item = Option<f64>>| {
                points.extend(self.points("guest", guest.to_string(), metric, values));
            };
            add(self.unit(), &mut self.slices.iter().map(rate));
            let unseen = self.raw.guests.iter().any(|raw| raw.guest == guest && !raw.nic.is_empty());
            let of_threads = OF_GUEST.iter().filter(|_| guest > 0);
            for (metric, of) in of_threads.chain(AT_INTERFACE.iter().filter(|_| !unseen)) {
                add(metric, &mut self.spans.iter().map(|span| of(&(*span)?, index)));
            }
        }
        points
    }

    fn host(&self) -> Vec<Point> {
        let of = |(metric, of): &(&'static str, fn(&Span) -> Option<f64>)| {
            let values = self.spans.iter().map(|span| of(&(*span)?));
            self.points("host", String::new(), metric, values)
        };
        OF_HOST.iter().flat_map(of).collect()
    }

    /// Each CPU of the host.
    fn cpus(&self) -> Vec<Point> {
        let numbers = if self.single.cpus { cpu_numbers(self.raw) } else { Vec::new() };
        let of = |(index, number): (usize, u32)| {
            OF_CPU.iter().flat_map(move |(metric, of): &OfOne| {
                let values = self.spans.iter().map(|span| of(&(*span)?, index));
                self.points("cpu", number.to_string(), metric, values)
            })
        };
        numbers.into_iter().enumerate().flat_map(of).collect()
    }

    /// Mean rate of a flow in a slice; `None` outside the window where the flow does not run for the whole slice.
    fn rate(&self, slice: &Window, flow: &RawFlow) -> Option<f64> {
        let inside = slice.end_s > self.window.start_s && slice.start_s < self.window.end_s;
        (inside || slice.coverage(flow) > 1.0 - 1e-9).then(|| slice.rate(flow))
    }

    fn unit(&self) -> &'static str {
        match self.raw.configuration.test.unit() {
            Unit::Transactions => "rate_tps",
            Unit::RoundTrips => "answered_pings_per_s",
            Unit::Megabits => "throughput_mbps",
        }
    }

    fn points(
        &self,
        source: &'static str,
        name: String,
        metric: &str,
        values: impl Iterator<Item = Option<f64>>,
    ) -> Vec<Point> {
        let point = |(slice, value): (&Window, Option<f64>)| {
            let at_s = slice.end_s - self.window.start_s;
            Some(Point { at_s, source, name: name.clone(), metric: metric.to_owned(), value: value? })
        };
        self.slices.iter().zip(values).filter_map(point).collect()
    }
}

/// When the first thing was seen, and the last, s.
fn ends(raw: &RawTrial, window: &Window) -> (f64, f64) {
    let intervals = raw.flows.iter().chain(&raw.background).flat_map(|flow| &flow.intervals);
    let sampled = raw.host.iter().map(|sample| (sample.at_s, sample.at_s));
    let seen = intervals.map(|interval| (interval.end_s - interval.length_s, interval.end_s)).chain(sampled);
    seen.fold((window.start_s, window.end_s), |(first, last), (start, end)| (first.min(start), last.max(end)))
}

/// Numbers of the targets; 0 for bare metal.
fn targets(raw: &RawTrial) -> Vec<u32> {
    if raw.configuration.vms == 0 { vec![0] } else { (1..=raw.configuration.vms).collect() }
}

/// Slices that fit between two moments, one of which begins with the window.
fn slices(window: &Window, first_s: f64, last_s: f64, length_s: f64) -> Vec<Window> {
    let number = |at_s: f64| (at_s - window.start_s) / length_s;
    let (first, last) = ((number(first_s) - 1e-9).ceil() as i64, (number(last_s) + 1e-9).floor() as i64);
    let start_s = |number: i64| window.start_s + number as f64 * length_s;
    (first..last).map(|number| Window { start_s: start_s(number), end_s: start_s(number + 1) }).collect()
}

/// What is no series: the snapshots before and after the window, and the moments in which the host stood still.
fn once(raw: &RawTrial, window: &Window) -> Vec<Point> {
    let mut points = Vec::new();
    let mut add = |at_s: f64, source, name: String, metric: &str, value: Option<f64>| {
        let at_s = at_s - window.start_s;
        points.extend(value.map(|value| Point { at_s, source, name, metric: metric.to_owned(), value }));
    };
    for hiccup in raw.hiccups.iter().flatten() {
        add(hiccup.end_s, "host", String::new(), "hiccup_s", Some(hiccup.length_s));
    }
    let seen = Seen::compute(raw, window);
    let last_s = raw.snapshots.last().map_or(window.end_s, |snapshot| snapshot.at_s);
    let tester = seen.tester;
    add(last_s, "tester", String::new(), "busy_percent", tester.busy_percent);
    add(last_s, "tester", String::new(), "busiest_cpu_percent", tester.busiest_cpu_percent);
    add(last_s, "tester", String::new(), "busiest_netperf_percent", tester.busiest_netperf_percent);
    for irq in seen.nics {
        let machine = if irq.guest == 0 { "host".into() } else { format!("guest {}", irq.guest) };
        add(last_s, "irq", format!("{machine} {}", irq.name), "interrupts_per_s", Some(irq.per_s));
    }
    for guest in &raw.guests {
        let name = || guest.guest.to_string();
        let inside_s = guest.inside.last().map_or(last_s, |(at_s, _)| *at_s);
        let inside = inside_cpu(guest, window);
        add(inside_s, "guest", name(), "inside_busy_percent", inside.map(|(busy, _)| busy));
        add(inside_s, "guest", name(), "inside_steal_percent", inside.map(|(_, steal)| steal));
        let exits_s = guest.exits.last().map_or(last_s, |(at_s, _)| *at_s);
        for (reason, per_s) in exits_per_s(guest, window) {
            add(exits_s, "guest", name(), &format!("{reason}_per_s"), Some(per_s));
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::raw::Hiccup;
    use std::collections::BTreeSet;

    fn trial() -> RawTrial {
        fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0])
    }

    fn points_named<'p>(points: &'p [Point], source: &str, name: &str, metric: &str) -> Vec<&'p Point> {
        points
            .iter()
            .filter(|p| (p.source, p.name.as_str(), p.metric.as_str()) == (source, name, metric))
            .collect()
    }

    #[test]
    fn flows_guests_and_host_share_one_clock_that_starts_with_the_window() {
        let points = timeline(&trial(), &fixture::timing(), 100_000);
        let rates = points_named(&points, "flow", "8", "rate_tps");
        let busy = points_named(&points, "host", "", "busy_percent");
        // The flows start 2 s before the window and run for 14 s, in intervals of half a second.
        assert_eq!((rates.len(), rates[0].at_s, rates[27].at_s), (28, -1.5, 12.0));
        assert!(rates.iter().all(|point| (point.value - 275.0).abs() < 1e-6));
        assert!(busy.iter().all(|point| (point.value - 50.0).abs() < 1e-6));
        let cpu = points_named(&points, "cpu", "0", "softirq_percent");
        assert_eq!(cpu.iter().map(|p| (p.at_s, p.value.round())).next(), Some((-2.5, 40.0)));
        assert_eq!(cpu.len(), busy.len());
        assert_eq!(points_named(&points, "host", "", "context_switches_per_s")[5].value.round(), 500.0);
        assert_eq!(points_named(&points, "guest", "2", "cgroup_pressure_percent")[5].value.round(), 30.0);
        let times = |points: &[&Point]| points.iter().map(|p| (p.at_s * 1e3) as i64).collect::<BTreeSet<_>>();
        assert!(times(&rates).is_subset(&times(&busy)), "{:?}", times(&busy));
        assert_eq!(points_named(&points, "guest", "2", "rate_tps")[5].value.round(), 1100.0);
        assert_eq!(points_named(&points, "guest", "1", "vcpu_cpu_percent")[5].value.round(), 19.0);
    }

    #[test]
    fn what_was_seen_once_is_one_point() {
        let mut raw = trial();
        raw.hiccups = Some(vec![Hiccup { end_s: fixture::START + 5.0, length_s: 0.25 }]);
        let points = timeline(&raw, &fixture::timing(), 100_000);
        let hiccups = points_named(&points, "host", "", "hiccup_s");
        assert_eq!(hiccups.iter().map(|p| (p.at_s, p.value)).collect::<Vec<_>>(), [(3.0, 0.25)]);
        assert_eq!(points_named(&points, "guest", "1", "inside_steal_percent").len(), 1);
    }

    #[test]
    fn a_flow_that_stalls_in_the_window_is_zero_there_and_not_absent() {
        let mut raw = trial();
        raw.flows[0].intervals.retain(|interval| interval.end_s < fixture::START + 6.0);
        let window = Window { start_s: fixture::START + 2.0, end_s: fixture::START + 12.0 };
        let course = TrialCourse::compute(&raw, window, &fixture::timing(), 100_000);
        let first: Vec<f64> = course.flows().iter().filter(|p| p.name == "1").map(|p| p.value).collect();
        assert_eq!(first.last(), Some(&0.0));
    }

    #[test]
    fn a_small_limit_makes_slices_longer_and_then_leaves_out_first_single_cpus_and_then_single_flows() {
        let raw = trial();
        let timing = Timing { interval: std::time::Duration::from_millis(250), ..fixture::timing() };
        let all = timeline(&raw, &timing, 100_000);
        let fewer = timeline(&raw, &timing, all.len() * 3 / 4);
        assert!(fewer.len() < all.len() && !points_named(&fewer, "flow", "1", "rate_tps").is_empty());
        assert!(!points_named(&fewer, "cpu", "3", "softirq_percent").is_empty());
        let without_cpus = timeline(&raw, &timing, 1300);
        assert!(points_named(&without_cpus, "cpu", "3", "softirq_percent").is_empty());
        assert!(!points_named(&without_cpus, "flow", "1", "rate_tps").is_empty());
        let few = timeline(&raw, &timing, 400);
        assert!(few.len() <= 410, "{}", few.len());
        assert!(points_named(&few, "flow", "1", "rate_tps").is_empty());
        let of_guest = points_named(&few, "guest", "1", "rate_tps");
        assert!(of_guest.len() >= 5 && of_guest.iter().all(|point| (point.value - 900.0).abs() < 1e-6));
    }

    #[test]
    fn a_trial_of_many_guests_keeps_to_its_limit() {
        let mut raw = fixture::trial(fixture::configuration("virtio", 8), &[100.0; 8]);
        fixture::exits(&mut raw, &[("hlt", 100), ("io", 50)]);
        for limit in [2_000, 500, 200] {
            let points = timeline(&raw, &fixture::timing(), limit);
            assert!(points.len() <= limit, "{} of {limit}", points.len());
            assert!(!points_named(&points, "host", "", "busy_percent").is_empty());
        }
    }

    #[test]
    fn a_failed_trial_has_no_timeline() {
        let failed = fixture::failed(fixture::configuration("virtio", 2));
        assert_eq!(timeline(&failed, &fixture::timing(), 1000), []);
    }
}
