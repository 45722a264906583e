//! Times of a trial, repeats and limits.

use std::time::Duration;

use super::{Fault, Validator};
use crate::profile::written;
use crate::profile::{Configuration, Limits, Precision, Timing};
use crate::units::Time;

/// Shorter intervals are mostly netperf's own work.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// Longer than this, a warm-up or cool-down is a slip of the unit.
const LONGEST_EDGE: Duration = Duration::from_secs(600);
/// Longer than this, a window is one too.
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Numbers of flows and guests in a raw file, which decompresses to 64 MiB at most; those of CPUs take little.
const MOST_VALUES: f64 = 20e6;
/// Longer than this, so is a limit.
const LONGEST_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);
/// More repeats than anybody has time for.
const MOST_REPEATS: u32 = 1000;

/// `[workload]`'s times and repeats.
pub(super) fn timing(check: &mut Validator, written: &written::WorkloadSection) -> Timing {
    let timing = Timing {
        warmup: or(written.warmup, 5_000),
        window: or(written.window, 30_000),
        cooldown: or(written.cooldown, 2_000),
        interval: or(written.interval, 500),
        repeats: written.repeats.unwrap_or(5),
        precision: precision(check, written),
    };
    let Timing { warmup, window, cooldown, interval, repeats, .. } = timing;
    within(check, "workload.interval", interval, SHORTEST_INTERVAL, LONGEST_WINDOW);
    within(check, "workload.window", window, Duration::ZERO, LONGEST_WINDOW);
    within(check, "workload.warmup", warmup, Duration::ZERO, LONGEST_EDGE);
    within(check, "workload.cooldown", cooldown, Duration::ZERO, LONGEST_EDGE);
    check.bounds("workload.repeats", repeats, 1..=MOST_REPEATS);
    let two = interval.saturating_mul(2);
    at_least(check, "workload.window", window, two, "two intervals", "or make the interval shorter");
    let hint = "else the last interim results of some flows end inside the window";
    at_least(check, "workload.cooldown", cooldown, interval, "one interval", hint);
    timing
}

/// Two trials are the fewest that have an interval.
fn precision(check: &mut Validator, written: &written::WorkloadSection) -> Option<Precision> {
    let repeats = written.repeats.unwrap_or(5);
    let Some(half_width_percent) = written.half_width_percent else {
        if written.max_repeats.is_some() {
            let hint = "add half_width_percent = 3, or leave max_repeats out";
            let message = "`max_repeats` bounds the repeats that `half_width_percent` asks for";
            check.fault("workload.max_repeats", Fault::new(message, "without it", hint));
        }
        return None;
    };
    if !(half_width_percent > 0.0 && half_width_percent <= 100.0) {
        let message =
            format!("`half_width_percent` must be above 0 and at most 100, got {half_width_percent}");
        let fault = Fault::new(message, "", "for example 3: ± 3 % of the mean");
        check.fault("workload.half_width_percent", fault);
    }
    let max_repeats = written.max_repeats.unwrap_or(15.max(repeats));
    let least = repeats.clamp(2, MOST_REPEATS);
    check.bounds("workload.max_repeats", max_repeats, least..=MOST_REPEATS);
    Some(Precision { half_width_percent, max_repeats })
}

/// Reports a trial with more samples than its raw file holds.
pub(super) fn samples(check: &mut Validator, timing: &Timing, configurations: &[Configuration]) {
    interim_results(check, timing, configurations);
    pings(check, timing, configurations);
}

/// The same of pings, of which every one is kept, and pings that are rarer than what is made of them.
fn pings(check: &mut Validator, timing: &Timing, configurations: &[Configuration]) {
    let pings = || configurations.iter().filter(|one| one.test.is_ping());
    let interval = |one: &Configuration| Duration::from_millis(one.ping.interval_ms.into());
    let Some(longest) = pings().map(interval).max() else { return };
    let hint = "a sample of the host's counters stands beside one ping or more: make `interval` longer, or `ping_interval` shorter";
    at_least(check, "workload.interval", timing.interval, longest, "one ping_interval", hint);
    let length_s = (timing.warmup + timing.window + timing.cooldown).as_secs_f64();
    let least_s = |one: &Configuration| length_s * 3.0 * f64::from(one.flows) / MOST_VALUES;
    if let Some(dense) = pings().find(|one| interval(one).as_secs_f64() < least_s(one)) {
        let message = format!("a trial of {length_s} s has more pings than its raw file holds");
        let hint = format!(
            "use a ping_interval of {} ms or more, fewer flows, or a shorter window",
            (1e3 * least_s(dense)).ceil()
        );
        check.fault("workload.ping_interval", Fault::new(message, "too short", hint));
    }
}

fn interim_results(check: &mut Validator, timing: &Timing, configurations: &[Configuration]) {
    let length = timing.warmup.saturating_add(timing.window).saturating_add(timing.cooldown);
    let of_flows_and_guests = |one: &Configuration| 3 * u64::from(one.flows) + 11 * u64::from(one.vms.max(1));
    let most = configurations.iter().map(of_flows_and_guests).max().unwrap_or(0);
    let least_s = length.as_secs_f64() * most as f64 / MOST_VALUES;
    if timing.interval.as_secs_f64() < least_s {
        let length = Time(length);
        let message = format!("a trial of {length} has more samples than its raw file holds");
        let hint = format!("use an interval of {} s or more, or a shorter window", least_s.ceil());
        check.fault("workload.interval", Fault::new(message, "too short", &hint));
    }
}

/// `[limits]`.
pub(super) fn limits(check: &mut Validator, written: &written::LimitsSection, timing: &Timing) -> Limits {
    let limits = Limits {
        // A whole distribution takes minutes where it is emulated.
        boot: or(written.boot, if check.cloud { 300_000 } else { 120_000 }),
        boot_attempts: written.boot_attempts.unwrap_or(3),
        trial_attempts: written.trial_attempts.unwrap_or(1),
        total: written.total.map(|time| time.0),
    };
    within(check, "limits.boot", limits.boot, Duration::from_secs(1), LONGEST_LIMIT);
    check.bounds("limits.boot_attempts", limits.boot_attempts, 1..=100);
    check.bounds("limits.trial_attempts", limits.trial_attempts, 1..=100);
    if let Some(total) = limits.total {
        let trial = timing.warmup.saturating_add(timing.window).saturating_add(timing.cooldown);
        within(check, "limits.total", total, Duration::ZERO, LONGEST_LIMIT);
        at_least(check, "limits.total", total, trial, "one trial without its boot", "or leave it out");
    }
    limits
}

fn or(time: Option<Time>, default_ms: u64) -> Duration {
    time.map_or(Duration::from_millis(default_ms), |time| time.0)
}

fn within(check: &mut Validator, path: &str, time: Duration, least: Duration, most: Duration) {
    check.bounds(path, Time(time), Time(least)..=Time(most));
}

/// Reports a time that is shorter than another one demands.
fn at_least(check: &mut Validator, path: &str, time: Duration, least: Duration, what: &str, hint: &str) {
    if time < least {
        let key = path.rsplit('.').next().unwrap_or(path);
        let message = format!("`{key}` must be at least {what}, {}, got {}", Time(least), Time(time));
        check.fault(path, Fault::new(message, "too short", hint));
    }
}
