//! Sections in the wrong shape: `[[guest]]` for `[guest]`, `[group]` for `[[group]]`, and names that no section has. serde
//! would explain them by the types of Rust.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::Diagnostic;
use super::schema::{full, keys};
use crate::factor::fault::nearest;

/// What was taken out of a profile.
#[derive(Default)]
pub(super) struct Misshapen {
    /// Why.
    pub(super) issues: Vec<Diagnostic>,
    /// The paths, and those that were meant: they are not missing.
    pub(super) refused: Vec<String>,
}

/// Takes the sections out that have the wrong shape.
pub(super) fn take_out(root: &mut DeTable<'_>) -> Misshapen {
    let mut found = Misshapen::default();
    take_out_below(root, full(), "", &mut found);
    found
}

fn take_out_below(table: &mut DeTable<'_>, schema: &Value, above: &str, found: &mut Misshapen) {
    let mut bad = Vec::new();
    for (key, value) in table.iter_mut() {
        let name: &str = key.get_ref();
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        let known = &schema["properties"][name];
        if let (DeValue::Table(inner), true) = (value.get_mut(), is_section(known)) {
            take_out_below(inner, known, &path, found);
        } else if let Some((message, hint, meant)) = wrong(value.get_ref(), known, &path) {
            found.issues.push(Diagnostic::new(message).at(key.span(), "").hint(hint));
            found.refused.extend([path, meant]);
            bad.push(key.clone());
        }
    }
    for key in bad {
        table.remove(&key);
    }
}

/// Message, next step and the path that was meant, if this is a section of the wrong shape.
fn wrong(value: &DeValue<'_>, known: &Value, path: &str) -> Option<(String, String, String)> {
    let is_table = matches!(value, DeValue::Table(_));
    let is_tables = is_list_of_tables(value);
    if is_section(known) && is_tables {
        let message = format!("[[{path}]] begins a list, and there is only one [{path}]");
        return Some((message, format!("write [{path}]"), path.to_owned()));
    }
    if is_section(&known["items"]) && is_table {
        let message = format!("[{path}] is a single section, and there is a list of {path}s");
        return Some((message, format!("write [[{path}]]"), path.to_owned()));
    }
    // Elsewhere the keys that are known there say more.
    (known.is_null() && (is_table || is_tables) && !path.contains('.')).then(|| unknown(path))
}

fn unknown(name: &str) -> (String, String, String) {
    let sections: Vec<&str> = keys(full()).into_iter().filter(|name| !brackets(name).is_empty()).collect();
    let near = nearest(name, sections.iter().copied());
    let hint = match near {
        Some(near) => format!("did you mean {}?", brackets(near)),
        None => {
            let all: Vec<String> = sections.iter().map(|name| brackets(name)).collect();
            format!("the sections are {}", all.join(", "))
        }
    };
    (format!("unknown section `{name}`"), hint, near.unwrap_or(name).to_owned())
}

/// The name of a section as it stands in a profile; empty if it is none.
fn brackets(name: &str) -> String {
    match &full()["properties"][name] {
        section if is_section(section) => format!("[{name}]"),
        section if is_section(&section["items"]) => format!("[[{name}]]"),
        _ => String::new(),
    }
}

fn is_section(schema: &Value) -> bool {
    schema["properties"].is_object()
}

fn is_list_of_tables(value: &DeValue<'_>) -> bool {
    let DeValue::Array(items) = value else { return false };
    !items.is_empty() && items.iter().all(|item| matches!(item.get_ref(), DeValue::Table(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first next step.
    fn hint(text: &str) -> String {
        let mut root = DeTable::parse(text).expect("valid TOML");
        let issues = take_out(root.get_mut()).issues;
        issues.first().and_then(|issue| issue.hint.clone()).unwrap_or_default()
    }

    #[test]
    fn a_section_in_the_wrong_brackets_is_told_the_right_ones() {
        assert_eq!(hint("[[guest]]\nvms = 1"), "write [guest]");
        assert_eq!(hint("[[tuning.host]]\nrps = \"all\""), "write [tuning.host]");
        assert_eq!(hint("[group]\nname = \"a\""), "write [[group]]");
        assert_eq!(hint("[guest]\nvms = 1\n[[group]]\nname = \"a\""), "");
    }

    #[test]
    fn a_misspelt_section_is_likened_to_sections_and_not_to_keys() {
        assert_eq!(hint("[guests]\nvms = 1"), "did you mean [guest]?");
        assert_eq!(hint("[[groups]]\nname = \"a\""), "did you mean [[group]]?");
        let others = hint("[quotas]");
        assert!(others.starts_with("the sections are ") && others.contains("[guest], [host]"), "{others}");
    }
}
