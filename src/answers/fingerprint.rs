//! What figures depend on: facts of the machines, their software and the profile, by name; two of them are compared fact by fact.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::profile::Experiment;
use crate::raw::Accel;
use crate::units::Time;

/// Parts of an experiment that figures depend on. Configurations are matched by their ids.
const OF_PROFILE: [&str; 5] = ["host", "idle", "groups", "timing", "machines_are_remote"];
/// Parts of `timing` that only decide how often is measured.
const NUMBER_OF_TRIALS: [&str; 2] = ["repeats", "precision"];

/// Facts by name, such as `kernel`, `settings.halt_poll_ns` or `profile.timing.window`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint {
    /// The facts. What is unknown is absent.
    pub facts: BTreeMap<String, Value>,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactDifference {
    /// Its name.
    pub name: String,
    /// Value before; null: unknown.
    pub before: Value,
    /// Value now.
    pub now: Value,
}

impl Fingerprint {
    /// From the comparable part of an environment as JSON, and the profile that was run.
    pub fn from_environment(environment: &Value, experiment: &Experiment, accel: Accel) -> Fingerprint {
        let mut found = Fingerprint::default();
        found.add("", environment);
        found.add("accel", &serde_json::json!(accel));
        let mut profile = serde_json::json!(experiment);
        profile["machines_are_remote"] = experiment.machines.is_some().into();
        if let Some(timing) = profile["timing"].as_object_mut() {
            NUMBER_OF_TRIALS.iter().for_each(|key| drop(timing.remove(*key)));
        }
        for key in OF_PROFILE {
            found.add(&format!("profile.{key}"), &profile[key]);
        }
        found
    }

    /// Adds a value under a name; objects fact by fact, so that a difference names a single setting.
    fn add(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(object) => match duration(object) {
                Some(time) => drop(self.facts.insert(name.to_owned(), Time(time).to_string().into())),
                None => object.iter().for_each(|(key, value)| self.add(&below(name, key), value)),
            },
            value => drop(self.facts.insert(name.to_owned(), value.clone())),
        }
    }

    /// What differs, in the order of names.
    pub fn differences(&self, now: &Fingerprint) -> Vec<FactDifference> {
        let names: BTreeSet<&String> = self.facts.keys().chain(now.facts.keys()).collect();
        let value = |one: &Fingerprint, name: &str| one.facts.get(name).cloned().unwrap_or(Value::Null);
        let all = names.into_iter().map(|name| FactDifference {
            name: name.clone(),
            before: value(self, name),
            now: value(now, name),
        });
        all.filter(|fact| fact.before != fact.now).collect()
    }
}

fn below(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}

/// A time, as serde writes it.
fn duration(object: &Map<String, Value>) -> Option<Duration> {
    let part = |key: &str| object.get(key).and_then(Value::as_u64);
    let is_time = object.len() == 2;
    is_time.then_some(())?;
    Some(Duration::new(part("secs")?, u32::try_from(part("nanos")?).ok()?))
}

impl FactDifference {
    /// Whether one of the names covers it: its own, or the beginning up to a dot.
    pub fn is_allowed(&self, allowed: &[String]) -> bool {
        let covers = |name: &String| {
            self.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        allowed.iter().any(covers)
    }
}

impl std::fmt::Display for FactDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |value: &Value| if value.is_null() { "unknown".to_owned() } else { value.to_string() };
        write!(f, "{} was {} and is {}", self.name, value(&self.before), value(&self.now))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fingerprint(environment: Value) -> Fingerprint {
        let mut found = Fingerprint::default();
        found.add("", &environment);
        found
    }

    #[test]
    fn a_difference_names_a_single_setting_and_both_values() {
        let before = fingerprint(json!({"kernel": "6.1", "settings": {"halt_poll_ns": 0, "thp": "never"}}));
        let now = fingerprint(
            json!({"kernel": "6.1", "settings": {"halt_poll_ns": 7, "thp": "never"}, "qemu": "9"}),
        );
        let found: Vec<String> = before.differences(&now).iter().map(ToString::to_string).collect();
        assert_eq!(found, [r#"qemu was unknown and is "9""#, "settings.halt_poll_ns was 0 and is 7"]);
    }

    #[test]
    fn a_name_allows_itself_and_what_is_below_it() {
        let difference =
            |name: &str| FactDifference { name: name.to_owned(), before: Value::Null, now: Value::Null };
        let allowed = ["kernel".to_owned(), "settings".to_owned()];
        assert!(difference("kernel").is_allowed(&allowed));
        assert!(difference("settings.halt_poll_ns").is_allowed(&allowed));
        assert!(!difference("kernel_cmdline").is_allowed(&allowed));
    }

    #[test]
    fn times_are_facts_in_words() {
        let found = fingerprint(json!({"timing": {"window": {"secs": 30, "nanos": 0}}}));
        assert_eq!(found.facts["timing.window"], json!("30 s"));
    }
}
