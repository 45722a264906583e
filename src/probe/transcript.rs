//! What the sampler on another machine prints -> the host's counters. Pure.

use std::collections::BTreeMap;

use super::proc::{self, InterfaceCounters, ThreadClass};
use crate::raw::{CpuTimes, HostSample, OneCpu, TargetCounters};

/// `USER_HZ`: 100 on every architecture that Linux runs KVM on.
const TICKS_PER_S: f64 = 100.0;

/// The last line of a sample begins so.
pub const END: &str = "== end ";

/// One sample as it was printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Printed {
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
    /// By target: what its control group waited for, s.
    waited_s: Vec<Option<f64>>,
    /// By target: whether its QEMU lives.
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

/// Understands the text of one sample; `None` if something is missing.
pub fn printed(text: &str) -> Option<Printed> {
    let mut printed = Printed::default();
    let (own, files) = text.split_once("== files\n")?;
    for line in own.lines() {
        printed.note(line)?;
    }
    let (files, time) = files.split_once(END)?;
    printed.ended_s = time.trim_end().parse().ok()?;
    printed.cpu = proc::cpu_times(files, TICKS_PER_S)?;
    printed.cpus = proc::each_cpu(files, TICKS_PER_S);
    (printed.interrupts, printed.context_switches) =
        (proc::counter(files, "intr"), proc::counter(files, "ctxt"));
    printed.interfaces =
        proc::interfaces(files).map(|(name, counters)| (name.to_owned(), counters)).collect();
    Some(printed)
}

impl Printed {
    /// Understands a line before the files.
    fn note(&mut self, line: &str) -> Option<()> {
        if let Some(time) = line.strip_prefix("== sample ") {
            self.started_s = time.parse().ok()?;
        } else if let Some(own) = line.strip_prefix("== own ") {
            self.own_ns = own.parse().ok()?;
        } else if let Some(pressure) = line.strip_prefix("== pressure ") {
            self.pressure_s = proc::pressure_s(pressure);
        } else if let Some(pressure) = line.strip_prefix("== waited ") {
            *self.waited_s.last_mut()? = proc::pressure_s(pressure);
        } else if let Some(target) = line.strip_prefix("== target ") {
            let state = target.split_once(' ')?.1;
            self.alive.push(!["-", "Z", "X"].contains(&state));
            self.tasks.push(Vec::new());
            self.waited_s.push(None);
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

/// The threads of one target over all samples: totals never go backwards, for a thread that ended keeps its last reading.
#[derive(Clone, Debug, Default)]
pub struct ThreadTotals {
    /// By target.
    tasks: Vec<BTreeMap<i32, TaskReading>>,
}

impl ThreadTotals {
    /// The host's counters in one sample; of each target its interface, and whether what that receives goes to the target.
    /// `Err` with the number, from 0, of a target whose interface is not there.
    ///
    /// # Errors
    /// As said.
    pub fn sample(
        &mut self,
        printed: &Printed,
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
            let waited_s = printed.waited_s.get(target).copied().flatten();
            Ok(TargetCounters { pressure_s: waited_s, ..self.counters(target, net, *invert) })
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

    fn counters(&self, target: usize, net: InterfaceCounters, invert: bool) -> TargetCounters {
        let of = |class, value: fn(&TaskReading) -> u64| {
            let tasks = self.tasks[target].values().filter(|task| task.class == class);
            tasks.map(value).sum::<u64>() as f64 / 1e9
        };
        let run = |class| of(class, |task| task.run_ns);
        let wait = |class| of(class, |task| task.wait_ns);
        let (rx, tx) = ((net.rx_packets, net.rx_bytes), (net.tx_packets, net.tx_bytes));
        let (from, to) = if invert { (tx, rx) } else { (rx, tx) };
        TargetCounters {
            vcpu_s: run(ThreadClass::Vcpu),
            vcpu_delay_s: wait(ThreadClass::Vcpu),
            emulator_s: run(ThreadClass::Emulator),
            emulator_delay_s: wait(ThreadClass::Emulator),
            vhost_s: run(ThreadClass::Vhost),
            vhost_delay_s: wait(ThreadClass::Vhost),
            pressure_s: None,
            from_target_packets: from.0,
            to_target_packets: to.0,
            from_target_bytes: from.1,
            to_target_bytes: to.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two samples of a real host with two guests; the third target is bare metal.
    const REAL: &str = include_str!("../../tests/fixtures/proc/remote_samples");

    fn real() -> Vec<Printed> {
        let samples = REAL.split_inclusive("== end ").collect::<Vec<_>>();
        let ends = samples[1..].iter().map(|rest| rest.split('\n').next().unwrap());
        let whole = samples.iter().zip(ends).map(|(sample, end)| {
            let start = sample.find("== sample").unwrap();
            format!("{}{end}\n", &sample[start..])
        });
        whole.map(|text| printed(&text).unwrap()).collect()
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
    fn an_interface_that_is_not_there_is_named_by_its_target() {
        let watches = [(None, false), (Some("kf-gone".into()), false), (None, false)];
        assert_eq!(ThreadTotals::default().sample(&real()[0], &watches), Err(1));
    }

    proptest! {
        #[test]
        fn a_sample_cut_anywhere_or_any_text_is_read_without_panic(cut in 0..REAL.len(), text in ".{0,80}\n.{0,80}") {
            printed(&REAL[..cut]);
            printed(&text);
            prop_assert!(printed(&REAL[..cut.min(REAL.find(END).unwrap())]).is_none());
        }
    }
}
