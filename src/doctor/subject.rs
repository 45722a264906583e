//! The table of subjects, and what the facts of a machine make of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::RULES;
use super::xen;
use crate::host::facts::Facts;

/// Names, states and texts of all subjects.
const TABLE: &str = include_str!("subjects.toml");

/// Whether a setting harms what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

#[derive(Deserialize)]
pub(super) struct SubjectTable {
    pub(super) subject: Vec<Subject>,
}

/// A row of the table.
#[derive(Deserialize)]
pub(super) struct Subject {
    group: String,
    pub(super) name: String,
    /// The effect on guests in general.
    unknown: String,
    pub(super) states: BTreeMap<String, StateText>,
}

/// Rating and texts of a state, with values in braces.
#[derive(Clone, Deserialize)]
pub(super) struct StateText(Rating, String, String, #[serde(default)] Option<String>);

impl SubjectTable {
    pub(super) fn read() -> Result<SubjectTable, toml::de::Error> {
        toml::from_str(TABLE)
    }
}

/// One subject of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The part of the host that it belongs to.
    pub group: String,
    /// The subject's name.
    pub subject: String,
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
    /// Whether a machine with these facts has it: a dom0 has others than a host of KVM's.
    pub(super) fn is_of(&self, facts: &Facts) -> bool {
        xen::has(&self.group, &self.name, facts)
    }

    pub(super) fn examine(&self, facts: &Facts) -> Diagnosis {
        let rule = RULES.iter().find(|(name, _)| *name == self.name);
        let state = rule.map_or(Err("no rule".into()), |(_, rule)| rule(facts));
        let (found, rating, effect, change) =
            match state.as_ref().map(|state| (state, self.states.get(state.name))) {
                Ok((state, Some(StateText(rating, found, effect, change)))) => {
                    let change = change.as_deref().map(|change| state.fill(change));
                    (state.fill(found), *rating, state.fill(effect), change)
                }
                Ok((state, None)) => (state.name.into(), Rating::Unknown, self.unknown.clone(), None),
                Err(missing) => (missing.clone(), Rating::Unknown, self.unknown.clone(), None),
            };
        Diagnosis { group: self.group.clone(), subject: self.name.clone(), found, rating, effect, change }
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
