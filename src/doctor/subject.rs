//! One line of the answer: what was looked at, what was found, and what that does to guests.

use schemars::JsonSchema;
use serde::Serialize;

/// Whether a setting spoils what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It spoils nothing.
    Good,
    /// It could not be found out.
    Unknown,
    /// It is a choice that must be known when figures are read.
    Note,
    /// It spoils speed, or fairness between guests.
    Bad,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Unknown => "unknown",
            Verdict::Note => "note",
            Verdict::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subject {
    /// The part of the host that it belongs to.
    pub group: &'static str,
    /// What.
    pub subject: &'static str,
    /// What was found.
    pub found: String,
    /// Whether that is good.
    pub verdict: Verdict,
    /// What it does to fairness between guests, one sentence.
    pub effect: String,
    /// The command that changes it, or what to do where no command does; never run by kvmfair.
    pub change: Option<String>,
}

impl Subject {
    pub(super) fn new(
        subject: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        effect: impl Into<String>,
    ) -> Subject {
        Subject { group: "", subject, found: found.into(), verdict, effect: effect.into(), change: None }
    }

    pub(super) fn change(self, command: impl Into<String>) -> Subject {
        Subject { change: Some(command.into()), ..self }
    }

    pub(super) fn in_group(self, group: &'static str) -> Subject {
        Subject { group, ..self }
    }
}

/// Every subject of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    /// In the order of the page.
    pub subjects: Vec<Subject>,
}

impl HostReport {
    /// How many subjects have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.subjects.iter().filter(|subject| subject.verdict == verdict).count()
    }
}

/// A size in IEC units: `512 MiB`.
pub(super) fn size(kib: u64) -> String {
    bytesize::ByteSize::kib(kib).display().iec().to_string().replace(".0 ", " ")
}

/// `1 guest`, `2 guests`.
pub(super) fn count(n: usize, of: &str) -> String {
    format!("{n} {of}{}", if n == 1 { "" } else { "s" })
}
