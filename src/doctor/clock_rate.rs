//! How fast the cores run: frequency governor, turbo, idle states.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

const POLICIES: &str = "/sys/devices/system/cpu/cpufreq/policy";

pub(super) fn governor(facts: &Facts) -> Subject {
    const PERFORMANCE: &str = "Every core runs as fast as it may, whatever its guest does.";
    const FOLLOWS: &str = "A core's clock follows its load: a guest that waits between packets gets a slower core \
                           than a busy one.";
    const DIFFER: &str = "Cores differ, so a guest's speed depends on the core that it happens to run on.";
    const IF: &str = "Where the clock follows the load, a guest that waits between packets gets a slower core than a busy one.";
    const SET: &str = "cpupower frequency-set -g performance";
    let subject = |verdict, found: String, effect: &str| Subject::new("governor", verdict, found, effect);
    let governors = facts.like(POLICIES, "/scaling_governor");
    let Some((_, first)) = governors.first() else { return not_here(facts, "governor", IF) };
    let driver = facts.like(POLICIES, "/scaling_driver").first().map_or("", |(_, driver)| driver);
    let others: Vec<_> = governors.iter().filter(|(_, governor)| governor != first).collect();
    if let Some((_, other)) = others.first() {
        let found = format!("{first}, but {other} on {} of {} cores", others.len(), governors.len());
        return subject(Verdict::Bad, found, DIFFER).change(SET);
    }
    let found = format!("{first} ({driver})");
    match *first {
        "performance" => subject(Verdict::Good, found, PERFORMANCE),
        // With these drivers the CPU chooses the clock itself, and powersave is only its name for that.
        "powersave" if !["intel_pstate", "amd-pstate-epp"].contains(&driver) => subject(
            Verdict::Bad,
            found,
            "Every core stays at its lowest clock: all guests are slow, and CPU is short sooner.",
        )
        .change(SET),
        _ => subject(Verdict::Note, found, FOLLOWS).change(SET),
    }
}

/// A machine without any control of its clock.
fn not_here(facts: &Facts, subject: &'static str, effect: &str) -> Subject {
    let found = match facts.is_guest() {
        true => "not this machine's to choose: it is itself a guest",
        false => "the kernel has no control of it; the firmware has",
    };
    Subject::new(subject, Verdict::Unknown, found, effect)
}

pub(super) fn turbo(facts: &Facts) -> Subject {
    const NO_TURBO: &str = "/sys/devices/system/cpu/intel_pstate/no_turbo";
    const BOOST: &str = "/sys/devices/system/cpu/cpufreq/boost";
    const ON: &str = "How high a core may clock depends on how many others are busy: a guest among few is faster than the \
                      same guest among many, whatever the NIC does.";
    const OFF: &str = "A core's highest clock does not depend on what its neighbours do.";
    const IF: &str =
        "With turbo, how high a core may clock depends on how many others are busy, not on its guest alone.";
    let intel = facts.switch(NO_TURBO).map(|off| (!off, format!("echo 1 > {NO_TURBO}")));
    let other = || facts.switch(BOOST).map(|on| (on, format!("echo 0 > {BOOST}")));
    match intel.or_else(other) {
        Some((true, change)) => Subject::new("turbo", Verdict::Note, "on", ON).change(change),
        Some((false, _)) => Subject::new("turbo", Verdict::Good, "off", OFF),
        None => not_here(facts, "turbo", IF),
    }
}

/// Waking up takes no more than this in a shallow state, µs.
const SHALLOW: i64 = 10;

pub(super) fn idle_states(facts: &Facts) -> Subject {
    const DEEP: &str =
        "Cores that rest wake late: a quiet guest's packets wait for that, a busy one's do not.";
    const FAST: &str = "A core that rests wakes quickly, so quiet guests are served like busy ones.";
    const IF: &str =
        "Where cores rest deeply, a quiet guest's packets wait for them to wake, a busy one's do not.";
    let subject = |verdict, found: String, effect: &str| Subject::new("idle states", verdict, found, effect);
    if facts.is_guest() {
        return not_here(facts, "idle states", IF); // those that it sees end in the hypervisor
    }
    let cpu = "/sys/devices/system/cpu/cpu0/cpuidle/";
    let of = |state: &str, file: &str| format!("{cpu}{state}/{file}");
    let states = facts.like(cpu, "/latency");
    let enabled = states.iter().filter(|(state, _)| facts.switch(&of(state, "disable")) != Some(true));
    let latency = |(state, us): &(&str, &str)| Some((us.parse::<i64>().ok()?, of(state, "name")));
    let Some((us, name)) = enabled.filter_map(latency).max_by_key(|(us, _)| *us) else {
        let driver = facts.text("/sys/devices/system/cpu/cpuidle/current_driver").unwrap_or("none");
        return subject(Verdict::Unknown, format!("the kernel shows none (cpuidle driver: {driver})"), IF);
    };
    let found =
        format!("deepest {}, {us} µs to wake up (CPU 0)", facts.text(&name).unwrap_or("without a name"));
    if us <= SHALLOW {
        return subject(Verdict::Good, found, FAST);
    }
    subject(Verdict::Note, found, DEEP).change(format!("cpupower idle-set -D {SHALLOW}"))
}
