//! Raw trials that were never measured, with the noise and the digits of real ones.

use std::collections::BTreeMap;

use kvmfair::profile::Configuration;
use kvmfair::raw::{
    Accel, CpuTimes, FORMAT, HostSample, InterimResult, OneCpu, RawFlow, RawGuest, RawTrial, RoundTrip,
    TargetCounters,
};

/// When the first flow starts, s since the epoch.
const START_S: f64 = 1_795_301_400.0;
/// The host's samples begin and end so long before and after the flows, s.
const EDGE_S: f64 = 1.0;

/// How a trial is simulated.
#[derive(Clone, Copy)]
pub struct Shape {
    /// How long its flows run, s.
    pub length_s: f64,
    /// Interval of interim results and samples, s.
    pub interval_s: f64,
    pub host_cpus: u32,
}

/// Noise (xorshift64*): the same for the same seed.
struct Noise(u64);

impl Noise {
    /// From -1 to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A value with a relative deviation of some percent.
    fn around(&mut self, value: f64, percent: f64) -> f64 {
        value * (1.0 + self.next() * percent / 100.0)
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}

/// A trial of this number whose packets agree with its transactions.
pub fn trial(configuration: &Configuration, shape: Shape, trial: u32, repeat: u32) -> RawTrial {
    let mut noise = Noise(u64::from(trial) + 0x9E37_79B9);
    let flows: Vec<RawFlow> =
        (1..=configuration.flows).map(|number| flow(configuration, shape, number, &mut noise)).collect();
    let host = host(configuration, shape, &flows, &mut noise);
    RawTrial {
        format: FORMAT,
        trial,
        repeat,
        attempt: 1,
        machine: 0,
        configuration: configuration.clone(),
        groups: Vec::new(),
        accel: Accel::Kvm,
        started_s: START_S - 5.0,
        moved_s: Some(START_S - 2.0),
        merging: None,
        ended_s: START_S + shape.length_s + 2.0 * EDGE_S,
        failure: None,
        flows,
        background: Vec::new(),
        host,
        host_cpus: shape.host_cpus,
        online_cpus: Default::default(),
        snapshots: Vec::new(),
        hiccups: Some(Vec::new()),
        guests: (1..=configuration.vms).map(|number| guest(number, shape)).collect(),
        checks: Vec::new(),
    }
}

fn flow(configuration: &Configuration, shape: Shape, number: u32, noise: &mut Noise) -> RawFlow {
    let mean = noise.around(9_000.0, 5.0);
    let mut end_s = START_S;
    let interval = |_| {
        let length_s = rounded(noise.around(shape.interval_s, 0.5), 3);
        end_s = rounded(end_s + length_s, 3);
        InterimResult { end_s, length_s, rate: rounded(noise.around(mean, 10.0), 2) }
    };
    let count = (shape.length_s / shape.interval_s) as u32;
    let intervals: Vec<InterimResult> = (0..count).map(interval).collect();
    let latency_us = 1e6 / mean;
    let result = [
        ("THROUGHPUT", format!("{mean:.2}")),
        ("THROUGHPUT_UNITS", "Trans/s".into()),
        ("ELAPSED_TIME", format!("{:.2}", shape.length_s)),
        ("RT_LATENCY", format!("{latency_us:.3}")),
        ("MIN_LATENCY", format!("{:.0}", latency_us * 0.5)),
        ("MEAN_LATENCY", format!("{latency_us:.2}")),
        ("P50_LATENCY", format!("{:.0}", latency_us * 0.9)),
        ("P90_LATENCY", format!("{:.0}", latency_us * 1.5)),
        ("P99_LATENCY", format!("{:.0}", noise.around(latency_us * 3.0, 20.0))),
        ("MAX_LATENCY", format!("{:.0}", noise.around(latency_us * 40.0, 50.0))),
        ("STDDEV_LATENCY", format!("{:.2}", noise.around(latency_us, 20.0))),
        ("LOCAL_TRANSPORT_RETRANS", "0".into()),
        ("REMOTE_TRANSPORT_RETRANS", "0".into()),
    ];
    RawFlow {
        flow: number,
        guest: if configuration.vms == 0 { 0 } else { (number - 1) / configuration.flows_per_target() + 1 },
        intervals,
        result: result.map(|(key, value)| (key.to_owned(), value)).into(),
        exit_code: Some(0),
        messages: String::new(),
        round_trips: if configuration.test.is_ping() {
            round_trips(configuration, shape, noise)
        } else {
            Vec::new()
        },
    }
}

/// An answer to each ping.
fn round_trips(configuration: &Configuration, shape: Shape, noise: &mut Noise) -> Vec<RoundTrip> {
    let interval_s = f64::from(configuration.ping.interval_ms) / 1e3;
    let answer = |sequence: u64| RoundTrip {
        sequence,
        answered_s: rounded(START_S + sequence as f64 * interval_s, 6),
        rtt_us: rounded(noise.around(500.0, 20.0), 0),
    };
    (1..=(shape.length_s / interval_s) as u64).map(answer).collect()
}

/// Samples from before the flows to after them.
fn host(
    configuration: &Configuration,
    shape: Shape,
    flows: &[RawFlow],
    noise: &mut Noise,
) -> Vec<HostSample> {
    let targets = configuration.vms.max(1) as usize;
    let mut sample = HostSample {
        at_s: START_S - EDGE_S + 0.012_345_678,
        cpu: CpuTimes { user: 81_234.56, idle: 912_345.67, ..CpuTimes::default() },
        orchestrator_s: 3.2,
        pressure_s: Some(123.456_789),
        cpus: vec![
            OneCpu { all: 1e6, busy: 123_456.78, softirq: 1_234.5, irq: 0.0 };
            shape.host_cpus as usize
        ],
        interrupts: Some(123_456_789),
        context_switches: Some(987_654_321),
        targets: vec![TargetCounters::default(); targets],
    };
    let mut host = vec![sample.clone()];
    let mut next = vec![0; flows.len()];
    while sample.at_s < START_S + shape.length_s + EDGE_S {
        let passed_s = noise.around(shape.interval_s, 1.0);
        sample.at_s += passed_s;
        advance(&mut sample, passed_s, noise);
        for (flow, next) in flows.iter().zip(&mut next) {
            let target = &mut sample.targets[flow.guest.max(1) as usize - 1];
            while let Some(interval) = flow.intervals.get(*next).filter(|i| i.end_s <= sample.at_s) {
                let packets = (interval.rate * interval.length_s) as u64;
                target.from_target_packets += packets;
                target.to_target_packets += packets;
                target.from_target_bytes += 67 * packets;
                target.to_target_bytes += 67 * packets;
                *next += 1;
            }
        }
        host.push(sample.clone());
    }
    host
}

/// What the CPUs did meanwhile.
fn advance(sample: &mut HostSample, passed_s: f64, noise: &mut Noise) {
    let cpus = sample.cpus.len() as f64;
    let busy = noise.around(0.5, 10.0) * cpus * passed_s;
    sample.cpu.user = rounded(sample.cpu.user + busy, 2);
    sample.cpu.idle = rounded(sample.cpu.idle + cpus * passed_s - busy, 2);
    sample.orchestrator_s = rounded(sample.orchestrator_s + noise.around(0.005, 50.0) * passed_s, 9);
    sample.pressure_s = sample.pressure_s.map(|s| rounded(s + noise.around(0.1, 50.0) * passed_s, 6));
    sample.interrupts = sample.interrupts.map(|n| n + (noise.around(2e5, 10.0) * passed_s) as u64);
    sample.context_switches =
        sample.context_switches.map(|n| n + (noise.around(4e5, 10.0) * passed_s) as u64);
    for cpu in &mut sample.cpus {
        cpu.all = rounded(cpu.all + passed_s, 2);
        cpu.busy = rounded(cpu.busy + noise.around(0.5, 50.0) * passed_s, 2);
        cpu.softirq = rounded(cpu.softirq + noise.around(0.1, 90.0) * passed_s, 2);
    }
    for target in &mut sample.targets {
        let mut add = |value: &mut f64, per_s: f64| {
            *value = rounded(*value + noise.around(per_s, 10.0) * passed_s, 9);
        };
        add(&mut target.vcpu_s, 0.9);
        add(&mut target.vcpu_delay_s, 0.2);
        add(&mut target.emulator_s, 0.01);
        add(&mut target.emulator_delay_s, 0.001);
        add(&mut target.vhost_s, 0.4);
        add(&mut target.vhost_delay_s, 0.05);
    }
}

fn guest(number: u32, shape: Shape) -> RawGuest {
    let exits = |at_s: f64| {
        let reasons = ["exits", "halt_exits", "io_exits", "irq_exits", "mmio_exits", "request_irq_exits"];
        let counted: BTreeMap<String, u64> =
            reasons.iter().map(|reason| ((*reason).to_owned(), (at_s * 12_345.0) as u64)).collect();
        (START_S + at_s, counted)
    };
    let inside =
        |at_s: f64| (START_S + at_s, CpuTimes { user: 0.3 * at_s, idle: 0.7 * at_s, ..CpuTimes::default() });
    RawGuest {
        qemu_pid: Some(10_000 + number as i32),
        inside: vec![inside(1.0), inside(shape.length_s - 1.0)],
        exits: vec![exits(1.0), exits(shape.length_s - 1.0)],
        ..RawGuest::new(number, &format!("kf-abc234-g{number}"))
    }
}
