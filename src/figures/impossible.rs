//! Raw data that cannot be true: a damaged file, a counter that was lost, a clock that jumped. Such a trial has no numbers, so
//! that nothing is computed, and no memory is taken, from absurd counts and lengths.
//!
//! Looked for is what no machine can do, not what is unlikely: that is left to the packet check and to warnings.

use crate::profile::groups::Members;
use crate::raw::{
    CpuTimes, HostSample, InterimResult, RawFlow, RawGuest, RawTrial, RoundTrip, Snapshot, TargetCounters,
};

/// As many as a profile may ask for, and more CPUs than Linux supports.
const MOST_GUESTS: u32 = 1000;
const MOST_FLOWS: u32 = 10_000;
const MOST_CPUS: u32 = 8192;
/// Longer than the longest window with all that belongs to it, s.
const LONGEST_TRIAL_S: f64 = 2.0 * 24.0 * 3600.0;
/// Times lie within the trial's, but for what clocks of several machines may differ by, s.
const CLOCKS_S: f64 = 3600.0;
/// More than any NIC does each second: transactions, Mbit, packets.
const FASTEST: f64 = 1e11;
/// More pings than one flow sends in the longest trial.
const MOST_PINGS: u64 = 100_000_000;
/// Part of a flow's time that its interim results may cover, rounding included.
const MOST_COVERAGE: f64 = 1.05;
/// By how much a sum of CPU times may fall, s: kernels round, and threads end.
const CPU_SLACK_S: f64 = 0.5;
/// Part of the time that a machine's CPUs have which they may have used, readings being not quite simultaneous.
const MOST_CPU: f64 = 1.1;

/// The first thing that is wrong, in words; `None` if all of it may be true.
pub(super) fn find(raw: &RawTrial) -> Option<String> {
    counts(raw)
        .or_else(|| times(raw))
        .or_else(|| groups(raw))
        .or_else(|| flows(raw))
        .or_else(|| host(raw))
        .or_else(|| snapshots(raw))
        .or_else(|| guests(raw))
}

/// Bounds of everything that is counted, before anything else is checked.
fn counts(raw: &RawTrial) -> Option<String> {
    let configuration = &raw.configuration;
    let bounds = [
        ("guests", configuration.vms, 0, MOST_GUESTS),
        ("flows", configuration.flows, 1, MOST_FLOWS),
        ("host CPUs", raw.host_cpus, 1, MOST_CPUS),
        ("as the trial's number", raw.trial, 1, u32::MAX),
        ("as its repeat", raw.repeat, 1, u32::MAX),
    ];
    let count = bounds.into_iter().find(|(_, count, least, most)| !(*least..=*most).contains(count));
    let sizes = [
        ("flows", raw.flows.len() + raw.background.len(), 2 * MOST_FLOWS as usize),
        ("guests with records of their own", raw.guests.len(), configuration.vms as usize),
        ("CPUs online", raw.online_cpus.len(), MOST_CPUS as usize),
    ];
    let size = sizes.into_iter().find(|(_, size, most)| size > most);
    let count = count.map(|(what, count, ..)| format!("{count} {what}"));
    count.or_else(|| size.map(|(what, size, most)| format!("{size} {what}, at most {most} are possible")))
}

fn times(raw: &RawTrial) -> Option<String> {
    let (begin, end) = (raw.started_s, raw.ended_s);
    if !(begin.is_finite() && end.is_finite() && begin >= 0.0) {
        return Some("it has no begin or no end".into());
    }
    if !(0.0..=LONGEST_TRIAL_S).contains(&(end - begin)) {
        return Some(format!("it took {} s", end - begin));
    }
    let hiccups = raw.hiccups.iter().flatten();
    let stood = hiccups.map(|hiccup| ("a hiccup", hiccup.end_s, hiccup.length_s));
    let merging = raw.merging.map(|wait| ("the wait for KSM", raw.started_s, wait.waited_s));
    let moved = raw.moved_s.map(|moved_s| ("the transition", moved_s, 0.0));
    let wrong = |(_, at_s, length_s): &(&str, f64, f64)| !is_within(raw, *at_s) || !is_length(*length_s);
    let wrong = stood.chain(merging).chain(moved).find(wrong)?;
    Some(format!("{} of {} s at {} s", wrong.0, wrong.2, wrong.1))
}

