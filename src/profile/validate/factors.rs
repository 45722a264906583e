//! Factors and their levels: the fixed value of a section, or the list in `[sweep]`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use toml::Spanned;
use toml::de::DeValue;

use super::{Fault, Validator};
use crate::profile::cpus::Cpus;
use crate::profile::messages::{type_in_words, wrong_value};
use crate::profile::pin::Pin;
use crate::profile::reader::{WrittenFactor, is_date, plain_level};
use crate::profile::{Factor, Value};

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
pub(super) fn factors(
    check: &mut Validator,
    mut written: BTreeMap<Factor, WrittenFactor<'_>>,
) -> Vec<Levels> {
    let mut order = Factor::ALL;
    order.sort_by_key(|factor| check.places.order(&format!("sweep.{}", factor.key())));
    order
        .into_iter()
        .map(|factor| levels(check, factor, written.remove(&factor).unwrap_or_default()))
        .collect()
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
        Factor::Memory if cloud => Some(Value::Number(CLOUD_MEMORY_MIB)),
        factor => factor.default_level(),
    }
}

fn levels(
    check: &mut Validator,
    factor: Factor,
    WrittenFactor { fixed, swept }: WrittenFactor<'_>,
) -> Levels {
    let home = factor.home();
    let (is_swept, written) = (swept.is_some(), swept.is_some() || fixed.is_some());
    if is_swept && fixed.is_some() {
        check.fault(home, fixed_and_swept(factor));
    }
    let levels = match (fixed, swept) {
        (_, Some(swept)) => swept_levels(check, factor, &swept),
        (Some(fixed), None) => level(check, factor, home, home.to_owned(), &fixed).into_iter().collect(),
        (None, None) => default_level(check, factor, home.to_owned()),
    };
    Levels { factor, swept: is_swept, written, levels }
}

fn fixed_and_swept(factor: Factor) -> Fault {
    let (section, key) = factor.home().rsplit_once('.').unwrap_or(("", factor.home()));
    let message = format!("`{key}` has a fixed value in [{section}] and levels in [sweep]");
    Fault::new(message, "the fixed value", "keep one of the two: the levels alone say what is measured")
}

fn swept_levels(check: &mut Validator, factor: Factor, swept: &Spanned<DeValue<'_>>) -> Vec<Level> {
    let path = format!("sweep.{}", factor.key());
    let Some(items) = swept.get_ref().as_array() else {
        let message = format!(
            "`{}` in [sweep] must be a list in brackets, got {}",
            factor.key(),
            type_in_words(swept.get_ref())
        );
        let hint = format!("for example {} = {}", factor.key(), factor.descriptor().list_of_levels());
        check.fault(&path, Fault::new(message, "", hint));
        return Vec::new();
    };
    if items.is_empty() {
        let message = format!("`{}` is swept over no levels", factor.key());
        check.fault(&path, Fault::new(message, "empty", "write at least one level, or leave the key out"));
    }
    let of_host = matches!(factor, Factor::HostRps | Factor::Pin | Factor::PinEmulator | Factor::PinVhost);
    let (mut levels, mut seen, mut all_cpus) = (Vec::new(), HashSet::new(), None);
    for (index, item) in items.iter().enumerate() {
        let Some(level) = level(check, factor, &path, format!("{path}[{index}]"), item) else { continue };
        let is_all = of_host && is_every_cpu(&level, check.facts.cpus);
        if !seen.insert(level.value.clone()) {
            check.fault_made_by(&level.path, || level_twice(factor));
        } else if let Some(other) = all_cpus.as_ref().filter(|_| is_all) {
            let fault = same_here(factor, other, check.facts.cpus);
            check.fault(&level.path, fault);
        } else {
            all_cpus = if is_all { Some(level.value.clone()) } else { all_cpus };
            levels.push(level);
        }
    }
    levels
}

fn level_twice(factor: Factor) -> Fault {
    let message = format!("a level of `{}` is written twice", factor.key());
    Fault::new(message, "again", "remove it: `repeats` says how often a configuration is measured")
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

/// The level at a place, which is that of its key or of an item in its list.
fn level(
    check: &mut Validator,
    factor: Factor,
    key: &str,
    place: String,
    written: &Spanned<DeValue<'_>>,
) -> Option<Level> {
    let descriptor = factor.descriptor();
    let plain = match plain_level(descriptor.kind, written) {
        Ok(plain) => plain,
        Err(error) => {
            check.issues.add(|| wrong_value(&error, key, is_date(written.get_ref())));
            check.refused.push(key.to_owned());
            return None;
        }
    };
    let name = key.rsplit_once('.').map_or(key, |(_, name)| name);
    match descriptor.kind.level(name, &plain) {
        Ok(value) => Some(Level { value, path: place }),
        Err(fault) => {
            check.fault(&place, fault);
            None
        }
    }
}

fn default_level(check: &mut Validator, factor: Factor, path: String) -> Vec<Level> {
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
