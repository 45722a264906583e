//! What there is to know of a factor: where it stands in a profile, its column, how a level is written, how another level is
//! reached, and its words for people.

use super::configuration::Configuration;
use super::level_kind::LevelKind;
use super::names::Factor;
use super::tuning::KernelFormat;
use super::value::Value;

/// One factor.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Which one.
    pub factor: Factor,
    /// Where its one level stands in a profile: section and key.
    pub home: &'static str,
    /// Its key in `[sweep]`.
    pub key: &'static str,
    /// Column name in CSV files, with the unit where there is one.
    pub column: &'static str,
    /// What it is a property of.
    pub scope: Scope,
    /// Which VM hosts have it.
    pub hosts: Hosts,
    /// How another level is reached.
    pub applied: AppliedAt,
    /// How a level is written, and what it may be.
    pub kind: LevelKind,
    /// What it is, as users read it in the schema, in the reference and beside a wrong value.
    pub about: &'static str,
    /// Levels worth comparing, as TOML; the starter profile shows them.
    pub levels: &'static [&'static str],
    /// A level in words.
    pub phrase: Phrase,
    /// Where the level is kept.
    pub store: Store,
}

/// What a factor is a property of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The lab as a whole.
    Lab,
    /// The VM host.
    Host,
    /// Every guest: it makes no difference to bare metal.
    Guest,
    /// The guests' NIC under test.
    Nic,
    /// The groups of guests.
    Group,
    /// The measured load.
    Load,
}

/// Kinds of VM hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// All of them.
    Any,
    /// Those whose guests are QEMU's, with KVM or emulated.
    Kvm,
    /// Xen's.
    Xen,
}

/// How another level of a factor is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedAt {
    /// Other guests are booted.
    Boot,
    /// Guests are booted, suspended or resumed.
    Guests,
    /// It is written while the guests run.
    Live,
    /// It is new in every trial.
    Trial,
}

impl AppliedAt {
    /// How another level is reached, in words.
    pub fn describe(self) -> &'static str {
        match self {
            AppliedAt::Boot => "boots other guests",
            AppliedAt::Guests => "boots, suspends or resumes guests",
            AppliedAt::Live => "is set while guests run",
            AppliedAt::Trial => "is the next trial's",
        }
    }
}

/// A level in words.
#[derive(Clone, Copy, Debug)]
pub enum Phrase {
    /// It speaks for itself.
    Itself,
    /// After the name: `host RPS all`; `host RPS as found` where it is not set.
    Named(&'static str),
    /// Before the unit: `1500 B message`.
    Before(&'static str),
    /// Before what is counted: `1 guest`, `4 guests`; without a level as for `Named`.
    Count(&'static str),
    /// In words of its own.
    Own(fn(&Configuration) -> String),
}

/// Where the level of a factor is kept.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    /// In a field of the configuration.
    Field {
        /// The level.
        get: fn(&Configuration) -> Value,
        /// Changes it; `None` if the value is not one of this factor.
        set: fn(&mut Configuration, &Value) -> Option<()>,
    },
    /// Among the settings that are files and values.
    Setting(KernelSetting),
}

/// A setting of a kernel: files, or words of ethtool's, and how they have a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelSetting {
    /// In words, as it stands in proofs.
    pub what: &'static str,
    /// Shell patterns, separated by blanks; one without a leading slash is a file of the NIC. Or a word of ethtool's.
    pub files: &'static str,
    /// How the kernel prints it.
    pub format: KernelFormat,
    /// What a switch is written as: on, off.
    pub switch: [&'static str; 2],
    /// Whether it is written as 0 while RPS is off on the same side.
    pub zero_without_rps: bool,
    /// What to do where the kernel has no such setting; empty for those of a NIC.
    pub missing: &'static str,
    /// Where the kernel lists the values that it takes, as shell patterns; empty if it lists none.
    pub choices: &'static str,
}

impl KernelSetting {
    /// A setting that is printed as it was written; the other fields follow as needed.
    pub(super) const fn new(what: &'static str, files: &'static str) -> KernelSetting {
        KernelSetting {
            what,
            files,
            format: KernelFormat::Plain,
            switch: ["on", "off"],
            zero_without_rps: false,
            missing: "",
            choices: "",
        }
    }
}

impl Descriptor {
    /// A switch that guests are booted for, by its factor, home, scope and store; the key is the last part of the home, and
    /// names column and phrase too. The other fields follow as needed.
    pub(super) const fn new(factor: Factor, home: &'static str, scope: Scope, store: Store) -> Descriptor {
        let key = last_part(home);
        Descriptor {
            factor,
            home,
            key,
            column: key,
            scope,
            // The CPUs, the memory and the interrupts of a Xen host are not its dom0's kernel's.
            hosts: if matches!(scope, Scope::Host) { Hosts::Kvm } else { Hosts::Any },
            applied: AppliedAt::Boot,
            kind: LevelKind::Switch,
            about: "",
            levels: &[],
            phrase: Phrase::Named(key),
            store,
        }
    }

    /// The levels worth comparing, as a list of TOML.
    pub fn list_of_levels(&self) -> String {
        format!("[{}]", self.levels.join(", "))
    }

    /// The level in a configuration.
    pub(super) fn get(&self, configuration: &Configuration) -> Value {
        match self.store {
            Store::Field { get, .. } => get(configuration),
            Store::Setting(_) => configuration.settings.get(&self.factor).cloned().unwrap_or(Value::AsFound),
        }
    }

    /// Changes the level in a configuration; `None` if the value is not one of this factor.
    pub(super) fn set(&self, configuration: &mut Configuration, value: &Value) -> Option<()> {
        match self.store {
            Store::Field { set, .. } => set(configuration, value),
            Store::Setting(_) if *value == Value::AsFound => {
                configuration.settings.remove(&self.factor);
                Some(())
            }
            Store::Setting(_) => {
                self.kind
                    .matches(value)
                    .then(|| configuration.settings.insert(self.factor, value.clone()))?;
                Some(())
            }
        }
    }

    /// The level of a configuration in words.
    pub(super) fn phrase(&self, configuration: &Configuration) -> String {
        let level = self.get(configuration).to_string();
        match self.phrase {
            Phrase::Own(phrase) => phrase(configuration),
            Phrase::Itself => level,
            Phrase::Before(unit) => format!("{level} {unit}"),
            Phrase::Named(name) if level.is_empty() => format!("{name} as found"),
            Phrase::Named(name) => format!("{name} {level}"),
            Phrase::Count(thing) if level.is_empty() => format!("{thing}s as found"),
            Phrase::Count(thing) if level == "1" => format!("1 {thing}"),
            Phrase::Count(thing) => format!("{level} {thing}s"),
        }
    }
}

/// What follows the last dot.
const fn last_part(path: &'static str) -> &'static str {
    let mut at = path.len();
    while at > 0 && path.as_bytes()[at - 1] != b'.' {
        at -= 1;
    }
    path.split_at(at).1
}
