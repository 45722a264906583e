//! A profile to begin with: every key that works now, with its default and what it is for.

use crate::backend::PRESETS;
use crate::factor::Factor;
use crate::factor::descriptor::Descriptor;

/// Column at which the remarks of a profile begin.
const REMARK: usize = 32;
/// Longest line, characters.
const WIDTH: usize = 120;

/// The starter profile under a name.
pub fn starter(name: &str) -> String {
    let with = |text: String, (mark, lines): (&str, String)| text.replacen(mark, &lines, 1);
    let generated = [
        ("@network.backend@\n", backends()),
        ("@tuning.host@\n", settings("tuning.host.")),
        ("@tuning.guest@\n", settings("tuning.guest.")),
        ("@sweep@\n", levels()),
        ("@name@", name.to_owned()),
    ];
    generated.into_iter().fold(include_str!("starter.toml").to_owned(), with)
}

/// A commented backend, with the names of all.
fn backends() -> String {
    let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
    let remark =
        format!("example; swept below. One of: {}; those with sr-iov or pci need [wire]", names.join(", "));
    with_remark("#backend = \"virtio\"", &remark)
}

/// A commented example of each setting of a section, with what it is.
fn settings(section: &str) -> String {
    let of_section = |d: &&Descriptor| d.home.starts_with(section);
    let line = |d: &Descriptor| {
        let key = d.home.strip_prefix(section).unwrap_or(d.key);
        with_remark(&format!("#{key} = {}", d.levels.last().unwrap_or(&"")), d.about)
    };
    Factor::ALL.map(Factor::descriptor).into_iter().filter(of_section).map(line).collect()
}

/// A commented example of levels of each factor, but for those that the starter sweeps.
fn levels() -> String {
    let rest = Factor::ALL.into_iter().filter(|factor| !matches!(factor, Factor::Backend | Factor::Vms));
    rest.map(|factor| format!("#{} = {}\n", factor.key(), factor.descriptor().list_of_levels())).collect()
}

/// A line with a remark that goes on below itself where it is long.
fn with_remark(line: &str, remark: &str) -> String {
    let mut text = format!("{line:REMARK$}#");
    let mut column = text.chars().count();
    for word in remark.split_whitespace() {
        let length = word.chars().count() + 1;
        if column + length > WIDTH {
            text.push_str(&format!("\n{:REMARK$}#", ""));
            column = REMARK + 1;
        }
        text.push_str(&format!(" {word}"));
        column += length;
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::reader::plain_level;
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
    fn the_levels_that_the_starter_shows_are_levels_of_their_factors() {
        for factor in Factor::ALL {
            let text = format!("v = {}", factor.descriptor().list_of_levels());
            let table = toml::de::DeTable::parse(&text).expect("a list");
            for item in table.get_ref()["v"].get_ref().as_array().expect("a list") {
                let plain = plain_level(factor.descriptor().kind, item).expect("the type of the factor");
                assert!(
                    factor.descriptor().kind.level(factor.key(), &plain).is_ok(),
                    "{}: {plain:?}",
                    factor.key()
                );
            }
            assert!(!factor.descriptor().about.is_empty(), "{}", factor.key());
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
