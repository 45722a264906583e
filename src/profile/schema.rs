//! The JSON schema of the profile format, from the structs that read it. It says what this version accepts: the keys of
//! later versions are left out. What one key demands of another (flows divisible by guests) only `parse` can say.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::written::Written;
use crate::backend::PRESETS;

/// The JSON schema (draft 2020-12) of the profiles that this version accepts.
pub fn schema() -> Value {
    let mut schema = full().clone();
    accepted(&mut schema);
    schema
}

/// The schema with the keys of later versions, which carry `x-planned`.
pub(super) fn full() -> &'static Value {
    static FULL: LazyLock<Value> = LazyLock::new(|| {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<Written>().to_value()
    });
    &FULL
}

/// The schema of the key at a path such as `workload.flows` or `group[0].rate`; of the whole for an empty path.
pub(super) fn at(path: &str) -> Option<&'static Value> {
    let mut parts = path.split('.').filter(|part| !part.is_empty());
    parts.try_fold(full(), |schema, part| {
        let part = part.split('[').next().unwrap_or(part);
        schema["properties"].get(part).or_else(|| schema["items"]["properties"].get(part))
    })
}

/// The keys of a section that this version runs.
pub(super) fn keys(section: &'static Value) -> Vec<&'static str> {
    let section = if section["items"].is_object() { &section["items"] } else { section };
    let properties = section["properties"].as_object().into_iter().flatten();
    properties.filter(|(_, key)| key["x-planned"].is_null()).map(|(name, _)| name.as_str()).collect()
}

/// The sections, other than `[sweep]`, that have a key of this name; the top of the profile is the empty name.
pub(super) fn homes(key: &str) -> Vec<&'static str> {
    let sections = keys(full()).into_iter().filter(|section| *section != "sweep");
    let sections = std::iter::once("").chain(sections);
    sections.filter(|section| at(section).is_some_and(|schema| keys(schema).contains(&key))).collect()
}

/// The names that `backend` takes.
pub(super) fn backend_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": PRESETS.map(|(name, _)| name) })
}

/// Levels of `backend`.
pub(super) fn backend_levels(generator: &mut SchemaGenerator) -> Schema {
    let names = backend_names(generator);
    json_schema!({ "type": "array", "items": names, "minItems": 1, "uniqueItems": true })
}

/// Removes what this version refuses: planned keys, and `null`, which TOML does not have.
fn accepted(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                properties.retain(|_, property| property["x-planned"].is_null());
            }
            without_null(object);
            object.values_mut().for_each(accepted);
        }
        Value::Array(items) => items.iter_mut().for_each(accepted),
        _ => {}
    }
}

fn without_null(object: &mut serde_json::Map<String, Value>) {
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
        let text = schema().to_string();
        assert!(!text.contains("x-planned"));
        assert!(!text.contains("null"), "{text}");
        assert!(schema()["properties"]["wire"]["properties"].get("rate").is_none());
        assert!(schema()["properties"].get("probe").is_none());
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
    }
}
