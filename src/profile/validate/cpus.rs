//! CPUs that a profile names must be there: for masks, for pins, and one vCPU for each queue pair.

use super::backend::has_guests;
use super::factors::{Level, Levels, levels_of};
use super::{Fault, Validator};
use crate::profile::cpus::{self, Cpus};
use crate::profile::{Factor, Value};

/// Reports CPUs that are not there.
pub(super) fn check(check: &mut Validator, factors: &[Levels]) {
    masks(check, factors);
    if has_guests(factors) {
        pins(check, factors);
        queues(check, factors);
    }
}

/// A mask must not name CPUs that are not there: on the host, and in the smallest guest.
fn masks(check: &mut Validator, factors: &[Levels]) {
    let vcpus =
        levels_of(factors, Factor::Vcpus).iter().map(|level| level.value.as_number()).min().unwrap_or(1);
    let (host, guest) = (("the host", check.facts.cpus), ("a guest", vcpus));
    for Levels { factor, levels, .. } in factors {
        let owner = if factor.is_of_guests() { guest } else { host };
        for level in levels {
            if let Value::Cpus(set) = &level.value {
                mask(check, &level.path, set, owner);
            }
        }
    }
}

fn mask(check: &mut Validator, path: &str, set: &Cpus, (owner, cpus): (&str, u32)) {
    let Some(highest) = set.highest().filter(|highest| *highest >= cpus) else { return };
    let what = check.places.written(path).unwrap_or("the mask");
    let message =
        format!("{what} names CPU {highest}, but the last of {owner} is CPU {}", cpus.saturating_sub(1));
    let widest = cpus::mask(&(0..cpus).collect());
    let hint = format!("CPUs count from 0; the widest mask is \"{widest}\", or write \"all\"");
    check.fault(path, Fault::new(message, "", hint));
}

/// A list must not name CPUs that are not there.
fn pins(check: &mut Validator, factors: &[Levels]) {
    let cpus = check.facts.cpus;
    let kinds = [
        (Factor::Pin, "vCPUs"),
        (Factor::PinEmulator, "threads of QEMU"),
        (Factor::PinVhost, "vhost workers"),
    ];
    let levels = |(factor, what)| levels_of(factors, factor).iter().map(move |level| (level, what));
    for (level, what) in kinds.into_iter().flat_map(levels) {
        let Value::Pin(pin) = &level.value else { continue };
        let highest = pin.highest();
        if let Some(highest) = highest.filter(|highest| *highest >= cpus) {
            let last = cpus.saturating_sub(1);
            let message = format!("{what} cannot be pinned to CPU {highest}: the host's last is CPU {last}");
            let hint = "CPUs count from 0; `kvmfair check` says which of them are offline";
            check.fault(&level.path, Fault::new(message, "", hint));
        }
    }
}

/// A Linux guest uses at most one queue pair for each vCPU.
fn queues(check: &mut Validator, factors: &[Levels]) {
    let number = |level: &&Level| level.value.as_number();
    let Some(vcpus) = levels_of(factors, Factor::Vcpus).iter().map(|level| number(&level)).min() else {
        return;
    };
    for queues in levels_of(factors, Factor::Queues).iter().filter(|queues| number(queues) > vcpus) {
        let asked = number(&queues);
        let plural = if vcpus == 1 { "" } else { "s" };
        let message = format!("a guest of {vcpus} vCPU{plural} does not use {asked} queue pairs");
        let hint = format!("virtio_net takes at most one for each vCPU: give each guest vcpus = {asked}");
        check.fault(&queues.path, Fault::new(message, "too many", hint));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    #[test]
    fn queues_need_a_vcpu_each_in_the_smallest_guest() {
        let message = |vcpus: &str| {
            let queues = "network = { backend = \"virtio\", queues = 2 }\nsweep.vcpus = ";
            let text = format!("schema = 1\nname = \"x\"\nworkload.flows = 4\n{queues}{vcpus}");
            let facts = HostFacts { memory_mib: 1024, cpus: 2 };
            parse(&text, Path::new("p.toml"), facts).err().map(|error| error.diagnostics[0].message.clone())
        };
        assert_eq!(message("[2, 4]"), None);
        assert_eq!(message("[1, 2]").as_deref(), Some("a guest of 1 vCPU does not use 2 queue pairs"));
    }
}
