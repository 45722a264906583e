//! Tuning: a CPU mask must not name CPUs that are not there. The settings themselves are for a later version.

use super::{Check, Fault};
use crate::profile::written::Written;

/// Checks the CPU masks and lists of `[tuning.host]` and `[tuning.guest]`.
pub(super) fn check(check: &mut Check, written: &Written) {
    let (host, guest) = (&written.tuning.host, &written.tuning.guest);
    let vcpus = written.guest.vcpus.or(written.sweep.vcpus.iter().flatten().copied().min()).unwrap_or(1);
    let cpus = check.facts.cpus;
    for (path, mask, owner, cpus) in [
        ("tuning.host.rps", &host.rps, "the host", cpus),
        ("tuning.host.xps", &host.xps, "the host", cpus),
        ("tuning.host.irq_affinity", &host.irq_affinity, "the host", cpus),
        ("tuning.guest.rps", &guest.rps, "a guest", vcpus),
        ("tuning.guest.xps", &guest.xps, "a guest", vcpus),
        ("tuning.guest.irq_affinity", &guest.irq_affinity, "a guest", vcpus),
    ] {
        if let Some(mask) = mask {
            cpu_mask(check, path, mask, owner, cpus);
        }
    }
}

fn cpu_mask(check: &mut Check, path: &str, mask: &str, owner: &str, cpus: u32) {
    match highest_cpu(mask) {
        Ok(Some(highest)) if highest >= cpus => {
            let message = format!("\"{mask}\" names CPU {highest}, but {owner} has {cpus} of them");
            let hint =
                format!("CPUs count from 0; the widest mask is \"{}\", or write \"all\"", widest(cpus));
            check.fault(path, Fault::new(message, "", hint));
        }
        Ok(_) => {}
        Err(()) => {
            let hint = "write \"all\", \"none\", a hex mask such as \"f\" or a CPU list such as \"0-3\"";
            check.fault(path, Fault::new(format!("\"{mask}\" is not a CPU mask"), "", hint));
        }
    }
}

/// The highest CPU that a mask or a list names; a bare run of hex digits is a mask, as in sysfs.
fn highest_cpu(mask: &str) -> Result<Option<u32>, ()> {
    match mask {
        "all" | "none" => Ok(None),
        list if list.contains('-') => highest_of_list(list).map(Some),
        mask => highest_of_mask(mask),
    }
}

/// `0-3,8-11`.
fn highest_of_list(list: &str) -> Result<u32, ()> {
    let ends = list.split(',').map(|range| range.rsplit('-').next().unwrap_or(range).trim().parse::<u32>());
    ends.collect::<Result<Vec<_>, _>>().map_err(drop)?.into_iter().max().ok_or(())
}

/// `f`, `0xff`, `ff,ffffffff` (groups of 32 CPUs, the highest first).
fn highest_of_mask(mask: &str) -> Result<Option<u32>, ()> {
    let digits: String = mask.trim_start_matches("0x").chars().filter(|c| *c != ',').collect();
    if digits.is_empty() || digits.len() > 1024 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(());
    }
    let digits = digits.trim_start_matches('0');
    let Some(first) = digits.chars().next().and_then(|c| c.to_digit(16)) else { return Ok(None) };
    Ok(Some(4 * (digits.len() as u32 - 1) + first.ilog2()))
}

/// The mask of all CPUs.
fn widest(cpus: u32) -> String {
    let first = (1_u32 << (cpus % 4)) - 1;
    let first = if first == 0 { String::new() } else { format!("{first:x}") };
    first + &"f".repeat(cpus as usize / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_lists_name_their_highest_cpu() {
        assert_eq!(highest_cpu("f"), Ok(Some(3)));
        assert_eq!(highest_cpu("0x10"), Ok(Some(4)));
        assert_eq!(highest_cpu("1,00000000"), Ok(Some(32)));
        assert_eq!(highest_cpu("0-3,8-11"), Ok(Some(11)));
        assert_eq!(highest_cpu("0"), Ok(None));
        assert_eq!(highest_cpu("fast"), Err(()));
    }

    #[test]
    fn the_widest_mask_has_a_bit_for_each_cpu() {
        assert_eq!(widest(1), "1");
        assert_eq!(widest(4), "f");
        assert_eq!(widest(6), "3f");
    }
}
