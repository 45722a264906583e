//! The host's counters over a slice of time: readings interpolated at its ends, found once for all counters.

use super::host::{busy, idle};
use crate::raw::{CpuTimes, HostSample, OneCpu, TargetCounters};

/// A slice of time and what the host's samples say of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'a> {
    before: Reading<'a>,
    after: Reading<'a>,
    length_s: f64,
}

/// A moment between two samples.
#[derive(Clone, Copy, Debug)]
struct Reading<'a> {
    earlier: &'a HostSample,
    later: &'a HostSample,
    /// How far it is from the earlier to the later, 0 to 1.
    part: f64,
}

impl Reading<'_> {
    /// `None` outside the samples, which are in the order of time.
    fn at(samples: &[HostSample], at_s: f64) -> Option<Reading<'_>> {
        let next = samples.partition_point(|sample| sample.at_s < at_s);
        let later = samples.get(next)?;
        let earlier =
            if next == 0 { Some(later).filter(|first| first.at_s == at_s)? } else { &samples[next - 1] };
        let length_s = later.at_s - earlier.at_s;
        let part = if length_s > 0.0 { (at_s - earlier.at_s) / length_s } else { 0.0 };
        Some(Reading { earlier, later, part })
    }

    fn value(&self, counter: impl Fn(&HostSample) -> Option<f64>) -> Option<f64> {
        let (earlier, later) = (counter(self.earlier)?, counter(self.later)?);
        Some(earlier + (later - earlier) * self.part)
    }
}

impl Span<'_> {
    /// The slice from `start_s` to `end_s`; `None` where the samples do not cover it.
    pub fn between(samples: &[HostSample], start_s: f64, end_s: f64) -> Option<Span<'_>> {
        let (before, after) = (Reading::at(samples, start_s)?, Reading::at(samples, end_s)?);
        Some(Span { before, after, length_s: end_s - start_s })
    }

    /// What a counter gained; `None` where it is unknown or ran backwards.
    fn gained(&self, counter: impl Fn(&HostSample) -> Option<f64>) -> Option<f64> {
        let gained = self.after.value(&counter)? - self.before.value(&counter)?;
        (gained >= 0.0).then_some(gained)
    }

    /// The same of one target, 1/s.
    fn target_per_s(&self, target: usize, counter: fn(&TargetCounters) -> f64) -> Option<f64> {
        Some(self.gained(|sample| sample.targets.get(target).map(counter))? / self.length_s)
    }

    /// A counter of the host that not every sample has, 1/s.
    fn per_s(&self, counter: fn(&HostSample) -> Option<u64>) -> Option<f64> {
        Some(self.gained(|sample| counter(sample).map(|count| count as f64))? / self.length_s)
    }

    /// A part of the time of the CPU at an index, %.
    fn percent_of_cpu(&self, cpu: usize, part: fn(&OneCpu) -> f64) -> Option<f64> {
        let of = |part: fn(&OneCpu) -> f64| self.gained(|sample| sample.cpus.get(cpu).map(part));
        let all = of(|cpu| cpu.all).filter(|all| *all > 0.0)?;
        Some((100.0 * of(part)? / all).min(100.0))
    }

    /// Idle time of all CPUs together, and all their time, s.
    pub fn idle_of_all_s(&self) -> Option<(f64, f64)> {
        let all = self.gained(|sample| Some(all_s(&sample.cpu)))?;
        Some((self.gained(|sample| Some(idle(&sample.cpu)))?, all))
    }

    /// Context switches of the host, 1/s.
    pub fn context_switches_per_s(&self) -> Option<f64> {
        self.per_s(|sample| sample.context_switches)
    }

    /// Interrupts of the host, 1/s.
    pub fn interrupts_per_s(&self) -> Option<f64> {
        self.per_s(|sample| sample.interrupts)
    }

    /// Time in which something of a target's control group waited for a CPU (PSI, `some`), %.
    pub fn pressure_percent(&self, target: usize) -> Option<f64> {
        let waited_s = self.gained(|sample| sample.targets.get(target)?.pressure_s)?;
        Some(100.0 * waited_s / self.length_s)
    }

    fn percent_of_cpus(&self, part: fn(&HostSample) -> f64) -> Option<f64> {
        let all = self.gained(|sample| Some(all_s(&sample.cpu)))?;
        let part = self.gained(|sample| Some(part(sample)))?;
        (all > 0.0).then(|| 100.0 * part / all)
    }

    /// Part of the time in which threads could run that they waited, 0 to 1; `None` if they did neither.
    fn wait_ratio(
        &self,
        target: usize,
        run: fn(&TargetCounters) -> f64,
        wait: fn(&TargetCounters) -> f64,
    ) -> Option<f64> {
        let (run, wait) = (self.target_per_s(target, run)?, self.target_per_s(target, wait)?);
        (run + wait > 0.0).then(|| wait / (run + wait))
    }
}

fn all_s(cpu: &CpuTimes) -> f64 {
    busy(cpu) + idle(cpu) + cpu.steal
}

