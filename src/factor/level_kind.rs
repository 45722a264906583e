//! How a level is written in a profile and what it may be: checked, published as JSON schema and described from one value.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::json;

use super::fault::{Fault, list, nearest};
use super::value::Value;
use crate::units::{MIB, Size, Time};

/// How a level is written, and what it may be.
#[derive(Clone, Copy, Debug)]
pub enum LevelKind {
    /// A whole number.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// One of a few whole numbers.
    Choice(&'static [u32]),
    /// 0 or a power of two.
    PowerOfTwo {
        /// The largest.
        most: u32,
    },
    /// `true` or `false`.
    Switch,
    /// One of a few words.
    Word {
        /// All of them.
        words: fn() -> Vec<String>,
        /// The level of a word; `None` if it is none of them.
        level: fn(&str) -> Option<Value>,
        /// Words that people write in place of ours, each with its hint.
        instead: &'static [(&'static str, &'static str)],
    },
    /// Text of a certain form.
    Text {
        /// The form in words, after "write".
        form: &'static str,
        /// The same as a regular expression for the JSON schema; empty for any text.
        pattern: &'static str,
        /// The level; `None` if the text has another form.
        level: fn(&str) -> Option<Value>,
    },
    /// A time with its unit.
    Time {
        /// Unit of the column; a level is a multiple of it.
        unit: Duration,
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// A size in bytes, or with its unit.
    Size {
        /// Unit of the column, bytes; a level is a multiple of it.
        unit: u64,
        /// The smallest, bytes.
        least: u64,
        /// The largest, bytes.
        most: u64,
    },
}

/// A level of the right TOML type, before its bounds are checked.
#[derive(Clone, Debug, PartialEq)]
pub enum PlainLevel {
    /// A whole number.
    Number(u32),
    /// `true` or `false`.
    Switch(bool),
    /// A word or a text.
    Text(String),
    /// A time.
    Time(Duration),
    /// A size, bytes.
    Size(u64),
}

impl LevelKind {
    /// Whether a value is one of this kind.
    pub(super) fn matches(self, value: &Value) -> bool {
        match self {
            LevelKind::Switch => matches!(value, Value::Switch(_)),
            LevelKind::Word { .. } | LevelKind::Text { .. } => {
                !matches!(value, Value::Switch(_) | Value::Number(_))
            }
            _ => matches!(value, Value::Number(_)),
        }
    }

    /// The level that stands at `key`.
    ///
    /// # Errors
    /// If it is out of bounds; the hint is empty where the bounds in the message are all there is to say.
    pub fn level(self, key: &str, plain: &PlainLevel) -> Result<Value, Fault> {
        match (self, plain) {
            (LevelKind::Number { least, most }, PlainLevel::Number(number)) => {
                out_of_bounds(key, *number, least..=most).map_or(Ok(Value::Number(*number)), Err)
            }
            (LevelKind::Choice(choices), PlainLevel::Number(number)) => choice(key, *number, choices),
            (LevelKind::PowerOfTwo { most }, PlainLevel::Number(number)) => power_of_two(key, *number, most),
            (LevelKind::Switch, PlainLevel::Switch(on)) => Ok(Value::Switch(*on)),
            (LevelKind::Word { words, level, instead }, PlainLevel::Text(word)) => {
                level(word).ok_or_else(|| unknown_word(key, word, &words(), instead))
            }
            (LevelKind::Text { form, level, .. }, PlainLevel::Text(text)) => level(text).ok_or_else(|| {
                Fault::new(format!("`{key}` cannot be \"{text}\""), "", format!("write {form}"))
            }),
            (LevelKind::Time { unit, least, most }, PlainLevel::Time(time)) => {
                match out_of_bounds(key, Time(*time), Time(least)..=Time(most)) {
                    Some(fault) => Err(fault),
                    None => whole(key, time.as_nanos(), unit.as_nanos(), Time(*time), Time(unit)),
                }
            }
            (LevelKind::Size { unit, least, most }, PlainLevel::Size(bytes)) => {
                let value = match out_of_bounds(key, Size(*bytes), Size(least)..=Size(most)) {
                    Some(fault) => Err(fault),
                    None => whole(key, (*bytes).into(), unit.into(), Size(*bytes), Size(unit)),
                };
                value.map_err(|fault| Fault { hint: size_hint(*bytes, unit, least, most), ..fault })
            }
            _ => Err(Fault::new(format!("`{key}` has a value of another type"), "", "")),
        }
    }

    /// The JSON schema of one level.
    pub fn schema(self) -> serde_json::Value {
        let mut generator = SchemaGenerator::default();
        match self {
            LevelKind::Number { least, most } => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            LevelKind::Choice(choices) => json!({"type": "integer", "enum": choices}),
            LevelKind::PowerOfTwo { most } => json!({"type": "integer", "minimum": 0, "maximum": most}),
            LevelKind::Switch => json!({"type": "boolean"}),
            LevelKind::Word { words, .. } => json!({"type": "string", "enum": words()}),
            LevelKind::Text { pattern: "", .. } => json!({"type": "string"}),
            LevelKind::Text { pattern, .. } => json!({"type": "string", "pattern": pattern}),
            LevelKind::Time { .. } => Time::json_schema(&mut generator).to_value(),
            LevelKind::Size { .. } => Size::json_schema(&mut generator).to_value(),
        }
    }

    /// Type and bounds in words: `number`, `1 to 255`.
    pub fn describe(self) -> (&'static str, String) {
        match self {
            LevelKind::Number { least, most } => ("number", format!("{least} to {most}")),
            LevelKind::Choice(choices) => ("number", in_words(choices)),
            LevelKind::PowerOfTwo { most } => ("number", format!("0 or a power of two up to {most}")),
            LevelKind::Switch => ("`true` or `false`", String::new()),
            LevelKind::Word { words, .. } => ("word", list(&borrowed(&words()))),
            LevelKind::Text { form, .. } => ("text", form.to_owned()),
            LevelKind::Time { least, most, .. } => ("time", format!("{} to {}", Time(least), Time(most))),
            LevelKind::Size { least, most, .. } => ("size", format!("{} to {}", Size(least), Size(most))),
        }
    }
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// `256, 512 or 1024`.
fn in_words(choices: &[u32]) -> String {
    let words: Vec<String> = choices.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [_, ..])) => format!("{} or {last}", words[..words.len() - 1].join(", ")),
        _ => words.concat(),
    }
}

