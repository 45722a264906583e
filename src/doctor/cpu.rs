//! How fast the cores run, who shares them, and the clock: governor, turbo, idle states, hyperthreads, time source, steal.

use super::subject::{Judgement, Subject, bad, good, note};
use crate::host::facts::Facts;

const POLICIES: &str = "/sys/devices/system/cpu/cpufreq/policy";
const DEEP: &str = "Idle cores wake up late: a quiet guest's packets wait for that, a busy guest's do not.";
const SHARED_CORES: &str = "Guests on two threads of one core slow each other down, guests on different cores do not. \
                            Without pinning, chance decides.";
const STOLEN: &str = "A neighbour that is invisible from here takes CPU time from whichever guest is running, so trials \
                      differ by chance.";
/// Wake-up time of a shallow idle state, µs.
const SHALLOW: i64 = 10;
/// Stolen time above which figures are spoilt, percent.
const MUCH: f64 = 1.0;

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "governor",
        unknown: "Where the clock follows the load, a guest that waits between packets gets a slower core than a busy one.",
        judge: |facts, _| governor(facts),
    },
    Subject {
        name: "turbo",
        unknown: "With turbo, the clock of a core depends on how many others are busy, not on its guest alone.",
        judge: |facts, _| {
            const NO_TURBO: &str = "/sys/devices/system/cpu/intel_pstate/no_turbo";
            const BOOST: &str = "/sys/devices/system/cpu/cpufreq/boost";
            let intel = facts.switch(NO_TURBO).map(|off| (!off, format!("echo 1 > {NO_TURBO}")));
            let other = || facts.switch(BOOST).map(|on| (on, format!("echo 0 > {BOOST}")));
            let (on, change) = intel.or_else(other).ok_or_else(|| no_control(facts))?;
            Ok(if on {
                note(
                    "on",
                    "The clock of a core depends on how many others are busy: a guest among few is faster than the \
                     same guest among many, whatever the NIC does.",
                    change,
                )
            } else {
                good("off", "The highest clock of a core does not depend on its neighbours.")
            })
        },
    },
    Subject {
        name: "idle states",
        unknown: "Where cores idle deeply, a quiet guest's packets wait for them to wake up, a busy guest's do not.",
        judge: |facts, _| {
            if facts.is_guest() {
                return Err(no_control(facts)); // its idle states end in the hypervisor
            }
            let (name, us) = deepest_idle_state(facts)?;
            let found = format!("deepest {name}, {us} µs to wake up (CPU 0)");
            Ok(match us <= SHALLOW {
                true => {
                    good(found, "An idle core wakes up quickly, so quiet guests are served like busy ones.")
                }
                false => note(found, DEEP, format!("cpupower idle-set -D {SHALLOW}")),
            })
        },
    },
    Subject {
        name: "SMT",
        unknown: SHARED_CORES,
        judge: |facts, _| {
            const CONTROL: &str = "/sys/devices/system/cpu/smt/control";
            let active = facts.switch("/sys/devices/system/cpu/smt/active").ok_or("not in /sys")?;
            let off = matches!(facts.text(CONTROL), Some("off" | "forceoff"));
            match active {
                true => Ok(note(
                    "on: CPUs are threads that share cores",
                    SHARED_CORES,
                    format!("echo off > {CONTROL}"),
                )),
                false if facts.is_guest() => {
                    Err("hidden: this machine is itself a guest, and its CPUs may be threads".into())
                }
                false => Ok(good(if off { "switched off" } else { "none" }, "No two CPUs share a core.")),
            }
        },
    },
    Subject {
        name: "clock source",
        unknown: "Where the source is not the TSC, each reading of the time is slow, in guests too.",
        judge: |facts, _| {
            const DIRECTORY: &str = "/sys/devices/system/clocksource/clocksource0";
            let current = facts.text(&format!("{DIRECTORY}/current_clocksource")).ok_or("not in /sys")?;
            let others = facts.text(&format!("{DIRECTORY}/available_clocksource")).unwrap_or_default();
            let change = match others.split(' ').any(|other| other == "tsc") {
                true => format!("echo tsc > {DIRECTORY}/current_clocksource"),
                false => {
                    "`dmesg | grep -i tsc` shows why the kernel offers no TSC; newer firmware often helps"
                        .into()
                }
            };
            Ok(match current {
                "tsc" => good(current, "Reading the time is cheap, for the host and its guests."),
                "kvm-clock" | "hyperv_clocksource_tsc_page" | "xen" => note(
                    current,
                    "The hypervisor above provides the time: cheap here, but guests of this machine get a slower clock.",
                    change,
                ),
                _ => bad(
                    current,
                    "Each reading of the time takes about a microsecond, in guests too: KVM's fast clock needs the TSC. \
                     Small packets suffer most.",
                    change,
                ),
            })
        },
    },
    Subject {
        name: "steal",
        unknown: STOLEN,
        judge: |facts, _| {
            facts.cpu("flags").ok_or("/proc/cpuinfo shows no flags")?;
            if !facts.is_guest() {
                return Ok(good(
                    "no hypervisor above this machine",
                    "Nobody else takes CPU time from this machine.",
                ));
            }
            let share = stolen(facts.text("/proc/stat").unwrap_or_default());
            let percent = share.ok_or("this machine is itself a guest; stolen time is hidden")?;
            let found =
                format!("this machine is itself a guest; {percent:.1} % of the CPU time since boot stolen");
            let rate = if percent >= MUCH { bad } else { note };
            Ok(rate(
                found,
                STOLEN,
                "measure on bare metal, or pin the vCPUs of this machine to cores of their own",
            ))
        },
    },
];

