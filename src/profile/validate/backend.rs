//! Whether every backend of a profile has what the profile asks of it. What each has, [`Backend::supports`] knows.

use super::factors::{Level, Levels, levels_of};
use super::{Fault, Validator};
use crate::backend::{Ability, Backend, PRESETS};
use crate::profile::written::Written;
use crate::profile::{Factor, Value};

/// Reports what a backend cannot have.
pub(super) fn check(check: &mut Validator, written: &Written, factors: &[Levels]) {
    for Levels { factor, swept, levels, .. } in factors.iter().filter(|levels| levels.written) {
        let in_section = factor.home().rsplit('.').next().filter(|_| !swept);
        // What no level can have is reported once.
        for level in levels.iter().take(if is_bare(factors) { 1 } else { usize::MAX }) {
            if let Some(ability) = ability(*factor, &level.value, factors) {
                supported(check, factors, in_section.unwrap_or(factor.key()), &level.path, ability);
            }
        }
    }
    if !written.group.is_empty() {
        supported(check, factors, "[[group]]", "group[0]", Ability::Guests);
    }
    for (index, _) in written.group.iter().enumerate().filter(|(_, group)| group.bandwidth.is_some()) {
        supported(check, factors, "bandwidth", &format!("group[{index}].bandwidth"), Ability::RateCap);
    }
}

/// What a level asks of a backend, if it is anything that not all of them have.
fn ability(factor: Factor, level: &Value, factors: &[Levels]) -> Option<Ability> {
    let queues = |level: &Level| level.value.as_number().max(1);
    Some(match factor {
        Factor::Mtu => Ability::Mtu(level.as_number()),
        Factor::Queues if is_bare(factors) => Ability::Guests,
        Factor::Queues => Ability::Queues(level.as_number()),
        Factor::QueueSize => Ability::QueueSize,
        Factor::Offloads => Ability::Offloads,
        Factor::GuestCoalesceRx | Factor::GuestCoalesceTx => Ability::Coalescing,
        Factor::GuestXps => Ability::TransmitSteering {
            queues: levels_of(factors, Factor::Queues).iter().map(queues).min().unwrap_or(1),
        },
        Factor::HostGro if *level == Value::Switch(true) => Ability::MergedFrames,
        Factor::HostRps
        | Factor::HostRpsFlowCnt
        | Factor::HostXps
        | Factor::HostIrq
        | Factor::HostCoalesceRx
        | Factor::HostCoalesceTx
        | Factor::HostGro
        | Factor::HostGso
        | Factor::HostTso => Ability::HostInterface,
        Factor::PinVhost => Ability::VhostWorkers,
        Factor::Background | Factor::GroupLimits => Ability::Guests,
        _ => return None,
    })
}

/// Reports the first backend without the ability that stands at a path; bare metal only where nothing else is measured.
fn supported(check: &mut Validator, factors: &[Levels], key: &str, path: &str, ability: Ability) {
    let bare = is_bare(factors);
    let asked = backends(factors).filter(|backend| bare || *backend != Backend::Baremetal);
    let refused = asked.filter_map(|backend| Some((backend, backend.supports(ability).err()?))).next();
    let Some((backend, reason)) = refused else { return };
    let value = check.places.written(path).filter(|value| !value.starts_with('[') && !value.contains('\n'));
    let name = if key.starts_with('[') { key.to_owned() } else { format!("`{key}`") };
    let setting = value.map_or(name.clone(), |value| format!("`{key} = {value}`"));
    let message = format!("{setting} is not supported by backend `{backend}`: {reason}");
    check.fault_made_by(path, || Fault::new(message, "", advice(ability, &name)));
}

/// What to do where an ability is missing.
fn advice(ability: Ability, key: &str) -> String {
    let supporting = PRESETS
        .iter()
        .filter(|(_, backend)| *backend != Backend::Baremetal && backend.supports(ability).is_ok());
    let names: Vec<String> = supporting.map(|(name, _)| format!("`{name}`")).collect();
    let backends = match names.len() {
        0 => return format!("leave {key} out"),
        1..=4 => names.join(" or "),
        n => format!("{} or another of {n} backends", names[..3].join(", ")),
    };
    format!("use {backends}, or leave {key} out")
}

fn backends(factors: &[Levels]) -> impl Iterator<Item = Backend> {
    levels_of(factors, Factor::Backend).iter().filter_map(|level| match level.value {
        Value::Backend(backend) => Some(backend),
        _ => None,
    })
}

/// Whether any backend has guests.
pub(super) fn has_guests(factors: &[Levels]) -> bool {
    backends(factors).any(|backend| backend != Backend::Baremetal)
}

/// Whether bare metal alone is measured.
fn is_bare(factors: &[Levels]) -> bool {
    backends(factors).next().is_some() && !has_guests(factors)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    fn errors(rest: &str) -> Vec<(String, String)> {
        let text = format!("schema = 1\nname = \"x\"\nworkload.flows = 4\n{rest}");
        let parsed = parse(&text, Path::new("p.toml"), HostFacts { memory_mib: 1024, cpus: 2 });
        let diagnostics = parsed.err().map(|error| error.diagnostics).unwrap_or_default();
        diagnostics.into_iter().map(|issue| (issue.message, issue.hint.unwrap_or_default())).collect()
    }

    #[test]
    fn what_a_backend_cannot_have_is_named_with_the_reason_and_the_backends_that_have_it() {
        let (message, hint) = errors("network = { backend = \"e1000\", offloads = false }").remove(0);
        assert_eq!(
            message,
            "`offloads = false` is not supported by backend `e1000`: only those of virtio NICs can be switched"
        );
        let names = "`virtio`, `vhost-net`, `macvtap-bridge`";
        assert_eq!(hint, format!("use {names} or another of 14 backends, or leave `offloads` out"));
    }

    #[test]
    fn one_backend_without_the_ability_is_enough_and_bare_metal_beside_others_is_none() {
        let swept = "guest.vcpus = 2\nsweep = { backend = [\"virtio\", \"e1000\"], queues = ";
        assert_eq!(errors(&format!("{swept}[1] }}")).len(), 0);
        assert_eq!(errors(&format!("{swept}[1, 2] }}")).len(), 1);
        let beside = "guest.vcpus = 2\nnetwork.queues = 2\nsweep.backend = [\"baremetal\", \"virtio\"]";
        assert_eq!(errors(beside).len(), 0);
        assert_eq!(errors("network = { backend = \"baremetal\", queues = 1 }").len(), 1);
    }
}
