//! A row of the examination, and what a machine's facts make of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::guests::Planned;
use crate::host::facts::Facts;

/// Whether a setting harms what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    /// It harms nothing.
    Good,
    /// The facts that decide it are missing.
    Unknown,
    /// It must be known when figures are read.
    Note,
    /// It harms speed, or fairness between guests.
    Bad,
}

impl Rating {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Rating::Good => "good",
            Rating::Unknown => "unknown",
            Rating::Note => "note",
            Rating::Bad => "bad",
        }
    }
}

/// One subject: a row of the tables in this folder.
pub(super) struct Subject {
    pub(super) name: &'static str,
    /// The effect on guests in general, for a machine that does not show enough to judge it; empty where it always does.
    pub(super) unknown: &'static str,
    /// The rule; an error states which fact is missing.
    pub(super) judge: fn(&Facts, Option<Planned>) -> Result<Judgement, String>,
}

/// What a rule makes of a machine's facts.
pub(super) struct Judgement {
    rating: Rating,
    found: String,
    effect: String,
    change: Option<String>,
}

pub(super) fn good(found: impl Into<String>, effect: impl Into<String>) -> Judgement {
    Judgement { rating: Rating::Good, found: found.into(), effect: effect.into(), change: None }
}

pub(super) fn note(
    found: impl Into<String>,
    effect: impl Into<String>,
    change: impl Into<String>,
) -> Judgement {
    Judgement { rating: Rating::Note, change: Some(change.into()), ..good(found, effect) }
}

pub(super) fn bad(
    found: impl Into<String>,
    effect: impl Into<String>,
    change: impl Into<String>,
) -> Judgement {
    Judgement { rating: Rating::Bad, ..note(found, effect, change) }
}

/// For a missing fact that a command reveals.
pub(super) fn unknown(
    missing: impl Into<String>,
    effect: impl Into<String>,
    change: impl Into<String>,
) -> Judgement {
    Judgement { rating: Rating::Unknown, ..note(missing, effect, change) }
}

/// One subject of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The part of the host that it belongs to.
    pub group: &'static str,
    /// The subject's name.
    pub subject: &'static str,
    /// The state of the machine.
    pub found: String,
    /// Whether that is good.
    pub rating: Rating,
    /// Its effect on guests, one sentence.
    pub effect: String,
    /// The command that changes it, or the step to take where no command does; never run by kvmfair.
    pub change: Option<String>,
}

impl Subject {
    pub(super) fn examine(&self, group: &'static str, facts: &Facts, planned: Option<Planned>) -> Diagnosis {
        let unknown = |missing: String| Judgement { rating: Rating::Unknown, ..good(missing, self.unknown) };
        let Judgement { rating, found, effect, change } =
            (self.judge)(facts, planned).unwrap_or_else(unknown);
        Diagnosis { group, subject: self.name, found, rating, effect, change }
    }
}

/// Every subject of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    /// In the order of the page.
    pub subjects: Vec<Diagnosis>,
}

impl HostReport {
    /// How many subjects have a rating.
    pub fn count(&self, rating: Rating) -> usize {
        self.subjects.iter().filter(|subject| subject.rating == rating).count()
    }
}

/// A size in IEC units: `512 MiB`.
pub(super) fn size(kib: u64) -> String {
    bytesize::ByteSize::kib(kib).display().iec().to_string().replace(".0 ", " ")
}

/// `1 guest`, `2 guests`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
