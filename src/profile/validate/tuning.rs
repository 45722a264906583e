//! Tuning: CPU masks that name only CPUs that are there, words and numbers that the kernel takes.

use super::factors::Levels;
use super::{Check, Fault, steering};
use crate::backend::{Backend, Model};
use crate::profile::cpus::{self, Cpus};
use crate::profile::tuning::{GuestTuning, HostTuning, Steering, THP, Tuning};
use crate::profile::units::Time;
use crate::profile::written::{GuestTuning as WrittenGuest, HostTuning as WrittenHost, Written};
use crate::profile::{Factor, Value};

/// What is set in all configurations alike; the factors' levels come on top.
pub(super) fn tuning(check: &mut Check, written: &Written) -> Tuning {
    let WrittenHost { rps_flow_cnt, rps_sock_flow_entries, xps, irq_affinity, .. } = &written.tuning.host;
    let host = fixed(check, "tuning.host", *rps_flow_cnt, *rps_sock_flow_entries, [xps, irq_affinity]);
    let WrittenGuest { rps_flow_cnt, rps_sock_flow_entries, xps, irq_affinity, .. } = &written.tuning.guest;
    let guest = fixed(check, "tuning.guest", *rps_flow_cnt, *rps_sock_flow_entries, [xps, irq_affinity]);
    let governor = written.tuning.host.governor.clone();
    if let Some(name) = governor.as_deref().filter(|name| !is_word(name)) {
        let message = format!("\"{name}\" is not a CPU frequency governor");
        check
            .fault("tuning.host.governor", Fault::new(message, "", "for example governor = \"performance\""));
    }
    let WrittenHost { coalesce_rx, coalesce_tx, .. } = &written.tuning.host;
    let [coalesce_rx_us, coalesce_tx_us] = coalescing(check, "tuning.host", [*coalesce_rx, *coalesce_tx]);
    let swappiness = written.tuning.host.swappiness;
    if let Some(number) = swappiness.filter(|number| *number > 200) {
        let message = format!("{number} is no swappiness");
        check.fault("tuning.host.swappiness", Fault::new(message, "", "0 (as late as possible) to 200"));
    }
    let times = HostTuning { coalesce_rx_us, coalesce_tx_us, ..HostTuning::default() };
    let host = HostTuning { steering: host, governor, swappiness, ..times };
    let WrittenGuest { coalesce_rx, coalesce_tx, .. } = &written.tuning.guest;
    let [coalesce_rx_us, coalesce_tx_us] = coalescing(check, "tuning.guest", [*coalesce_rx, *coalesce_tx]);
    Tuning { host, guest: GuestTuning { steering: guest, coalesce_rx_us, coalesce_tx_us } }
}

fn fixed(
    check: &mut Check,
    section: &str,
    rps_flow_cnt: Option<u32>,
    rps_sock_flow_entries: Option<u32>,
    [xps, irq_affinity]: [&Option<String>; 2],
) -> Steering {
    for (key, entries) in [("rps_flow_cnt", rps_flow_cnt), ("rps_sock_flow_entries", rps_sock_flow_entries)] {
        if let Some(fault) = entries.and_then(steering::entries) {
            check.fault(&format!("{section}.{key}"), fault);
        }
    }
    let mut set = |key: &str, mask: &Option<String>| {
        let path = format!("{section}.{key}");
        cpus(mask.as_ref()?).map_err(|fault| check.fault(&path, fault)).ok()
    };
    let (xps, irq_affinity) = (set("xps", xps), set("irq_affinity", irq_affinity));
    if irq_affinity.as_ref().is_some_and(Cpus::is_none) {
        let hint = "name at least one CPU, or leave the key out";
        check.fault(
            &format!("{section}.irq_affinity"),
            Fault::new("interrupts need a CPU to go to", "", hint),
        );
    }
    Steering { rps: None, rps_flow_cnt, rps_sock_flow_entries, xps, irq_affinity }
}

/// The two times of coalescing of a section, µs.
fn coalescing(check: &mut Check, section: &str, [rx, tx]: [Option<Time>; 2]) -> [Option<u32>; 2] {
    let mut us = |key: &str, time| gathering(check, &format!("{section}.{key}"), time);
    [us("coalesce_rx", rx), us("coalesce_tx", tx)]
}

/// A time of coalescing, µs: whole ones up to a tenth of a second. Which of them a driver takes is its own choice.
fn gathering(check: &mut Check, path: &str, time: Option<Time>) -> Option<u32> {
    let Time(time) = time?;
    let us = u32::try_from(time.as_micros()).ok().filter(|us| *us <= 100_000);
    if us.is_none() || time.subsec_nanos() % 1_000 != 0 {
        let message = format!("no NIC gathers packets for {}", Time(time));
        check.fault(path, Fault::new(message, "", "write whole microseconds, at most \"100 ms\""));
    }
    us
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
pub(super) fn in_range(check: &mut Check, written: &Written, tuning: &Tuning, factors: &[Levels]) {
    let vcpus = written.guest.vcpus.or(written.sweep.vcpus.iter().flatten().copied().min()).unwrap_or(1);
    let (host, guest) = (("the host", check.facts.cpus), ("a guest", vcpus));
    for (path, set, owner) in [
        ("tuning.host.xps", &tuning.host.steering.xps, host),
        ("tuning.host.irq_affinity", &tuning.host.steering.irq_affinity, host),
        ("tuning.guest.xps", &tuning.guest.steering.xps, guest),
        ("tuning.guest.irq_affinity", &tuning.guest.steering.irq_affinity, guest),
    ] {
        set.iter().for_each(|set| there(check, path, set, owner));
    }
    for (factor, owner) in [(Factor::HostRps, host), (Factor::GuestRps, guest)] {
        for level in factors.iter().filter(|levels| levels.factor == factor).flat_map(|levels| &levels.levels)
        {
            if let Value::Cpus(set) = &level.value {
                there(check, &level.path, set, owner);
            }
        }
    }
}

/// QEMU's virtio-net has no interrupt coalescing, whoever serves its queues, and neither has the 82540EM that e1000 is.
pub(super) fn can_gather(check: &mut Check, tuning: &Tuning, factors: &[Levels]) {
    let asked = [("coalesce_rx", tuning.guest.coalesce_rx_us), ("coalesce_tx", tuning.guest.coalesce_tx_us)];
    let Some((key, _)) = asked.into_iter().find(|(_, us)| us.is_some()) else { return };
    let levels = factors.iter().filter(|levels| levels.factor == Factor::Backend).flat_map(|all| &all.levels);
    for level in levels {
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

fn there(check: &mut Check, path: &str, set: &Cpus, (owner, cpus): (&str, u32)) {
    let Some(highest) = set.highest().filter(|highest| *highest >= cpus) else { return };
    let what = check.places.written(path).unwrap_or("the mask");
    let message = format!("{what} names CPU {highest}, but {owner} has {cpus} of them");
    let widest = cpus::mask(&(0..cpus).collect());
    let hint = format!("CPUs count from 0; the widest mask is \"{widest}\", or write \"all\"");
    check.fault(path, Fault::new(message, "", hint));
}
