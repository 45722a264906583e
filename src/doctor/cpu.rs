//! How fast the cores run, who shares them, and the clock: governor, turbo, idle states, hyperthreads, time source, steal.

use super::host_state::HostState;
use crate::host::facts::Facts;

/// Wake-up time of a shallow idle state, µs.
const SHALLOW: i64 = 10;
/// Stolen time above which figures are spoilt, percent.
const MUCH: f64 = 1.0;

pub(super) fn governor(facts: &Facts) -> Result<HostState, String> {
    const POLICIES: &str = "/sys/devices/system/cpu/cpufreq/policy";
    let governors = facts.like(POLICIES, "/scaling_governor");
    let (_, first) = governors.first().ok_or_else(|| no_control(facts))?;
    let driver = facts.like(POLICIES, "/scaling_driver").first().map_or("", |(_, driver)| driver);
    let others: Vec<_> = governors.iter().filter(|(_, governor)| governor != first).collect();
    let state = match (others.first(), *first) {
        (Some((_, other)), _) => HostState::new("different")
            .with("other", other)
            .with("others", others.len())
            .with("cores", governors.len()),
        (None, "performance") => HostState::new("performance"),
        // With these drivers the CPU chooses the clock itself, and powersave is only its name for that.
        (None, "powersave") if !["intel_pstate", "amd-pstate-epp"].contains(&driver) => {
            HostState::new("lowest")
        }
        (None, _) => HostState::new("dynamic"),
    };
    Ok(state.with("governor", first).with("driver", driver))
}

pub(super) fn turbo(facts: &Facts) -> Result<HostState, String> {
    const NO_TURBO: &str = "/sys/devices/system/cpu/intel_pstate/no_turbo";
    const BOOST: &str = "/sys/devices/system/cpu/cpufreq/boost";
    let intel = facts.switch(NO_TURBO).map(|off| (!off, format!("echo 1 > {NO_TURBO}")));
    let other = || facts.switch(BOOST).map(|on| (on, format!("echo 0 > {BOOST}")));
    let (on, change) = intel.or_else(other).ok_or_else(|| no_control(facts))?;
    Ok(if on { HostState::new("on") } else { HostState::new("off") }.with("change", change))
}

pub(super) fn idle_states(facts: &Facts) -> Result<HostState, String> {
    const CPU: &str = "/sys/devices/system/cpu/cpu0/cpuidle/";
    if facts.is_guest() {
        return Err(no_control(facts)); // its idle states end in the hypervisor
    }
    let states = facts.like(CPU, "/latency");
    let enabled =
        states.iter().filter(|(state, _)| facts.switch(&format!("{CPU}{state}/disable")) != Some(true));
    let latency = |(state, us): &(&str, &str)| Some((us.parse::<i64>().ok()?, format!("{CPU}{state}/name")));
    let (us, name) = enabled.filter_map(latency).max_by_key(|(us, _)| *us).ok_or_else(|| {
        let driver = facts.text("/sys/devices/system/cpu/cpuidle/current_driver").unwrap_or("none");
        format!("the kernel shows none (cpuidle driver: {driver})")
    })?;
    let state = if us <= SHALLOW { HostState::new("shallow") } else { HostState::new("deep") };
    let name = facts.text(&name).unwrap_or("without a name");
    Ok(state.with("name", name).with("us", us).with("shallow", SHALLOW))
}

pub(super) fn smt(facts: &Facts) -> Result<HostState, String> {
    let active = facts.switch("/sys/devices/system/cpu/smt/active").ok_or("not in /sys")?;
    match (active, facts.text("/sys/devices/system/cpu/smt/control")) {
        (true, _) => Ok(HostState::new("on")),
        (false, _) if facts.is_guest() => {
            Err("hidden: this machine is itself a guest, and its CPUs may be threads".into())
        }
        (false, Some("off" | "forceoff")) => Ok(HostState::new("off")),
        (false, _) => Ok(HostState::new("none")),
    }
}

pub(super) fn clock_source(facts: &Facts) -> Result<HostState, String> {
    const DIRECTORY: &str = "/sys/devices/system/clocksource/clocksource0";
    let current = facts.text(&format!("{DIRECTORY}/current_clocksource")).ok_or("not in /sys")?;
    let others = facts.text(&format!("{DIRECTORY}/available_clocksource")).unwrap_or_default();
    let change = match others.split(' ').any(|other| other == "tsc") {
        true => format!("echo tsc > {DIRECTORY}/current_clocksource"),
        false => {
            "`dmesg | grep -i tsc` shows why the kernel offers no TSC; newer firmware often helps".into()
        }
    };
    let state = match current {
        "tsc" => HostState::new("tsc"),
        "kvm-clock" | "hyperv_clocksource_tsc_page" | "xen" => HostState::new("hypervisor"),
        _ => HostState::new("slow"),
    };
    Ok(state.with("source", current).with("change", change))
}

pub(super) fn steal(facts: &Facts) -> Result<HostState, String> {
    facts.cpu("flags").ok_or("/proc/cpuinfo shows no flags")?;
    if !facts.is_guest() {
        return Ok(HostState::new("none"));
    }
    let percent = stolen(facts.text("/proc/stat").unwrap_or_default());
    let percent = percent.ok_or("this machine is itself a guest; stolen time is hidden")?;
    let state = if percent >= MUCH { HostState::new("much") } else { HostState::new("little") };
    Ok(state.with("percent", format!("{percent:.1}")))
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
