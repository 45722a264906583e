//! CPU times on a Xen host: dom0's `/proc` shows neither the guests' nor the hypervisor's, so libvirt is asked for them, here or over
//! SSH, beside the sampler of dom0's own counters.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::error::ProbeError;
use super::sampler::pause;
use crate::clock::wall_clock;
use crate::libvirt::Hypervisor;
use crate::raw::{CpuTimes, HostSample};

/// The name of dom0 among the guests.
const DOM0: &str = "Domain-0";

/// For the last answer of libvirt's.
const LIMIT: Duration = Duration::from_secs(20);

/// The CPU time of every guest of a host since it started, s, by name, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestTimes {
    /// When, s: this machine's wall clock.
    pub at_s: f64,
    /// The times; dom0 is one of the guests.
    pub cpu_s: BTreeMap<String, f64>,
}

/// Reads the CPU times of guests at every interval: a start/stop pair around one thread. Dropping it ends it.
#[derive(Debug)]
pub struct GuestTimesReader {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<Vec<GuestTimes>, ProbeError>>,
}

impl GuestTimesReader {
    /// Reads once, then at every interval, until it is stopped.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start(hypervisor: Hypervisor, interval: Duration) -> Result<GuestTimesReader, ProbeError> {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let mut readings = vec![read(&hypervisor)?];
            let mut due = Instant::now() + interval;
            while pause(&stopped, due) {
                readings.push(read(&hypervisor)?);
                due = (due + interval).max(Instant::now());
            }
            readings.push(read(&hypervisor)?);
            Ok(readings)
        };
        let thread = std::thread::Builder::new().name("guest-times".into()).spawn(work);
        let thread = thread.map_err(|source| ProbeError::Read { what: "a thread".into(), source })?;
        Ok(GuestTimesReader { stop, thread })
    }

    /// Reads once more and returns all readings, in the order taken.
    ///
    /// # Errors
    /// If libvirt did not answer at some time since the start.
    pub async fn stop(self) -> Result<Vec<GuestTimes>, ProbeError> {
        drop(self.stop);
        let joined = timeout(LIMIT, tokio::task::spawn_blocking(|| self.thread.join()));
        let joined = joined.await.ok().and_then(Result::ok).and_then(Result::ok);
        joined.ok_or(ProbeError::Broken)?
    }
}

