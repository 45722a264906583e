//! What all cells of a column are, for programs and for people.

use std::borrow::Cow;

use crate::figures::Better;

/// The type of all cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Words.
    Text,
    /// A whole number.
    Integer,
    /// A number with a decimal point.
    Real,
    /// `true` or `false`.
    Boolean,
}

impl ColumnType {
    /// The word in the data dictionary.
    pub fn word(self) -> &'static str {
        match self {
            ColumnType::Text => "text",
            ColumnType::Integer => "integer",
            ColumnType::Real => "real",
            ColumnType::Boolean => "boolean",
        }
    }
}

/// How precisely people are shown its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Four significant digits, fewer where the interval is wide.
    Significant,
    /// So many decimals.
    Decimals(usize),
    /// A probability: two significant digits, `<0.001`.
    Probability,
    /// Never below 0: what is beyond noise is nothing there.
    FromZero,
}

/// Where people are shown a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// Always: it names the rows.
    Always,
    /// In the report, and on terminals that are wide enough: 1 is left out last.
    Rank(u8),
    /// In the report only.
    ReportOnly,
}

/// What all cells of a column are.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Lower case, words joined by `_`, with the unit where there is one.
    pub name: Cow<'static, str>,
    /// Its heading for people; empty: the name with spaces.
    pub label: Cow<'static, str>,
    /// The cells' type.
    pub kind: ColumnType,
    /// Their unit; empty for words, counts and ratios.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What they are, in one line.
    pub meaning: Cow<'static, str>,
    /// How precisely people are shown them.
    pub rounding: Rounding,
    /// Where people are shown them.
    pub display: Display,
}

impl Column {
    /// A column that only names or orders rows: no unit, no direction.
    pub fn plain(
        name: impl Into<Cow<'static, str>>,
        kind: ColumnType,
        meaning: impl Into<Cow<'static, str>>,
    ) -> Column {
        Column {
            name: name.into(),
            label: "".into(),
            kind,
            unit: "",
            better: Better::Neither,
            meaning: meaning.into(),
            rounding: Rounding::Significant,
            display: Display::Always,
        }
    }

    /// The heading for people, without the unit.
    pub fn heading(&self) -> String {
        if self.label.is_empty() { self.name.replace('_', " ") } else { self.label.to_string() }
    }

    /// Whether its cells are numbers.
    pub fn is_number(&self) -> bool {
        matches!(self.kind, ColumnType::Integer | ColumnType::Real)
    }
}
