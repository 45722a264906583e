//! Trials for tests: steady flows, counters that agree with them, and knobs to break one thing at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::backend::Backend;
use crate::profile::PingSettings;
use crate::profile::groups::{CpuSettings, Members};
use crate::profile::{Configuration, Role, Test, Timing};
use crate::raw::{
    Accel, Check, CpuTimes, FORMAT, Failure, HostSample, InterimResult, OneCpu, RawFlow, RawGuest, RawTrial,
    RoundTrip, Stage, TargetCounters,
};

/// When the flows of every fixture start, s.
pub const START: f64 = 1_000_000.0;
/// How long they run, s.
const RUN: u32 = 14;
/// CPUs of the host.
const HOST_CPUS: u32 = 4;

/// Warm-up 2 s, window 10 s, cool-down 1 s, five repeats.
pub fn timing() -> Timing {
    Timing {
        warmup: Duration::from_secs(2),
        window: Duration::from_secs(10),
        cooldown: Duration::from_secs(1),
        interval: Duration::from_millis(500),
        repeats: 5,
        precision: None,
    }
}

/// TCP_RR 1/1 with eight flows.
pub fn configuration(backend: &str, vms: u32) -> Configuration {
    Configuration { backend: backend.parse::<Backend>().unwrap(), vms, flows: 8, ..Configuration::default() }
}

/// A steady flow with its final result.
pub fn flow(flow: u32, guest: u32, rate: f64) -> RawFlow {
    let ends = (1..=2 * RUN).map(|half| START + f64::from(half) / 2.0);
    RawFlow {
        flow,
        guest,
        intervals: ends.map(|end_s| InterimResult { end_s, length_s: 0.5, rate }).collect(),
        result: result(rate),
        exit_code: Some(0),
        messages: String::new(),
        round_trips: vec![],
    }
}

fn result(rate: f64) -> BTreeMap<String, String> {
    let mean = 1e6 / rate.max(1.0);
    let pairs = [
        ("THROUGHPUT", rate * 1.5),
        ("MIN_LATENCY", mean * 0.5),
        ("MEAN_LATENCY", mean),
        ("P50_LATENCY", mean * 0.9),
        ("P90_LATENCY", mean * 1.5),
        ("P99_LATENCY", mean * 2.0),
        ("MAX_LATENCY", mean * 10.0),
        ("STDDEV_LATENCY", mean * 0.2),
        ("LOCAL_TRANSPORT_RETRANS", 1.0),
        ("REMOTE_TRANSPORT_RETRANS", 2.0),
    ];
    pairs.map(|(key, value)| (key.to_string(), value.to_string())).into()
}

/// A trial whose targets get the given rates, each divided evenly over the target's flows.
pub fn trial(configuration: Configuration, rates: &[f64]) -> RawTrial {
    let first = u32::from(configuration.vms > 0);
    let rates = &rates[..rates.len().min(configuration.vms.max(1) as usize)];
    let per_target = configuration.flows_per_target();
    let flows = (0..configuration.flows).map(|index| {
        let target = index / per_target;
        flow(index + 1, first + target, rates[target as usize] / f64::from(per_target))
    });
    RawTrial {
        format: FORMAT,
        trial: 1,
        repeat: 1,
        attempt: 1,
        machine: 0,
        accel: Accel::Tcg,
        started_s: START - 5.0,
        moved_s: Some(START - 4.0),
        merging: None,
        ended_s: START + f64::from(RUN) + 1.0,
        failure: None,
        groups: vec![],
        flows: flows.collect(),
        background: vec![],
        host: (0..=RUN + 2).map(|second| host_sample(f64::from(second), rates, first)).collect(),
        snapshots: Vec::new(),
        hiccups: None,
        host_cpus: HOST_CPUS,
        online_cpus: Default::default(),
        guests: (1..=configuration.vms).map(guest).collect(),
        checks: vec![],
        configuration,
    }
}

/// Half of the host busy, its first CPU most; each guest uses 20 % of a CPU plus 1 % per 100 transactions/s.
fn host_sample(second: f64, rates: &[f64], first: u32) -> HostSample {
    let cpu = CpuTimes {
        user: second,
        system: 0.6 * second,
        softirq: 0.4 * second,
        idle: 1.9 * second,
        iowait: 0.1 * second,
        ..CpuTimes::default()
    };
    let targets = rates.iter().map(|rate| {
        let packets = (rate * (second - 1.0).clamp(0.0, f64::from(RUN))) as u64; // while the flows run
        let guest = f64::from(first) * second;
        TargetCounters {
            vcpu_s: guest * (0.1 + rate / 1e4),
            vcpu_delay_s: guest * 0.05,
            emulator_s: guest * 0.06,
            emulator_delay_s: guest * 0.02,
            vhost_s: guest * 0.04,
            vhost_delay_s: guest * 0.01,
            pressure_s: (first > 0).then_some(guest * 0.3),
            from_target_packets: packets,
            to_target_packets: packets,
            from_target_bytes: 67 * packets,
            to_target_bytes: 67 * packets,
        }
    });
    HostSample {
        at_s: START - 1.0 + second,
        cpu,
        orchestrator_s: 0.02 * second,
        pressure_s: None,
        cpus: [0.9, 0.5, 0.5, 0.1].map(|busy| one_cpu(second, busy)).into(),
        interrupts: Some((1000.0 * second) as u64),
        context_switches: Some((500.0 * second) as u64),
        targets: targets.collect(),
    }
}

