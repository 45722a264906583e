//! The output of the sampling script on a remote host -> the host's counters. Pure.

use std::collections::BTreeMap;

use super::proc::{self, ClassTimes, InterfaceCounters, ThreadClass};
use crate::raw::{CpuTimes, HostSample, OneCpu};

/// The last line of a sample begins so.
pub const END: &str = "== end ";

/// One sample as it was printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrintedSample {
    started_s: f64,
    ended_s: f64,
    cpu: CpuTimes,
    cpus: Vec<OneCpu>,
    interrupts: Option<u64>,
    context_switches: Option<u64>,
    own_ns: u64,
    pressure_s: Option<f64>,
    /// By target.
    tasks: Vec<Vec<TaskReading>>,
    /// By target: pressure of its control group, s.
    target_pressure_s: Vec<Option<f64>>,
    /// By target: whether its QEMU runs.
    pub alive: Vec<bool>,
    interfaces: BTreeMap<String, InterfaceCounters>,
}

#[derive(Clone, Debug, PartialEq)]
struct TaskReading {
    tid: i32,
    class: ThreadClass,
    run_ns: u64,
    wait_ns: u64,
}

/// Parses the text of one sample; `None` if something is missing.
pub fn parse(text: &str) -> Option<PrintedSample> {
    let mut printed = PrintedSample::default();
    let (own, files) = text.split_once("== files\n")?;
    for line in own.lines() {
        printed.parse_line(line)?;
    }
    let (files, time) = files.split_once(END)?;
    printed.ended_s = time.trim_end().parse().ok()?;
    printed.cpu = proc::cpu_times(files, proc::USER_HZ)?;
    printed.cpus = proc::each_cpu(files, proc::USER_HZ);
    (printed.interrupts, printed.context_switches) =
        (proc::counter(files, "intr"), proc::counter(files, "ctxt"));
    printed.interfaces =
        proc::interfaces(files).map(|(name, counters)| (name.to_owned(), counters)).collect();
    Some(printed)
}

impl PrintedSample {
    /// Parses a line before the files.
    fn parse_line(&mut self, line: &str) -> Option<()> {
        if let Some(time) = line.strip_prefix("== sample ") {
            self.started_s = time.parse().ok()?;
        } else if let Some(own) = line.strip_prefix("== own ") {
            self.own_ns = own.parse().ok()?;
        } else if let Some(pressure) = line.strip_prefix("== pressure ") {
            self.pressure_s = proc::pressure_s(pressure);
        } else if let Some(pressure) = line.strip_prefix("== waited ") {
            *self.target_pressure_s.last_mut()? = proc::pressure_s(pressure);
        } else if let Some(target) = line.strip_prefix("== target ") {
            let state = target.split_once(' ')?.1;
            self.alive.push(!["-", "Z", "X"].contains(&state));
            self.tasks.push(Vec::new());
            self.target_pressure_s.push(None);
        } else {
            self.tasks.last_mut()?.push(task(line)?);
        }
        Some(())
    }
}

fn task(line: &str) -> Option<TaskReading> {
    let mut words = line.splitn(4, ' ');
    let mut number = || words.next()?.parse().ok();
    let (tid, run_ns, wait_ns): (u64, u64, u64) = (number()?, number()?, number()?);
    Some(TaskReading { tid: tid as i32, class: ThreadClass::from_comm(words.next()?), run_ns, wait_ns })
}

/// The threads of each target over all samples: totals never go backwards, because a thread that ended keeps its last reading.
#[derive(Clone, Debug, Default)]
pub struct ThreadTotals {
    /// By target.
    tasks: Vec<BTreeMap<i32, TaskReading>>,
}

impl ThreadTotals {
    /// The host's counters in one sample; `interfaces` has for each target its interface, and whether what that receives goes
    /// to the target.
    ///
    /// # Errors
    /// The number, from 0, of a target whose interface is missing.
    pub fn sample(
        &mut self,
        printed: &PrintedSample,
        interfaces: &[(Option<String>, bool)],
    ) -> Result<HostSample, usize> {
        self.tasks.resize_with(interfaces.len(), BTreeMap::new);
        for (known, now) in self.tasks.iter_mut().zip(&printed.tasks) {
            known.extend(now.iter().map(|task| (task.tid, task.clone())));
        }
        let counters = |(target, (interface, invert)): (usize, &(Option<String>, bool))| {
            let net = match interface {
                None => InterfaceCounters::default(),
                Some(name) => *printed.interfaces.get(name).ok_or(target)?,
            };
            let pressure_s = printed.target_pressure_s.get(target).copied().flatten();
            Ok(proc::target_counters(|class| self.times(target, class), net, *invert, pressure_s))
        };
        let targets = interfaces.iter().enumerate().map(counters).collect::<Result<Vec<_>, usize>>()?;
        Ok(HostSample {
            at_s: (printed.started_s + printed.ended_s) / 2.0,
            cpu: printed.cpu,
            orchestrator_s: printed.own_ns as f64 / 1e9,
            pressure_s: printed.pressure_s,
            cpus: printed.cpus.clone(),
            interrupts: printed.interrupts,
            context_switches: printed.context_switches,
            targets,
        })
    }

