//! Planted runs: raw trials of guests whose truth is known, through the whole of kvmfair's figures, findings and warnings.

use std::collections::BTreeMap;
use std::path::Path;

use kvmfair::answers::{Finding, find_unfairness, shares};
use kvmfair::figures::{Metric, TrialFigures, summarise};
use kvmfair::profile::{Configuration, Experiment, HostFacts, parse};
use kvmfair::raw::{
    Accel, CpuTimes, FORMAT, HostSample, InterimResult, OneCpu, RawFlow, RawGuest, RawTrial, Snapshot,
    TargetCounters,
};
use kvmfair::report::{Model, Provenance, Warning, warnings};

use crate::random::{Random, part};

/// When all trials begin, s; warm-up, window and cool-down that follow.
const START: f64 = 1_000_000.0;
const RUN_S: f64 = 24.0;
/// Noise is steady for so long, s; neighbours correlate by so much.
const CELL_S: f64 = 0.25;
const MEMORY: f64 = 0.3;
/// Transactions/s of a guest.
const RATE: f64 = 1000.0;

/// What is true of a run.
#[derive(Clone, Copy)]
struct Planted {
    guests: u32,
    /// Noise of a guest's mean over the window.
    noise: f64,
    /// Boots over five repeats; each has a level of its own, 2 %.
    boots: u32,
    /// What guest 2 loses, a part.
    loss: f64,
    /// Guests with even numbers and those with odd ones take turns of this length, s; who has no turn gets a fifth.
    turn_s: Option<f64>,
    /// How long guest 2 gets nothing, s.
    stall_s: f64,
    /// What the host's clock is ahead of the tester's, s.
    skew_s: f64,
    /// A tester with CPUs of its own.
    tester: Option<Tester>,
}

/// How busy a tester of sixteen CPUs is in truth, parts; its kernel counts a tick of 10 ms as a whole.
#[derive(Clone, Copy)]
struct Tester {
    /// Every CPU but one, and that one.
    cpus: f64,
    busiest: f64,
    /// Each netperf, of one CPU.
    netperfs: f64,
    /// Time between the two readings, s.
    length_s: f64,
}

const FAIR: Planted = Planted {
    guests: 8,
    noise: 0.05,
    boots: 5,
    loss: 0.0,
    turn_s: None,
    stall_s: 0.0,
    skew_s: 0.0,
    tester: None,
};

struct Run {
    experiment: Experiment,
    /// Mean level of its own boots.
    level: f64,
    trials: Vec<TrialFigures>,
}

impl Run {
    /// Five repeats of each configuration in `vms` (0: of the planted number of guests).
    fn simulate(random: &mut Random, planted: Planted, sweep: &str) -> Run {
        let flows = planted.guests;
        let text = format!(
            "schema = 1\nname = \"planted\"\nsource = \"none\"\n[guest]\nmemory = \"96 MiB\"\n{}\n[workload]\nflows = {flows}\n\
             warmup = \"2 s\"\nwindow = \"20 s\"\ncooldown = \"1 s\"\ninterval = \"500 ms\"\nrepeats = 5\n{sweep}",
            if sweep.is_empty() {
                format!("vms = {flows}\n[network]\nbackend = \"virtio\"")
            } else {
                String::new()
            }
        );
        let facts = HostFacts { memory_mib: 65_536, cpus: 8 };
        let experiment = parse(&text, Path::new("planted.toml"), facts).expect("the profile is valid");
        let mut trials = Vec::new();
        let levels: Vec<f64> = (0..5).map(|_| 1.0 + 0.02 * random.normal()).collect();
        for repeat in 1..=5 {
            let boot = (repeat - 1) * planted.boots / 5;
            for configuration in &experiment.configurations {
                let number = trials.len() as u32 + 1;
                let level = levels[boot as usize];
                let raw = trial(random, configuration, planted, level, (number, repeat, boot));
                trials.push(TrialFigures::compute(&raw, &experiment.timing));
            }
        }
        let level = levels[..planted.boots as usize].iter().sum::<f64>() / f64::from(planted.boots);
        Run { experiment, level, trials }
    }

    fn of(random: &mut Random, planted: Planted) -> Run {
        Run::simulate(random, planted, "")
    }

    fn findings(&self) -> Vec<Finding> {
        find_unfairness(&shares(&self.trials, |trial| trial.configuration.id()))
    }

    /// The guests that are found to lose in all repeats, the one with the largest loss first.
    fn losers(&self) -> Vec<u32> {
        let of = |finding: Finding| match finding {
            Finding::PersistentLoss { losers, .. } => losers.into_iter().map(|(guest, _)| guest).collect(),
            _ => Vec::new(),
        };
        self.findings().into_iter().flat_map(of).collect()
    }