/// What is wrong with a value outside of its bounds.
pub fn out_of_bounds<T: PartialOrd + Display>(
    key: &str,
    value: T,
    bounds: RangeInclusive<T>,
) -> Option<Fault> {
    let (least, most) = (bounds.start(), bounds.end());
    let label = match () {
        () if value < *least => format!("below {least}"),
        () if value > *most => format!("above {most}"),
        () => return None,
    };
    Some(Fault::new(format!("`{key}` must be {least} to {most}, got {value}"), label, ""))
}

fn choice(key: &str, number: u32, choices: &[u32]) -> Result<Value, Fault> {
    let fault = || Fault::new(format!("`{key}` must be {}, got {number}", in_words(choices)), "", "");
    choices.contains(&number).then_some(Value::Number(number)).ok_or_else(fault)
}

fn power_of_two(key: &str, number: u32, most: u32) -> Result<Value, Fault> {
    let (label, hint) = match number {
        number if number > most => ("too many", "32768 suits most machines".to_owned()),
        number if number != 0 && !number.is_power_of_two() => {
            ("", format!("the kernel would take {} in its place: write that", number.next_power_of_two()))
        }
        number => return Ok(Value::Number(number)),
    };
    Err(Fault::new(format!("`{key}` must be 0 or a power of two up to {most}, got {number}"), label, hint))
}

fn unknown_word(key: &str, word: &str, words: &[String], instead: &[(&str, &str)]) -> Fault {
    let words = borrowed(words);
    let ours = instead.iter().find(|(theirs, _)| *theirs == word).map(|(_, hint)| (*hint).to_owned());
    let near = || nearest(word, words.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let hint = ours.or_else(near).unwrap_or_else(|| format!("use one of {}", list(&words)));
    Fault::new(format!("unknown {key} `{word}`"), format!("no such {key}"), hint)
}

/// A number of units, if it is a whole one.
fn whole<T: Display>(key: &str, value: u128, unit: u128, shown: T, shown_unit: T) -> Result<Value, Fault> {
    let units = u32::try_from(value / unit).ok().filter(|_| value.is_multiple_of(unit));
    let fault = || Fault::new(format!("`{key}` must be a multiple of {shown_unit}, got {shown}"), "", "");
    units.map(Value::Number).ok_or_else(fault)
}

/// Sizes have two slips of their own: no unit, and units of 1000.
fn size_hint(bytes: u64, unit: u64, least: u64, most: u64) -> String {
    match unit {
        MIB if (least / MIB..MIB).contains(&bytes) => {
            format!("a bare number counts bytes; write \"{bytes} MiB\"")
        }
        MIB if (least..=most).contains(&bytes) => {
            let next = Size(bytes.next_multiple_of(MIB));
            format!("for example \"{next}\"; MB is 1000 x 1000 bytes, MiB is 1024 x 1024")
        }
        _ => String::new(),
    }
}