/// Whether a moment belongs to the trial.
fn is_within(raw: &RawTrial, at_s: f64) -> bool {
    (raw.started_s - CLOCKS_S..=raw.ended_s + CLOCKS_S).contains(&at_s)
}

fn is_length(seconds: f64) -> bool {
    (0.0..=LONGEST_TRIAL_S).contains(&seconds)
}

fn groups(raw: &RawTrial) -> Option<String> {
    let vms = u64::from(raw.configuration.vms);
    let is_wrong = |group: &&Members| {
        let last = u64::from(group.first) + u64::from(group.guests);
        group.first == 0 || group.guests == 0 || last > vms + 1
    };
    let wrong = raw.groups.iter().find(is_wrong)?;
    Some(format!("group {} has {} guests from guest {} on, of {vms}", wrong.name, wrong.guests, wrong.first))
}

fn flows(raw: &RawTrial) -> Option<String> {
    let mut known = std::collections::BTreeSet::new();
    let twice = raw.flows.iter().find(|flow| !known.insert(flow.flow));
    if let Some(flow) = twice {
        return Some(format!("flow {} is there twice", flow.flow));
    }
    let (least, most) = (u32::from(raw.configuration.vms > 0), raw.configuration.vms);
    let foreign = raw.flows.iter().find(|flow| !(least..=most).contains(&flow.guest));
    if let Some(flow) = foreign {
        return Some(format!("flow {} is served by guest {} of {most}", flow.flow, flow.guest));
    }
    let wrong = |flow: &RawFlow| Some(format!("flow {}: {}", flow.flow, intervals(raw, flow)?));
    let results = |flow: &RawFlow| {
        let what = latencies(flow).or_else(|| round_trips(raw, flow))?;
        Some(format!("flow {}: {what}", flow.flow))
    };
    let all = || raw.flows.iter().chain(&raw.background);
    all().find_map(wrong).or_else(|| raw.flows.iter().find_map(results))
}

fn intervals(raw: &RawTrial, flow: &RawFlow) -> Option<String> {
    let is_wrong = |interval: &InterimResult| {
        let possible = (0.0..=FASTEST).contains(&interval.rate);
        !possible || !is_within(raw, interval.end_s) || !is_length(interval.length_s)
    };
    if let Some(wrong) = flow.intervals.iter().find(|interval| is_wrong(interval)) {
        let InterimResult { rate, length_s, end_s } = wrong;
        return Some(format!("an interim result of {rate} for {length_s} s that ended at {end_s} s"));
    }
    let disorder = flow.intervals.windows(2).find(|pair| pair[1].end_s < pair[0].end_s);
    if let Some(pair) = disorder {
        return Some(format!("an interim result ended at {} s, before the one before it", pair[1].end_s));
    }
    let first = flow.intervals.first()?;
    let lasted_s = flow.intervals.last()?.end_s - first.end_s + first.length_s;
    let covered_s: f64 = flow.intervals.iter().map(|interval| interval.length_s).sum();
    let percent = 100.0 * covered_s / lasted_s;
    // Each is rounded to a millisecond.
    let most_s = MOST_COVERAGE * lasted_s + 0.001 * flow.intervals.len() as f64;
    (covered_s > most_s).then(|| format!("its interim results cover {percent:.0} % of its time"))
}

/// A transaction that took longer than any trial, µs; −1 is netperf's word for "unknown".
fn latencies(flow: &RawFlow) -> Option<String> {
    let is_wrong = |(key, text): &(&String, &String)| {
        let value = text.trim().parse::<f64>().ok().filter(|value| *value != -1.0);
        key.ends_with("_LATENCY") && value.is_some_and(|us| !is_length(us / 1e6))
    };
    flow.result.iter().find(is_wrong).map(|(key, text)| format!("its {key} is {text} µs"))
}

