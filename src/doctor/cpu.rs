//! Whose a core is, and what time it is there: hyperthreads, the clock source, time that a hypervisor above takes.

use super::subject::{Subject, Verdict};
use crate::host::facts::Facts;

pub(super) fn smt(facts: &Facts) -> Subject {
    const CONTROL: &str = "/sys/devices/system/cpu/smt/control";
    const ON: &str = "Two guests on one core's threads slow each other down, two on different cores do not: which \
                      it is, chance decides unless they are pinned.";
    const OFF: &str = "No two CPUs share a core.";
    let subject = |verdict, found: &str, effect: &str| Subject::new("SMT", verdict, found, effect);
    match (facts.switch("/sys/devices/system/cpu/smt/active"), facts.text(CONTROL)) {
        (Some(true), _) => subject(Verdict::Note, "on: CPUs are threads that share cores", ON)
            .change(format!("echo off > {CONTROL}")),
        (Some(false), _) if facts.is_guest() => subject(
            Verdict::Unknown,
            "not shown: this machine is itself a guest, whose CPUs may be threads",
            ON,
        ),
        (Some(false), Some("off" | "forceoff")) => subject(Verdict::Good, "switched off", OFF),
        (Some(false), _) => subject(Verdict::Good, "none", OFF),
        (None, _) => subject(Verdict::Unknown, "the kernel does not say", ON),
    }
}

pub(super) fn clocksource(facts: &Facts) -> Subject {
    const DIRECTORY: &str = "/sys/devices/system/clocksource/clocksource0";
    const FAST: &str = "Reading the time is cheap, for the host and its guests.";
    const ABOVE: &str =
        "The time comes from the hypervisor above: cheap here, but guests of this machine get a slower one.";
    const SLOW: &str = "Each reading of the time costs about a microsecond, in guests too: KVM's fast clock for them \
                        needs the TSC. Small packets pay for it most.";
    let subject = |verdict, found: &str, effect: &str| Subject::new("clock source", verdict, found, effect);
    let Some(current) = facts.text(&format!("{DIRECTORY}/current_clocksource")) else {
        return subject(
            Verdict::Unknown,
            "the kernel does not say",
            "Where the source is not the TSC, each reading of the time is slow, in guests too.",
        );
    };
    let others = facts.text(&format!("{DIRECTORY}/available_clocksource")).unwrap_or_default();
    let looked = match current {
        "tsc" => return subject(Verdict::Good, current, FAST),
        "kvm-clock" | "hyperv_clocksource_tsc_page" | "xen" => subject(Verdict::Note, current, ABOVE),
        _ => subject(Verdict::Bad, current, SLOW),
    };
    looked.change(match others.split(' ').any(|other| other == "tsc") {
        true => format!("echo tsc > {DIRECTORY}/current_clocksource"),
        false => {
            "`dmesg | grep -i tsc` says why the kernel has no TSC to offer; often newer firmware cures it"
                .into()
        }
    })
}

/// Stolen time above which figures are spoilt, percent.
const MUCH: f64 = 1.0;

pub(super) fn steal(facts: &Facts) -> Subject {
    const STOLEN: &str = "A neighbour that nobody sees here takes CPU time from whichever guest is running, so trials differ by chance.";
    let subject = |verdict, found: String, effect: &str| Subject::new("steal", verdict, found, effect);
    if facts.cpu("flags").is_none() {
        return subject(Verdict::Unknown, "/proc/cpuinfo shows no flags".into(), STOLEN);
    }
    if !facts.is_guest() {
        return subject(
            Verdict::Good,
            "no hypervisor above this machine".into(),
            "Nobody else takes CPU time from this machine.",
        );
    }
    let share = stolen(facts.text("/proc/stat").unwrap_or_default());
    let (verdict, found) = match share {
        Some(percent) if percent >= MUCH => {
            (Verdict::Bad, format!("{percent:.1} % of the CPU time since boot stolen"))
        }
        Some(percent) => (Verdict::Note, format!("{percent:.1} % of the CPU time since boot stolen")),
        None => (Verdict::Unknown, "stolen time is not shown".into()),
    };
    subject(verdict, format!("this machine is itself a guest; {found}"), STOLEN)
        .change("measure on a machine of metal, or have this one's vCPUs pinned to cores of their own")
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
