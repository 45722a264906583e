//! Finished runs without guests: raw trials with planted rates, written as `bench` writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kvmfair::host::Environment;
use kvmfair::plan::{self, Partition, PlannedTrial};
use kvmfair::profile::{Experiment, HostFacts, parse};
use kvmfair::raw::{
    Accel, CpuTimes, FORMAT, HostSample, InterimResult, RawFlow, RawGuest, RawTrial, TargetCounters,
};
use kvmfair::results::RunDir;
use sha2::{Digest, Sha256};

/// When all trials begin, s.
const START_S: f64 = 1_000_000.0;
const INTERVAL_S: f64 = 0.5;

/// A profile of two guests, new in each block, of which raw data are small.
pub const SMALL: &str = "[guest]\nvms = 2\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
    [workload]\nflows = 2\nwarmup = \"1 s\"\nwindow = \"4 s\"\ncooldown = \"500 ms\"\ninterval = \"500 ms\"\nrepeats = 6\n\
    [plan]\nreprovision = \"block\"\n";

/// What is planted in a run.
#[derive(Clone, Copy)]
pub struct Finished<'a> {
    /// Its directory is `<name>-t`.
    pub name: &'a str,
    pub kernel: &'a str,
    /// The part of a partition that it is.
    pub part: Option<&'a str>,
    /// Transactions/s of a guest.
    pub rate: f64,
    /// Noise from block to block, a part.
    pub noise: f64,
    /// Whether its last trial failed.
    pub fails: bool,
}

/// A run of 1,000 transactions/s a guest, all measured, with hardly any noise.
pub const QUIET: Finished =
    Finished { name: "before", kernel: "6.1.0", part: None, rate: 1000.0, noise: 0.001, fails: false };

impl Finished<'_> {
    /// Writes the run of a profile below `base`.
    pub fn write(&self, profile: &Path, base: &Path) -> PathBuf {
        let text = std::fs::read_to_string(profile).unwrap();
        let experiment = parse(&text, profile, HostFacts { memory_mib: 65_536, cpus: 8 }).unwrap();
        let blocks = self.part.map(|part| part.parse::<Partition>().unwrap().blocks(&experiment).unwrap());
        let is_own = |block| blocks.as_ref().is_none_or(|own| own.contains(&block));
        let plan = plan::plan_blocks(&experiment, Accel::Kvm, 8, is_own);
        let dir = RunDir::create(base, self.name, "t").unwrap();
        dir.write("profile.toml", text.as_bytes()).unwrap();
        dir.write_json("experiment.json", &experiment).unwrap();
        dir.write_json("plan.json", &plan).unwrap();
        dir.write_json("environment.json", &self.environment(&experiment, &text)).unwrap();
        for planned in &plan.trials {
            dir.write_trial(&self.trial(planned, &experiment)).unwrap();
        }
        if self.fails {
            let last = plan.trials.last().unwrap();
            let failure =
                serde_json::from_str("{\"stage\":\"provision\",\"cause\":\"guest 2 did not boot\"}");
            let failed = RawTrial { failure: failure.unwrap(), attempt: 2, ..self.trial(last, &experiment) };
            dir.write_trial(&RawTrial { flows: vec![], host: vec![], guests: vec![], ..failed }).unwrap();
        }
        dir.path().to_owned()
    }

    fn environment(&self, experiment: &Experiment, text: &str) -> Environment {
        Environment {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            date: "2026-01-01T00:00:00Z".into(),
            profile: experiment.name.clone(),
            profile_sha256: Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect(),
            cpus: 8,
            kernel: self.kernel.into(),
            ..Environment::default()
        }
    }

    fn trial(&self, planned: &PlannedTrial, experiment: &Experiment) -> RawTrial {
        let PlannedTrial { trial, repeat, configuration, .. } = planned;
        let timing = &experiment.timing;
        let length_s = (timing.warmup + timing.window + timing.cooldown).as_secs_f64() + 1.0;
        let luck = f64::from((repeat * 7 + configuration.vms) % 5) - 2.0;
        let rate = self.rate * (1.0 + self.noise * luck);
        let per_flow = rate / f64::from(configuration.flows_per_target());
        let guest = |number: u32| RawGuest {
            qemu_pid: Some((100 * trial + number) as i32),
            ..RawGuest::new(number, &format!("planted-{number}"))
        };
        let flow =
            |number: u32| flow(number + 1, 1 + number / configuration.flows_per_target(), per_flow, length_s);
        RawTrial {
            format: FORMAT,
            trial: *trial,
            repeat: *repeat,
            attempt: 1,
            machine: 0,
            groups: vec![],
            accel: Accel::Kvm,
            started_s: START_S - 5.0,
            moved_s: None,
            merging: None,
            ended_s: START_S + length_s + 2.0,
            failure: None,
            flows: (0..configuration.flows).map(flow).collect(),
            background: vec![],
            host: (0..=length_s as u32 + 3)
                .map(|second| sample(second, rate, configuration.vms, length_s))
                .collect(),
            host_cpus: 8,
            online_cpus: Default::default(),
            snapshots: vec![],
            hiccups: None,
            guests: (1..=configuration.vms).map(guest).collect(),
            checks: vec![],
            configuration: configuration.clone(),
        }
    }
}

fn flow(number: u32, guest: u32, rate: f64, length_s: f64) -> RawFlow {
    let ends = (1..=(length_s / INTERVAL_S) as u32).map(|interval| f64::from(interval) * INTERVAL_S);
    let mean_us = 1e6 / rate;
    let result = [
        ("THROUGHPUT", rate),
        ("MEAN_LATENCY", mean_us),
        ("P50_LATENCY", mean_us),
        ("P90_LATENCY", 1.5 * mean_us),
        ("P99_LATENCY", 2.0 * mean_us),
        ("MAX_LATENCY", 5.0 * mean_us),
        ("ELAPSED_TIME", length_s),
    ];
    RawFlow {
        flow: number,
        guest,
        intervals: ends
            .map(|at_s| InterimResult { end_s: START_S + at_s, length_s: INTERVAL_S, rate })
            .collect(),
        result: BTreeMap::from(result.map(|(key, value)| (key.to_owned(), value.to_string()))),
        exit_code: Some(0),
        messages: String::new(),
        round_trips: vec![],
    }
}

/// The host, half busy; packets of the guests' work.
fn sample(second: u32, rate: f64, guests: u32, length_s: f64) -> HostSample {
    let second = f64::from(second);
    let packets = (rate * (second - 1.0).clamp(0.0, length_s)) as u64;
    let target = TargetCounters {
        vcpu_s: 0.2 * second,
        from_target_packets: packets,
        to_target_packets: packets,
        from_target_bytes: 67 * packets,
        to_target_bytes: 67 * packets,
        ..TargetCounters::default()
    };
    HostSample {
        at_s: START_S - 1.0 + second,
        cpu: CpuTimes { user: 4.0 * second, idle: 4.0 * second, ..CpuTimes::default() },
        orchestrator_s: 0.01 * second,
        pressure_s: None,
        cpus: vec![],
        interrupts: None,
        context_switches: None,
        targets: vec![target; guests as usize],
    }
}