/// A ping that was answered before it was sent or outside of the trial, or that is not among those that were sent.
fn round_trips(raw: &RawTrial, flow: &RawFlow) -> Option<String> {
    let transmitted = flow.result.get("TRANSMITTED").and_then(|text| text.parse::<u64>().ok());
    let is_wrong = |trip: &&RoundTrip| {
        let times = is_within(raw, trip.answered_s) && is_length(trip.rtt_us / 1e6);
        !times || trip.sequence > transmitted.unwrap_or(MOST_PINGS).min(MOST_PINGS)
    };
    let RoundTrip { sequence, answered_s, rtt_us } = flow.round_trips.iter().find(is_wrong)?;
    Some(format!("ping {sequence} was answered at {answered_s} s, after {rtt_us} µs"))
}

fn host(raw: &RawTrial) -> Option<String> {
    let targets = raw.configuration.vms.max(1) as usize;
    let cpus = (raw.host_cpus as usize).max(raw.online_cpus.len());
    for sample in &raw.host {
        if !is_within(raw, sample.at_s) {
            return Some(format!("the host was sampled at {} s", sample.at_s));
        }
        let lost = sample.targets.len() != raw.host[0].targets.len();
        if lost || sample.targets.len() > targets || sample.cpus.len() > cpus {
            let (targets, cpus) = (sample.targets.len(), sample.cpus.len());
            return Some(format!("a sample of the host has {targets} targets and {cpus} CPUs"));
        }
        if !numbers_of(sample).all(is_counter) {
            return Some(format!("a counter of the host at {} s is negative or no number", sample.at_s));
        }
    }
    let pairs = || raw.host.windows(2).map(|pair| (&pair[0], &pair[1]));
    pairs().find_map(|(before, after)| between(raw, before, after))
}

