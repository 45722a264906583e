//! Takes what serde refused out of a profile, so that the rest can be read.

use toml::de::{DeTable, DeValue};

/// What serde refused.
pub(super) struct TakenKey {
    /// Its path, such as `workload.flows` or `group[0].rate`.
    pub(super) path: String,
    /// Whether it is, or holds, a date or a time of day: serde takes those for sections.
    pub(super) dated: bool,
}

/// Removes the innermost entry at an offset.
pub(super) fn take_out(table: &mut DeTable<'_>, offset: usize) -> Option<TakenKey> {
    for (key, value) in table.iter_mut() {
        if let Some(taken) = take_out_of_value(value.get_mut(), offset) {
            return Some(taken.below(key.get_ref()));
        }
    }
    let at = |span: std::ops::Range<usize>| span.contains(&offset) || span.start == offset;
    let (key, _) = table.iter().find(|(key, value)| at(key.span()) || at(value.span()))?;
    let key = key.clone();
    let dated = table.remove(&key).is_some_and(|value| is_dated(value.get_ref()));
    Some(TakenKey { path: key.into_inner().into_owned(), dated })
}

fn take_out_of_value(value: &mut DeValue<'_>, offset: usize) -> Option<TakenKey> {
    match value {
        DeValue::Table(table) => take_out(table, offset),
        DeValue::Array(items) => {
            items.iter_mut().enumerate().find_map(|(index, item)| match item.get_mut() {
                DeValue::Table(table) => {
                    take_out(table, offset).map(|taken| taken.below(&format!("[{index}]")))
                }
                _ => None,
            })
        }
        _ => None,
    }
}

impl TakenKey {
    /// The same, seen from outside: keys are joined by dots, the number of an item is not.
    fn below(self, key: &str) -> TakenKey {
        let dot = if self.path.starts_with('[') { "" } else { "." };
        TakenKey { path: format!("{key}{dot}{}", self.path), ..self }
    }
}

fn is_dated(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Datetime(_) => true,
        DeValue::Array(items) => items.iter().any(|item| is_dated(item.get_ref())),
        _ => false,
    }
}
