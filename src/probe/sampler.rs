//! Reads the host's counters at every interval of a trial: a start/stop pair around one thread of its own.
//!
//! It must cost next to nothing, because it runs on the machine that is measured: files stay open, buffers are reused,
//! lists of threads are refreshed rarely.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

use super::error::ProbeError;
use super::files::OpenFile;
use super::pressure;
use super::proc::{self, InterfaceCounters};
use super::target::TargetWatch;
use super::threads::{self, Threads, Worker};
use crate::clock::wall_clock;
use crate::raw::{HostSample, TargetCounters};

/// Every how many samples the lists of threads are refreshed.
const REFRESH_EVERY: usize = 8;

/// A running sampler. Dropping it ends it.
#[derive(Debug)]
pub struct Sampler {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<Result<Vec<HostSample>, ProbeError>>>,
}

impl Sampler {
    /// Takes a first sample, then one at every interval, until it is stopped.
    ///
    /// # Errors
    /// If a target has no process or interface of that name.
    pub fn start(targets: Vec<TargetWatch>, interval: Duration) -> Result<Sampler, ProbeError> {
        let mut collector = Collector::open(targets)?;
        let mut samples = vec![collector.sample()?];
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let mut due = Instant::now() + interval;
            while pause(&stopped, due) {
                samples.push(collector.sample()?);
                due = (due + interval).max(Instant::now());
            }
            samples.push(collector.last_sample()?);
            Ok(samples)
        };
        let thread = std::thread::Builder::new().name("sampler".into()).spawn(work);
        let thread = thread.map_err(|source| ProbeError::Read { what: "a thread".into(), source })?;
        Ok(Sampler { stop: Some(stop), thread: Some(thread) })
    }

    /// Takes a last sample and returns them all, in the order taken. Takes some milliseconds at most.
    ///
    /// # Errors
    /// If a counter could not be read at some time since the start, or a target is gone.
    pub fn stop(mut self) -> Result<Vec<HostSample>, ProbeError> {
        self.stop = None;
        let thread = self.thread.take().ok_or(ProbeError::Broken)?;
        thread.join().map_err(|_| ProbeError::Broken)?
    }
}

/// Waits until a moment; false if the sampler was stopped (or dropped) before it.
pub(super) fn pause(stopped: &mpsc::Receiver<()>, due: Instant) -> bool {
    let left = due.saturating_duration_since(Instant::now());
    stopped.recv_timeout(left) == Err(RecvTimeoutError::Timeout)
}

/// Open files, reused buffers and the last reading of everything.
struct Collector {
    stat: OpenFile,
    net_dev: OpenFile,
    /// `None` where the kernel has no PSI.
    pressure: Option<OpenFile>,
    ticks_per_s: f64,
    targets: Vec<WatchedTarget>,
    taken: usize,
}

struct WatchedTarget {
    watch: TargetWatch,
    threads: Option<Threads>,
    /// Pressure of its control group; `None` where the kernel has no PSI.
    pressure: Option<OpenFile>,
    pressure_s: Option<f64>,
    interface: Option<InterfaceCounters>,
}

impl Collector {
    fn open(watches: Vec<TargetWatch>) -> Result<Collector, ProbeError> {
        raise_open_files();
        let workers =
            threads::kernel_workers().map_err(|source| ProbeError::Read { what: "/proc".into(), source })?;
        let targets = watches.into_iter().map(|watch| WatchedTarget::open(watch, &workers));
        Ok(Collector {
            stat: OpenFile::open("/proc/stat")?,
            net_dev: OpenFile::open("/proc/self/net/dev")?,
            pressure: OpenFile::open("/proc/pressure/cpu").ok(),
            ticks_per_s: procfs::ticks_per_second() as f64,
            targets: targets.collect::<Result<_, _>>()?,
            taken: 0,
        })
    }

    fn sample(&mut self) -> Result<HostSample, ProbeError> {
        let before = wall_clock();
        let text = self.stat.read_whole()?;
        let cpu = proc::cpu_times(text, self.ticks_per_s).ok_or_else(|| unreadable("/proc/stat"))?;
        let cpus = proc::each_cpu(text, self.ticks_per_s);
        let (interrupts, context_switches) = (proc::counter(text, "intr"), proc::counter(text, "ctxt"));
        let pressure_s = self.pressure.as_mut().and_then(waited_s);
        self.targets.iter_mut().for_each(WatchedTarget::read_pressure);
        self.read_threads();
        self.read_interfaces()?;
        let at_s = (before + wall_clock()) / 2.0;
        self.taken += 1;
        let targets = self.targets.iter().map(WatchedTarget::counters).collect();
        let orchestrator_s = own_cpu_s();
        Ok(HostSample { at_s, cpu, orchestrator_s, pressure_s, cpus, interrupts, context_switches, targets })
    }

    /// A sample after which every QEMU still runs.
    fn last_sample(&mut self) -> Result<HostSample, ProbeError> {
        let sample = self.sample()?;
        match self.targets.iter().enumerate().find(|(_, watched)| !watched.alive()) {
            None => Ok(sample),
            Some((target, watched)) => Err(watched.watch.gone(target, false)),
        }
    }

