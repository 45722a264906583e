//! Levels -> configurations: the cross product without duplicates, and what the levels demand of one another.

use std::collections::HashSet;

use super::backend::has_guests;
use super::factors::{Level, Levels, default, levels_of};
use super::{Fault, Validator, workload, xen};
use crate::backend::Backend;
use crate::factor::table::WrongLevel;
use crate::profile::configuration::{HUGE_PAGE_KIB, memory_mib_for};
use crate::profile::groups::{Group, divides, unmeasured};
use crate::profile::{Configuration, Factor, Value};

/// More than this many configurations is a slip, not a plan.
const MOST_CONFIGURATIONS: usize = 65_536;

/// What the levels demand of one another.
pub(super) fn check(check: &mut Validator, factors: &[Levels], groups: &[Group]) {
    workload::check(check, factors);
    if has_guests(factors) {
        divisible(check, factors, groups);
        fits(check, factors);
        in_pages(check, factors);
        served(check, factors, groups);
    }
    let combinations = combinations(factors);
    if combinations.is_none_or(|n| n > MOST_CONFIGURATIONS) {
        // No key is to blame alone: the section is marked.
        check.fault("sweep.*", too_many(combinations));
    }
}

/// All combinations, the first factor varying slowest.
pub(super) fn configurations(
    check: &mut Validator,
    factors: &[Levels],
    groups: &[Group],
) -> Vec<Configuration> {
    combine(factors, check.cloud, groups).unwrap_or_else(|wrong| {
        let path = format!("sweep.{}", wrong.factor.key());
        check.fault(&path, Fault::new(wrong.to_string(), "", "see the schema"));
        Vec::new()
    })
}

/// How many there are; `None` for more than a number holds.
fn combinations(factors: &[Levels]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |n, levels| n.checked_mul(levels.levels.len()))
}

fn too_many(combinations: Option<usize>) -> Fault {
    let n = combinations.map_or("far too many".into(), |n| n.to_string());
    let hint = format!(
        "at most {MOST_CONFIGURATIONS} can be measured in one run: split the sweep over several profiles"
    );
    Fault::new(format!("the sweep has {n} combinations"), "", hint)
}

fn combine(factors: &[Levels], cloud: bool, groups: &[Group]) -> Result<Vec<Configuration>, WrongLevel> {
    let mut combined = vec![Configuration::default()];
    // What is the same in all of them is set once.
    let (same, varied): (Vec<_>, Vec<_>) = factors.iter().partition(|levels| levels.levels.len() == 1);
    for Levels { factor, levels, .. } in same.into_iter().chain(varied) {
        let extend = |configuration: Configuration| {
            levels.iter().map(move |level| configuration.clone().with(*factor, level.value.clone()))
        };
        combined = combined.into_iter().flat_map(extend).collect::<Result<_, _>>()?;
    }
    let folded = |configuration| {
        let made = xen::as_used(workload::as_used(if_bare(configuration, factors, cloud)?, factors)?);
        Ok(Configuration { unmeasured: unmeasured(groups, made.vms).unwrap_or(0).min(made.vms), ..made })
    };
    let folded = combined.into_iter().map(folded).collect::<Result<Vec<_>, WrongLevel>>()?;
    Ok(without_duplicates(folded.into_iter()))
}

/// Bare metal has no guests, so that sweeping theirs makes no difference to it.
fn if_bare(
    mut configuration: Configuration,
    factors: &[Levels],
    cloud: bool,
) -> Result<Configuration, WrongLevel> {
    if configuration.backend == Backend::Baremetal {
        configuration.vms = 0;
        for factor in Factor::ALL.into_iter().filter(|factor| factor.is_of_guests()) {
            let swept = factors.iter().any(|levels| levels.factor == factor && levels.swept);
            if let (true, Some(value)) = (swept, default(factor, cloud)) {
                configuration.set(factor, &value)?;
            }
        }
    }
    Ok(configuration)
}

fn without_duplicates(all: impl Iterator<Item = Configuration>) -> Vec<Configuration> {
    let mut seen = HashSet::new();
    all.filter(|configuration| seen.insert(configuration.clone())).collect()
}

