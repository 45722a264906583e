//! What TOML and serde refuse, in words for people who write profiles, and keys that were probably meant.

use toml::de::{DeValue, Error};

use super::Diagnostic;
use super::schema::{self, keys};
use crate::factor::fault::{list, nearest};

/// A syntax error in kvmfair's form.
pub(super) fn syntax(error: &Error, text: &str) -> Diagnostic {
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = plain(error.message());
    let hint = match message.as_str() {
        m if m.contains("duplicate key") => "keep one of the two",
        m if m.contains("quote") => "text and values with a unit stand in quotes: window = \"30 s\"",
        m if m.contains("unclosed") => "close the bracket; a list is [1, 2, 4], a section is [workload]",
        _ => "a line is `key = value` or `[section]`; text and values with a unit stand in quotes",
    };
    Diagnostic::new(format!("not valid TOML: {message}")).at(span, "").hint(hint)
}

/// A value that serde refused at a path such as `workload.flows`. serde takes dates for sections.
pub(super) fn wrong_value(error: &Error, path: &str, is_date: bool) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let message = match too_large(error.message(), path) {
        Some(message) => message,
        None if is_date => {
            plain(error.message()).replace("invalid type: section", "invalid type: date or time")
        }
        None => plain(error.message()),
    };
    let message = format!("`{key}`{}: {message}", in_section(section));
    Diagnostic::new(message).at(span, "").hint(description(path))
}

/// The type of a value in words.
pub(super) fn type_in_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// What the key at a path is for.
pub(super) fn description(path: &str) -> String {
    let key = path.rsplit_once('.').map_or(path, |(_, key)| key);
    let key = key.split('[').next().unwrap_or(key);
    match schema::at(path).and_then(|property| property["description"].as_str()) {
        Some(description) => format!("`{key}`: {description}"),
        None => "see `kvmfair profile schema`".into(),
    }
}

/// What libvirt, netperf and other tools call a key.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("cpu_shares", "shares"),
    ("vcpu_quota", "quota"),
    ("cpu_quota", "quota"),
    ("vcpu_period", "period"),
    ("numa", "numa_node"),
    ("guests", "vms"),
    ("cpus", "vcpus"),
    ("cores", "vcpus"),
    ("mem", "memory"),
    ("ram", "memory"),
    ("nic", "backend"),
    ("connections", "flows"),
    ("duration", "window"),
    ("iterations", "repeats"),
];

/// A key that its section does not have.
pub(super) fn unknown_key(section: &str, key: &str) -> Diagnostic {
    let here = keys_of(section);
    let ours = OTHER_NAMES.iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| *ours);
    let homes: Vec<_> = schema::homes(ours).into_iter().filter(|home| *home != section).collect();
    // A setting of both sides has one before its name in [sweep].
    let sided: Vec<&str> =
        here.iter().copied().filter(|known| known.ends_with(&format!("_{ours}"))).collect();
    let named =
        if ours == key { format!("`{key}`") } else { format!("kvmfair's name for it is `{ours}`, which") };
    let hint = match (nearest(ours, here.iter().copied()), homes.as_slice()) {
        (Some(same), _) if same == ours => format!("did you mean `{same}`?"),
        _ if !sided.is_empty() => format!("did you mean {}?", list(&sided).replace(", ", " or ")),
        (_, [home @ "group", ..]) if section == "sweep" => {
            format!(
                "{named} stands in {}; `group_limits` sweeps what groups may have, off and on",
                title(home)
            )
        }
        (_, [home, ..]) => format!("{named} stands in {}", title(home)),
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("{} has the keys {}", title(section), list(&here)),
    };
    Diagnostic::new(format!("unknown key `{key}`{}", in_section(section))).hint(hint)
}

fn keys_of(section: &str) -> Vec<&'static str> {
    schema::at(section).map(keys).unwrap_or_default()
}

/// The path that was probably meant by one that is unknown.
pub(super) fn meant(path: &str) -> Option<String> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let near = nearest(key, keys_of(section).into_iter()).filter(|near| *near != key)?;
    Some(if section.is_empty() { near.into() } else { format!("{section}.{near}") })
}

pub(super) fn in_section(section: &str) -> String {
    match section.split_once('[') {
        Some((list, _)) => format!(" in [[{list}]]"),
        None if section.is_empty() => String::new(),
        None => format!(" in [{section}]"),
    }
}

fn title(section: &str) -> String {
    match section.split_once('[') {
        _ if section.is_empty() => "the top of the profile".into(),
        // A home is named without its number.
        None if section == "group" => "[[group]]".into(),
        None => format!("[{section}]"),
        Some((list, _)) => format!("[[{list}]]"),
    }
}

/// The message for a whole number that Rust's type does not hold, if it is one.
fn too_large(message: &str, path: &str) -> Option<String> {
    let of_type = |word: &str| message.strip_prefix(word)?.strip_prefix(": integer `")?.split_once('`');
    let (number, rest) = of_type("invalid value").or_else(|| of_type("invalid type"))?;
    if !rest.contains("expected u") {
        return None;
    }
    let property = schema::at(path)?;
    let property = if property["items"].is_object() { &property["items"] } else { property };
    let of_type = if property["format"] == "uint64" { u64::MAX } else { u32::MAX.into() };
    let most = property["maximum"].as_u64().unwrap_or(of_type);
    // Rust's type is not to blame for what it could hold.
    let is_larger = number.parse::<u128>().is_ok_and(|number| number > most.into());
    is_larger.then(|| format!("{number} is too large, the most is {most}"))
}

/// serde's words for types, as people who do not read Rust say it.
fn plain(message: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        (", expected literal string", ""),
        ("invalid basic string, expected `\"`", "a string without its closing quote"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list in brackets"),
        ("invalid type: sequence", "invalid type: list"),
        ("invalid type: map", "invalid type: section"),
        ("unknown variant", "unknown value"),
    ];
    let plain = WORDS.iter().fold(message.to_string(), |text, (rust, word)| text.replace(rust, word));
    match plain.split_once("expected struct") {
        Some((before, _)) => format!("{before}expected a section"),
        None => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_tools_and_of_one_side_lead_to_ours() {
        let hint = |key: &str| unknown_key("sweep", key).hint.unwrap();
        assert_eq!(hint("vcpu_quota"), "did you mean `quota`?");
        assert_eq!(hint("irq_affinity"), "did you mean `guest_irq_affinity` or `host_irq_affinity`?");
        let of_groups = "stands in [[group]]; `group_limits` sweeps what groups may have, off and on";
        assert_eq!(hint("cpu_shares"), format!("kvmfair's name for it is `shares`, which {of_groups}"));
        assert_eq!(hint("bandwidth"), format!("`bandwidth` {of_groups}"));
    }
}