    fn warnings(&self) -> Vec<Warning> {
        let text = String::new;
        let provenance = Provenance {
            run: text(),
            tool_version: text(),
            profile: text(),
            digest: text(),
            accel: Accel::Kvm,
            host_cpu: text(),
            host_cpus: 8,
            virtual_machine: false,
            kernel: text(),
            qemu: text(),
            xen: text(),
            libvirt: text(),
            netperf: text(),
            ping: text(),
            date: text(),
            changes: Default::default(),
        };
        warnings(&Model::new(&self.experiment, &provenance, &self.trials))
    }

    fn all_valid(&self) -> bool {
        self.trials.iter().all(|trial| trial.valid().is_some())
    }
}

fn trial(
    random: &mut Random,
    configuration: &Configuration,
    planted: Planted,
    level: f64,
    (number, repeat, boot): (u32, u32, u32),
) -> RawTrial {
    let cells = (RUN_S / CELL_S) as usize + 8;
    let cells_of_window = 20.0 / CELL_S;
    let noise = planted.noise * (cells_of_window * (1.0 - MEMORY) / (1.0 + MEMORY)).sqrt();
    let common = random.course(cells, 0.5);
    let per_guest = configuration.flows / configuration.vms;
    let mut flows = Vec::new();
    for guest in 1..=configuration.vms {
        let own = random.course(cells, MEMORY);
        let rates = own.iter().zip(&common).map(|(own, common)| {
            (RATE * level * (1.0 + noise * own) * (1.0 + 0.05 * common)).max(1.0) / f64::from(per_guest)
        });
        let rates: Vec<f64> = rates.collect();
        for _ in 0..per_guest {
            let start_s = 0.3 * random.uniform();
            flows.push(flow(flows.len() as u32 + 1, guest, start_s, &rates, planted));
        }
    }
    let work = |guest: u32| -> f64 {
        let own = flows.iter().filter(|flow| flow.guest == guest).flat_map(|flow| &flow.intervals);
        own.map(|interval| interval.rate * interval.length_s).sum()
    };
    let works: Vec<f64> = (1..=configuration.vms).map(work).collect();
    let guest = |guest: u32| RawGuest {
        qemu_pid: Some((1000 * (boot + 1) + guest) as i32),
        ..RawGuest::new(guest, &format!("planted-{guest}"))
    };
    RawTrial {
        format: FORMAT,
        trial: number,
        repeat,
        machine: 0,
        attempt: 1,
        configuration: configuration.clone(),
        groups: vec![],
        accel: Accel::Kvm,
        started_s: START - 5.0,
        moved_s: None,
        merging: None,
        ended_s: START + RUN_S + 5.0,
        failure: None,
        flows,
        background: vec![],
        host: (0..=28).map(|second| sample(f64::from(second), &works, planted.skew_s)).collect(),
        host_cpus: 8,
        online_cpus: Default::default(),
        snapshots: planted.tester.map_or(vec![], |tester| tester.snapshots(random, configuration.flows)),
        hiccups: None,
        guests: (1..=configuration.vms).map(guest).collect(),
        checks: vec![],
    }
}

impl Tester {
    /// Before and after the window; what a part of the ticks comes to is normal.
    fn snapshots(&self, random: &mut Random, flows: u32) -> Vec<Snapshot> {
        let ticks = 100.0 * self.length_s;
        let mut used_s = |part: f64| {
            let deviation = (part * (1.0 - part) / ticks).sqrt();
            self.length_s * (part + deviation * random.normal()).clamp(0.0, 1.0)
        };
        let cpus: Vec<f64> =
            (0..16).map(|cpu| used_s(if cpu == 3 { self.busiest } else { self.cpus })).collect();
        let netperfs: Vec<f64> = (0..flows).map(|_| used_s(self.netperfs)).collect();
        let at = |times: f64| Snapshot {
            at_s: START + 2.0 + times * self.length_s,
            swapped: None,
            merged: None,
            tester_cpus: cpus
                .iter()
                .map(|busy| OneCpu { all: times * self.length_s, busy: times * busy, ..OneCpu::default() })
                .collect(),
            netperfs_s: netperfs.iter().map(|used_s| Some(times * used_s)).collect(),
            nics: vec![],
            throttled_guests_s: BTreeMap::new(),
            throttled_groups_s: BTreeMap::new(),
        };
        vec![at(0.0), at(1.0)]
    }
}