/// A CPU that was busy for a part of the time: four ninths of that with soft interrupts, one ninth with interrupts.
fn one_cpu(second: f64, busy: f64) -> OneCpu {
    let busy = busy * second;
    OneCpu { all: second, busy, softirq: busy * 4.0 / 9.0, irq: busy / 9.0 }
}

fn guest(number: u32) -> RawGuest {
    let after = CpuTimes { user: 4.0, system: 3.0, steal: 1.0, idle: 8.0, ..CpuTimes::default() };
    RawGuest {
        inside: vec![(START - 1.0, CpuTimes::default()), (START + 15.0, after)],
        qemu_pid: Some(1000 + number as i32),
        ..RawGuest::new(number, &format!("kf-test-{number}"))
    }
}

/// A trial of pings, one for each guest, every 25 ms, with these round trips by guest and number, µs; `None` is lost.
pub fn pings(guests: u32, rtt_us: impl Fn(u32, u64) -> Option<f64>) -> RawTrial {
    let ping = PingSettings { interval_ms: 25, ..PingSettings::default() };
    let configuration =
        Configuration { test: Test::PING, flows: guests, ping, ..configuration("virtio", guests) };
    let mut raw = trial(configuration, &vec![40.0; guests as usize]);
    let sent = 40 * u64::from(RUN);
    for (flow, guest) in raw.flows.iter_mut().zip(1..) {
        let answered = |number: u64| {
            let rtt_us = rtt_us(guest, number)?;
            let answered_s = START + 0.001 + 0.025 * (number - 1) as f64 + rtt_us / 1e6;
            Some(RoundTrip { sequence: number, answered_s, rtt_us })
        };
        flow.round_trips = (1..=sent).filter_map(answered).collect();
        flow.result = [("TRANSMITTED", sent), ("RECEIVED", flow.round_trips.len() as u64)]
            .map(|(key, count)| (key.to_owned(), count.to_string()))
            .into();
    }
    raw
}

/// Makes it a trial under KVM whose guests left it so often, 1/s each.
pub fn exits(raw: &mut RawTrial, per_s: &[(&str, u64)]) {
    let counters =
        |seconds: u64| per_s.iter().map(|(name, count)| (name.to_string(), seconds * count)).collect();
    raw.accel = Accel::Kvm;
    for guest in raw.guests.iter_mut().filter(|_| !per_s.is_empty()) {
        guest.exits = vec![(START + 2.0, counters(5)), (START + 12.0, counters(15))];
    }
}

/// A flow completes nothing between two moments after its start, s; what the host counted agrees.
pub fn stall(raw: &mut RawTrial, flow: u32, from_s: f64, to_s: f64) {
    let Some(flow) = raw.flows.iter_mut().find(|own| own.flow == flow) else { return };
    let is_within =
        |i: &&mut InterimResult| i.end_s > START + from_s + 1e-9 && i.end_s <= START + to_s + 1e-9;
    let mut missing = 0.0;
    for interval in flow.intervals.iter_mut().filter(is_within) {
        missing += interval.rate * interval.length_s;
        interval.rate = 0.0;
    }
    let target = flow.guest.max(1) as usize - 1;
    for sample in &mut raw.host {
        let part = ((sample.at_s - START - from_s) / (to_s - from_s)).clamp(0.0, 1.0);
        let counters = &mut sample.targets[target];
        let missing = (missing * part) as u64;
        counters.from_target_packets = counters.from_target_packets.saturating_sub(missing);
        counters.to_target_packets = counters.to_target_packets.saturating_sub(missing);
    }
}

/// The same of all flows of a guest.
pub fn starve(raw: &mut RawTrial, guest: u32, from_s: f64, to_s: f64) {
    let flows: Vec<u32> = raw.flows.iter().filter(|flow| flow.guest == guest).map(|flow| flow.flow).collect();
    flows.into_iter().for_each(|flow| stall(raw, flow, from_s, to_s));
}

/// The same trial as repeat `repeat`.
pub fn numbered(mut raw: RawTrial, trial: u32, repeat: u32) -> RawTrial {
    raw.trial = trial;
    raw.repeat = repeat;
    raw
}

/// A group of measured guests without settings.
pub fn members(name: &str, first: u32, guests: u32) -> Members {
    Members {
        name: name.into(),
        first,
        guests,
        role: Role::Measured,
        cpu: CpuSettings::default(),
        bandwidth_bps: None,
        rate_bps: None,
        cgroup: false,
    }
}

/// A trial that broke while booting.
pub fn failed(configuration: Configuration) -> RawTrial {
    let cause = "guest 2 did not answer within 120 s".to_string();
    let failure = Some(Failure { stage: Stage::Provision, cause });
    RawTrial { failure, flows: vec![], host: vec![], guests: vec![], ..trial(configuration, &[1.0; 64]) }
}

/// A trial whose backend was not the one asked for.
pub fn wrong_driver(configuration: Configuration) -> RawTrial {
    let check = Check {
        what: "guest 1: driver of the test NIC".into(),
        expected: "virtio_net".into(),
        found: "e1000".into(),
    };
    RawTrial { checks: vec![check], ..trial(configuration, &[1000.0; 64]) }
}
