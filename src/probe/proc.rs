//! Texts of `/proc` -> numbers. Pure, and cheap: these run every interval of every trial.
//!
//! Own code rather than the `procfs` crate, which opens the files itself and allocates for each field; the sampler keeps
//! its files open and needs eight numbers of one line.

use crate::raw::{CpuTimes, OneCpu, TargetCounters};

/// `/proc/stat` -> CPU time of all CPUs together, s; `None` if the first line is not the sum.
///
/// `ticks_per_s` is the kernel's `USER_HZ`. Guest time is counted in `user` and `nice` by the kernel, and left there.
pub fn cpu_times(stat: &str, ticks_per_s: f64) -> Option<CpuTimes> {
    let mut ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace();
    let mut next = || Some(ticks.next()?.parse::<u64>().ok()? as f64 / ticks_per_s);
    Some(CpuTimes {
        user: next()?,
        nice: next()?,
        system: next()?,
        idle: next()?,
        iowait: next()?,
        irq: next()?,
        softirq: next()?,
        steal: next()?,
    })
}

/// `USER_HZ`: 100 on every architecture that runs KVM under Linux.
pub const USER_HZ: f64 = 100.0;

/// `/proc/stat` -> CPU time of each CPU that is online, s.
pub fn each_cpu(stat: &str, ticks_per_s: f64) -> Vec<OneCpu> {
    let numbered = stat.lines().skip(1).take_while(|line| line.starts_with("cpu"));
    numbered.filter_map(|line| one_cpu(line, ticks_per_s)).collect()
}

/// Ticks are added before they become seconds: the sums then have two decimals, on disk too.
fn one_cpu(line: &str, ticks_per_s: f64) -> Option<OneCpu> {
    let mut ticks = line.split_ascii_whitespace().skip(1).map(|word| word.parse::<u64>().ok());
    let mut next = || ticks.next()?;
    let [user, nice, system, idle, iowait] = [next()?, next()?, next()?, next()?, next()?];
    let [irq, softirq, steal] = [next()?, next()?, next()?];
    let busy = user + nice + system + irq + softirq;
    let seconds = |ticks: u64| ticks as f64 / ticks_per_s;
    Some(OneCpu {
        all: seconds(busy + idle + iowait + steal),
        busy: seconds(busy),
        softirq: seconds(softirq),
        irq: seconds(irq),
    })
}

/// `/proc/stat` or `/proc/vmstat` -> one of its counters, such as `ctxt`; of `intr` the sum.
pub fn counter(stat: &str, name: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `/proc/stat` -> number of CPUs online.
pub fn online_cpus(stat: &str) -> u32 {
    let numbered = |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| !rest.starts_with(' '));
    stat.lines().take_while(|line| line.starts_with("cpu")).filter(numbered).count() as u32
}

/// `schedstat` of a task -> time on a CPU and time runnable but without one, both ns.
pub fn schedstat(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// What a thread of QEMU does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadClass {
    /// Runs a guest's CPU.
    Vcpu,
    /// Moves packets in the kernel. A thread of QEMU since Linux 6.4, a kernel thread before.
    Vhost,
    /// Everything else: main loop, workers, RCU.
    Emulator,
}

impl ThreadClass {
    /// By the thread's `comm`; vCPUs have a name of their own only with QEMU's `debug-threads=on`, as libvirt sets it.
    pub fn from_comm(comm: &str) -> ThreadClass {
        let comm = comm.trim_end();
        let is_vcpu = |(name, accel): (&str, &str)| {
            let number = name.strip_prefix("CPU ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            (number || name == "ALL CPUs") && !accel.is_empty()
        };
        if comm.split_once('/').is_some_and(is_vcpu) {
            ThreadClass::Vcpu
        } else if comm.starts_with("vhost-") {
            ThreadClass::Vhost
        } else {
            ThreadClass::Emulator
        }
    }
}

/// CPU time of the threads of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassTimes {
    /// On a CPU, s.
    pub run_s: f64,
    /// Runnable, but waiting for a CPU, s.
    pub wait_s: f64,
}

impl ClassTimes {
    /// From nanoseconds.
    pub fn from_ns(run_ns: u64, wait_ns: u64) -> ClassTimes {
        ClassTimes { run_s: run_ns as f64 / 1e9, wait_s: wait_ns as f64 / 1e9 }
    }
}

/// The counters of a target; `invert` if its interface receives what goes *to* the target.
pub fn target_counters(
    times: impl Fn(ThreadClass) -> ClassTimes,
    net: InterfaceCounters,
    invert: bool,
    pressure_s: Option<f64>,
) -> TargetCounters {
    let (vcpu, vhost) = (times(ThreadClass::Vcpu), times(ThreadClass::Vhost));
    let emulator = times(ThreadClass::Emulator);
    let (rx, tx) = ((net.rx_packets, net.rx_bytes), (net.tx_packets, net.tx_bytes));
    let (from, to) = if invert { (tx, rx) } else { (rx, tx) };
    TargetCounters {
        vcpu_s: vcpu.run_s,
        vcpu_delay_s: vcpu.wait_s,
        emulator_s: emulator.run_s,
        emulator_delay_s: emulator.wait_s,
        vhost_s: vhost.run_s,
        vhost_delay_s: vhost.wait_s,
        pressure_s,
        from_target_packets: from.0,
        to_target_packets: to.0,
        from_target_bytes: from.1,
        to_target_bytes: to.1,
    }
}

/// Cumulative counters of one interface, from the side of the kernel that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceCounters {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

