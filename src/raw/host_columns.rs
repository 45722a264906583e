//! The host's samples as columns: one for each counter of the host, of each CPU and of each target.

use super::columns::{ColumnReader, ColumnWriter};
use super::error::RawFileError;
use super::{CpuTimes, HostSample, OneCpu, TargetCounters};

/// The reals of a target, in the order of their columns; those after them are counters.
const TARGET_REALS: usize = 6;
const TARGET_COUNTERS: usize = 4;
/// Bytes that a CPU, a target and a sample take at least: one for each value.
const LEAST_CPU: usize = 4;
const LEAST_TARGET: usize = TARGET_REALS + TARGET_COUNTERS + 1;
const LEAST_SAMPLE: usize = HOST_REALS + 3 + 2;
/// The reals of a sample that are always there.
const HOST_REALS: usize = 10;

pub(super) fn write_host(columns: &mut ColumnWriter, host: &[HostSample]) {
    columns.count(host.len());
    columns.integers(host.iter().map(|sample| sample.cpus.len() as u64));
    columns.integers(host.iter().map(|sample| sample.targets.len() as u64));
    for place in 0..HOST_REALS {
        columns.reals(host.iter().map(|sample| host_reals(sample)[place]));
    }
    let pressures: Vec<Option<f64>> = host.iter().map(|sample| sample.pressure_s).collect();
    columns.options(&pressures, |columns, values| columns.reals(values));
    for counted in [interrupts, context_switches] {
        let counts: Vec<Option<u64>> = host.iter().map(counted).collect();
        columns.options(&counts, |columns, values| columns.integers(values));
    }
    write_cpus(columns, host);
    write_targets(columns, host);
}

fn interrupts(sample: &HostSample) -> Option<u64> {
    sample.interrupts
}

fn context_switches(sample: &HostSample) -> Option<u64> {
    sample.context_switches
}

fn write_cpus(columns: &mut ColumnWriter, host: &[HostSample]) {
    for cpu in 0..host.iter().map(|sample| sample.cpus.len()).max().unwrap_or(0) {
        for place in 0..4 {
            let present = host.iter().filter_map(|sample| sample.cpus.get(cpu));
            columns.reals(present.map(|cpu| <[f64; 4]>::from(*cpu)[place]));
        }
    }
}

fn write_targets(columns: &mut ColumnWriter, host: &[HostSample]) {
    for target in 0..host.iter().map(|sample| sample.targets.len()).max().unwrap_or(0) {
        let present = || host.iter().filter_map(move |sample| sample.targets.get(target).copied());
        for place in 0..TARGET_REALS {
            columns.reals(present().map(|mut target| *parts(&mut target).0[place]));
        }
        for place in 0..TARGET_COUNTERS {
            columns.integers(present().map(|mut target| *parts(&mut target).1[place]));
        }
        let pressures: Vec<Option<f64>> = present().map(|target| target.pressure_s).collect();
        columns.options(&pressures, |columns, values| columns.reals(values));
    }
}

pub(super) fn read_host(columns: &mut ColumnReader) -> Result<Vec<HostSample>, RawFileError> {
    let count = columns.count(LEAST_SAMPLE)?;
    let cpus = counts(columns, count, LEAST_CPU)?;
    let targets = counts(columns, count, LEAST_TARGET)?;
    let mut reals = Vec::with_capacity(HOST_REALS);
    for _ in 0..HOST_REALS {
        reals.push(columns.reals(count)?);
    }
    let pressures = columns.options(count, ColumnReader::reals)?;
    let interrupts = columns.options(count, ColumnReader::integers)?;
    let context_switches = columns.options(count, ColumnReader::integers)?;
    let sample = |place: usize| HostSample {
        pressure_s: pressures[place],
        interrupts: interrupts[place],
        context_switches: context_switches[place],
        cpus: vec![OneCpu::default(); cpus[place]],
        targets: vec![TargetCounters::default(); targets[place]],
        ..host_sample(std::array::from_fn(|column| reals[column][place]))
    };
    let mut host: Vec<HostSample> = (0..count).map(sample).collect();
    read_cpus(columns, &mut host)?;
    read_targets(columns, &mut host)?;
    Ok(host)
}

