//! All descriptors, by factor; levels of a configuration.

use std::sync::LazyLock;

use super::configuration::Configuration;
use super::descriptor::{AppliedAt, Descriptor, Scope, Store};
use super::names::Factor;
use super::value::Value;
use super::{guest, host_settings, network, nic_settings, workload, xen_host};

/// By the number of the factor.
static DESCRIPTORS: LazyLock<Vec<&'static Descriptor>> = LazyLock::new(|| {
    let families = [
        guest::FACTORS,
        network::FACTORS,
        workload::FACTORS,
        nic_settings::FACTORS,
        host_settings::FACTORS,
        xen_host::FACTORS,
    ];
    let mut all: Vec<&Descriptor> = families.into_iter().flatten().collect();
    all.sort_by_key(|descriptor| descriptor.factor);
    all
});

impl Factor {
    /// What there is to know of it.
    pub fn descriptor(self) -> &'static Descriptor {
        DESCRIPTORS[self as usize]
    }

    /// Where its one level stands in a profile: section and key.
    pub fn home(self) -> &'static str {
        self.descriptor().home
    }

    /// Its key in `[sweep]`.
    pub fn key(self) -> &'static str {
        self.descriptor().key
    }

    /// Column name in CSV files, with the unit where there is one.
    pub fn column(self) -> &'static str {
        self.descriptor().column
    }

    /// Whether another level needs other guests; all else is changed while they run.
    pub fn needs_boot(self) -> bool {
        self.descriptor().applied == AppliedAt::Boot
    }

    /// Whether another level is written into machines that run.
    pub fn is_set_live(self) -> bool {
        self.descriptor().applied == AppliedAt::Live
    }

    /// Whether it is a property of the guests, so that bare metal is the same for all its levels.
    pub fn is_of_guests(self) -> bool {
        matches!(self.descriptor().scope, Scope::Guest | Scope::Nic | Scope::Group)
    }

    /// Whether a section has a key for its one level; what groups do is written in each of them.
    pub fn has_home(self) -> bool {
        self.descriptor().scope != Scope::Group
    }

    /// What is measured if nothing is written; `None` where that must not be guessed.
    pub fn default_level(self) -> Option<Value> {
        let guessed = !matches!(self, Factor::Backend | Factor::Flows);
        guessed.then(|| Configuration::default().value(self))
    }

    /// Whether it is a setting of `[tuning]`.
    pub fn is_of_tuning(self) -> bool {
        matches!(self.descriptor().store, Store::Setting(_))
    }

    /// Whether it is a setting of the guests' NIC under test.
    pub fn is_of_nic(self) -> bool {
        self.descriptor().scope == Scope::Nic
    }

    /// A level in words: `16 guests`, `4 vCPUs`, `MTU 1500`; a backend and a test speak for themselves. Empty where the
    /// test ignores the factor.
    pub fn phrase(self, configuration: &Configuration) -> String {
        match configuration.test.heeds(self) {
            true => self.descriptor().phrase(configuration),
            false => String::new(),
        }
    }
}

/// A value that is not one of its factor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} has no level {value:?}", factor.key())]
pub struct WrongLevel {
    /// The factor.
    pub factor: Factor,
    /// The value.
    pub value: Value,
}

impl Configuration {
    /// The level of one factor.
    pub fn value(&self, factor: Factor) -> Value {
        factor.descriptor().get(self)
    }

    /// Changes the level of one factor.
    ///
    /// # Errors
    /// [`WrongLevel`] if the factor cannot have the value; nothing is changed then.
    pub fn set(&mut self, factor: Factor, value: &Value) -> Result<(), WrongLevel> {
        let set = factor.descriptor().set(self, value);
        set.ok_or_else(|| WrongLevel { factor, value: value.clone() })
    }

    /// The same configuration with another level of one factor.
    ///
    /// # Errors
    /// [`WrongLevel`] if the factor cannot have the value.
    pub fn with(mut self, factor: Factor, value: Value) -> Result<Configuration, WrongLevel> {
        self.set(factor, &value).map(|()| self)
    }

    /// The level of one factor, as it stands in tables and file names; empty where it has none, or the test ignores it.
    pub fn level(&self, factor: Factor) -> String {
        if self.test.heeds(factor) { self.value(factor).to_string() } else { String::new() }
    }

    /// Whether guests booted for `other` can serve this configuration too.
    pub fn same_boot(&self, other: &Configuration) -> bool {
        needing_boot().all(|factor| self.value(factor) == other.value(factor))
    }

    /// The levels that guests are booted for: configurations with the same ones can share guests.
    pub fn boot(&self) -> Vec<Value> {
        needing_boot().map(|factor| self.value(factor)).collect()
    }
}

fn needing_boot() -> impl Iterator<Item = Factor> {
    Factor::ALL.into_iter().filter(|factor| factor.needs_boot())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factor_has_one_descriptor_and_names_of_its_own() {
        assert_eq!(DESCRIPTORS.len(), Factor::ALL.len());
        for factor in Factor::ALL {
            assert_eq!(factor.descriptor().factor, factor);
            let same = |other: &Factor| other.key() == factor.key() || other.column() == factor.column();
            assert_eq!(Factor::ALL.iter().filter(|other| same(other)).count(), 1, "{factor:?}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_refused_and_changes_nothing() {
        let mut configuration = Configuration::default();
        for (factor, value) in [
            (Factor::Pin, Value::Word("scattered".into())),
            (Factor::Vms, Value::Switch(true)),
            (Factor::Ksm, Value::Number(1)),
            (Factor::Vcpus, Value::AsFound),
        ] {
            assert_eq!(configuration.set(factor, &value), Err(WrongLevel { factor, value }));
        }
        assert_eq!(configuration, Configuration::default());
    }
}