/// A figure of the host, by its name with its unit.
pub(super) type OfHost = (&'static str, fn(&Span) -> Option<f64>);

/// What the host's counters say of itself.
pub(super) const OF_HOST: [OfHost; 7] = [
    ("busy_percent", |span| span.percent_of_cpus(|sample| busy(&sample.cpu))),
    ("softirq_percent", |span| span.percent_of_cpus(|sample| sample.cpu.softirq)),
    ("steal_percent", |span| span.percent_of_cpus(|sample| sample.cpu.steal)),
    ("pressure_percent", |span| Some(100.0 * span.gained(|sample| sample.pressure_s)? / span.length_s)),
    ("interrupts_per_s", |span| span.interrupts_per_s()),
    ("context_switches_per_s", |span| span.context_switches_per_s()),
    ("orchestrator_cpu_percent", |span| {
        Some(100.0 * span.gained(|sample| Some(sample.orchestrator_s))? / span.length_s)
    }),
];

/// A figure of the target, or of the CPU of the host, at an index.
pub(super) type OfOne = (&'static str, fn(&Span, usize) -> Option<f64>);

/// What the host's counters say of the threads of a guest's QEMU and its control group.
pub(super) const OF_GUEST: [OfOne; 8] = [
    ("vcpu_cpu_percent", |span, target| Some(100.0 * span.target_per_s(target, |t| t.vcpu_s)?)),
    ("emulator_cpu_percent", |span, target| Some(100.0 * span.target_per_s(target, |t| t.emulator_s)?)),
    ("vhost_cpu_percent", |span, target| Some(100.0 * span.target_per_s(target, |t| t.vhost_s)?)),
    ("run_delay_percent", |span, target| Some(100.0 * span.target_per_s(target, |t| t.vcpu_delay_s)?)),
    ("vcpu_wait_ratio", |span, target| span.wait_ratio(target, |t| t.vcpu_s, |t| t.vcpu_delay_s)),
    ("emulator_wait_ratio", |span, target| span.wait_ratio(target, |t| t.emulator_s, |t| t.emulator_delay_s)),
    ("vhost_wait_ratio", |span, target| span.wait_ratio(target, |t| t.vhost_s, |t| t.vhost_delay_s)),
    ("cgroup_pressure_percent", |span, target| span.pressure_percent(target)),
];

/// What they say of each CPU of the host.
pub(super) const OF_CPU: [OfOne; 3] = [
    ("busy_percent", |span, cpu| span.percent_of_cpu(cpu, |cpu| cpu.busy)),
    ("softirq_percent", |span, cpu| span.percent_of_cpu(cpu, |cpu| cpu.softirq)),
    ("irq_percent", |span, cpu| span.percent_of_cpu(cpu, |cpu| cpu.irq)),
];

/// What the host's counters say of the interface to a target; all zero where no packet passes one.
pub(super) const AT_INTERFACE: [OfOne; 2] = [
    ("from_target_packets_per_s", |span, target| span.target_per_s(target, |t| t.from_target_packets as f64)),
    ("to_target_packets_per_s", |span, target| span.target_per_s(target, |t| t.to_target_packets as f64)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    #[test]
    fn a_slice_between_samples_is_interpolated_and_one_beyond_them_is_unknown() {
        let raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        let (first, last) = (raw.host[0].at_s, raw.host[raw.host.len() - 1].at_s);
        let span = Span::between(&raw.host, first + 2.25, first + 2.75).unwrap();
        let of = |name: &str| {
            let all = OF_GUEST.iter().chain(&AT_INTERFACE);
            let (_, figure) = all.into_iter().find(|(other, _)| *other == name).unwrap();
            figure(&span, 1).unwrap()
        };
        assert!((of("vcpu_cpu_percent") - 21.0).abs() < 1e-6);
        assert!((of("vcpu_wait_ratio") - 0.05 / 0.26).abs() < 1e-9);
        assert!((of("vhost_wait_ratio") - 0.2).abs() < 1e-9);
        assert!((of("to_target_packets_per_s") - 1100.0).abs() < 1e-6);
        let host = OF_HOST.map(|(_, figure)| figure(&span));
        assert!((host[0].unwrap() - 50.0).abs() < 1e-6 && host[3].is_none());
        assert!((host[4].unwrap() - 1000.0).abs() < 1e-6 && (host[5].unwrap() - 500.0).abs() < 1e-6);
        let of_cpus = |cpu| OF_CPU.map(|(_, figure)| figure(&span, cpu).map(f64::round));
        assert_eq!(of_cpus(0), [90.0, 40.0, 10.0].map(Some));
        assert_eq!(of_cpus(4), [None; 3]);
        assert!((of("cgroup_pressure_percent") - 30.0).abs() < 1e-6);
        assert!(Span::between(&raw.host, first - 0.1, first + 1.0).is_none());
        assert!(Span::between(&raw.host, last - 1.0, last + 0.1).is_none());
        assert!(Span::between(&raw.host, first, last).is_some());
    }
}