/// A netperf with these rates in the cells of time: it prints by the clock, with the first transaction that completes.
fn flow(number: u32, guest: u32, start_s: f64, rates: &[f64], planted: Planted) -> RawFlow {
    let (stalled_s, stalled_until_s) = (8.0, 8.0 + if guest == 2 { planted.stall_s } else { 0.0 });
    let moves = |at_s: f64| !(stalled_s..stalled_until_s).contains(&at_s);
    let part = if guest == 2 { 1.0 - planted.loss } else { 1.0 };
    let turns = |from_s: f64, to_s: f64| match planted.turn_s {
        None => 1.0,
        Some(turn_s) => {
            let on_s =
                |at_s: f64| (at_s / (2.0 * turn_s)).floor() * turn_s + (at_s % (2.0 * turn_s)).min(turn_s);
            let even = (on_s(to_s) - on_s(from_s)) / (to_s - from_s);
            0.2 + 1.6 * if guest.is_multiple_of(2) { even } else { 1.0 - even }
        }
    };
    let step_s = CELL_S / 5.0;
    let work = |from_s: f64, to_s: f64| {
        let steps = ((to_s - from_s) / step_s).ceil().max(1.0);
        let length_s = (to_s - from_s) / steps;
        (0..steps as u32)
            .map(|step| from_s + f64::from(step) * length_s)
            .filter(|at_s| moves(at_s + length_s / 2.0))
            .map(|at_s| {
                part * rates[((at_s + length_s / 2.0) / CELL_S) as usize]
                    * turns(at_s, at_s + length_s)
                    * length_s
            })
            .sum::<f64>()
    };
    let mut intervals = Vec::new();
    let mut from_s = start_s;
    while from_s < RUN_S - 0.6 {
        let due_s = from_s + 0.5;
        let to_s = if moves(due_s) { due_s } else { stalled_until_s + 0.001 };
        let rate = work(from_s, to_s) / (to_s - from_s);
        intervals.push(InterimResult { end_s: START + to_s, length_s: to_s - from_s, rate });
        from_s = to_s;
    }
    let longest_us = 1e6 * f64::max(stalled_until_s - stalled_s, 0.01);
    let result: [(&str, f64); 7] = [
        ("THROUGHPUT", RATE),
        ("MEAN_LATENCY", 1e3),
        ("P50_LATENCY", 1e3),
        ("P90_LATENCY", 1.5e3),
        ("P99_LATENCY", 2e3),
        ("MAX_LATENCY", longest_us),
        ("ELAPSED_TIME", from_s - start_s),
    ];
    RawFlow {
        flow: number,
        guest,
        intervals,
        result: BTreeMap::from(result.map(|(key, value)| (key.to_owned(), value.to_string()))),
        exit_code: Some(0),
        messages: String::new(),
        round_trips: vec![],
    }
}

/// The host, half busy; packets of the guests' work, evenly.
fn sample(second: f64, works: &[f64], skew_s: f64) -> HostSample {
    let target = |work: &f64| {
        let packets = (work * (second - 1.0).clamp(0.0, RUN_S) / RUN_S) as u64;
        TargetCounters {
            vcpu_s: 0.1 * second,
            from_target_packets: packets,
            to_target_packets: packets,
            from_target_bytes: 67 * packets,
            to_target_bytes: 67 * packets,
            ..TargetCounters::default()
        }
    };
    HostSample {
        at_s: START - 2.0 + second + skew_s,
        cpu: CpuTimes { user: 4.0 * second, idle: 4.0 * second, ..CpuTimes::default() },
        orchestrator_s: 0.01 * second,
        pressure_s: None,
        cpus: vec![],
        interrupts: None,
        context_switches: None,
        targets: works.iter().map(target).collect(),
    }
}

fn unfair(count: usize, planted: Planted) -> f64 {
    let mut random = Random::seeded(41);
    part(count, || !Run::of(&mut random, planted).findings().is_empty())
}

/// (found, found and named first).
fn loser(count: usize, planted: Planted) -> (f64, f64) {
    let mut random = Random::seeded(42);
    let (mut found, mut named) = (0, 0);
    for _ in 0..count {
        let run = Run::of(&mut random, planted);
        found += usize::from(!run.findings().is_empty());
        named += usize::from(run.losers().first() == Some(&2));
    }
    (found as f64 / count as f64, named as f64 / count as f64)
}

/// The part of runs in which guests that take turns are named.
fn turns(count: usize, planted: Planted) -> f64 {
    let mut random = Random::seeded(43);
    let names = |warning: &Warning| matches!(warning, Warning::Turns { .. });
    part(count, || Run::of(&mut random, planted).warnings().iter().any(names))
}

