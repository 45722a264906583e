//! What several subcommands need first: the profile, the machine's size, the accelerator.

use std::path::Path;

use anyhow::{Context, Result};

use crate::host;
use crate::plan;
use crate::profile::{self, AccelChoice, Experiment, HostFacts};
use crate::raw::Accel;

/// The profile's text and the experiment it describes.
///
/// # Errors
/// [`profile::ProfileError`] with everything that is wrong with it.
pub fn load(path: &Path) -> Result<(String, Experiment)> {
    Ok(profile::load(path, host_facts()?)?)
}

/// Memory and CPUs of this machine.
pub fn host_facts() -> Result<HostFacts> {
    use procfs::Current;
    let memory = procfs::Meminfo::current().context("failed to read /proc/meminfo")?;
    Ok(HostFacts { memory_mib: memory.mem_total >> 20, cpus: numbered().unwrap_or_else(cpus) })
}

/// How far the numbers of this machine's CPUs go: one more than the highest that is online.
fn numbered() -> Option<u32> {
    let online = profile::cpus::of_list(&std::fs::read_to_string(profile::cpus::ONLINE).ok()?)?;
    online.last().map(|last| last + 1)
}

/// CPUs that this process may use.
pub fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

/// What a plan has to know of the VM host, if that is this machine; nobody asks another one for a plan.
pub fn planned_here(experiment: &Experiment) -> plan::Host {
    let number = |file: &str| {
        let path = Path::new("/sys/kernel/mm/ksm").join(file);
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let scan = match experiment.machines {
        None => plan::Scan::of(number("pages_to_scan"), number("sleep_millisecs")),
        Some(_) => plan::Scan::default(),
    };
    plan::Host { cpus: cpus(), scan }
}

/// libvirt's own log would spoil what is said on standard error; its errors are returned. To be called first of all.
pub fn quiet_libvirt() {
    // SAFETY: the process has a single thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null") };
}

/// Programs are started where `check` found them: in the directories for administrators, too. To be called first of all.
pub fn widen_path() {
    let Ok(path) = std::env::join_paths(crate::machine::blocking::search_path()) else { return };
    // SAFETY: the process has a single thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var("PATH", path) };
}

/// What will run the guests' instructions; on another machine, that is not known before somebody has looked there.
pub fn accel(experiment: &Experiment) -> Accel {
    match experiment.host.accel {
        AccelChoice::Kvm => Accel::Kvm,
        AccelChoice::Tcg => Accel::Tcg,
        AccelChoice::Auto if experiment.machines.is_some() => Accel::Kvm,
        AccelChoice::Auto if host::kvm_usable() => Accel::Kvm,
        AccelChoice::Auto => Accel::Tcg,
    }
}
