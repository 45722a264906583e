//! Rows of configurations that share a picture, a line or a colour: grouped by the levels of factors.

use super::palette::{Pen, Pens};
use super::plot::{Mark, Series, SeriesKind};
use crate::figures::SummaryRow;
use crate::profile::{Configuration, Factor};
use crate::report::{Model, model};

/// What the load is: it heads groups of bars, so that the machines of one load stand together.
pub(super) const LOAD: [Factor; 5] =
    [Factor::Test, Factor::Request, Factor::Response, Factor::Message, Factor::Background];

/// The levels of some factors; of those that a test ignores there is none.
pub(super) type Key = Vec<(Factor, String)>;

/// The key of a configuration over some factors.
pub(super) fn key(configuration: &Configuration, factors: &[Factor]) -> Key {
    let used = factors.iter().filter(|factor| configuration.test.heeds(**factor));
    used.map(|factor| (*factor, configuration.level(*factor))).collect()
}

/// Rows with the same key.
pub(super) struct GroupedRows<'a> {
    pub key: Key,
    /// Its levels in words.
    pub words: String,
    pub rows: Vec<&'a SummaryRow>,
}

/// Rows by their levels of some factors, in the order of the rows.
pub(super) fn group_by<'a>(
    rows: impl IntoIterator<Item = &'a SummaryRow>,
    factors: &[Factor],
) -> Vec<GroupedRows<'a>> {
    let mut groups: Vec<GroupedRows> = Vec::new();
    for row in rows {
        let key = key(&row.configuration, factors);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.rows.push(row),
            None => {
                groups.push(GroupedRows { words: words(&row.configuration, factors), rows: vec![row], key })
            }
        }
    }
    groups
}

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

    /// One group for each of its lines. The only line is named by its backend.
    pub fn lines(&self) -> Vec<GroupedRows<'a>> {
        group_by(self.rows.iter().copied(), or_backend(&self.factors))
    }

    /// Its lines with their pens.
    pub fn pens(&self, report: &Model) -> Vec<(GroupedRows<'a>, Pen)> {
        let pens = pens(report, &self.factors);
        let with_pen = |line: GroupedRows<'a>| {
            let pen = pens.get(&name(&line.key));
            (line, pen)
        };
        self.lines().into_iter().map(with_pen).collect()
    }

    /// A series for each of its lines that has points.
    pub fn series(&self, report: &Model, points: impl Fn(&GroupedRows<'a>) -> Vec<Mark>) -> Vec<Series> {
        let series = self.pens(report).into_iter().map(|(line, pen)| Series {
            points: points(&line),
            label: line.words,
            role: SeriesKind::Measured,
            pen,
        });
        series.filter(|series| !series.points.is_empty()).collect()
    }

    /// Divides by the first factor until no part has more than `limit` lines.
    pub fn split(self, limit: usize) -> Vec<Part<'a>> {
        if self.lines().len() <= limit || self.factors.len() < 2 {
            return vec![self];
        }
        self.by_first().into_iter().flat_map(|part| part.split(limit)).collect()
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
        let Some((first, rest)) = self.factors.split_first() else { return vec![self.clone()] };
        let part = |group: GroupedRows<'a>| {
            let own = Some(group.words).filter(|words| !words.is_empty());
            let levels = self.levels.iter().cloned().chain(own).collect();
            Part { levels, rows: group.rows, factors: rest.to_vec() }
        };
        group_by(self.rows.iter().copied(), std::slice::from_ref(first)).into_iter().map(part).collect()
    }

    /// What its rows are of.
    pub fn configurations(&self) -> Vec<Configuration> {
        self.rows.iter().map(|row| row.configuration.clone()).collect()
    }
}

/// The pens of the run's levels of some factors, so that they are the same in every part of a picture.
pub(super) fn pens(report: &Model, factors: &[Factor]) -> Pens {
    let guests = report.experiment.configurations.iter().filter(|configuration| configuration.vms > 0);
    Pens::assign(guests.map(|configuration| pen_name(configuration, factors)))
}

/// What is named by no factor is named by its backend.
pub(super) fn or_backend(factors: &[Factor]) -> &[Factor] {
    if factors.is_empty() { &[Factor::Backend] } else { factors }
}

/// The name that a configuration's pen belongs to among the levels of these factors.
pub(super) fn pen_name(configuration: &Configuration, factors: &[Factor]) -> String {
    name(&key(configuration, or_backend(factors)))
}

/// The name that a key's pen belongs to.
fn name(key: &Key) -> String {
    key.iter().map(|(_, level)| level.as_str()).collect::<Vec<_>>().join(", ")
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

/// The load before all else: pictures are divided by it, so that machines under the same load stand in one.
pub(super) fn load_first(factors: Vec<Factor>) -> Vec<Factor> {
    let (load, rest): (Vec<Factor>, Vec<Factor>) =
        factors.into_iter().partition(|factor| LOAD.contains(factor));
    [load, rest].concat()
}

/// Levels in words that a line break leaves whole: `16 vCPUs` keeps its no-break space.
pub(super) fn words(configuration: &Configuration, factors: &[Factor]) -> String {
    let phrases = factors.iter().map(|factor| model::phrase(configuration, *factor).replace(' ', "\u{a0}"));
    phrases.filter(|phrase| !phrase.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Factors other than those on an axis that have more than one level among the tests that use them.
pub(super) fn varying(rows: &[&SummaryRow], factors: &[Factor], axis: &[Factor]) -> Vec<Factor> {
    let varies = |factor: &Factor| {
        let mut using = rows.iter().map(|row| &row.configuration).filter(|c| c.test.heeds(*factor));
        let first = using.next().map(|configuration| configuration.level(*factor));
        using.any(|configuration| Some(configuration.level(*factor)) != first)
    };
    factors.iter().copied().filter(|factor| !axis.contains(factor)).filter(varies).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{fixture, summarise};
    use crate::profile::Test;

    #[test]
    fn a_level_that_a_test_ignores_separates_nothing() {
        let of = |test, burst| Configuration { test, burst, ..fixture::configuration("virtio", 2) };
        let plan =
            [of(Test::TCP_RR, 1), of(Test::TCP_RR, 3), of(Test::TCP_STREAM, 1), of(Test::TCP_STREAM, 3)];
        let rows = summarise(&plan, &[]);
        let sizes: Vec<usize> =
            group_by(&rows, &[Factor::Test, Factor::Burst]).iter().map(|group| group.rows.len()).collect();
        assert_eq!(sizes, [1, 1, 2]);
    }

    #[test]
    fn levels_with_the_same_words_are_different_groups() {
        let of = |memory_mib| Configuration { memory_mib, ..fixture::configuration("virtio", 2) };
        let rows = summarise(&[of(1024), of(2048)], &[]);
        let keys: Vec<Key> = group_by(&rows, &[Factor::Memory]).into_iter().map(|group| group.key).collect();
        assert_eq!(keys, [[(Factor::Memory, "1024".to_owned())], [(Factor::Memory, "2048".to_owned())]]);
    }
}