/// The part of runs in which guest 2 is named as starved in all five trials, for a time that is right to 0.6 s.
fn starved(count: usize, planted: Planted) -> f64 {
    let mut random = Random::seeded(44);
    let is_right = |warning: &Warning| match warning {
        Warning::Starved { guest: 2, trials, .. } => {
            trials.len() == 5 && trials.iter().all(|(_, seconds)| (seconds - planted.stall_s).abs() < 0.6)
        }
        _ => false,
    };
    part(count, || {
        let run = Run::of(&mut random, planted);
        run.all_valid() && run.warnings().iter().any(is_right)
    })
}

/// The part of 95 % intervals of the total rate that hold the truth: of all boots, or that of the only one.
fn coverage(count: usize, planted: Planted) -> f64 {
    let mut random = Random::seeded(45);
    part(count, || {
        let run = Run::of(&mut random, planted);
        let row = &summarise(&run.experiment.configurations, &run.trials)[0];
        let rate = row.get(Metric::TotalRate).expect("trials are valid");
        let level = if planted.boots == 1 { run.level } else { 1.0 };
        let truth = RATE * level * f64::from(planted.guests);
        let (low, high) = rate.low_high.expect("five repeats");
        (low..=high).contains(&truth)
    })
}

/// The part of runs whose tester is named as saturated.
fn tester_named(count: usize, tester: Tester) -> f64 {
    let mut random = Random::seeded(48);
    let names = |warning: &Warning| matches!(warning, Warning::TesterSaturated { .. });
    let planted = Planted { tester: Some(tester), ..FAIR };
    part(count, || Run::of(&mut random, planted).warnings().iter().any(names))
}

/// Fair runs of six configurations with 1 to 4 guests and five repeats that warn of anything; and how many warnings of which kind.
fn warning_runs(count: usize, noise: f64) -> (f64, BTreeMap<String, usize>) {
    let mut random = Random::seeded(46);
    let mut kinds = BTreeMap::new();
    let sweep = "[sweep]\nbackend = [\"virtio\", \"e1000\"]\nvms = [1, 2, 4]\n";
    let warned = part(count, || {
        let mut found = Run::simulate(&mut random, Planted { guests: 4, noise, ..FAIR }, sweep).warnings();
        found.retain(|warning| !matches!(warning, Warning::Unfair(_))); // these have a table of their own
        for warning in &found {
            let kind = format!("{warning:?}").split(' ').next().unwrap_or_default().to_owned();
            *kinds.entry(kind).or_default() += 1;
        }
        !found.is_empty()
    });
    (warned, kinds)
}

#[test]
fn fair_runs_are_called_fair_and_warn_of_nothing() {
    for guests in [2, 8] {
        let found = unfair(60, Planted { guests, ..FAIR });
        assert!(found <= 0.1, "{guests} guests: {found}");
    }
    let (warned, kinds) = warning_runs(15, 0.05);
    assert!(warned <= 0.15, "{warned}: {kinds:?}");
}

#[test]
fn a_loser_is_found_and_named_in_planted_runs() {
    let (_, named) = loser(40, Planted { loss: 0.1, ..FAIR });
    assert!(named >= 0.8, "{named}");
}

#[test]
fn turns_of_a_second_and_starved_guests_are_named_with_their_times() {
    let turns = turns(20, Planted { turn_s: Some(1.0), ..FAIR });
    let starved = starved(10, Planted { stall_s: 5.0, ..FAIR });
    assert!(turns >= 0.9 && starved >= 0.9, "{turns} {starved}");
}

#[test]
fn a_busy_tester_is_not_called_saturated_and_a_saturated_one_is() {
    let tester = |cpus, busiest, netperfs| Tester { cpus, busiest, netperfs, length_s: 4.0 };
    let busy = tester_named(40, tester(0.7, 0.85, 0.85));
    assert!(busy <= 0.1, "{busy}");
    for saturated in [tester(0.9, 0.9, 0.5), tester(0.2, 0.99, 0.5), tester(0.2, 0.5, 0.99)] {
        assert!(tester_named(20, saturated) >= 0.9);
    }
}

#[test]
fn intervals_of_planted_runs_hold_the_truth_at_one_boot_and_at_five() {
    for boots in [1, 5] {
        let found = coverage(200, Planted { guests: 2, boots, ..FAIR });
        assert!((0.9..0.99).contains(&found), "{boots}: {found}");
    }
}

#[test]
fn clocks_that_differ_by_half_a_second_neither_invalidate_nor_accuse() {
    let mut random = Random::seeded(47);
    let found = part(20, || {
        let run = Run::of(&mut random, Planted { skew_s: 0.5, ..FAIR });
        run.all_valid() && run.findings().is_empty() && run.warnings().is_empty()
    });
    assert!(found >= 0.8, "{found}");
}