fn governor(facts: &Facts) -> Result<Judgement, String> {
    const SET: &str = "cpupower frequency-set -g performance";
    let governors = facts.like(POLICIES, "/scaling_governor");
    let (_, first) = governors.first().ok_or_else(|| no_control(facts))?;
    let driver = facts.like(POLICIES, "/scaling_driver").first().map_or("", |(_, driver)| driver);
    let others: Vec<_> = governors.iter().filter(|(_, governor)| governor != first).collect();
    if let Some((_, other)) = others.first() {
        return Ok(bad(
            format!("{first}, but {other} on {} of {} cores", others.len(), governors.len()),
            "Cores differ, so a guest's speed depends on the core that it happens to run on.",
            SET,
        ));
    }
    let found = format!("{first} ({driver})");
    Ok(match *first {
        "performance" => good(found, "Every core runs as fast as it can, whatever its guest does."),
        // With these drivers the CPU chooses the clock itself, and powersave is only its name for that.
        "powersave" if !["intel_pstate", "amd-pstate-epp"].contains(&driver) => bad(
            found,
            "Every core stays at its lowest clock: all guests are slow, and the CPU is overloaded sooner.",
            SET,
        ),
        _ => note(
            found,
            "The clock of a core follows its load: a guest that waits between packets gets a slower core than a busy \
             one.",
            SET,
        ),
    })
}

/// Name of the deepest idle state that is enabled, and its wake-up time, µs.
fn deepest_idle_state(facts: &Facts) -> Result<(&str, i64), String> {
    const CPU: &str = "/sys/devices/system/cpu/cpu0/cpuidle/";
    let states = facts.like(CPU, "/latency");
    let enabled =
        states.iter().filter(|(state, _)| facts.switch(&format!("{CPU}{state}/disable")) != Some(true));
    let latency = |(state, us): &(&str, &str)| Some((us.parse::<i64>().ok()?, format!("{CPU}{state}/name")));
    let deepest = enabled.filter_map(latency).max_by_key(|(us, _)| *us);
    let (us, name) = deepest.ok_or_else(|| {
        let driver = facts.text("/sys/devices/system/cpu/cpuidle/current_driver").unwrap_or("none");
        format!("the kernel shows none (cpuidle driver: {driver})")
    })?;
    Ok((facts.text(&name).unwrap_or("without a name"), us))
}

/// Who controls the clock of a machine that does not.
fn no_control(facts: &Facts) -> String {
    match facts.is_guest() {
        true => "controlled by the hypervisor above: this machine is itself a guest".into(),
        false => "controlled by the firmware, not by the kernel".into(),
    }
}

/// Share of the time since boot that the hypervisor gave to others, percent.
fn stolen(stat: &str) -> Option<f64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = all.split_whitespace().filter_map(|ticks| ticks.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guest time is counted in user's already
    let total: f64 = ticks.iter().take(8).sum();
    (total > 0.0).then(|| Some(100.0 * ticks.get(7)? / total)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_the_eighth_of_all_ticks_and_guests_are_counted_once() {
        assert_eq!(stolen("cpu  50 0 20 20 0 0 0 10 50 0\ncpu0 1 1 1 1\n"), Some(10.0));
        assert_eq!(stolen("cpu  0 0 0 0\n"), None);
        assert_eq!(stolen(""), None);
    }
}
