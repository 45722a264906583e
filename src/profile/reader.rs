//! TOML to [`Written`], with every complaint that serde has: what it refuses is reported, taken out, and the rest is
//! read again. Also finds the keys that a later version will run. No semantics: `validate` has those.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use serde::Deserialize;

use super::Diagnostic;
use super::schema::{self, keys};
use super::written::Written;

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
    loop {
        match Written::deserialize(Deserializer::from(rest.clone())) {
            Ok(written) => return Read { written, ..read },
            Err(error) => {
                let offset = error.span().map_or(usize::MAX, |span| span.start);
                let path = take_out(rest.get_mut(), offset);
                read.issues.push(refusal(&error, path.as_deref()));
                let Some(path) = path else { return Read { refused: vec![String::new()], ..read } };
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

/// Removes the innermost entry at an offset and returns its path.
fn take_out(table: &mut DeTable<'_>, offset: usize) -> Option<String> {
    for (key, value) in table.iter_mut() {
        if let Some(rest) = take_out_of_value(value.get_mut(), offset) {
            return Some(format!("{}.{rest}", key.get_ref()));
        }
    }
    let at = |span: std::ops::Range<usize>| span.contains(&offset) || span.start == offset;
    let (key, _) = table.iter().find(|(key, value)| at(key.span()) || at(value.span()))?;
    let key = key.clone();
    table.remove(&key);
    Some(key.into_inner().into_owned())
}

fn take_out_of_value(value: &mut DeValue<'_>, offset: usize) -> Option<String> {
    match value {
        DeValue::Table(table) => take_out(table, offset),
        DeValue::Array(items) => items.iter_mut().find_map(|item| match item.get_mut() {
            DeValue::Table(table) => take_out(table, offset),
            _ => None,
        }),
        _ => None,
    }
}

/// What serde refused, in words for people who write profiles.
fn refusal(error: &Error, path: Option<&str>) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let Some(path) = path else {
        return Diagnostic::new(plain(error.message())).at(span, "").hint("see the schema");
    };
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    if error.message().starts_with("unknown field") {
        return unknown_key(section, key).at(span, "no such key");
    }
    let hint = match schema::at(path).and_then(|property| property["description"].as_str()) {
        Some(description) => format!("`{key}`: {description}"),
        None => "see the schema".into(),
    };
    Diagnostic::new(format!("`{key}`{}: {}", in_section(section), plain(error.message())))
        .at(span, "")
        .hint(hint)
}

fn unknown_key(section: &str, key: &str) -> Diagnostic {
    let here = keys_of(section);
    let homes: Vec<_> = schema::homes(key).into_iter().filter(|home| *home != section).collect();
    let hint = match (nearest(key, here.iter().copied()), homes.as_slice()) {
        (_, [home, ..]) => format!("`{key}` stands in {}", title(home)),
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

/// The known name that was probably meant.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let scored = known.map(|known| (strsim::damerau_levenshtein(&name, &known.to_lowercase()), known));
    let (distance, known) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.chars().count() / 4).then_some(known)
}

/// `a`, `b`, `c`.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn in_section(section: &str) -> String {
    if section.is_empty() { String::new() } else { format!(" in [{section}]") }
}

fn title(section: &str) -> String {
    if section.is_empty() { "the top of the profile".into() } else { format!("[{section}]") }
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
    fn nearest_means_near() {
        assert_eq!(nearest("virtoi", ["virtio", "e1000"].into_iter()), Some("virtio"));
        assert_eq!(nearest("TCP_rr", ["TCP_RR"].into_iter()), Some("TCP_RR"));
        assert_eq!(nearest("infiniband", ["virtio", "e1000"].into_iter()), None);
    }
}
