//! Factors and their levels: the fixed value of a section, or the list in `[sweep]`.

use std::collections::{BTreeSet, HashSet};

use super::{Check, Fault};
use crate::factor::descriptor::Kind;
use crate::profile::cpus::Cpus;
use crate::profile::pin::Pin;
use crate::profile::written::Written;
use crate::profile::{Configuration, Factor, Value};
use crate::units::Time;

/// A level as written.
type Raw = serde_json::Value;

/// A factor with the levels to measure.
pub(super) struct Levels {
    pub(super) factor: Factor,
    /// Whether the levels stand in `[sweep]`.
    pub(super) swept: bool,
    /// Whether they stand in the profile at all.
    pub(super) written: bool,
    /// Never empty, unless something was reported.
    pub(super) levels: Vec<Level>,
}

/// One level and where it was written.
pub(super) struct Level {
    pub(super) value: Value,
    pub(super) path: String,
}

/// Every factor: the swept ones first, in the order written.
pub(super) fn factors(check: &mut Check, written: &Written) -> Vec<Levels> {
    let mut order = Factor::ALL;
    order.sort_by_key(|factor| check.places.order(&format!("sweep.{}", factor.key())));
    // Plain data: what was read has the right types already.
    let written = serde_json::to_value(written).unwrap_or_default();
    order.into_iter().map(|factor| levels(check, factor, &written)).collect()
}

/// The levels of one factor.
pub(super) fn levels_of(factors: &[Levels], factor: Factor) -> &[Level] {
    factors.iter().find(|levels| levels.factor == factor).map_or(&[], |levels| &levels.levels)
}

/// The swept ones.
pub(super) fn swept(factors: &[Levels]) -> Vec<Factor> {
    factors.iter().filter(|levels| levels.swept).map(|levels| levels.factor).collect()
}

/// Memory of a guest that boots a whole distribution, MiB.
const CLOUD_MEMORY_MIB: u32 = 512;

/// What is measured if nothing is written; `None` where that must not be guessed.
pub(super) fn default(factor: Factor, cloud: bool) -> Option<Value> {
    match factor {
        Factor::Backend | Factor::Flows => None,
        Factor::Memory if cloud => Some(Value::Number(CLOUD_MEMORY_MIB)),
        factor => Some(Configuration::default().value(factor)),
    }
}

fn levels(check: &mut Check, factor: Factor, written: &Raw) -> Levels {
    let (base, sweep) = raw(factor, written);
    let home = factor.home();
    let swept = sweep.is_some();
    let written = swept || base.is_some();
    let levels = match (base, sweep) {
        (Some(_), Some(sweep)) => {
            check.fault(home, fixed_and_swept(factor));
            sweep_levels(check, factor, sweep)
        }
        (None, Some(sweep)) => sweep_levels(check, factor, sweep),
        (Some(base), None) => level(check, factor, &base, home.to_owned()).into_iter().collect(),
        (None, None) => default_level(check, factor, home.to_owned()),
    };
    Levels { factor, swept, written, levels }
}

fn fixed_and_swept(factor: Factor) -> Fault {
    let (section, key) = factor.home().rsplit_once('.').unwrap_or(("", factor.home()));
    let message = format!("`{key}` has a fixed value in [{section}] and levels in [sweep]");
    Fault::new(message, "the fixed value", "keep one of the two: the levels alone say what is measured")
}

fn sweep_levels(check: &mut Check, factor: Factor, raw: Vec<Raw>) -> Vec<Level> {
    let path = format!("sweep.{}", factor.key());
    if raw.is_empty() {
        let message = format!("`{}` is swept over no levels", factor.key());
        check.fault(&path, Fault::new(message, "empty", "write at least one level, or leave the key out"));
    }
    let of_host = matches!(factor, Factor::HostRps | Factor::Pin | Factor::PinEmulator);
    let (mut levels, mut seen): (Vec<Level>, _) = (Vec::new(), HashSet::new());
    for (index, raw) in raw.iter().enumerate() {
        let Some(level) = level(check, factor, raw, format!("{path}[{index}]")) else { continue };
        if !seen.insert(level.value.clone()) {
            let message = format!("a level of `{}` is written twice", factor.key());
            let hint = "remove it: `repeats` says how often a configuration is measured";
            check.fault(&level.path, Fault::new(message, "again", hint));
        } else if let Some(other) =
            levels.iter().find(|other| of_host && are_same(other, &level, check.facts.cpus))
        {
            check.fault(&level.path, same_here(factor, &other.value, check.facts.cpus));
        } else {
            levels.push(level);
        }
    }
    levels
}