/// A cumulative time or count.
fn is_counter(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// Every number of a sample that is no integer.
fn numbers_of(sample: &HostSample) -> impl Iterator<Item = f64> {
    let targets = sample.targets.iter().flat_map(|target| {
        let run = [target.vcpu_s, target.emulator_s, target.vhost_s];
        let waited = [target.vcpu_delay_s, target.emulator_delay_s, target.vhost_delay_s];
        run.into_iter().chain(waited).chain(target.pressure_s)
    });
    let cpus = sample.cpus.iter().flat_map(|cpu| [cpu.all, cpu.busy, cpu.softirq, cpu.irq]);
    let own = modes(&sample.cpu).into_iter().chain([sample.orchestrator_s]).chain(sample.pressure_s);
    targets.chain(cpus).chain(own)
}

fn modes(cpu: &CpuTimes) -> [f64; 8] {
    [cpu.user, cpu.nice, cpu.system, cpu.idle, cpu.iowait, cpu.irq, cpu.softirq, cpu.steal]
}

/// What happened between two samples of the host.
fn between(raw: &RawTrial, before: &HostSample, after: &HostSample) -> Option<String> {
    let passed_s = after.at_s - before.at_s;
    if passed_s < 0.0 {
        return Some(format!("the host was sampled at {} s after {} s", after.at_s, before.at_s));
    }
    let at_s = after.at_s;
    let used_s = modes(&after.cpu).iter().sum::<f64>() - modes(&before.cpu).iter().sum::<f64>();
    let cpus = f64::from(raw.host_cpus);
    if used_s < -CPU_SLACK_S || used_s > MOST_CPU * cpus * passed_s + 2.0 * cpus * CPU_SLACK_S {
        return Some(format!("the host's {cpus} CPUs passed {used_s:.1} s in {passed_s:.1} s, at {at_s} s"));
    }
    let counted = [(before.interrupts, after.interrupts), (before.context_switches, after.context_switches)];
    if counted.iter().any(|(before, after)| before.zip(*after).is_some_and(|(before, after)| after < before))
    {
        return Some(format!("interrupts or context switches of the host fell, at {at_s} s"));
    }
    let pairs = before.targets.iter().zip(&after.targets).zip(1..);
    let of_target = |((before, after), guest): ((&TargetCounters, &TargetCounters), u32)| {
        Some(format!("guest {guest}: {}, at {at_s} s", of_target(before, after, passed_s)?))
    };
    pairs.filter_map(of_target).next()
}

fn of_target(before: &TargetCounters, after: &TargetCounters, passed_s: f64) -> Option<String> {
    let counted = |target: &TargetCounters| {
        [
            ("packets from it", target.from_target_packets),
            ("packets to it", target.to_target_packets),
            ("bytes from it", target.from_target_bytes),
            ("bytes to it", target.to_target_bytes),
        ]
    };
    for ((what, before), (_, after)) in counted(before).into_iter().zip(counted(after)) {
        if after < before {
            return Some(format!("the count of {what} fell from {before} to {after}"));
        }
        if (after - before) as f64 > FASTEST * (passed_s + 1.0) {
            return Some(format!("{} {what} in {passed_s:.1} s", after - before));
        }
    }
    let fell = after.vcpu_s < before.vcpu_s - CPU_SLACK_S;
    fell.then(|| format!("the CPU time of its vCPUs fell from {} to {} s", before.vcpu_s, after.vcpu_s))
}

fn snapshots(raw: &RawTrial) -> Option<String> {
    let is_wrong = |snapshot: &&Snapshot| {
        let netperfs = snapshot.netperfs_s.iter().flatten().copied();
        let tester = snapshot.tester_cpus.iter().flat_map(|cpu| [cpu.all, cpu.busy, cpu.softirq, cpu.irq]);
        let guests =
            snapshot.throttled_guests_s.values().chain(snapshot.throttled_groups_s.values()).copied();
        !is_within(raw, snapshot.at_s)
            || snapshot.netperfs_s.len() > raw.configuration.flows as usize
            || snapshot.tester_cpus.len() > MOST_CPUS as usize
            || !netperfs.chain(tester).chain(guests).all(is_counter)
    };
    let wrong = raw.snapshots.iter().find(is_wrong);
    let disorder = raw.snapshots.windows(2).find(|pair| pair[1].at_s < pair[0].at_s).map(|pair| &pair[1]);
    wrong.or(disorder).map(|wrong| format!("the machines as they are recorded at {} s", wrong.at_s))
}

fn guests(raw: &RawTrial) -> Option<String> {
    let mut known = std::collections::BTreeSet::new();
    let is_wrong = |guest: &&RawGuest| {
        let times = guest.inside.iter().flat_map(|(at_s, cpu)| {
            modes(cpu).into_iter().map(|mode| (is_counter(mode), *at_s)).collect::<Vec<_>>()
        });
        let read =
            guest.nic.iter().map(|(at_s, _)| *at_s).chain(guest.interrupts.iter().map(|(at_s, _)| *at_s));
        let read = read.chain(guest.exits.iter().map(|(at_s, _)| *at_s)).map(|at_s| (true, at_s));
        let mut all = times.chain(read);
        let is_known = (1..=raw.configuration.vms).contains(&guest.guest);
        !is_known || all.any(|(is_counter, at_s)| !is_counter || !is_within(raw, at_s))
    };
    let wrong = raw.guests.iter().find(is_wrong);
    let twice = raw.guests.iter().find(|guest| !known.insert(guest.guest));
    wrong.or(twice).map(|wrong| format!("guest {} as it is recorded inside", wrong.guest))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::figures::{Outcome, Reason, TrialFigures, fixture};

    use crate::raw::{self, Hiccup, NicPackets, RawTrial, Snapshot};

    /// A trial with a bit of everything.
    fn good() -> RawTrial {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        let snapshot = |at_s: f64| Snapshot {
            at_s: fixture::START + at_s,
            swapped: None,
            merged: None,
            tester_cpus: vec![Default::default()],
            netperfs_s: vec![Some(at_s); 8],
            nics: vec![],
            throttled_guests_s: [(1, at_s)].into(),
            throttled_groups_s: Default::default(),
        };
        raw.snapshots = vec![snapshot(1.0), snapshot(13.0)];
        raw.hiccups = Some(vec![Hiccup { end_s: fixture::START + 1.0, length_s: 0.1 }]);
        raw.groups = vec![fixture::members("all", 1, 2)];
        fixture::exits(&mut raw, &[("exits", 100)]);
        raw
    }

    /// The reason for which a trial with this damage is excluded: one value of its file is replaced.
    fn damaged(pointer: &str, value: Value) -> String {
        let mut file = serde_json::to_value(good()).expect("raw trials are JSON");
        *file.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in a raw trial")) = value;
        let raw: RawTrial = match serde_json::from_value(file) {
            Ok(raw) => raw::decode(&raw::encode(&raw).unwrap()).unwrap(), // as a run directory has it
            Err(error) => return format!("unreadable: {error}"),
        };
        let figures = TrialFigures::compute(&raw, &fixture::timing());
        assert!(
            crate::figures::timeline(&raw, &fixture::timing(), 1000).is_empty() || figures.numbers.is_some()
        );
        match figures.outcome {
            Outcome::Invalid(reasons) => {
                let impossible = reasons.iter().any(|reason| matches!(reason, Reason::Impossible(_)));
                assert!(!impossible || figures.numbers.is_none(), "{pointer}: {reasons:?}");
                reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
            }
            outcome => format!("not found out: {outcome:?}"),
        }
    }

    #[test]
    fn the_trial_that_is_damaged_is_a_good_one() {
        assert_eq!(TrialFigures::compute(&good(), &fixture::timing()).outcome, Outcome::Measured);
    }

    /// Each excludes the trial, with these words among its reason.
    #[test]
    fn every_damage_is_found_out_and_named() {
        let far = fixture::START + 1e9;
        let cases = [
            ("/configuration/vms", json!(4_000_000_000_u32), "4000000000 guests"),
            ("/configuration/vms", json!(-2), "unreadable"),
            ("/configuration/vms", json!(2.5), "unreadable"),
            ("/configuration/vms", json!(1), "2 guests with records of their own"),
            ("/configuration/flows", json!(0), "0 flows"),
            ("/configuration/flows", json!(4_000_000_000_u32), "4000000000 flows"),
            ("/configuration/flows", json!(16), "8 flows ran in place of 16"),
            ("/configuration/backend", json!("carrier-pigeon"), "unreadable"),
            ("/host_cpus", json!(0), "0 host CPUs"),
            ("/host_cpus", json!(4_000_000_000_u32), "4000000000 host CPUs"),
            ("/host_cpus", json!(2), "4 CPUs"),
            ("/trial", json!(0), "0 as the trial's number"),
            ("/repeat", json!(0), "0 as its repeat"),
            ("/started_s", json!(-1.0), "no begin"),
            ("/started_s", json!(null), "unreadable"),
            ("/started_s", json!(far), "it took -"),
            ("/ended_s", json!(far), "it took 1000000"),
            ("/ended_s", json!(0.0), "it took -"),
            ("/moved_s", json!(far), "the transition"),
            ("/hiccups/0/length_s", json!(-1.0), "a hiccup of -1 s"),
            ("/hiccups/0/length_s", json!(1e9), "a hiccup of 1000000000 s"),
            ("/hiccups/0/end_s", json!(far), "a hiccup"),
            ("/groups/0/first", json!(0), "from guest 0 on"),
            ("/groups/0/guests", json!(4_000_000_000_u32), "has 4000000000 guests"),
            ("/groups/0/guests", json!(0), "has 0 guests"),
            ("/groups/0/first", json!(2), "from guest 2 on"),
            ("/flows/0/flow", json!(2), "flow 2 is there twice"),
            ("/flows/0/guest", json!(0), "served by guest 0 of 2"),
            ("/flows/0/guest", json!(7), "served by guest 7 of 2"),
            ("/flows/3/intervals/9/rate", json!(-5.0), "an interim result of -5"),
            ("/flows/3/intervals/9/rate", json!(1e300), "flow 4: an interim result of 1"),
            ("/flows/3/intervals/9/rate", json!("NaN"), "unreadable"),
            ("/flows/3/intervals/9/rate", json!(null), "unreadable"),
            ("/flows/3/intervals/9/length_s", json!(-0.5), "for -0.5 s"),
            ("/flows/3/intervals/9/length_s", json!(1e9), "for 1000000000 s"),
            ("/flows/3/intervals/9/length_s", json!(5.0), "cover 132 % of its time"),
            ("/flows/3/intervals/9/end_s", json!(far), "flow 4: an interim result"),
            ("/flows/3/intervals/9/end_s", json!(0.0), "flow 4: an interim result"),
            ("/flows/3/intervals/9/end_s", json!(fixture::START + 1.0), "before the one before it"),
            ("/flows/3/intervals/9/end_s", json!(fixture::START + 13.0), "before the one before it"),
            ("/flows/3/intervals", json!([]), "packets per transaction"),
            ("/flows/3/result", json!({}), "no final result of flow 4"),
            ("/flows/3/result/P50_LATENCY", json!("1e300"), "flow 4: its P50_LATENCY is 1e300 µs"),
            ("/flows/3/result/P99_LATENCY", json!("NaN"), "flow 4: its P99_LATENCY is NaN µs"),
            ("/flows/3/result/MAX_LATENCY", json!("-7"), "flow 4: its MAX_LATENCY is -7 µs"),
            ("/flows/3/exit_code", json!(1), "netperf ended with an error: flow 4"),
            ("/flows/3/exit_code", json!(null), "netperf ended with an error: flow 4"),
            ("/flows", json!([]), "0 flows ran in place of 8"),
            ("/host", json!([]), "the host's counters do not cover the window"),
            ("/host/5/at_s", json!(far), "the host was sampled at"),
            ("/host/5/at_s", json!(fixture::START), "the host was sampled at"),
            ("/host/5/cpu/user", json!(-1.0), "negative or no number"),
            ("/host/5/cpu/idle", json!(1e9), "CPUs passed"),
            ("/host/5/cpu/idle", json!(0.0), "CPUs passed -"),
            ("/host/5/orchestrator_s", json!(-3.0), "negative or no number"),
            ("/host/5/cpus/0", json!([1.0, -1.0, 0.0, 0.0]), "negative or no number"),
            ("/host/5/interrupts", json!(0), "interrupts or context switches of the host fell"),
            ("/host/5/context_switches", json!(7), "interrupts or context switches of the host fell"),
            ("/host/5/targets", json!([]), "a sample of the host has 0 targets"),
            ("/host/5/targets/0/vcpu_s", json!(-1.0), "negative or no number"),
            ("/host/9/targets/1/vcpu_s", json!(0.0), "guest 2: the CPU time of its vCPUs fell"),
            ("/host/5/targets/0/vhost_delay_s", json!(-1.0), "negative or no number"),
            ("/host/9/targets/1/from_target_packets", json!(0), "guest 2: the count of packets from it fell"),
            ("/host/9/targets/0/to_target_packets", json!(5), "guest 1: the count of packets to it fell"),
            ("/host/9/targets/0/from_target_bytes", json!(0), "guest 1: the count of bytes from it fell"),
            ("/host/9/targets/0/to_target_bytes", json!(u64::MAX), "bytes to it in 1.0 s"),
            ("/host/9/targets/0/to_target_bytes", json!(-1), "unreadable"),
            ("/snapshots/0/at_s", json!(far), "the machines as they are recorded"),
            ("/snapshots/1/at_s", json!(fixture::START), "the machines as they are recorded"),
            ("/snapshots/0/netperfs_s", json!([-1.0]), "the machines as they are recorded"),
            (
                "/snapshots/0/netperfs_s",
                json!([1, 1, 1, 1, 1, 1, 1, 1, 1]),
                "the machines as they are recorded",
            ),
            ("/snapshots/0/throttled_guests_s/1", json!(-1.0), "the machines as they are recorded"),
            ("/guests/0/guest", json!(7), "guest 7 as it is recorded"),
            ("/guests/0/guest", json!(2), "guest 2 as it is recorded"),
            ("/guests/0/inside/0/0", json!(far), "guest 1 as it is recorded"),
            ("/guests/0/inside/1/1/user", json!(-4.0), "guest 1 as it is recorded"),
            ("/guests/0/exits/0/0", json!(-far), "guest 1 as it is recorded"),
        ];
        assert!(cases.len() >= 60);
        let wrong: Vec<String> = cases
            .into_iter()
            .map(|(pointer, value, expected)| (pointer, expected, damaged(pointer, value)))
            .filter(|(_, expected, found)| !found.contains(expected))
            .map(|(pointer, expected, found)| format!("{pointer}: `{found}` in place of `{expected}`"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn counters_inside_a_guest_that_were_read_at_another_time_are_found_out() {
        let mut raw = good();
        let nic = NicPackets { received: 1, sent: 1, received_bytes: 1, sent_bytes: 1 };
        raw.guests[1].nic = vec![(0.0, nic), (1.0, nic)];
        assert!(super::find(&raw).is_some_and(|what| what.starts_with("guest 2")));
    }
}
