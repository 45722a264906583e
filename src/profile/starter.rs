//! A profile to begin with: every key that works now, with its default and what it is for.

/// The starter profile under a name.
pub fn starter(name: &str) -> String {
    include_str!("starter.toml").replacen("@NAME@", name, 1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{HostFacts, parse, schema};

    const FACTS: HostFacts = HostFacts { memory_mib: 65_536, cpus: 8 };

    /// The starter with every `#key = value` made live.
    fn uncommented() -> String {
        let live = |line: &str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_string() + "\n",
            _ => line.to_string() + "\n",
        };
        starter("mine").lines().map(live).collect()
    }

    #[test]
    fn the_starter_is_valid() {
        let experiment = parse(&starter("mine"), Path::new("mine.toml"), FACTS).expect("valid");
        assert_eq!(experiment.name, "mine");
        assert_eq!(experiment.configurations.len(), 6);
    }

    #[test]
    fn the_starter_shows_every_key_of_the_schema() {
        let shown: toml::Table = uncommented().parse().expect("TOML");
        let schema = schema();
        for (name, key) in schema["properties"].as_object().expect("keys") {
            if key["type"] == "array" {
                continue; // a live group would change what is measured: see below
            }
            let found = shown.get(name).unwrap_or_else(|| panic!("{name} is not shown"));
            shows(found, key, name);
        }
    }

    #[test]
    fn the_starter_shows_every_key_of_a_group_in_its_example() {
        let text = starter("mine");
        let schema = schema();
        for key in schema["properties"]["group"]["items"]["properties"].as_object().expect("keys").keys() {
            assert!(text.contains(&format!("\n# {key} = ")), "{key} is not shown");
        }
    }

    #[test]
    fn the_starter_names_every_backend() {
        let text = starter("mine");
        for (name, _) in crate::backend::PRESETS {
            let mode = name.strip_prefix("vhost-macvtap-").unwrap_or(name);
            assert!(text.contains(mode), "{name} is not named");
        }
    }

    fn shows(found: &toml::Value, schema: &serde_json::Value, name: &str) {
        for (inner, key) in schema["properties"].as_object().into_iter().flatten() {
            let found = found.get(inner).unwrap_or_else(|| panic!("[{name}] {inner} is not shown"));
            shows(found, key, &format!("{name}.{inner}"));
        }
    }

    #[test]
    fn the_defaults_that_the_starter_names_are_the_defaults() {
        let sweep = "[sweep]\nbackend = [\"virtio\", \"e1000\"]\nvms = [1, 2, 4]\n";
        let short = format!("schema = 1\nname = \"mine\"\n[workload]\nflows = 16\n{sweep}");
        let short = parse(&short, Path::new("mine.toml"), FACTS).expect("valid");
        let mut full = parse(&starter("mine"), Path::new("mine.toml"), FACTS).expect("valid");
        full.description = short.description.clone();
        assert_eq!(full, short);
    }
}
