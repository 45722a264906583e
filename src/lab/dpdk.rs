//! DPDK inside Open vSwitch: which daemon has it, and how little of the machine it takes.
//!
//! One polling thread on one CPU, no PCI device, and memory in huge pages where enough of them are free. A machine of few
//! CPUs needs the polled one for guests and netperf too, so there the thread rests between polls.

use std::path::{Path, PathBuf};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::machine::blocking::{self, find};

/// Where Debian puts the daemon that is built with DPDK.
const DEBIANS: &str = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk";
/// Huge pages are used if so much is free, MiB: every guest takes about 80 of it, more with a large MTU.
const ENOUGH_MIB: u64 = 1024;
/// With fewer CPUs the polling thread rests.
const FEW_CPUS: usize = 4;
/// The longest rest between two polls, µs.
const REST_US: u32 = 100;

/// The daemon; `None` if the machine has none.
pub fn daemon() -> Option<PathBuf> {
    let debians = Some(PathBuf::from(DEBIANS)).filter(|path| path.is_file());
    debians.or_else(|| find("ovs-vswitchd").filter(|path| dpdk_version(path).is_some()))
}

/// The package that a Debian daemon lacks although nothing depends on it: without this plugin of DPDK's it starts, and
/// then no port works.
pub fn missing_package() -> Option<&'static str> {
    let debians = Path::new(DEBIANS).is_file();
    let entries =
        |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let plugins =
        entries(Path::new("/usr/lib")).flat_map(|arch| entries(&arch.join("dpdk")).collect::<Vec<_>>());
    let ring = |path: PathBuf| path.to_string_lossy().contains("/librte_mempool_ring.so");
    let there = plugins.flat_map(|dir| entries(&dir).collect::<Vec<_>>()).any(ring);
    (debians && !there).then_some("librte-mempool-ring23 (Debian 12) or librte-mempool-ring25 (Debian 13)")
}

/// The version of DPDK that a daemon was built with: its second line is `DPDK 22.11.11`.
fn dpdk_version(daemon: &Path) -> Option<String> {
    let ran = blocking::run(Path::new("/"), &[&daemon.display().to_string(), "--version"]).ok()?;
    let version = String::from_utf8_lossy(&ran.stdout).into_owned();
    version.lines().find_map(|line| line.strip_prefix("DPDK ")).map(str::to_owned)
}

/// Versions and settings in one line.
pub fn fingerprint() -> String {
    let version =
        daemon().and_then(|path| dpdk_version(&path)).unwrap_or_else(|| "of unknown version".into());
    let memory = if memory() == SwitchMemory::Huge { "huge pages" } else { "ordinary pages" };
    format!("DPDK {version}, {memory}, {}", polling(&cpus()))
}

/// How it polls, in words.
fn polling(cpus: &[usize]) -> String {
    let rest = rest_us(cpus)
        .map_or_else(|| "without rest".into(), |us| format!("rests of up to {us} us between polls"));
    format!("one thread on CPU {} polls, {rest}", cpus.last().copied().unwrap_or(0))
}

/// Columns of the table `Open_vSwitch`, as `ovs-vsctl set` takes them.
pub fn settings() -> Vec<String> {
    settings_for(&cpus(), memory())
}

/// Pure part of [`settings`].
fn settings_for(cpus: &[usize], memory: SwitchMemory) -> Vec<String> {
    let memory = match memory {
        SwitchMemory::Huge => String::new(), // as it needs them
        // Spelled out, because Open vSwitch would add --in-memory, which does not go with ordinary pages.
        SwitchMemory::Ordinary(mib) => format!("--no-huge --legacy-mem -m {mib} "),
    };
    let first = cpus.first().copied().unwrap_or(0);
    let last = cpus.last().copied().unwrap_or(0);
    let mut settings = vec![
        "other_config:dpdk-init=true".to_owned(),
        // A pool for each guest; the one for all would take a gigabyte at once, whatever the number of guests.
        "other_config:per-port-memory=true".to_owned(),
        format!("other_config:dpdk-lcore-mask={}", mask(first)),
        format!("other_config:pmd-cpu-mask={}", mask(last)),
        format!("other_config:dpdk-extra=\"{memory}--no-pci --no-shconf --no-telemetry\""),
    ];
    if let Some(us) = rest_us(cpus) {
        // The first is its name in version 3.1, the second its name since.
        settings.extend(["pmd-maxsleep", "pmd-sleep-max"].map(|name| format!("other_config:{name}={us}")));
    }
    settings
}

fn rest_us(cpus: &[usize]) -> Option<u32> {
    (cpus.len() < FEW_CPUS).then_some(REST_US)
}

/// A mask with one CPU, hexadecimal, of any length.
fn mask(cpu: usize) -> String {
    format!("0x{:x}{}", 1 << (cpu % 4), "0".repeat(cpu / 4))
}

/// The CPUs that this process may use.
fn cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect()
}

/// Where packets lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SwitchMemory {
    /// In huge pages, the kernel's whole pool if need be.
    Huge,
    /// In ordinary pages, so many MiB at most.
    Ordinary(u64),
}

/// Huge pages where enough are free.
fn memory() -> SwitchMemory {
    memory_of(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

/// Pure part of [`memory`]. A bound costs nothing: ordinary pages are taken as they are touched.
fn memory_of(meminfo: &str) -> SwitchMemory {
    let value = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let free = value("HugePages_Free:").zip(value("Hugepagesize:"));
    if free.is_some_and(|(pages, kib)| pages * kib / 1024 >= ENOUGH_MIB) {
        return SwitchMemory::Huge;
    }
    SwitchMemory::Ordinary(value("MemTotal:").unwrap_or_default() / 1024 / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_polls_on_the_last_cpu_and_rests_only_where_cpus_are_few() {
        let many = settings_for(&[0, 1, 2, 70], SwitchMemory::Huge);
        assert!(many.contains(&"other_config:pmd-cpu-mask=0x400000000000000000".into()), "{many:?}");
        assert!(many.contains(&"other_config:dpdk-lcore-mask=0x1".into()), "{many:?}");
        assert!(!many.iter().any(|setting| setting.contains("sleep")), "{many:?}");
        let few = settings_for(&[1, 3], SwitchMemory::Huge);
        assert!(few.contains(&"other_config:pmd-cpu-mask=0x8".into()), "{few:?}");
        assert!(few.contains(&"other_config:pmd-sleep-max=100".into()), "{few:?}");
    }

    #[test]
    fn huge_pages_are_used_where_enough_are_free_and_never_more_than_the_machine_has() {
        let meminfo =
            |free: u32| format!("MemTotal: 4194304 kB\nHugePages_Free:  {free}\nHugepagesize:  2048 kB\n");
        assert_eq!(memory_of(&meminfo(512)), SwitchMemory::Huge);
        assert_eq!(memory_of(&meminfo(511)), SwitchMemory::Ordinary(2048));
        assert!(
            settings_for(&[0], SwitchMemory::Ordinary(64))[4]
                .contains("--no-huge --legacy-mem -m 64 --no-pci")
        );
        assert!(!settings_for(&[0], SwitchMemory::Huge)[4].contains("--no-huge"));
    }
}
