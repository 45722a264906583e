//! Rows that share a picture, and the words that tell them apart.

use crate::figures::SummaryRow;
use crate::profile::{Configuration, Factor};
use crate::report::model;

/// What the load is: it heads groups of bars, so that the machines of one load stand together.
pub(super) const LOAD: [Factor; 5] =
    [Factor::Test, Factor::Request, Factor::Response, Factor::Message, Factor::Background];

/// Rows for one picture.
#[derive(Clone)]
pub(super) struct Part<'a> {
    /// Levels in common, in words.
    pub levels: Vec<String>,
    pub rows: Vec<&'a SummaryRow>,
    /// Factors that tell its lines apart.
    pub factors: Vec<Factor>,
}

impl<'a> Part<'a> {
    /// All of `rows`.
    pub fn whole(rows: Vec<&'a SummaryRow>, factors: Vec<Factor>) -> Part<'a> {
        Part { levels: Vec::new(), rows, factors }
    }

    /// Divides by the first factor until no part has more than `limit` lines.
    pub fn split(self, limit: usize) -> Vec<Part<'a>> {
        if self.names().len() <= limit || self.factors.len() < 2 {
            return vec![self];
        }
        self.by_first().into_iter().flat_map(|part| part.split(limit)).collect()
    }

    /// What its rows are of.
    pub fn configurations(&self) -> Vec<Configuration> {
        self.rows.iter().map(|row| row.configuration.clone()).collect()
    }

    /// One part for each combination of levels.
    pub fn split_all(self) -> Vec<Part<'a>> {
        if self.factors.is_empty() {
            return vec![self];
        }
        self.by_first().into_iter().flat_map(Part::split_all).collect()
    }

    /// One part for each level of the first factor.
    fn by_first(&self) -> Vec<Part<'a>> {
        let (first, rest) = (self.factors[0], self.factors[1..].to_vec());
        let word = |row: &SummaryRow| model::phrase(&row.configuration, first);
        let sub = |level: String| {
            let rows = self.rows.iter().copied().filter(|row| word(row) == level).collect();
            let levels = self.levels.iter().cloned().chain(Some(level).filter(|level| !level.is_empty()));
            Part { levels: levels.collect(), rows, factors: rest.clone() }
        };
        distinct(self.rows.iter().map(|row| word(row))).into_iter().map(sub).collect()
    }

    /// Names of its lines, in the order of the rows.
    pub fn names(&self) -> Vec<String> {
        distinct(self.rows.iter().map(|row| self.name(row)))
    }

    /// The levels that tell a row's line from the others; its backend if there is only one line.
    pub fn name(&self, row: &SummaryRow) -> String {
        match self.factors.as_slice() {
            [] => row.configuration.level(Factor::Backend),
            factors => words(&row.configuration, factors),
        }
    }
}

/// The factors that head groups of bars, and those that tell the bars of a group apart.
pub(super) fn headings(factors: &[Factor]) -> (Vec<Factor>, Vec<Factor>) {
    let (load, rest): (Vec<Factor>, Vec<Factor>) = factors.iter().partition(|factor| LOAD.contains(factor));
    match (load.is_empty() || rest.is_empty(), factors) {
        (false, _) => (load, rest),
        (true, [first, rest @ ..]) if !rest.is_empty() => (vec![*first], rest.to_vec()),
        _ => (Vec::new(), factors.to_vec()),
    }
}

/// The load before all else: pictures are divided by it, so that those who carry the same stand in one.
pub(super) fn load_first(factors: Vec<Factor>) -> Vec<Factor> {
    let (load, rest): (Vec<Factor>, Vec<Factor>) =
        factors.into_iter().partition(|factor| LOAD.contains(factor));
    [load, rest].concat()
}

/// File name without extension of a picture of one part: `rate_per_flow_tps-virtio`.
pub(super) fn file_name(subject: &str, levels: &[String]) -> String {
    std::iter::once(subject.to_owned())
        .chain(levels.iter().map(|level| slug(level)))
        .collect::<Vec<_>>()
        .join("-")
}

/// Title of a picture of one part: `Total rate: virtio`.
pub(super) fn title(subject: &str, levels: &[String]) -> String {
    if levels.is_empty() { subject.into() } else { format!("{subject}: {}", levels.join(", ")) }
}

/// Levels in words that a line break leaves whole: `16 vCPUs` keeps its no-break space.
pub(super) fn words(configuration: &Configuration, factors: &[Factor]) -> String {
    let phrases = factors.iter().map(|factor| model::phrase(configuration, *factor).replace(' ', "\u{a0}"));
    phrases.filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Factors other than those on an axis that have more than one level.
pub(super) fn varying(rows: &[&SummaryRow], factors: &[Factor], axis: &[Factor]) -> Vec<Factor> {
    let varies = |factor: &Factor| {
        // What means nothing to a test tells it from no other.
        let mut heeding = rows.iter().map(|row| &row.configuration).filter(|c| c.test.heeds(*factor));
        let first = heeding.next().map(|configuration| configuration.level(*factor));
        heeding.any(|configuration| Some(configuration.level(*factor)) != first)
    };
    factors.iter().copied().filter(|factor| !axis.contains(factor)).filter(varies).collect()
}

pub(super) fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

/// Lower-case letters, digits and hyphens, for a file name.
fn slug(words: &str) -> String {
    let dashed: String =
        words.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
