//! What several subcommands need first: paths, the profile, the machine's size, the accelerator.

use std::convert::Infallible;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::output::print_stderr;
use crate::guest::appliance;
use crate::guest::image::{self, GuestImage};
use crate::host;
use crate::plan::{self, Partition, Plan};
use crate::profile::{self, AccelChoice, Experiment, HostFacts};
use crate::raw::Accel;
use crate::results::RunDir;

/// The argument that names standard input in place of a file.
const STDIN: &str = "-";

/// A path argument. Profiles, libvirt's XML and JSON hold text, so a path must be UTF-8; clap refuses any other.
///
/// # Errors
/// Never: the conversion cannot fail.
pub fn path(argument: &str) -> Result<PathBuf, Infallible> {
    Ok(argument.into())
}

/// The profile's text and the experiment it describes; `-` reads standard input.
///
/// # Errors
/// [`profile::ProfileError`] with everything that is wrong with it.
pub fn load(path: &Path) -> Result<(String, Experiment)> {
    let facts = host_facts()?;
    if path != Path::new(STDIN) {
        return Ok(profile::load(path, facts)?);
    }
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin.take(profile::LARGEST + 1).read_to_end(&mut bytes).context("failed to read standard input")?;
    Ok(profile::from_bytes(bytes, Path::new("<stdin>"), facts)?)
}

/// The directory of a run.
///
/// # Errors
/// If there is none.
pub fn run_dir(path: &Path) -> Result<RunDir> {
    let hint = "runs are in `runs/`, or in the directory that --out named";
    ensure!(path.exists(), "there is no directory {} (hint: {hint})", path.display());
    Ok(RunDir::open(path)?)
}

/// Memory and CPUs of this machine.
pub fn host_facts() -> Result<HostFacts> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").context("failed to read /proc/meminfo")?;
    let memory_mib = memory_mib(&meminfo).context("failed to read MemTotal in /proc/meminfo")?;
    Ok(HostFacts { memory_mib, cpus: numbered().unwrap_or_else(cpus) })
}

/// All memory, MiB. Containers and other kernels show fewer lines than Linux has; only this one is needed.
fn memory_mib(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(total.split_whitespace().next()?.parse::<u64>().ok()? >> 10)
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

/// What a plan needs of the VM host if that is this machine; a plan does not query other machines.
pub fn planned_here(experiment: &Experiment) -> plan::HostCapacity {
    let number = |file: &str| {
        let path = Path::new("/sys/kernel/mm/ksm").join(file);
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let scan = match experiment.machines {
        None => plan::Scan::from_kernel(number("pages_to_scan"), number("sleep_millisecs")),
        Some(_) => plan::Scan::default(),
    };
    plan::HostCapacity { cpus: cpus(), scan }
}

/// The plan of an experiment, or of one part of it, with the estimates of this machine.
///
/// # Errors
/// [`plan::PartitionError`] if it cannot be split so.
pub fn plan(experiment: &Experiment, accel: Accel, partition: Option<Partition>) -> Result<Plan> {
    let blocks = partition.map(|part| part.blocks(experiment)).transpose()?;
    let is_wanted = |block| blocks.as_ref().is_none_or(|own| own.contains(&block));
    Ok(plan::plan_blocks(experiment, accel, planned_here(experiment), is_wanted))
}

/// Keeps libvirt's log off standard error; libvirt's errors are returned anyway. Must run before any thread starts.
pub fn quiet_libvirt() {
    // SAFETY: the process has a single thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null") };
}

/// Adds the administrators' directories to PATH, where `check` searches, too. Must run before any thread starts.
pub fn widen_path() {
    let Ok(path) = std::env::join_paths(crate::machine::blocking::search_path()) else { return };
    // SAFETY: the process has a single thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var("PATH", path) };
}

/// What the guests boot, found or built; `None` where no configuration has guests.
///
/// # Errors
/// [`image::ImageError`] if it is not there and cannot be built.
pub fn image(experiment: &Experiment) -> Result<Option<GuestImage>> {
    let mut progress = |step: &str| print_stderr(&format!("{step}\n"));
    let (cache, for_xen) = (appliance::default_cache(), experiment.host.xen.is_some());
    let ensure = || image::ensure(&experiment.image, &cache, for_xen, &mut progress);
    Ok(experiment.has_guests().then(ensure).transpose()?)
}

/// What runs the guests' instructions; for another machine a guess until the preflight has examined it.
pub fn accel(experiment: &Experiment) -> Accel {
    match experiment.host.accel {
        _ if experiment.host.xen.is_some() => Accel::Xen,
        AccelChoice::Kvm => Accel::Kvm,
        AccelChoice::Tcg => Accel::Tcg,
        AccelChoice::Auto if experiment.machines.is_some() => Accel::Kvm,
        AccelChoice::Auto if host::kvm_usable() => Accel::Kvm,
        AccelChoice::Auto => Accel::Tcg,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read_from_a_meminfo_of_one_line() {
        assert_eq!(super::memory_mib("MemTotal:        4194304 kB\n"), Some(4096));
        assert_eq!(super::memory_mib(""), None);
    }
}
