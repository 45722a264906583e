//! The JSON schema of the profile format: the structs that read it, and the descriptors of the factors. What one key demands of
//! another (flows divisible by guests) only `parse` can say.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::written::Written;
use crate::factor::Factor;
use crate::factor::descriptor::Descriptor;

/// Sections that hold factors alone, with their descriptions.
const OF_FACTORS: [(&str, &str); 5] = [
    ("network", "the guests' test NIC"),
    (
        "tuning",
        "settings of the host and inside the guests, each applied, read back in every trial and put back at the end",
    ),
    ("tuning.host", "settings of the VM host"),
    ("tuning.guest", "settings inside every guest"),
    ("sweep", "factors with more than one level; the first one written varies slowest"),
];

/// Keys and sections that a later version may have, with what to do about them today.
const PLANNED: [(&str, &str); 9] = [
    ("probe", "leave the section out: this version always takes the same samples"),
    ("wire.network", "leave it out: this version takes its addresses from 198.18.0.0/15"),
    ("wire.latency", "leave it out: this version adds no delay"),
    ("wire.rate", "leave it out: this version limits no rate"),
    ("guest.machine", "leave it out: this version uses libvirt's default machine type"),
    ("guest.cpu_model", "leave it out: this version chooses the CPU model by the accelerator"),
    ("workload.rate", "leave it out: this version runs every flow as fast as it goes"),
    ("sweep.rate", "leave it out: this version runs every flow as fast as it goes"),
    ("tuning.host.numad", "leave it out: this version starts and stops no service"),
];

/// The JSON schema (draft 2020-12) of the profiles that this version accepts.
pub fn schema() -> Value {
    full().clone()
}

/// The same, made once.
pub(super) fn full() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut schema = settings.into_generator().into_root_schema_for::<Written>().to_value();
        remove_null(&mut schema);
        for (section, description) in OF_FACTORS {
            let empty = json!({
                "type": "object", "description": description, "additionalProperties": false, "properties": {},
            });
            insert(&mut schema, section, empty);
        }
        for descriptor in Factor::ALL.map(Factor::descriptor) {
            if descriptor.factor.has_home() {
                insert(
                    &mut schema,
                    descriptor.home,
                    described(descriptor.kind.schema(), descriptor.about.into()),
                );
            }
            insert(&mut schema, &format!("sweep.{}", descriptor.key), levels(descriptor));
        }
        schema
    });
    &SCHEMA
}

/// The schema of a factor's key in `[sweep]`.
fn levels(descriptor: &Descriptor) -> Value {
    let (section, key) = descriptor.home.rsplit_once('.').unwrap_or(("", descriptor.home));
    let what = match descriptor.factor.has_home() {
        true => format!("levels of `{key}` in [{section}]"),
        false => descriptor.about.to_owned(),
    };
    let list = json!({
        "type": "array", "items": descriptor.kind.schema(), "minItems": 1, "uniqueItems": true,
    });
    described(list, format!("{what}, for example {}", descriptor.list_of_levels()))
}

fn described(mut schema: Value, description: String) -> Value {
    schema["description"] = description.into();
    schema
}

/// Adds a property; its section is there already.
fn insert(schema: &mut Value, path: &str, property: Value) {
    let mut at = schema;
    for part in path.split('.') {
        at = &mut at["properties"][part];
    }
    *at = property;
}

/// What to do about a key or section of a later version, if the path is one.
pub(super) fn planned(path: &str) -> Option<&'static str> {
    PLANNED.iter().find(|(planned, _)| *planned == path).map(|(_, advice)| *advice)
}

/// The schema of the key at a path such as `workload.flows` or `group[0].rate`; of the whole for an empty path.
pub(super) fn at(path: &str) -> Option<&'static Value> {
    let mut parts = path.split('.').filter(|part| !part.is_empty());
    parts.try_fold(full(), |schema, part| {
        let part = part.split('[').next().unwrap_or(part);
        schema["properties"].get(part).or_else(|| schema["items"]["properties"].get(part))
    })
}

/// The keys of a section, in alphabetical order.
pub(super) fn keys(section: &'static Value) -> Vec<&'static str> {
    let section = if section["items"].is_object() { &section["items"] } else { section };
    section["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// The sections, other than `[sweep]`, that have a key of this name; the top of the profile is the empty name.
pub(super) fn homes(key: &str) -> Vec<&'static str> {
    let sections = keys(full()).into_iter().filter(|section| *section != "sweep");
    let sections = std::iter::once("").chain(sections).chain(["tuning.host", "tuning.guest"]);
    sections.filter(|section| at(section).is_some_and(|schema| keys(schema).contains(&key))).collect()
}

/// Removes `null`, which TOML does not have.
fn remove_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            remove_null_here(object);
            object.values_mut().for_each(remove_null);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null),
        _ => {}
    }
}

fn remove_null_here(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    // What a section is by default says each of its keys.
    if object.get("default").is_some_and(|value| value.is_null() || value.is_object() || value.is_array()) {
        object.remove("default");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_later_versions_and_null_are_not_in_the_published_schema() {
        assert!(!schema().to_string().contains("null"));
        for (path, _) in PLANNED {
            assert!(at(path).is_none() && planned(path).is_some(), "{path}");
        }
    }

    #[test]
    fn every_key_says_what_it_is() {
        for section in keys(full()) {
            let properties = at(section).and_then(|schema| schema["properties"].as_object());
            for (name, key) in properties.into_iter().flatten() {
                assert!(key["description"].is_string(), "{section}.{name}");
            }
        }
    }

    #[test]
    fn a_key_is_found_by_its_path_and_its_home_by_its_name() {
        assert!(at("workload.flows").is_some());
        assert!(at("workload.flaws").is_none());
        assert_eq!(homes("vms"), ["guest"]);
        assert_eq!(homes("governor"), ["tuning.host"]);
    }
}
