//! Tuning: CPU masks that name only CPUs that are there, words and numbers that the kernel takes.

use super::factors::{Levels, levels_of};
use super::{Check, Fault};
use crate::backend::{Attachment, Backend, Model};
use crate::profile::cpus::{self, Cpus};
use crate::profile::written::Written;
use crate::profile::{Factor, Value};

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