    fn times(&self, target: usize, class: ThreadClass) -> ClassTimes {
        let tasks = || self.tasks[target].values().filter(|task| task.class == class);
        let sum = |ns: fn(&TaskReading) -> u64| tasks().map(ns).fold(0, u64::saturating_add); // another machine prints what it likes
        ClassTimes::from_ns(sum(|task| task.run_ns), sum(|task| task.wait_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::TargetCounters;
    use proptest::prelude::*;

    /// Two samples of a real host with two guests; the third target is bare metal.
    const REAL: &str = include_str!("../../tests/fixtures/proc/remote_samples");

    fn real() -> Vec<PrintedSample> {
        let samples = REAL.split_inclusive("== end ").collect::<Vec<_>>();
        let ends = samples[1..].iter().map(|rest| rest.split('\n').next().unwrap());
        let whole = samples.iter().zip(ends).map(|(sample, end)| {
            let start = sample.find("== sample").unwrap();
            format!("{}{end}\n", &sample[start..])
        });
        whole.map(|text| parse(&text).unwrap()).collect()
    }

    fn watches() -> [(Option<String>, bool); 3] {
        [(Some("kf-iyv4hn-t1".into()), false), (Some("kf-iyv4hn-t2".into()), true), (None, false)]
    }

    #[test]
    fn real_samples_become_counters_of_each_guest() {
        let samples = real();
        assert_eq!(samples.len(), 2);
        assert_eq!(samples[0].alive, [true, true, false]);
        let mut memory = ThreadTotals::default();
        let [first, second] = [0, 1].map(|n| memory.sample(&samples[n], &watches()).unwrap());
        assert!(second.at_s > first.at_s && second.cpu.user >= first.cpu.user);
        assert!(first.targets[0].vcpu_s > 3.0 && first.targets[0].emulator_s > 0.1, "{:?}", first.targets[0]);
        assert!(first.targets[0].vcpu_delay_s > 1.0 && first.targets[0].vhost_s == 0.0);
        let [tap, inverted] = [0, 1].map(|n| first.targets[n]);
        assert_eq!((tap.from_target_packets, tap.to_target_packets), (37_203, 37_218));
        assert_eq!((inverted.from_target_packets, inverted.to_target_packets), (27_973, 27_958));
        assert_eq!(first.targets[2], TargetCounters::default());
        assert_eq!([tap, inverted].map(|target| target.pressure_s), [Some(20.899775), Some(18.622214)]);
    }

    #[test]
    fn single_cpus_context_switches_and_interrupts_come_from_the_files() {
        let sample = ThreadTotals::default().sample(&real()[0], &watches()).unwrap();
        assert_eq!(
            sample.cpus.iter().map(|cpu| (cpu.busy, cpu.softirq)).collect::<Vec<_>>(),
            [(23_537.45, 612.33), (25_012.65, 618.55)]
        );
        assert_eq!((sample.context_switches, sample.interrupts), (Some(606_089_075), Some(131_140_438)));
    }

    #[test]
    fn a_thread_that_ended_keeps_its_last_reading() {
        let mut samples = real();
        samples[1].tasks[0].retain(|task| task.class != ThreadClass::Vcpu);
        let mut memory = ThreadTotals::default();
        let [first, second] = [0, 1].map(|n| memory.sample(&samples[n], &watches()).unwrap());
        assert_eq!(first.targets[0].vcpu_s, second.targets[0].vcpu_s);
    }

    #[test]
    fn a_missing_interface_is_reported_by_its_target() {
        let watches = [(None, false), (Some("kf-gone".into()), false), (None, false)];
        assert_eq!(ThreadTotals::default().sample(&real()[0], &watches), Err(1));
    }

    proptest! {
        #[test]
        fn a_sample_cut_anywhere_or_any_text_is_read_without_panic(cut in 0..REAL.len(), text in ".{0,80}\n.{0,80}") {
            parse(&REAL[..cut]);
            parse(&text);
            prop_assert!(parse(&REAL[..cut.min(REAL.find(END).unwrap())]).is_none());
        }
    }
}
