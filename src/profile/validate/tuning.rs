//! Tuning: CPU masks that name only CPUs that are there, words and numbers that the kernel takes.

use super::configurations::levels_of;
use super::factors::Levels;
use super::{Check, Fault};
use crate::backend::{Attachment, Backend, Model};
use crate::profile::cpus::{self, Cpus};
use crate::profile::tuning::THP;
use crate::profile::units::Time;
use crate::profile::written::Written;
use crate::profile::{Factor, Value};

/// A CPU frequency governor.
pub(super) fn governor(name: &str) -> Result<String, Fault> {
    let fault = || {
        let message = format!("\"{name}\" is not a CPU frequency governor");
        Fault::new(message, "", "for example governor = \"performance\"")
    };
    is_word(name).then(|| name.to_owned()).ok_or_else(fault)
}

/// How readily the host swaps.
pub(super) fn swappiness(number: u32) -> Result<u32, Fault> {
    let fault = || Fault::new(format!("{number} is no swappiness"), "", "0 (as late as possible) to 200");
    (number <= 200).then_some(number).ok_or_else(fault)
}

/// CPUs that take interrupts.
pub(super) fn irq_affinity(mask: &str) -> Result<Cpus, Fault> {
    let cpus = cpus(mask)?;
    let hint = "name at least one CPU, or leave the key out";
    let fault = || Fault::new("interrupts need a CPU to go to", "", hint);
    (!cpus.is_none()).then_some(cpus).ok_or_else(fault)
}

/// A time of coalescing, µs: whole ones up to a tenth of a second. Which of them a driver takes is its own choice.
pub(super) fn gathering(time: &str) -> Result<u32, Fault> {
    let time = time.parse::<Time>().map(|time| time.0).unwrap_or_default();
    let us = u32::try_from(time.as_micros()).ok().filter(|us| *us <= 100_000);
    us.filter(|_| time.subsec_nanos() % 1_000 == 0).ok_or_else(|| {
        let message = format!("no NIC gathers packets for {}", Time(time));
        Fault::new(message, "", "write whole microseconds, at most \"100 ms\"")
    })
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// A set of CPUs.
pub(super) fn cpus(mask: &str) -> Result<Cpus, Fault> {
    let hint = "write \"all\", \"none\", a hex mask such as \"f\" or a CPU list such as \"0-3\"";
    mask.parse().map_err(|message: String| Fault::new(message, "", hint))
}

/// What transparent hugepages are set to.
pub(super) fn thp(word: &str) -> Result<String, Fault> {
    let fault = || {
        Fault::new(
            format!("transparent hugepages are never \"{word}\""),
            "",
            format!("one of {}", THP.join(", ")),
        )
    };
    THP.contains(&word).then(|| word.to_owned()).ok_or_else(fault)
}

/// A slice of the scheduler, ns; its bounds are the kernel's.
pub(super) fn base_slice(time: &str) -> Result<u32, Fault> {
    let time = time.parse::<Time>().map(|time| time.0.as_nanos()).unwrap_or_default();
    let out = || Fault::new("a slice must be 100 us to 1 s", "", "for example \"3 ms\"");
    u32::try_from(time).ok().filter(|ns| (100_000..=1_000_000_000).contains(ns)).ok_or_else(out)
}

/// A mask must not name CPUs that are not there: on the host, and in the smallest guest.
pub(super) fn in_range(check: &mut Check, written: &Written, factors: &[Levels]) {
    let vcpus = written.guest.vcpus.or(written.sweep.vcpus.iter().flatten().copied().min()).unwrap_or(1);
    let (host, guest) = (("the host", check.facts.cpus), ("a guest", vcpus));
    for Levels { factor, levels, .. } in factors {
        let owner = if factor.is_of_guests() { guest } else { host };
        for level in levels {
            if let Value::Cpus(set) = &level.value {
                there(check, &level.path, set, owner);
            }
        }
    }
}

/// QEMU's virtio-net has no interrupt coalescing, whoever serves its queues, and neither has the 82540EM that e1000 is.
pub(super) fn can_gather(check: &mut Check, factors: &[Levels]) {
    let asked = [Factor::GuestCoalesceRx, Factor::GuestCoalesceTx].into_iter();
    let mut asked =
        asked.filter(|factor| levels_of(factors, *factor).iter().any(|l| l.value != Value::AsFound));
    let Some(key) = asked.next().and_then(|factor| factor.home().rsplit('.').next()) else { return };
    for level in levels_of(factors, Factor::Backend) {
        if let Value::Backend(backend @ Backend::Guest { model: Model::Virtio | Model::E1000, .. }) =
            level.value
        {
            let message = format!("a guest's NIC of {backend} gathers no packets: {key} means nothing to it");
            let hint =
                format!("measure e1000e, sr-iov or pci-passthrough, or leave {key} out of [tuning.guest]");
            check.fault(&level.path, Fault::new(message, "", hint));
        }
    }
}

/// Open vSwitch's own datapath takes no frames longer than the MTU, as merging makes them: kvmfair switches it off there.
pub(super) fn whole_frames(check: &mut Check, factors: &[Levels]) {
    let merged = levels_of(factors, Factor::HostGro).iter().find(|level| level.value == Value::Switch(true));
    let switched = levels_of(factors, Factor::Backend).iter().find_map(|level| match level.value {
        Value::Backend(
            backend @ Backend::Guest { attachment: Attachment::Ovs | Attachment::OvsDpdk, .. },
        ) => Some(backend),
        _ => None,
    });
    if let (Some(merged), Some(backend)) = (merged, switched) {
        let message = format!("{backend} may need whole frames, and gro merges them");
        let hint = "leave gro out of [tuning.host] for Open vSwitch: its kernel module has it on, its own datapath off";
        check.fault(&merged.path, Fault::new(message, "", hint));
    }
}

fn there(check: &mut Check, path: &str, set: &Cpus, (owner, cpus): (&str, u32)) {
    let Some(highest) = set.highest().filter(|highest| *highest >= cpus) else { return };
    let what = check.places.written(path).unwrap_or("the mask");
    let message =
        format!("{what} names CPU {highest}, but the last of {owner} is CPU {}", cpus.saturating_sub(1));
    let widest = cpus::mask(&(0..cpus).collect());
    let hint = format!("CPUs count from 0; the widest mask is \"{widest}\", or write \"all\"");
    check.fault(path, Fault::new(message, "", hint));
}