const GUESTS: [u32; 6] = [2, 4, 8, 16, 32, 64];
const NOISE: [f64; 3] = [0.01, 0.05, 0.1];

/// Cases of a table's row: runs of many guests take long.
fn cases(guests: u32) -> usize {
    (12_800 / guests as usize).clamp(200, 800)
}

/// The head of a table in Markdown.
fn head(title: &str, columns: &[&str]) {
    println!("\n{title}, %:\n\n| {} |\n|{}", columns.join(" | "), " --- |".repeat(columns.len()));
}

/// A row of it: parts as per cent.
fn line(name: &str, parts: impl IntoIterator<Item = f64>) {
    let cells: Vec<String> = parts.into_iter().map(|part| format!("{:.1}", 100.0 * part)).collect();
    println!("| {name} | {} |", cells.join(" | "));
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_planted_fair_runs() {
    let columns = ["guests", "1 boot, noise 1 %", "5 %", "10 %", "5 boots, noise 1 %", "5 %", "10 %"];
    head("Fair runs (R = 5) called unfair", &columns);
    for guests in GUESTS {
        let of =
            |boots: u32| NOISE.map(|noise| unfair(cases(guests), Planted { guests, noise, boots, ..FAIR }));
        line(&guests.to_string(), [of(1), of(5)].concat());
    }
    head("Clocks that differ: fair runs called unfair", &["0.1 s", "0.5 s", "2 s"]);
    let skewed = |skew_s: f64| format!("{:.1}", 100.0 * unfair(800, Planted { skew_s, ..FAIR }));
    println!("| {} |", [0.1, 0.5, 2.0].map(skewed).join(" | "));
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_planted_losers() {
    let columns = ["guests", "loses 5 %: found", "named", "10 %: found", "named", "20 %: found", "named"];
    head("A loser at 5 % noise, R = 5", &columns);
    for guests in GUESTS {
        let of = |loss: f64| {
            let (found, named) = loser(cases(guests), Planted { guests, loss, ..FAIR });
            [found, named]
        };
        line(&guests.to_string(), [0.05, 0.1, 0.2].map(of).concat());
    }
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_planted_turns_and_stalls() {
    let columns = ["guests", "noise", "no turns", "0.1 s", "1 s", "5 s"];
    head("Turns named, in intervals of 0.5 s", &columns);
    for guests in [2, 8, 64] {
        for noise in NOISE {
            let of = |turn_s| turns(100, Planted { guests, noise, turn_s, ..FAIR });
            let name = format!("{guests} | {:.0} %", 100.0 * noise);
            line(&name, [None, Some(0.1), Some(1.0), Some(5.0)].map(of));
        }
    }
    head(
        "Guest 2 stalled: named with its time (± 0.6 s) of 20 s",
        &["guests", "0.5 s", "1 s", "3 s", "10 s"],
    );
    for guests in [2, 8] {
        let of = |stall_s| starved(100, Planted { guests, stall_s, ..FAIR });
        line(&guests.to_string(), [0.5, 1.0, 3.0, 10.0].map(of));
    }
}

#[test]
#[ignore = "many cases: make simulate"]
fn full_planted_intervals_and_warnings() {
    head("95 % intervals of the total rate that hold the truth", &["of", "part"]);
    line("five boots", [coverage(3000, Planted { guests: 2, ..FAIR })]);
    line("the only boot", [coverage(3000, Planted { guests: 2, boots: 1, ..FAIR })]);
    head("Fair runs of six configurations that warn", &["noise", "part", "of what (runs of 400)"]);
    for noise in NOISE {
        let (warned, kinds) = warning_runs(400, noise);
        println!("| {:.0} % | {:.1} | {kinds:?} |", 100.0 * noise, 100.0 * warned);
    }
    let columns = ["CPUs, busiest, netperfs", "window 4 s", "window 20 s"];
    head("Testers of 16 CPUs called saturated (5 trials, 8 flows)", &columns);
    for (cpus, busiest, netperfs) in [
        (0.7, 0.85, 0.85),
        (0.75, 0.9, 0.9),
        (0.78, 0.93, 0.93),
        (0.85, 0.9, 0.5),
        (0.2, 0.98, 0.5),
        (0.2, 0.5, 0.98),
    ] {
        let of = |length_s| tester_named(400, Tester { cpus, busiest, netperfs, length_s });
        let name = [cpus, busiest, netperfs].map(|part| format!("{:.0} %", 100.0 * part)).join(", ");
        line(&name, [4.0, 20.0].map(of));
    }
}
