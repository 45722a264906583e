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
    /// Paths of what was refused: they are not missing.
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
                read.refused.push(path);
            }
        }
    }
}

/// A syntax error in kvmfair's form.
pub(super) fn syntax(error: &Error, text: &str) -> Diagnostic {
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = error.message();
    let hint = match message {
        m if m.contains("duplicate key") => "keep one of the two",
        m if m.contains("quot") || m.contains("string") => {
            "text and values with a unit stand in quotes: window = \"30 s\""
        }
        _ => {
            "a line is `key = value` or `[section]`; text and values with a unit stand in quotes: window = \"30 s\""
        }
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
        Some(description) => format!("`{key}` is {description}"),
        None => "see the schema".into(),
    };
    Diagnostic::new(format!("`{key}`{}: {}", in_section(section), plain(error.message())))
        .at(span, "")
        .hint(hint)
}

fn unknown_key(section: &str, key: &str) -> Diagnostic {
    let here = schema::at(section).map(keys).unwrap_or_default();
    let homes: Vec<_> = schema::homes(key).into_iter().filter(|home| *home != section).collect();
    let hint = match (nearest(key, here.iter().copied()), homes.as_slice()) {
        (_, [home, ..]) => format!("`{key}` stands in {}", title(home)),
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("{} has the keys {}", title(section), list(&here)),
    };
    Diagnostic::new(format!("unknown key `{key}`{}", in_section(section))).hint(hint)
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
    const WORDS: [(&str, &str); 7] = [
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
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
            let message = format!("`{name}`{} is not supported yet", in_section(section));
            issues.push(Diagnostic::new(message).at(key.span(), "for a later version").hint(advice));
        } else if let DeValue::Table(inner) = value.get_ref() {
            planned(inner, property, name, issues);
        }
    }
}
