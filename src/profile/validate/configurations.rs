//! Levels -> configurations: the cross product without duplicates, and what the levels demand of one another.

use super::factors::{Level, Levels, Value, default};
use super::{Check, Fault};
use crate::backend::Backend;
use crate::profile::{Configuration, Factor, Test};

/// More than this many configurations is a slip, not a plan.
const MOST_CONFIGURATIONS: usize = 4096;

/// All combinations, the first factor varying slowest; empty if something was reported that leaves none.
pub(super) fn configurations(check: &mut Check, factors: &[Levels]) -> Vec<Configuration> {
    if with_guests(factors) {
        divisible(check, factors);
        fits(check, factors);
    }
    let combinations = factors.iter().try_fold(1_usize, |n, levels| n.checked_mul(levels.levels.len()));
    match combinations {
        Some(n) if n <= MOST_CONFIGURATIONS => combine(factors),
        _ => {
            check.fault("sweep.", too_many(combinations));
            Vec::new()
        }
    }
}

fn too_many(combinations: Option<usize>) -> Fault {
    let n = combinations.map_or("far too many".into(), |n| n.to_string());
    let hint = format!(
        "at most {MOST_CONFIGURATIONS} can be measured in one run: split the sweep over several profiles"
    );
    Fault::new(format!("the sweep has {n} combinations"), "", hint)
}

fn combine(factors: &[Levels]) -> Vec<Configuration> {
    let mut combined = vec![blank()];
    for Levels { factor, levels, .. } in factors {
        let extend = |configuration: Configuration| {
            levels.iter().map(move |level| {
                let mut next = configuration.clone();
                level.value.set(*factor, &mut next);
                next
            })
        };
        combined = combined.into_iter().flat_map(extend).collect();
    }
    let bare = |configuration| if_bare(configuration, factors);
    without_duplicates(combined.into_iter().map(bare))
}

/// Every field is overwritten: each factor has at least one level, or there is no configuration at all.
fn blank() -> Configuration {
    Configuration {
        backend: Backend::Baremetal,
        vms: 0,
        vcpus: 0,
        memory_mib: 0,
        mtu: 0,
        test: Test::TCP_RR,
        flows: 0,
        request_bytes: 0,
        response_bytes: 0,
    }
}

/// Bare metal has no guests, so that sweeping theirs makes no difference to it.
fn if_bare(mut configuration: Configuration, factors: &[Levels]) -> Configuration {
    if configuration.backend == Backend::Baremetal {
        configuration.vms = 0;
        for factor in [Factor::Vcpus, Factor::Memory] {
            let swept = factors.iter().any(|levels| levels.factor == factor && levels.swept);
            if let (true, Some(value)) = (swept, default(factor)) {
                value.set(factor, &mut configuration);
            }
        }
    }
    configuration
}

fn without_duplicates(all: impl Iterator<Item = Configuration>) -> Vec<Configuration> {
    let mut kept = Vec::new();
    for configuration in all {
        if !kept.contains(&configuration) {
            kept.push(configuration);
        }
    }
    kept
}

fn levels_of(factors: &[Levels], factor: Factor) -> &[Level] {
    factors.iter().find(|levels| levels.factor == factor).map_or(&[], |levels| &levels.levels)
}

fn with_guests(factors: &[Levels]) -> bool {
    levels_of(factors, Factor::Backend).iter().any(|level| level.value != Value::Backend(Backend::Baremetal))
}

/// Flows must divide evenly among the guests: else the guests differ before anything is measured.
fn divisible(check: &mut Check, factors: &[Levels]) {
    let vms = levels_of(factors, Factor::Vms);
    let common = vms.iter().fold(1, |n, level| lcm(n, level.value.number().into()));
    for flows in levels_of(factors, Factor::Flows) {
        for guests in vms.iter().filter(|guests| !flows.value.number().is_multiple_of(guests.value.number()))
        {
            let fault = uneven(flows.value.number(), guests.value.number(), common, vms.len());
            check.fault(&guests.path, fault);
        }
    }
}

fn uneven(flows: u32, guests: u32, common: u64, levels: usize) -> Fault {
    let message = match flows < guests {
        true => format!("{flows} flows are too few for {guests} guests"),
        false => format!("{flows} flows do not divide evenly among {guests} guests"),
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

/// The guests of the largest configuration must fit into the host's memory.
fn fits(check: &mut Check, factors: &[Levels]) {
    let largest = |factor| levels_of(factors, factor).iter().max_by_key(|level| level.value.number());
    let (Some(vms), Some(memory)) = (largest(Factor::Vms), largest(Factor::Memory)) else { return };
    let (guests, mib) = (u64::from(vms.value.number()), u64::from(memory.value.number()));
    let host = check.facts.memory_mib;
    if guests * mib <= host {
        return;
    }
    let (path, hint) = match host / mib {
        0 => (&memory.path, format!("give each guest less than \"{host} MiB\"")),
        fit => (&vms.path, format!("at most {fit} guests of {mib} MiB fit; or give each less `memory`")),
    };
    let message =
        format!("{guests} guests of {mib} MiB need {} MiB, but the host has {host} MiB", guests * mib);
    check.fault(path, Fault::new(message, "does not fit", hint));
}