    fn read_threads(&mut self) {
        let refresh = self.taken.is_multiple_of(REFRESH_EVERY);
        for threads in self.targets.iter_mut().filter_map(|target| target.threads.as_mut()) {
            if refresh {
                let _ = threads.refresh(); // a process that is gone is reported at the end
            }
            threads.read();
        }
    }

    fn read_interfaces(&mut self) -> Result<(), ProbeError> {
        self.targets.iter_mut().for_each(|target| target.interface = None);
        for (name, counters) in proc::interfaces(self.net_dev.read_whole()?) {
            for target in self.targets.iter_mut().filter(|t| t.watch.interface.as_deref() == Some(name)) {
                target.interface = Some(counters);
            }
        }
        let gone = |target: &WatchedTarget| target.watch.interface.is_some() && target.interface.is_none();
        match self.targets.iter().enumerate().find(|(_, target)| gone(target)) {
            None => Ok(()),
            Some((target, watched)) => Err(watched.watch.gone(target, watched.alive())),
        }
    }
}

impl WatchedTarget {
    fn open(watch: TargetWatch, workers: &[Worker]) -> Result<WatchedTarget, ProbeError> {
        let threads = match watch.qemu_pid {
            None => None,
            Some(pid) => Some(Threads::open(pid, workers).map_err(|source| ProbeError::Read {
                what: format!("the threads of process {pid}"),
                source,
            })?),
        };
        let pressure = watch.qemu_pid.and_then(pressure_file);
        Ok(WatchedTarget { watch, threads, pressure, pressure_s: None, interface: None })
    }

    fn read_pressure(&mut self) {
        self.pressure_s = self.pressure.as_mut().and_then(waited_s);
    }

    /// Whether its QEMU still runs; true if it has none.
    fn alive(&self) -> bool {
        self.threads.as_ref().is_none_or(Threads::alive)
    }

    fn counters(&self) -> TargetCounters {
        let times = |class| self.threads.as_ref().map(|t| t.total(class)).unwrap_or_default();
        proc::target_counters(times, self.interface.unwrap_or_default(), self.watch.invert, self.pressure_s)
    }
}

/// The pressure of the control group of a guest.
fn pressure_file(pid: i32) -> Option<OpenFile> {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    pressure::files(&groups).find_map(|file| OpenFile::open(file).ok())
}

fn waited_s(file: &mut OpenFile) -> Option<f64> {
    proc::pressure_s(file.read_first_block().ok()?)
}

fn unreadable(what: &str) -> ProbeError {
    let source = io::Error::new(io::ErrorKind::InvalidData, "unexpected first line");
    ProbeError::Read { what: what.into(), source }
}

/// CPU time of this process, s.
fn own_cpu_s() -> f64 {
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |u| seconds(u.user_time()) + seconds(u.system_time()))
}

/// One file is held open for each thread of each guest: more than the usual 1024 for a hundred guests.
fn raise_open_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(invert: bool) -> TargetWatch {
        TargetWatch { qemu_pid: Some(std::process::id() as i32), interface: Some("lo".into()), invert }
    }

    #[test]
    fn a_first_and_a_last_sample_are_taken_however_short_the_trial() {
        let sampler = Sampler::start(vec![loopback(false)], Duration::from_secs(3600)).unwrap();
        let samples = sampler.stop().unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples[0].at_s <= samples[1].at_s);
        assert!(samples[1].orchestrator_s >= samples[0].orchestrator_s);
        assert!(samples[1].targets[0].emulator_s >= samples[0].targets[0].emulator_s);
        assert!(samples[0].cpus.len() == samples[1].cpus.len() && samples[0].cpus[0].all > 0.0);
        assert!(samples[0].context_switches > Some(0) && samples[0].interrupts > Some(0));
    }

    #[test]
    fn inverting_swaps_the_directions() {
        let (rx, tx) = ((10, 100), (20, 200));
        let net = InterfaceCounters { rx_packets: rx.0, rx_bytes: rx.1, tx_packets: tx.0, tx_bytes: tx.1 };
        let counters = |invert| {
            let watch = TargetWatch { qemu_pid: None, ..loopback(invert) };
            WatchedTarget { watch, threads: None, pressure: None, pressure_s: None, interface: Some(net) }
                .counters()
        };
        assert_eq!((counters(false).from_target_packets, counters(false).to_target_bytes), (10, 200));
        assert_eq!((counters(true).from_target_packets, counters(true).to_target_bytes), (20, 100));
        assert_eq!(counters(true).vcpu_s, 0.0);
    }

    #[test]
    fn a_missing_interface_is_named() {
        let watch = TargetWatch { qemu_pid: None, interface: Some("kf-nowhere".into()), invert: false };
        let error = Sampler::start(vec![loopback(false), watch], Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), "no interface kf-nowhere for target 2");
    }

    #[test]
    fn a_qemu_that_ends_is_an_error_at_stop() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id() as i32;
        let watch = TargetWatch { qemu_pid: Some(pid), ..loopback(false) };
        let sampler = Sampler::start(vec![watch], Duration::from_millis(10)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let error = sampler.stop().unwrap_err();
        assert_eq!(error.to_string(), format!("QEMU (process {pid}) of guest 1 ended during the trial"));
    }
}