/// The numbers of guests that can be measured, each with those that carry the flows.
fn measured<'l>(factors: &'l [Levels], groups: &[Group]) -> Vec<(&'l Level, u32)> {
    let vms = levels_of(factors, Factor::Vms).iter();
    let usable = vms.filter(|level| divides(groups, level.value.as_number()));
    let of = |level: &'l Level| {
        (level, level.value.as_number() - unmeasured(groups, level.value.as_number()).unwrap_or(0))
    };
    usable.map(of).collect()
}

/// Flows must divide evenly among the guests: else the guests differ before anything is measured.
fn divisible(check: &mut Validator, factors: &[Levels], groups: &[Group]) {
    let vms = measured(factors, groups);
    let common = vms.iter().fold(1, |n, (_, guests)| lcm(n, (*guests).into()));
    for flows in levels_of(factors, Factor::Flows) {
        let flows = flows.value.as_number();
        for (level, guests) in vms.iter().filter(|(_, guests)| !flows.is_multiple_of(*guests)) {
            let whose = if level.value.as_number() == *guests { "guests" } else { "measured guests" };
            check.fault_made_by(&level.path, || uneven(flows, *guests, whose, common, vms.len()));
        }
    }
}

fn uneven(flows: u32, guests: u32, whose: &str, common: u64, levels: usize) -> Fault {
    let message = match flows < guests {
        true => format!("{flows} flows are too few for {guests} {whose}"),
        false => format!("{flows} flows do not divide evenly among {guests} {whose}"),
    };
    let whose = if levels > 1 { "every level of vms" } else { "it" };
    let below = u64::from(flows) / common * common;
    let nearest = match below {
        0 => common.to_string(),
        below => format!("{below} or {}", below + common),
    };
    Fault::new(
        message,
        format!("with flows = {flows}"),
        format!("the nearest flows that suit {whose}: {nearest}"),
    )
}

fn lcm(a: u64, b: u64) -> u64 {
    let gcd = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (a / gcd(a, b)).saturating_mul(b)
}

/// Each guest must have the memory to serve its flows: else its kernel kills netservers in the middle of a trial.
fn served(check: &mut Validator, factors: &[Levels], groups: &[Group]) {
    let number = |level: &&Level| level.value.as_number();
    let fewest_guests = measured(factors, groups).into_iter().map(|(_, guests)| guests).min();
    let least_memory = levels_of(factors, Factor::Memory).iter().min_by_key(number);
    let most_flows = levels_of(factors, Factor::Flows).iter().max_by_key(number);
    let (Some(guests), Some(memory), Some(flows)) = (fewest_guests, least_memory, most_flows) else { return };
    let (each, mib) = (number(&flows) / guests.max(1), number(&memory));
    let need = memory_mib_for(each);
    if mib < need {
        let message = format!("a guest of {mib} MiB cannot serve {each} flows");
        let hint = format!("give each guest memory = \"{need} MiB\" or more, or use fewer flows");
        check.fault(&flows.path, Fault::new(message, "too many", hint));
    }
}

/// The guests of the largest configuration must fit into the host's memory.
fn fits(check: &mut Validator, factors: &[Levels]) {
    let largest = |factor| levels_of(factors, factor).iter().max_by_key(|level| level.value.as_number());
    let (Some(vms), Some(memory)) = (largest(Factor::Vms), largest(Factor::Memory)) else { return };
    let (guests, mib) = (u64::from(vms.value.as_number()), u64::from(memory.value.as_number()));
    let host = check.facts.memory_mib;
    if guests * mib <= host {
        return;
    }
    let (path, hint) = match host / mib {
        0 => (&memory.path, format!("give each guest less than \"{host} MiB\"")),
        fit => (&vms.path, format!("at most {fit} guests of {mib} MiB fit; or give each less `memory`")),
    };
    let need = match guests {
        1 => format!("1 guest of {mib} MiB does not fit"),
        _ => format!("{guests} guests of {mib} MiB need {} MiB", guests * mib),
    };
    let message = format!("{need}: the host has {host} MiB");
    check.fault(path, Fault::new(message, "too much", hint));
}