/// `/proc/net/dev` -> every interface with its counters; other lines are ignored.
pub fn interfaces(net_dev: &str) -> impl Iterator<Item = (&str, InterfaceCounters)> {
    net_dev.lines().filter_map(|line| {
        let (name, numbers) = line.rsplit_once(':')?;
        Some((name.trim(), interface(numbers)?))
    })
}

fn interface(numbers: &str) -> Option<InterfaceCounters> {
    let mut fields = numbers.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
    let (rx_bytes, rx_packets) = (fields.next()??, fields.next()??);
    let mut sent = fields.skip(6);
    Some(InterfaceCounters { rx_bytes, rx_packets, tx_bytes: sent.next()??, tx_packets: sent.next()?? })
}

/// `total=` of the line `some` of `/proc/pressure/cpu`, s.
pub fn pressure_s(text: &str) -> Option<f64> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    let total = some.split_whitespace().find_map(|word| word.strip_prefix("total="))?;
    Some(total.parse::<u64>().ok()? as f64 / 1e6)
}

/// `/proc/vmstat` -> pages read back from swap, and written to it, since boot.
pub fn swapped(vmstat: &str) -> Option<(u64, u64)> {
    Some((counter(vmstat, "pswpin")?, counter(vmstat, "pswpout")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pressure_of_some_is_read_and_not_of_all() {
        let text = "some avg10=1.00 avg60=0.50 avg300=0.10 total=2500000\nfull avg10=0.00 total=7\n";
        assert_eq!(pressure_s(text), Some(2.5));
        assert_eq!(pressure_s(""), None);
    }
    use proptest::prelude::*;

    const STAT: &str = include_str!("../../tests/fixtures/proc/stat");
    const NET_DEV: &str = include_str!("../../tests/fixtures/proc/net_dev");
    const QEMU_THREADS: &str = include_str!("../../tests/fixtures/proc/qemu_threads");

    #[test]
    fn pages_from_and_to_swap_are_counted_apart() {
        assert_eq!(swapped("pswpin 3\npswpout 5\npswpin_zero 9\n"), Some((3, 5)));
        assert_eq!(swapped("pgfault 1\n"), None);
    }

    #[test]
    fn ticks_become_seconds_of_each_mode() {
        let times = cpu_times("cpu  100 200 300 400 500 600 700 800 90 0\ncpu0 1 2\n", 100.0).unwrap();
        let modes = [times.user, times.nice, times.system, times.idle, times.iowait];
        assert_eq!(modes, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!([times.irq, times.softirq, times.steal], [6.0, 7.0, 8.0]);
    }

    #[test]
    fn the_real_file_of_a_machine_with_two_cpus_is_read() {
        assert!(cpu_times(STAT, 100.0).unwrap().idle > 0.0);
        assert_eq!(online_cpus(STAT), 2);
        let (all, each) = (cpu_times(STAT, 100.0).unwrap(), each_cpu(STAT, 100.0));
        assert_eq!((each.len(), each[0].busy, each[0].softirq, each[0].irq), (2, 334.15, 7.88, 0.0));
        let busy_s = all.user + all.nice + all.system + all.irq + all.softirq;
        assert!((each.iter().map(|cpu| cpu.busy).sum::<f64>() - busy_s).abs() < 0.05);
        let all_s = busy_s + all.idle + all.iowait + all.steal;
        assert!((each.iter().map(|cpu| cpu.all).sum::<f64>() - all_s).abs() < 0.05);
        assert!(counter(STAT, "ctxt") > Some(0) && counter(STAT, "intr") > Some(0));
    }

    #[test]
    fn the_threads_of_a_real_qemu_are_told_apart() {
        let classes: Vec<_> = QEMU_THREADS
            .lines()
            .map(|line| {
                let (_, rest) = line.split_once(" [").unwrap();
                let (comm, times) = rest.split_once("] ").unwrap();
                assert!(schedstat(times).unwrap().0 > 0);
                ThreadClass::from_comm(comm)
            })
            .collect();
        assert_eq!(classes, [ThreadClass::Emulator, ThreadClass::Emulator, ThreadClass::Vcpu]);
    }

    #[test]
    fn names_of_threads_decide_their_class() {
        assert_eq!(ThreadClass::from_comm("CPU 12/KVM\n"), ThreadClass::Vcpu);
        assert_eq!(ThreadClass::from_comm("ALL CPUs/TCG"), ThreadClass::Vcpu);
        assert_eq!(ThreadClass::from_comm("vhost-4711"), ThreadClass::Vhost);
        assert_eq!(ThreadClass::from_comm("CPU 0/"), ThreadClass::Emulator);
        assert_eq!(ThreadClass::from_comm("IO mon_iothread"), ThreadClass::Emulator);
    }

    #[test]
    fn packets_and_bytes_come_from_their_own_columns() {
        let text = "header | of\n face |bytes\n  tap:0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let expected = InterfaceCounters { rx_bytes: 1, rx_packets: 2, tx_bytes: 9, tx_packets: 10 };
        assert_eq!(interfaces(text).collect::<Vec<_>>(), [("tap:0", expected)]);
    }

    #[test]
    fn the_real_file_of_a_namespace_is_read() {
        let found: Vec<_> = interfaces(NET_DEV).collect();
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["lo", "va"]);
        assert!(found[1].1.rx_packets > 0 && found[1].1.tx_bytes > found[1].1.tx_packets);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(cpu[0-9 ]{0,30}|[a-z: 0-9]{0,80}|.|\n){0,20}") {
            cpu_times(&text, 100.0);
            each_cpu(&text, 100.0);
            online_cpus(&text);
            schedstat(&text);
            interfaces(&text).count();
            ThreadClass::from_comm(&text);
        }
    }
}
