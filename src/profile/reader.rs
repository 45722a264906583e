//! TOML to [`Written`] and the levels of the factors, with every complaint that serde has: what it refuses is reported, taken out,
//! and the rest is read again. No semantics: `validate` has those.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::diagnostic::Issues;
use super::messages::{meant, wrong_value};
use super::shape;
use super::written::Written;
use crate::factor::Factor;
use crate::factor::descriptor::Descriptor;
use crate::factor::level_kind::{LevelKind, PlainLevel};
use crate::units::{Size, Time};

/// What could be read.
pub(super) struct Read<'t> {
    /// The profile without factors and without what was refused.
    pub(super) written: Written,
    /// The factors that are written.
    pub(super) factors: BTreeMap<Factor, WrittenFactor<'t>>,
    /// Why something was refused.
    pub(super) issues: Issues,
    /// Paths of what was refused, and of what was meant by it: they are not missing.
    pub(super) refused: Vec<String>,
}

/// A factor as written.
#[derive(Default)]
pub(super) struct WrittenFactor<'t> {
    /// The value of the key in its section.
    pub(super) fixed: Option<Spanned<DeValue<'t>>>,
    /// The value of the key in `[sweep]`.
    pub(super) swept: Option<Spanned<DeValue<'t>>>,
}

/// Reads a parsed TOML text.
pub(super) fn read<'t>(root: &Spanned<DeTable<'t>>) -> Read<'t> {
    let mut table = root.get_ref().clone();
    let shape::Misshapen { issues, refused } = shape::take_out(&mut table);
    let factors = take_factors(&mut table);
    // Nothing but factors stood in these.
    for section in ["network", "tuning", "sweep"] {
        table.remove(section);
    }
    let groups = match table.remove("group").map(Spanned::into_inner) {
        Some(DeValue::Array(groups)) => groups.into_iter().collect(),
        _ => Vec::new(),
    };
    let mut read = Read { written: Written::default(), factors, issues, refused };
    read.written = read.section("", Spanned::new(root.span(), DeValue::Table(table)));
    let groups = groups.into_iter().enumerate();
    read.written.group =
        groups.map(|(index, group)| read.section(&format!("group[{index}]"), group)).collect();
    read
}

impl Read<'_> {
    /// A section at a path, without what serde refuses.
    fn section<T: DeserializeOwned + Default>(&mut self, path: &str, mut section: Spanned<DeValue<'_>>) -> T {
        loop {
            let error = match T::deserialize(ValueDeserializer::from(section.clone())) {
                Ok(read) => return read,
                Err(error) => error,
            };
            let offset = error.span().map_or(usize::MAX, |span| span.start);
            let Some(taken) = take_out_of_value(section.get_mut(), offset) else {
                self.issues.add(|| wrong_value(&error, path, false));
                self.refused.push(path.to_owned());
                return T::default();
            };
            let TakenKey { path, is_date } = if path.is_empty() { taken } else { taken.below(path) };
            self.issues.add(|| wrong_value(&error, &path, is_date));
            self.refused.extend(meant(&path));
            self.refused.push(path);
        }
    }
}

/// Takes the keys of the factors out of their sections.
fn take_factors<'t>(table: &mut DeTable<'t>) -> BTreeMap<Factor, WrittenFactor<'t>> {
    let mut factors = BTreeMap::new();
    for Descriptor { factor, home, key, .. } in Factor::ALL.map(Factor::descriptor) {
        let fixed = if factor.has_home() { take(table, home) } else { None };
        let swept = take(table, &format!("sweep.{key}"));
        if fixed.is_some() || swept.is_some() {
            factors.insert(*factor, WrittenFactor { fixed, swept });
        }
    }
    factors
}

/// Takes the value at a path out of a table.
fn take<'t>(table: &mut DeTable<'t>, path: &str) -> Option<Spanned<DeValue<'t>>> {
    match path.split_once('.') {
        None => table.remove(path),
        Some((section, rest)) => match table.get_mut(section)?.get_mut() {
            DeValue::Table(section) => take(section, rest),
            _ => None,
        },
    }
}

/// A level by the type that its factor has in TOML.
///
/// # Errors
/// If it has another type.
pub(super) fn plain_level(kind: LevelKind, value: &Spanned<DeValue<'_>>) -> Result<PlainLevel, Error> {
    let value = ValueDeserializer::from(value.clone());
    Ok(match kind {
        LevelKind::Number { .. } | LevelKind::Choice(_) | LevelKind::PowerOfTwo { .. } => {
            PlainLevel::Number(u32::deserialize(value)?)
        }
        LevelKind::Switch => PlainLevel::Switch(bool::deserialize(value)?),
        LevelKind::Word { .. } | LevelKind::Text { .. } => PlainLevel::Text(String::deserialize(value)?),
        LevelKind::Time { .. } => PlainLevel::Time(Time::deserialize(value)?.0),
        LevelKind::Size { .. } => PlainLevel::Size(Size::deserialize(value)?.0),
    })
}

/// What serde refused.
struct TakenKey {
    /// Its path, such as `workload.flows` or `group[0].rate`.
    path: String,
    /// Whether it is, or holds, a date or a time of day: serde takes those for sections.
    is_date: bool,
}

/// Removes the innermost entry at an offset.
fn take_out(table: &mut DeTable<'_>, offset: usize) -> Option<TakenKey> {
    for (key, value) in table.iter_mut() {
        if let Some(taken) = take_out_of_value(value.get_mut(), offset) {
            return Some(taken.below(key.get_ref()));
        }
    }
    let at = |span: std::ops::Range<usize>| span.contains(&offset) || span.start == offset;
    let (key, _) = table.iter().find(|(key, value)| at(key.span()) || at(value.span()))?;
    let key = key.clone();
    let is_date = table.remove(&key).is_some_and(|value| is_date(value.get_ref()));
    Some(TakenKey { path: key.into_inner().into_owned(), is_date })
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

pub(super) fn is_date(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Datetime(_) => true,
        DeValue::Array(items) => items.iter().any(|item| is_date(item.get_ref())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let root = DeTable::parse(text).expect("valid TOML");
        read(&root).issues.made.into_iter().map(|issue| issue.message).collect()
    }

    #[test]
    fn one_bad_section_does_not_hide_another() {
        let text = "guest.vcpu = 1\nguest.idle = \"two\"\nplan.order = 1\nlimit.boot = \"1 s\"";
        assert_eq!(messages(text).len(), 4);
    }

    #[test]
    fn good_values_survive_their_bad_neighbours() {
        let root = DeTable::parse("workload.repeats = 2\nworkload.window = 3").expect("valid TOML");
        let read = read(&root);
        assert_eq!(read.written.workload.repeats, Some(2));
        assert_eq!(read.refused, ["workload.window"]);
    }
}