/// Whether two levels are the same on a host with so many CPUs, because both are all of them.
fn are_same(one: &Level, other: &Level, cpus: u32) -> bool {
    is_every_cpu(one, cpus) && is_every_cpu(other, cpus)
}

/// Whether a level is every CPU of the host.
fn is_every_cpu(level: &Level, cpus: u32) -> bool {
    let all =
        |set: &BTreeSet<u32>| set.len() == cpus as usize && set.last().is_some_and(|last| last + 1 == cpus);
    match &level.value {
        Value::Cpus(Cpus::All) => true,
        Value::Cpus(Cpus::Some(set)) => all(set),
        Value::Pin(Pin::None) => true,
        Value::Pin(Pin::Cpus(set)) => all(set),
        _ => false,
    }
}

fn same_here(factor: Factor, other: &Value, cpus: u32) -> Fault {
    let message = format!("two levels of `{}` are the same on a host with {cpus} CPUs", factor.key());
    let hint = format!("both are all CPUs, as \"{other}\" is: remove one, or name fewer CPUs");
    Fault::new(message, "all CPUs again", hint)
}

/// The value of a level, within its bounds. The profile was read by its types: what is missing here cannot be.
fn resolve(factor: Factor, raw: &Raw) -> Result<Value, Fault> {
    let text = || raw.as_str().unwrap_or_default();
    match factor.descriptor().kind {
        Kind::Number(value) => value(raw.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default()),
        Kind::Switch => Ok(Value::Switch(raw.as_bool().unwrap_or_default())),
        Kind::Text(value) => value(text()),
        Kind::Time(value) => value(text().parse::<Time>().map(|Time(time)| time).unwrap_or_default()),
        Kind::Size(value) => value(raw.as_u64().unwrap_or_default()),
    }
}

fn level(check: &mut Check, factor: Factor, raw: &Raw, path: String) -> Option<Level> {
    match resolve(factor, raw) {
        Ok(value) => Some(Level { value, path }),
        Err(fault) => {
            check.fault(&path, fault);
            None
        }
    }
}

fn default_level(check: &mut Check, factor: Factor, path: String) -> Vec<Level> {
    let written = check.was_refused(&format!("sweep.{}", factor.key()));
    match default(factor, check.cloud) {
        Some(value) => return vec![Level { value, path }],
        None if written => {}
        None if factor == Factor::Flows => {
            check
                .missing(&path, "say how many connections to share among the guests, for example flows = 16");
        }
        None => check.missing(
            &path,
            "say what to measure, for example backend = \"virtio\"; or list several in [sweep]",
        ),
    }
    Vec::new()
}

/// What is written for a factor: the fixed value and the levels.
fn raw(factor: Factor, written: &Raw) -> (Option<Raw>, Option<Vec<Raw>>) {
    let at =
        |path: &str| written.pointer(&format!("/{}", path.replace('.', "/"))).filter(|raw| !raw.is_null());
    let levels = at(&format!("sweep.{}", factor.key())).and_then(Raw::as_array);
    (at(factor.home()).cloned(), levels.cloned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    /// What is wrong with a sweep on a host with two CPUs; empty if nothing is.
    fn said(sweep: &str) -> String {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\nsweep.{sweep}"
        );
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        let error = parse(&text, Path::new("p.toml"), facts).err();
        error.map_or(String::new(), |error| error.diagnostics[0].message.clone())
    }

    #[test]
    fn two_ways_to_say_all_cpus_of_the_host_are_one_level() {
        let same = |key: &str| format!("two levels of `{key}` are the same on a host with 2 CPUs");
        assert_eq!(said("host_rps = [\"all\", \"none\", \"3\"]"), same("host_rps"));
        assert_eq!(said("pin_emulator = [\"none\", \"0-1\"]"), same("pin_emulator"));
        assert_eq!(said("pin = [\"none\", \"0-1\"]"), same("pin"));
        for apart in [
            "host_rps = [\"all\", \"1\"]",
            "pin = [\"none\", \"spread\", \"0-0\"]",
            "guest_rps = [\"all\", \"1\"]",
        ] {
            assert_eq!(said(apart), "");
        }
    }
}
