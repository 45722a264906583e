//! Where each key and each value of a profile stands: paths such as `workload.flows` or `sweep.vms[1]` to spans.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The spans of one text.
pub(super) struct Places<'t> {
    places: BTreeMap<String, KeyPlace>,
    text: &'t str,
}

struct KeyPlace {
    key: Range<usize>,
    value: Range<usize>,
}

impl<'t> Places<'t> {
    /// Walks the parsed text.
    pub(super) fn collect(root: &Spanned<DeTable<'_>>, text: &'t str) -> Self {
        let mut places = Places { places: BTreeMap::new(), text };
        places.table("", root.get_ref());
        places
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.value(&format!("{prefix}{}", key.get_ref()), key.span(), value);
        }
    }

    fn value(&mut self, path: &str, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(&format!("{path}."), table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), item.span(), item);
                }
            }
            _ => {}
        }
        self.places.insert(path.into(), KeyPlace { key, value: value.span() });
    }

    /// The value at a path; if it is not written, where it belongs: its section's name, or else the end of the text,
    /// or the beginning for what stands outside of sections.
    pub(super) fn value_or_section(&self, path: &str) -> Range<usize> {
        let home = if path.contains('.') { self.text.trim_end().len() } else { 0 };
        let section = || path.rsplit_once('.').and_then(|(section, _)| self.key(section));
        self.places.get(path).map(|place| place.value.clone()).or_else(section).unwrap_or(home..home)
    }

    /// What is written at a path, quotes and all, if it is no longer than a few words.
    pub(super) fn written(&self, path: &str) -> Option<&'t str> {
        self.places.get(path).map(|place| &self.text[place.value.clone()]).filter(|text| text.len() <= 40)
    }

    /// The key at a path.
    pub(super) fn key(&self, path: &str) -> Option<Range<usize>> {
        self.places.get(path).map(|place| place.key.clone())
    }

    /// Where the key stands in the text, for the order of the keys of a section.
    pub(super) fn order(&self, path: &str) -> usize {
        self.key(path).map_or(usize::MAX, |key| key.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked<'t>(text: &'t str, path: &str) -> &'t str {
        let root = DeTable::parse(text).expect("valid TOML");
        &text[Places::collect(&root, text).value_or_section(path)]
    }

    #[test]
    fn values_are_found_in_sections_dotted_keys_inline_tables_and_lists() {
        assert_eq!(marked("[guest]\nvms = 4", "guest.vms"), "4");
        assert_eq!(marked("guest.vms = 4", "guest.vms"), "4");
        assert_eq!(marked("guest = { vms = 4 }", "guest.vms"), "4");
        assert_eq!(marked("[sweep]\nvms = [1, 22]", "sweep.vms[1]"), "22");
    }

    #[test]
    fn what_is_not_written_is_its_section_or_the_end() {
        assert_eq!(marked("[guest]\nvms = 4", "guest.vcpus"), "guest");
        assert_eq!(marked("[guest]\nvms = 4", "workload.flows"), "");
    }
}