/// Memory in huge pages is a whole number of them.
fn in_pages(check: &mut Validator, factors: &[Levels]) {
    let huge = levels_of(factors, Factor::Hugepages).iter().any(|level| level.value == Value::Switch(true));
    let page_mib = HUGE_PAGE_KIB / 1024;
    let odd = |level: &&Level| huge && !level.value.as_number().is_multiple_of(page_mib);
    for level in levels_of(factors, Factor::Memory).iter().filter(odd) {
        let mib = level.value.as_number();
        let message = format!("memory of {mib} MiB is no whole number of huge pages of {page_mib} MiB");
        let hint = format!("with hugepages = true use \"{} MiB\"", mib.next_multiple_of(page_mib));
        check.fault(&level.path, Fault::new(message, "", hint));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{Experiment, HostFacts, ProfileError, parse};

    const FACTS: HostFacts = HostFacts { memory_mib: 1024, cpus: 2 };

    fn parsed(rest: &str) -> Result<Experiment, ProfileError> {
        parse(&format!("schema = 1\nname = \"x\"\n{rest}"), Path::new("p.toml"), FACTS)
    }

    fn message(rest: &str) -> String {
        parsed(rest).expect_err("refused").diagnostics[0].message.clone()
    }

    #[test]
    fn the_first_factor_written_varies_slowest() {
        let rest = "network.backend = \"virtio\"\n[sweep]\nvms = [2, 1]\nflows = [8, 4]";
        let experiment = parsed(rest).expect("valid");
        let points = experiment.configurations.iter().map(|point| (point.vms, point.flows));
        assert_eq!(points.collect::<Vec<_>>(), [(2, 8), (2, 4), (1, 8), (1, 4)]);
        assert_eq!(experiment.factors, [Factor::Vms, Factor::Flows]);
    }

    #[test]
    fn bare_metal_keeps_fixed_values_and_takes_defaults_for_swept_ones() {
        let rest = "workload.flows = 6\nnetwork.backend = \"baremetal\"\nguest.memory = \"96 MiB\"";
        let experiment = parsed(&format!("{rest}\n[sweep]\nvcpus = [2, 4]\nvms = [4, 5]")).expect("valid");
        let points = experiment.configurations.iter().map(|point| (point.vms, point.vcpus, point.memory_mib));
        assert_eq!(points.collect::<Vec<_>>(), [(0, 1, 96)]);
    }

    #[test]
    fn guests_may_fill_the_memory_of_the_host_but_not_more() {
        let rest = "workload.flows = 72\nnetwork.backend = \"virtio\"\nguest.vms = ";
        assert!(parsed(&format!("{rest}8")).is_ok());
        assert_eq!(message(&format!("{rest}9")), "9 guests of 128 MiB need 1152 MiB: the host has 1024 MiB");
    }

    #[test]
    fn equal_sizes_in_different_units_are_one_level() {
        let rest = "workload.flows = 1\nnetwork.backend = \"virtio\"\nsweep.request = [1024, \"1 KiB\"]";
        assert_eq!(message(rest), "a level of `request` is written twice");
    }

    #[test]
    fn nearest_flows_suit_every_number_of_guests() {
        let rest = "workload.flows = 10\nnetwork.backend = \"virtio\"\nsweep.vms = [1, 2, 3]";
        let error = parsed(rest).expect_err("refused");
        let hint = error.diagnostics[0].hint.as_deref();
        assert_eq!(hint, Some("the nearest flows that suit every level of vms: 6 or 12"));
    }

    #[test]
    fn bare_metal_is_one_configuration_whatever_the_nic_and_its_qemu_are() {
        let swept = "workload.flows = 4\nguest.vcpus = 2\n[sweep]\nbackend = [\"baremetal\", \"virtio\"]\nqueues = [1, 2]\n";
        let swept = format!("{swept}offloads = [true, false]\nemulator = [\"/usr/bin/qemu\", \"/opt/qemu\"]");
        assert_eq!(parsed(&swept).expect("valid").configurations.len(), 1 + 8);
    }
}
