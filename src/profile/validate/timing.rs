//! Times of a trial, repeats and limits.

use std::time::Duration;

use super::{Check, Fault};
use crate::profile::written;
use crate::profile::{Limits, Precision, Timing};
use crate::units::Time;

/// Shorter intervals are mostly netperf's own work.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// Longer than this, a warm-up or cool-down is a slip of the unit.
const LONGEST_EDGE: Duration = Duration::from_secs(600);
/// Longer than this, a window is one too.
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Longer than this, so is a limit.
const LONGEST_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);
/// More repeats than anybody has time for.
const MOST_REPEATS: u32 = 1000;

/// `[workload]`'s times and repeats.
pub(super) fn timing(check: &mut Check, written: &written::Workload) -> Timing {
    let timing = Timing {
        warmup: or(written.warmup, 5_000),
        window: or(written.window, 30_000),
        cooldown: or(written.cooldown, 2_000),
        interval: or(written.interval, 500),
        repeats: written.repeats.unwrap_or(5),
        precision: precision(check, written),
    };
    interval(check, &timing);
    window(check, &timing);
    edges(check, &timing);
    count(check, "workload.repeats", timing.repeats, MOST_REPEATS);
    timing
}

/// Two trials are the fewest that have an interval.
fn precision(check: &mut Check, written: &written::Workload) -> Option<Precision> {
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
        let message = format!("an interval cannot be {half_width_percent} % wide");
        check.fault(
            "workload.half_width_percent",
            Fault::new(message, "", "for example 3: ± 3 % of the mean"),
        );
    }
    let max_repeats = written.max_repeats.unwrap_or(15.max(repeats));
    if max_repeats < repeats.max(2) {
        let message = format!("`max_repeats` of {max_repeats} leaves nothing to add to {repeats} repeats");
        let hint = format!("use at least {}", repeats.max(2));
        check.fault("workload.max_repeats", Fault::new(message, "", hint));
    }
    count(check, "workload.max_repeats", max_repeats, MOST_REPEATS);
    Some(Precision { half_width_percent, max_repeats })
}

/// `[limits]`.
pub(super) fn limits(check: &mut Check, written: &written::Limits, timing: &Timing) -> Limits {
    let limits = Limits {
        // A whole distribution takes minutes where it is emulated.
        boot: or(written.boot, if check.cloud { 300_000 } else { 120_000 }),
        boot_attempts: written.boot_attempts.unwrap_or(3),
        trial_attempts: written.trial_attempts.unwrap_or(1),
        total: written.total.map(|time| time.0),
    };
    boot(check, limits.boot);
    count(check, "limits.boot_attempts", limits.boot_attempts, 100);
    count(check, "limits.trial_attempts", limits.trial_attempts, 100);
    if let Some(total) = limits.total {
        total_limit(check, total, timing);
    }
    limits
}

fn or(time: Option<Time>, default_ms: u64) -> Duration {
    time.map_or(Duration::from_millis(default_ms), |time| time.0)
}

fn interval(check: &mut Check, timing: &Timing) {
    if timing.interval < SHORTEST_INTERVAL {
        let message = format!("an interval of {} is too short", Time(timing.interval));
        let hint = "use at least \"100 ms\": below that netperf mostly measures its own output";
        check.fault("workload.interval", Fault::new(message, "less than 100 ms", hint));
    }
}

fn window(check: &mut Check, timing: &Timing) {
    let Timing { window, interval, .. } = *timing;
    let shortest = interval.saturating_mul(2);
    if window < shortest {
        let message =
            format!("a window of {} is shorter than two intervals of {}", Time(window), Time(interval));
        let hint = format!("make the window at least \"{}\", or the interval shorter", Time(shortest));
        check.fault("workload.window", Fault::new(message, "", hint));
    }
    longest(check, "workload.window", window, LONGEST_WINDOW);
}

fn edges(check: &mut Check, timing: &Timing) {
    longest(check, "workload.warmup", timing.warmup, LONGEST_EDGE);
    longest(check, "workload.cooldown", timing.cooldown, LONGEST_EDGE);
    if timing.cooldown < timing.interval {
        let message = format!(
            "a cool-down of {} is shorter than one interval of {}",
            Time(timing.cooldown),
            Time(timing.interval)
        );
        let hint = format!(
            "make it at least \"{}\": else the last interim results of some flows end inside the window",
            Time(timing.interval)
        );
        check.fault("workload.cooldown", Fault::new(message, "", hint));
    }
}

fn longest(check: &mut Check, path: &str, time: Duration, longest: Duration) {
    if time > longest {
        let key = path.rsplit('.').next().unwrap_or(path);
        let message = format!("a {key} of {} is too long", Time(time));
        let hint = format!("use at most \"{}\"; is the unit the one you meant?", Time(longest));
        check.fault(path, Fault::new(message, "", hint));
    }
}

fn boot(check: &mut Check, boot: Duration) {
    if boot < Duration::from_secs(1) {
        let message = format!("no guest boots in {}", Time(boot));
        check.fault(
            "limits.boot",
            Fault::new(message, "", "give it at least \"1 s\"; the default is \"120 s\""),
        );
    }
    longest(check, "limits.boot", boot, LONGEST_LIMIT);
}

fn total_limit(check: &mut Check, total: Duration, timing: &Timing) {
    let trial = timing.warmup.saturating_add(timing.window).saturating_add(timing.cooldown);
    if total < trial {
        let message = format!("a total of {} is shorter than a single trial", Time(total));
        let hint = format!("one trial takes {} without boot; raise the limit or leave it out", Time(trial));
        check.fault("limits.total", Fault::new(message, "", hint));
    }
    longest(check, "limits.total", total, LONGEST_LIMIT);
}

fn count(check: &mut Check, path: &str, count: u32, most: u32) {
    if !(1..=most).contains(&count) {
        let key = path.rsplit('.').next().unwrap_or(path);
        let hint = format!("use a number from 1 to {most}");
        check.fault(path, Fault::new(format!("`{key}` cannot be {count}"), "", hint));
    }
}
