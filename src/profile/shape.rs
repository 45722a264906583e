//! Keys and sections that the format does not have, those of later versions, and sections in the wrong brackets: `[[guest]]` for
//! `[guest]`, `[group]` for `[[group]]`. One walk takes them all out: serde would name one at a time, by the types of Rust.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Diagnostic;
use super::diagnostic::Issues;
use super::messages::{description, in_section, meant, type_in_words, unknown_key};
use super::schema::{full, keys, planned};
use crate::factor::fault::nearest;

/// What was taken out of a profile.
#[derive(Default)]
pub(super) struct Misshapen {
    /// Why.
    pub(super) issues: Issues,
    /// The paths, and those that were meant: they are not missing.
    pub(super) refused: Vec<String>,
}

/// Takes everything out that the format has no place for.
pub(super) fn take_out(root: &mut DeTable<'_>) -> Misshapen {
    let mut found = Misshapen::default();
    found.walk(root, full(), "");
    found
}

impl Misshapen {
    fn walk(&mut self, table: &mut DeTable<'_>, schema: &Value, above: &str) {
        let written = std::mem::take(table);
        *table = written
            .into_iter()
            .filter_map(|(key, mut value)| {
                let name: &str = key.get_ref();
                let path = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
                let known = &schema["properties"][name];
                let fits = self.fits(&key, value.get_ref(), known, &path);
                if fits {
                    self.walk_below(&mut value, known, &path);
                }
                fits.then_some((key, value))
            })
            .collect();
    }

    fn walk_below(&mut self, value: &mut Spanned<DeValue<'_>>, known: &Value, path: &str) {
        match value.get_mut() {
            DeValue::Table(section) if is_section(known) => self.walk(section, known, path),
            DeValue::Array(items) if is_section(&known["items"]) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let DeValue::Table(section) = item.get_mut() {
                        self.walk(section, &known["items"], &format!("{path}[{index}]"));
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the format has a place for a key with such a value; reports it if not.
    fn fits(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &DeValue<'_>,
        known: &Value,
        path: &str,
    ) -> bool {
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        if let Some(advice) = planned(path) {
            let what = if section.is_empty() {
                format!("[{name}]")
            } else {
                format!("`{name}`{}", in_section(section))
            };
            let message = format!("{what} is not supported yet");
            self.issues.add(|| Diagnostic::new(message).at(key.span(), "for a later version").hint(advice));
        } else if let Some((message, hint)) = wrong_brackets(value, known, path) {
            self.issues.add(|| Diagnostic::new(message).at(key.span(), "").hint(hint));
        } else if known.is_null() && section.is_empty() && (value.is_table() || is_list_of_tables(value)) {
            self.issues.add(|| unknown_section(name).at(key.span(), ""));
            self.refused.extend(nearest(name, sections().into_iter()).map(str::to_owned));
        } else if known.is_null() {
            self.issues.add(|| unknown_key(section, name).at(key.span(), "no such key"));
            // Where more is wrong than is shown, what is missing for it need not be left out.
            self.refused.extend(if self.issues.more == 0 { meant(path) } else { None });
        } else {
            return true;
        }
        self.refused.push(path.to_owned());
        false
    }
}

/// Message and next step, if this is a section of the wrong shape.
fn wrong_brackets(value: &DeValue<'_>, known: &Value, path: &str) -> Option<(String, String)> {
    if is_section(known) && is_list_of_tables(value) {
        let message = format!("[[{path}]] begins a list, and there is only one [{path}]");
        return Some((message, format!("write [{path}]")));
    }
    if is_section(known) && !value.is_table() {
        let message = format!("`{path}` must be a section, got {}", type_in_words(value));
        return Some((message, format!("write [{path}]; {}", description(path))));
    }
    if is_section(&known["items"]) && value.is_table() {
        let message = format!("[{path}] is a single section, and there is a list of {path}s");
        return Some((message, format!("write [[{path}]]")));
    }
    let empty = value.as_array().is_some_and(|items| items.is_empty());
    (is_section(&known["items"]) && !is_list_of_tables(value) && !empty).then(|| {
        let message = format!("`{path}` must be a list of sections, got {}", type_in_words(value));
        (message, format!("write [[{path}]]; {}", description(path)))
    })
}

fn sections() -> Vec<&'static str> {
    keys(full()).into_iter().filter(|name| !brackets(name).is_empty()).collect()
}

fn unknown_section(name: &str) -> Diagnostic {
    let hint = match nearest(name, sections().into_iter()) {
        Some(near) => format!("did you mean {}?", brackets(near)),
        None => {
            let all: Vec<String> = sections().into_iter().map(brackets).collect();
            format!("the sections are {}", all.join(", "))
        }
    };
    Diagnostic::new(format!("unknown section `{name}`")).hint(hint)
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
    !items.is_empty() && items.iter().all(|item| item.get_ref().is_table())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Misshapen {
        let mut root = DeTable::parse(text).expect("valid TOML");
        take_out(root.get_mut())
    }

    /// The first next step.
    fn hint(text: &str) -> String {
        found(text).issues.made.first().and_then(|issue| issue.hint.clone()).unwrap_or_default()
    }

    #[test]
    fn a_section_in_the_wrong_brackets_is_given_the_right_ones() {
        assert_eq!(hint("[[guest]]\nvms = 1"), "write [guest]");
        assert_eq!(hint("[[tuning.host]]\nrps = \"all\""), "write [tuning.host]");
        assert_eq!(hint("[group]\nname = \"a\""), "write [[group]]");
        assert_eq!(hint("[guest]\nvms = 1\n[[group]]\nname = \"a\""), "");
        assert!(hint("sweep = 3").starts_with("write [sweep]; `sweep`: factors"));
        assert!(hint("group = [3]").starts_with("write [[group]]; `group`: guests"));
    }

    #[test]
    fn a_misspelt_section_is_likened_to_sections_and_not_to_keys() {
        assert_eq!(hint("[guests]\nvms = 1"), "did you mean [guest]?");
        assert_eq!(hint("[[groups]]\nname = \"a\""), "did you mean [[group]]?");
        let others = hint("[quotas]");
        assert!(others.starts_with("the sections are ") && others.contains("[guest], [host]"), "{others}");
    }

    #[test]
    fn unknown_keys_are_found_in_every_section_and_those_of_later_versions_once() {
        let text =
            "[[group]]\nnmae = \"a\"\n[tuning.host]\ngovernour = \"x\"\nnumad = \"many\"\n[sweep]\nvmx = [1]";
        let messages: Vec<String> = found(text).issues.made.into_iter().map(|issue| issue.message).collect();
        let unknown = |key: &str, section: &str| format!("unknown key `{key}` in {section}");
        let expected = [
            unknown("nmae", "[[group]]"),
            unknown("vmx", "[sweep]"),
            unknown("governour", "[tuning.host]"),
            "`numad` in [tuning.host] is not supported yet".into(),
        ];
        assert_eq!(messages, expected);
    }
}