/// How many parts each sample has, which take at least so many bytes each.
fn counts(columns: &mut ColumnReader, count: usize, least_bytes: usize) -> Result<Vec<usize>, RawFileError> {
    let counts = columns.integers(count)?;
    let total = counts.iter().try_fold(0u64, |total, count| total.checked_add(*count));
    let fits = total.is_some_and(|total| total <= (columns.rest.len() / least_bytes) as u64);
    if !fits {
        return Err(RawFileError::Damaged("a count exceeds the data"));
    }
    Ok(counts.into_iter().map(|count| count as usize).collect())
}

fn read_cpus(columns: &mut ColumnReader, host: &mut [HostSample]) -> Result<(), RawFileError> {
    for cpu in 0..host.iter().map(|sample| sample.cpus.len()).max().unwrap_or(0) {
        let mut present: Vec<&mut OneCpu> =
            host.iter_mut().filter_map(|sample| sample.cpus.get_mut(cpu)).collect();
        let mut read = || columns.reals(present.len());
        let [all, busy, softirq, irq] = [read()?, read()?, read()?, read()?];
        for (place, cpu) in present.iter_mut().enumerate() {
            **cpu = OneCpu::from([all[place], busy[place], softirq[place], irq[place]]);
        }
    }
    Ok(())
}

fn read_targets(columns: &mut ColumnReader, host: &mut [HostSample]) -> Result<(), RawFileError> {
    for target in 0..host.iter().map(|sample| sample.targets.len()).max().unwrap_or(0) {
        let mut present: Vec<&mut TargetCounters> =
            host.iter_mut().filter_map(|sample| sample.targets.get_mut(target)).collect();
        for place in 0..TARGET_REALS {
            let values = columns.reals(present.len())?;
            present.iter_mut().zip(values).for_each(|(target, value)| *parts(target).0[place] = value);
        }
        for place in 0..TARGET_COUNTERS {
            let values = columns.integers(present.len())?;
            present.iter_mut().zip(values).for_each(|(target, value)| *parts(target).1[place] = value);
        }
        let pressures = columns.options(present.len(), ColumnReader::reals)?;
        present.iter_mut().zip(pressures).for_each(|(target, value)| target.pressure_s = value);
    }
    Ok(())
}

/// What a target's columns are of. Every field is named, so that a new one cannot be forgotten.
fn parts(target: &mut TargetCounters) -> ([&mut f64; TARGET_REALS], [&mut u64; TARGET_COUNTERS]) {
    let TargetCounters {
        vcpu_s,
        vcpu_delay_s,
        emulator_s,
        emulator_delay_s,
        vhost_s,
        vhost_delay_s,
        pressure_s: _,
        from_target_packets,
        to_target_packets,
        from_target_bytes,
        to_target_bytes,
    } = target;
    (
        [vcpu_s, vcpu_delay_s, emulator_s, emulator_delay_s, vhost_s, vhost_delay_s],
        [from_target_packets, to_target_packets, from_target_bytes, to_target_bytes],
    )
}

/// The reals of a sample; [`host_sample`] reads them back.
fn host_reals(sample: &HostSample) -> [f64; HOST_REALS] {
    let CpuTimes { user, nice, system, idle, iowait, irq, softirq, steal } = sample.cpu;
    [sample.at_s, user, nice, system, idle, iowait, irq, softirq, steal, sample.orchestrator_s]
}

/// A sample of these reals, and nothing else.
fn host_sample(reals: [f64; HOST_REALS]) -> HostSample {
    let [at_s, user, nice, system, idle, iowait, irq, softirq, steal, orchestrator_s] = reals;
    HostSample {
        at_s,
        cpu: CpuTimes { user, nice, system, idle, iowait, irq, softirq, steal },
        orchestrator_s,
        pressure_s: None,
        cpus: Vec::new(),
        interrupts: None,
        context_switches: None,
        targets: Vec::new(),
    }
}
