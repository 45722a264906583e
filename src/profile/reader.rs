//! TOML to [`Written`], with every complaint that serde has: what it refuses is reported, taken out, and the rest is
//! read again. Also finds the keys that a later version will run. No semantics: `validate` has those.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use serde::Deserialize;

use super::Diagnostic;
use super::schema::{self, keys};
use super::shape;
use super::taken::{TakenKey, take_out};
use super::written::Written;
use crate::factor::fault::{list, nearest};

/// What could be read.
pub(super) struct Read {
    /// The profile without what was refused.
    pub(super) written: Written,
    /// Why something was refused.
    pub(super) issues: Vec<Diagnostic>,
    /// Paths of what was refused, and of what was meant by it: they are not missing.
    pub(super) refused: Vec<String>,
}

/// Reads a parsed TOML text.
pub(super) fn read(root: &Spanned<DeTable<'_>>) -> Read {
    let mut read = Read { written: Written::default(), issues: Vec::new(), refused: Vec::new() };
    planned(root.get_ref(), schema::full(), "", &mut read.issues);
    let mut rest = root.clone();
    let misshapen = shape::take_out(rest.get_mut());
    read.issues.extend(misshapen.issues);
    read.refused.extend(misshapen.refused);
    loop {
        match Written::deserialize(Deserializer::from(rest.clone())) {
            Ok(written) => return Read { written, ..read },
            Err(error) => {
                let offset = error.span().map_or(usize::MAX, |span| span.start);
                let taken = take_out(rest.get_mut(), offset);
                read.issues.push(refusal(&error, taken.as_ref()));
                let Some(TakenKey { path, .. }) = taken else {
                    return Read { refused: vec![String::new()], ..read };
                };
                read.refused.extend(meant(&path));
                read.refused.push(path);
            }
        }
    }
}

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

/// What serde refused, in words for people who write profiles.
fn refusal(error: &Error, taken: Option<&TakenKey>) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let Some(TakenKey { path, dated }) = taken else {
        return Diagnostic::new(plain(error.message())).at(span, "").hint("see the schema");
    };
    let path = path.as_str();
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    if error.message().starts_with("unknown field") {
        return unknown_key(section, key).at(span, "no such key");
    }
    let hint = match schema::at(path).and_then(|property| property["description"].as_str()) {
        Some(description) => format!("`{key}`: {description}"),
        None => "see the schema".into(),
    };
    let message = match too_large(error.message(), path) {
        Some(message) => message,
        None if *dated => {
            plain(error.message()).replace("invalid type: section", "invalid type: date or time")
        }
        None => plain(error.message()),
    };
    Diagnostic::new(format!("`{key}`{}: {message}", in_section(section))).at(span, "").hint(hint)
}

/// What libvirt, netperf and other tools call a key.
const ELSEWHERE: [(&str, &str); 14] = [
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

fn unknown_key(section: &str, key: &str) -> Diagnostic {
    let here = keys_of(section);
    let ours = ELSEWHERE.iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| *ours);
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
fn meant(path: &str) -> Option<String> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let near = nearest(key, keys_of(section).into_iter()).filter(|near| *near != key)?;
    Some(if section.is_empty() { near.into() } else { format!("{section}.{near}") })
}

fn in_section(section: &str) -> String {
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

/// Reports the keys that a later version will run.
fn planned(table: &DeTable<'_>, schema: &Value, section: &str, issues: &mut Vec<Diagnostic>) {
    for (key, value) in table {
        let name = key.get_ref();
        let Some(property) = schema["properties"].get(name.as_ref()) else { continue };
        if let Some(advice) = property["x-planned"].as_str() {
            let what =
                if section.is_empty() { format!("[{name}]") } else { format!("`{name}` in [{section}]") };
            let message = format!("{what} is not supported yet");
            issues.push(Diagnostic::new(message).at(key.span(), "for a later version").hint(advice));
        } else if let DeValue::Table(inner) = value.get_ref() {
            planned(inner, property, name, issues);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let root = DeTable::parse(text).expect("valid TOML");
        read(&root).issues.into_iter().map(|issue| issue.message).collect()
    }

    #[test]
    fn one_bad_section_does_not_hide_another() {
        let text = "guest.vcpu = 1\nguest.vms = \"two\"\nplan.order = 1\nlimit.boot = \"1 s\"";
        assert_eq!(messages(text).len(), 4);
    }

    #[test]
    fn good_values_survive_their_bad_neighbours() {
        let root = DeTable::parse("guest.vcpus = 2\nguest.vms = \"two\"").expect("valid TOML");
        let read = read(&root);
        assert_eq!(read.written.guest.vcpus, Some(2));
        assert_eq!(read.refused, ["guest.vms"]);
    }

    #[test]
    fn a_wrong_value_of_a_later_version_is_reported_as_both() {
        assert_eq!(messages("tuning.host.numad = \"many\"").len(), 2);
    }

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