/// libvirt may take its time to answer: the times are those of the middle.
fn read(hypervisor: &Hypervisor) -> Result<GuestTimes, ProbeError> {
    let before_s = wall_clock();
    let cpu_s = hypervisor.cpu_times().map_err(|error| ProbeError::Read {
        what: "the CPU times of the guests".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(GuestTimes { at_s: (before_s + wall_clock()) / 2.0, cpu_s })
}

/// Makes dom0's samples those of the whole Xen host with so many CPUs: what Linux says of CPUs is dom0's alone. `guests` are the names
/// of the targets' guests, in their order; samples and readings have one clock. Between two readings a guest is taken to have run evenly.
///
/// # Errors
/// [`ProbeError::DomainGone`] if a reading lacks one of the guests.
pub fn complete(
    samples: &mut [HostSample],
    readings: &[GuestTimes],
    cpus: u32,
    guests: &[String],
) -> Result<(), ProbeError> {
    for (target, name) in guests.iter().enumerate() {
        if readings.iter().any(|reading| !reading.cpu_s.contains_key(name)) {
            return Err(ProbeError::DomainGone { target, name: name.clone() });
        }
    }
    let all = |times: &BTreeMap<String, f64>| -> f64 {
        times.iter().filter(|(name, _)| *name != DOM0).map(|(_, seconds)| seconds).sum()
    };
    let Some(first_s) = samples.first().map(|sample| sample.at_s) else { return Ok(()) };
    let mut first_busy_s = None;
    for sample in samples {
        let user = sample.cpu.user + at(readings, sample.at_s, all);
        let CpuTimes { nice, system, irq, softirq, .. } = sample.cpu;
        let busy_s = user + nice + system + irq + softirq;
        let passed_s = busy_s - *first_busy_s.get_or_insert(busy_s);
        let idle = (f64::from(cpus) * (sample.at_s - first_s) - passed_s).max(0.0);
        // What dom0 had to wait for is no mode of the host's.
        sample.cpu = CpuTimes { user, idle, iowait: 0.0, steal: 0.0, ..sample.cpu };
        for (target, name) in sample.targets.iter_mut().zip(guests) {
            target.vcpu_s = at(readings, sample.at_s, |times| times.get(name).copied().unwrap_or_default());
        }
        sample.cpus.clear();
        (sample.pressure_s, sample.interrupts, sample.context_switches) = (None, None, None);
    }
    Ok(())
}

/// A value at a moment, from the readings before and after it; beyond them that of the nearest.
fn at(readings: &[GuestTimes], at_s: f64, value: impl Fn(&BTreeMap<String, f64>) -> f64) -> f64 {
    let after = readings.partition_point(|reading| reading.at_s < at_s);
    let known = |index: usize| readings.get(index).map(|reading| (reading.at_s, value(&reading.cpu_s)));
    match (after.checked_sub(1).and_then(known), known(after)) {
        (Some((from_s, from)), Some((to_s, to))) => from + (to - from) * (at_s - from_s) / (to_s - from_s),
        (Some((_, nearest)), None) | (None, Some((_, nearest))) => nearest,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::TargetCounters;

    fn reading(at_s: f64, dom0: f64, a: f64, b: f64) -> GuestTimes {
        let cpu_s = [(DOM0, dom0), ("a", a), ("b", b)].map(|(name, seconds)| (name.to_owned(), seconds));
        GuestTimes { at_s, cpu_s: BTreeMap::from(cpu_s) }
    }

    fn sample(at_s: f64, user: f64, system: f64) -> HostSample {
        HostSample {
            at_s,
            cpu: CpuTimes { user, system, idle: 50.0, iowait: 1.0, steal: 9.0, ..CpuTimes::default() },
            pressure_s: Some(1.0),
            interrupts: Some(7),
            context_switches: Some(8),
            orchestrator_s: 0.0,
            cpus: Vec::new(),
            targets: vec![TargetCounters::default()],
        }
    }

    #[test]
    fn guests_are_user_time_of_the_host_and_dom0_waits_for_nobody() {
        let mut samples = vec![sample(101.0, 1.0, 2.0), sample(103.0, 1.5, 2.5)];
        let readings = [reading(100.0, 3.0, 10.0, 20.0), reading(104.0, 4.0, 12.0, 20.0)];
        complete(&mut samples, &readings, 2, &["a".to_owned()]).unwrap();
        let figures = |sample: &HostSample| (sample.cpu.user, sample.cpu.idle, sample.targets[0].vcpu_s);
        let found: Vec<_> = samples.iter().map(figures).collect();
        // In two seconds of two CPUs one second of the guests and one of dom0.
        assert_eq!(found, [(31.5, 0.0, 10.5), (33.0, 2.0, 11.5)]);
        let last = &samples[1];
        assert_eq!((last.cpu.steal, last.cpu.iowait), (0.0, 0.0));
        assert_eq!((last.pressure_s, last.interrupts), (None, None));
    }

    #[test]
    fn a_guest_that_a_reading_lacks_is_named_and_moments_beyond_the_readings_have_the_nearest() {
        let mut samples = vec![sample(99.0, 1.0, 2.0), sample(105.0, 1.0, 2.0)];
        let readings = [reading(100.0, 0.0, 10.0, 0.0), reading(104.0, 0.0, 12.0, 0.0)];
        let gone = complete(&mut samples, &readings, 2, &["c".to_owned()]).unwrap_err();
        assert!(matches!(gone, ProbeError::DomainGone { target: 0, name } if name == "c"));
        complete(&mut samples, &readings, 2, &["a".to_owned()]).unwrap();
        assert_eq!([samples[0].targets[0].vcpu_s, samples[1].targets[0].vcpu_s], [10.0, 12.0]);
    }
}
